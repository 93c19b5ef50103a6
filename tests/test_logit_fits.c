/** Scores of logits that are fitted: temp_scale and kl_matching. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "ood/score.h"

static dn_status score(double *scores, const char *text, const double *z, size_t rows, const double *fit_logits,
                       const int32_t *labels, size_t fit_rows, size_t columns)
{
    dn_score_expression expression;
    cr_assert_eq(dn_expression_parse(&expression, text), DN_OK, "%s", dn_error_last());
    const dn_score_input input = {.logits = {1, rows, columns, DN_F64, z, NULL, NULL}};
    const dn_score_input set = {.logits = {1, fit_rows, columns, DN_F64, fit_logits, NULL, NULL}, .labels = labels};
    const dn_score_fit fit = {.set = &set};
    return dn_score(scores, &expression, &input, DN_REDUCE_DEFAULT, &fit);
}

/** @return 1/T as it shows in the score of the logits (size, 0): 1 / (1 + exp(size / T)) */
static double inverse_temperature(const double *fit_logits, const int32_t *labels, size_t rows, size_t columns,
                                  double size)
{
    double z[16] = {size, 0}, s;
    for (size_t c = 2; c < columns; c++) z[c] = -1e30;
    cr_assert_eq(score(&s, "temp_scale", z, 1, fit_logits, labels, rows, columns), DN_OK, "%s", dn_error_last());
    return log((1 - s) / s) / size;
}

/** Mean of ln sum exp(b z) - b z_y, in long double. */
static long double loss(const double *z, const int32_t *labels, size_t rows, size_t columns, double b)
{
    long double sum = 0;
    for (size_t r = 0; r < rows; r++) {
        long double e = 0;
        const double *row = z + r * columns;
        for (size_t c = 0; c < columns; c++) e += expl((long double)b * (row[c] - row[labels[r]]));
        sum += logl(e);
    }
    return sum / (long double)rows;
}

enum { ROWS = 600, COLUMNS = 5 };

static void random_set(double *z, int32_t *labels, double scale)
{
    dn_random_sequence r = {.seed = 12};
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % COLUMNS;
        for (int c = 0; c < COLUMNS; c++)
            z[i * COLUMNS + c] = scale * (dn_random_next_normal(&r) + (c == labels[i] ? 1.5 : 0));
    }
}

Test(temp_scale, is_the_minimum_of_a_fine_grid)
{
    static double z[ROWS * COLUMNS];
    static int32_t labels[ROWS];
    const double scales[] = {0.01, 1, 30};
    for (int i = 0; i < 3; i++) {
        random_set(z, labels, scales[i]);
        const double found = inverse_temperature(z, labels, ROWS, COLUMNS, scales[i]);
        /* A grid of 4000 points over a factor of 4, then the golden section's answer around its best point. */
        double best = 0;
        long double least = INFINITY;
        for (int k = 0; k < 4000; k++) {
            const double b = found * exp2(-1 + k / 2000.0);
            const long double value = loss(z, labels, ROWS, COLUMNS, b);
            if (value < least) {
                least = value;
                best = b;
            }
        }
        cr_expect(fabs(found / best - 1) < 1e-3, "scale %g: 1/T %.10g, of the grid %.10g", scales[i], found, best);
        cr_expect_leq(loss(z, labels, ROWS, COLUMNS, found), least);
        /* The slope, by central differences: it changes its sign within 1e-8 of the answer. */
        const double h = 1e-4 * found;
        long double slope[2];
        for (int k = 0; k < 2; k++) {
            const double b = found * (1 + (k ? 3e-8 : -3e-8));
            slope[k] = loss(z, labels, ROWS, COLUMNS, b + h) - loss(z, labels, ROWS, COLUMNS, b - h);
        }
        cr_expect(slope[0] < 0 && slope[1] > 0, "scale %g: slopes %Lg, %Lg", scales[i], slope[0], slope[1]);
    }
}

Test(temp_scale, two_rows_by_hand)
{
    /* Margins 2 (right), 2 (right), 2 (wrong): p must be 2/3, 2 / T = ln 2. */
    const double z[] = {2, 0, 0, 2, 0, 2};
    const int32_t labels[] = {0, 1, 0};
    cr_expect_float_eq(inverse_temperature(z, labels, 3, 2, 1), log(2) / 2, 1e-8);
}

Test(temp_scale, stays_within_its_bounds)
{
    double z[] = {3, 1, 0.5, 2, 7, 0};
    const int32_t right[] = {0, 1, 0}, wrong[] = {1, 0, 1}, same[] = {0, 0, 0};
    /* All rows right: the sharper the better. Seen at logits that 1/T = 1000 does not saturate. */
    cr_expect_float_eq(inverse_temperature(z, right, 3, 2, 1e-3), 1e3, 1e-6);
    cr_expect_float_eq(inverse_temperature(z, wrong, 3, 2, 1e3), 1e-3, 1e-9);
    /* One class, in rows that it wins and loses. */
    const double b = inverse_temperature(z, same, 3, 2, 1);
    cr_expect(b > 0.05 && b < 5, "%g", b);
    /* Logits that say nothing: any temperature is as good, and none is a NaN. */
    memset(z, 0, sizeof z);
    const double any = inverse_temperature(z, same, 3, 2, 1e-3);
    cr_expect(any >= 1e-3 - 1e-9 && any <= 1e3 + 1e-6, "%g", any);
}

Test(temp_scale, needs_labels)
{
    const double z[] = {1, 2};
    double s;
    cr_expect_eq(score(&s, "temp_scale", z, 1, z, NULL, 1, 2), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "labels"), "%s", dn_error_last());
}

Test(kl_matching, by_hand)
{
    /* p of the fit rows: (3/4, 1/4), (1/2 + little, ...) are predicted 0; nothing is predicted 1; one row 2. */
    const double ln2 = log(2), ln3 = log(3);
    const double fit[] = {ln2, 0, 0, /**/ ln3, ln2, 0, /**/ 0, 0, ln2};
    const double d0[] = {(1 / 2.0 + 3 / 6.0) / 2, (1 / 4.0 + 2 / 6.0) / 2, (1 / 4.0 + 1 / 6.0) / 2};
    const double d2[] = {1 / 4.0, 1 / 4.0, 1 / 2.0}, p[] = {1 / 7.0, 2 / 7.0, 4 / 7.0};
    const double z[] = {0, ln2, 2 * ln2};
    double to0 = 0, to2 = 0, s;
    for (int c = 0; c < 3; c++) {
        to0 += p[c] * log(p[c] / d0[c]);
        to2 += p[c] * log(p[c] / d2[c]);
    }
    cr_assert_eq(score(&s, "kl_matching", z, 1, fit, NULL, 3, 3), DN_OK, "%s", dn_error_last());
    cr_expect(to2 < to0);
    cr_expect_float_eq(s, to2, 1e-15);
    cr_assert_eq(score(&s, "kl_matching", fit, 1, fit, NULL, 2, 3), DN_OK, "%s", dn_error_last()); /* only d0 is left */
    double want = 0;
    const double q[] = {1 / 2.0, 1 / 4.0, 1 / 4.0};
    for (int c = 0; c < 3; c++) want += q[c] * log(q[c] / d0[c]);
    cr_expect_float_eq(s, want, 1e-15);
}

Test(kl_matching, patterns_have_a_floor)
{
    /* The only pattern is (1, 0): a sure row of the other class is 0 ln 0 - ln 1e-12 away. */
    const double fit[] = {800, 0}, z[] = {0, 800};
    double s;
    cr_assert_eq(score(&s, "kl_matching", z, 1, fit, NULL, 1, 2), DN_OK, "%s", dn_error_last());
    cr_expect_float_eq(s, -log(1e-12), 1e-12);
}
