/** nci by hand: the example of docs/add_a_score.md. */
#include <criterion/criterion.h>
#include <math.h>

#include "ood/score.h"

Test(nci, by_hand)
{
    /* The fit rows' mean is (1,1). Both rows to score are predicted as class 1, whose weights are (0,2). */
    static const double fit_features[2][2] = {{0, 2}, {2, 0}}, features[2][2] = {{4, 5}, {1, 1}};
    static const double logits[2][2] = {{4, 10}, {1, 2}}, weight[2][2] = {{1, 0}, {0, 2}}, bias[2] = {0, 0};
    const dn_matrix layer = {1, 2, 2, DN_F64, features, NULL, NULL},
                    fit_layer = {1, 2, 2, DN_F64, fit_features, NULL, NULL};
    const dn_score_input input = {.logits = {1, 2, 2, DN_F64, logits, NULL, NULL}, .layer = &layer, .layers = 1};
    const dn_score_input set = {.layer = &fit_layer, .layers = 1};
    const dn_score_fit fit = {.set = &set, .weight = weight[0], .bias = bias};
    double scores[2];
    dn_score_expression nci;
    cr_assert_eq(dn_expression_parse(&nci, "nci:alpha=.5"), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_score(scores, &nci, &input, DN_REDUCE_DEFAULT, &fit), DN_OK, "%s", dn_error_last());
    /* f - m = (3,4): (0,2).(3,4) / 5 = 1.6, norm1(f) = 9 */
    cr_expect_float_eq(scores[0], -(1.6 + .5 * 9), 1e-15);
    /* f - m = 0, whose norm counts as 1e-10: nothing but norm1(f) is left, and no NaN */
    cr_expect_float_eq(scores[1], -(.5 * 2), 1e-15);
}
