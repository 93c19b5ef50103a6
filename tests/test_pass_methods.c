/* The scores of what passes give. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "ood/pass.h"
#include "ood/score.h"

enum { E = 3, N = 7, K = 4 };

static void draw(float *z)
{
    dn_random_sequence random = {.seed = 1};
    for (int i = 0; i < E * N * K; i++) z[i] = 3 * dn_random_next_normal(&random);
}

static void score(double *scores, const char *text, const float *z, dn_reduce reduce)
{
    dn_score_expression expression;
    const dn_score_input input = {.logits = {E, N, K, DN_F32, z, NULL, NULL}};
    const dn_score_fit passed = {.passes = true};
    cr_assert_eq(dn_expression_parse(&expression, text), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_score(scores, &expression, &input, reduce, &passed), DN_OK, "%s: %s", text, dn_error_last());
}

/* Two names of one score, once the pass is done. */
static void expect_same(const char *one, const char *other)
{
    float z[E * N * K];
    double a[N], b[N];
    draw(z);
    score(a, one, z, DN_REDUCE_DEFAULT);
    score(b, other, z, DN_REDUCE_DEFAULT);
    for (int i = 0; i < N; i++) cr_expect_float_eq(a[i], b[i], 1e-14, "%s: %.17g, %s: %.17g", one, a[i], other, b[i]);
}

Test(pass_methods, scores_by_the_definitions)
{
    float z[E * N * K];
    double got[N], other[N];
    draw(z);
    score(got, "odin", z, DN_REDUCE_SCORE);
    score(other, "odin_entropy:T=1000,eps=.01", z, DN_REDUCE_SCORE);
    for (int i = 0; i < N; i++) {
        double mean = 0.0;
        for (int e = 0; e < E; e++) {
            const float *row = z + (e * N + i) * K;
            double sum = 0.0, top = -INFINITY;
            for (int k = 0; k < K; k++) top = fmax(top, (double)row[k]);
            for (int k = 0; k < K; k++) sum += exp(((double)row[k] - top) / 1000);
            mean += (1 - 1 / sum) / E;
        }
        cr_expect_float_eq(got[i], mean, 1e-14);
        cr_expect_float_eq(other[i], mean, 1e-14);
    }
    expect_same("rankfeat", "energy");
    expect_same("odin:T=1", "msp");
    expect_same("mc_dropout", "predictive_entropy");
    static const char *const words[] = {"predictive_entropy", "expected_entropy", "mutual_information", "ensemble_msp",
                                        "variance",           "variation_ratio",  "pairwise_kl",        "leave_out"};
    for (int i = 0; i < 8; i++) {
        char text[64];
        snprintf(text, sizeof text, "mc_dropout:T=3,score=%s", words[i]);
        expect_same(text, words[i]);
    }
}

/* The word's list must have every score of ensembles but itself. */
Test(pass_methods, every_ensemble_score_can_follow_dropout)
{
    size_t count = 0;
    const dn_method *const *methods = dn_methods(&count);
    for (size_t i = 0; i < count; i++) {
        if (methods[i]->kind != DN_METHOD_ENSEMBLE || strcmp(methods[i]->name, "mc_dropout") == 0) continue;
        char text[64];
        dn_score_expression expression;
        snprintf(text, sizeof text, "mc_dropout:score=%s", methods[i]->name);
        cr_expect_eq(dn_expression_parse(&expression, text), DN_OK, "%s", dn_error_last());
    }
}

static dn_pass_options options_for(const char *text)
{
    dn_score_expression expression;
    cr_assert_eq(dn_expression_parse(&expression, text), DN_OK, "%s", dn_error_last());
    return dn_pass_options_for(&expression.base);
}

Test(pass_methods, options_of_the_pass)
{
    const dn_pass_options odin = options_for("odin"), moved = options_for("odin_entropy:T=10,eps=.02");
    cr_expect_eq(odin.kind, DN_PASS_ODIN);
    cr_expect_eq(odin.temperature, 1000);
    cr_expect_eq(odin.epsilon, .0014);
    cr_expect_eq(moved.kind, DN_PASS_ODIN_ENTROPY);
    cr_expect_eq(moved.temperature, 10);
    cr_expect_eq(moved.epsilon, .02);
    cr_expect_eq(options_for("odin:eps=0").kind, DN_PASS_NONE);
    cr_expect_eq(options_for("rankfeat").kind, DN_PASS_RANKFEAT);
    const dn_pass_options dropout = options_for("mc_dropout:T=50");
    cr_expect_eq(dropout.kind, DN_PASS_DROPOUT);
    cr_expect_eq(dropout.samples, 50);
    cr_expect_eq(options_for("msp").kind, DN_PASS_NONE);
    cr_expect_eq(options_for("mahalanobis").kind, DN_PASS_NONE);
    const dn_pass_options own = options_for("mahalanobis:eps=.01");
    cr_expect_eq(own.kind, DN_PASS_SCORE);
    cr_expect_eq(own.epsilon, .01);
    cr_expect_eq(options_for("leave_out").kind, DN_PASS_NONE);
    cr_expect_eq(options_for("leave_out:gradient=entropy").kind, DN_PASS_NONE);
    cr_expect_eq(options_for("leave_out:eps=.002").kind, DN_PASS_ODIN);
    const dn_pass_options paper = options_for("leave_out:T=10,eps=.003,gradient=entropy");
    cr_expect_eq(paper.kind, DN_PASS_ODIN_ENTROPY);
    cr_expect_eq(paper.temperature, 10);
    cr_expect_eq(paper.epsilon, .003);
}

/* Arrays that come from a plain pass are no answer. */
Test(pass_methods, refused_without_the_pass)
{
    static const char *const texts[] = {"odin", "odin_entropy", "rankfeat", "mc_dropout", "leave_out:eps=.002"};
    float z[E * N * K];
    double scores[N];
    draw(z);
    const dn_score_input input = {.logits = {E, N, K, DN_F32, z, NULL, NULL}};
    for (int i = 0; i < 5; i++) {
        dn_score_expression expression;
        cr_assert_eq(dn_expression_parse(&expression, texts[i]), DN_OK, "%s", dn_error_last());
        cr_expect_eq(dn_score(scores, &expression, &input, DN_REDUCE_DEFAULT, NULL), DN_ERROR_ARGUMENT, "%s", texts[i]);
        cr_expect(strstr(dn_error_last(), texts[i]), "%s", dn_error_last());
    }
}
