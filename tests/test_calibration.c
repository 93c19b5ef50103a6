/** Calibration figures against hand-computed cases and against their definitions in long double. */
#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/random.h"
#include "ood/calibration.h"

enum { MEMBERS = 3, ROWS = 40, CLASSES = 5 };

static dn_calibration compute(const dn_calibration_input *in, const dn_calibration_rows *rows)
{
    dn_calibration out;
    cr_assert_eq(dn_calibration_compute(&out, rows, in), DN_OK, "%s", dn_error_last());
    return out;
}

static void expect_near(double got, long double want, const char *what)
{
    cr_expect(fabsl(got - want) <= 1e-13L * fmaxl(1, fabsl(want)), "%s is %.17g, expected %.17Lg", what, got, want);
}

/** pm of a row, member by member. @param map NULL or [E,CLASSES] */
static void mean_probabilities(long double *pm, const double *z, int members, int row, const int32_t *map)
{
    for (int c = 0; c < CLASSES; c++) pm[c] = 0;
    for (int e = 0; e < members; e++) {
        long double sum = 0;
        for (int k = 0; k < CLASSES; k++)
            if (!map || map[e * CLASSES + k] >= 0) sum += expl((long double)z[(e * ROWS + row) * CLASSES + k]);
        for (int k = 0; k < CLASSES; k++) {
            const int class = map ? map[e * CLASSES + k] : k;
            if (class >= 0) pm[class] += expl((long double)z[(e * ROWS + row) * CLASSES + k]) / sum / members;
        }
    }
}

static void check_definition(const double *z, int members, const int32_t *labels, const int32_t *map)
{
    long double nll = 0, brier = 0, ece = 0, top[DN_ECE_BINS] = {0}, right[DN_ECE_BINS] = {0}, all = 0;
    for (int row = 0; row < ROWS; row++) {
        long double pm[CLASSES];
        int best = 0, bin = 0;
        mean_probabilities(pm, z, members, row, map);
        for (int c = 0; c < CLASSES; c++) {
            if (pm[c] > pm[best]) best = c;
            brier += (pm[c] - (c == labels[row])) * (pm[c] - (c == labels[row])) / ROWS;
        }
        while (!(pm[best] > (long double)bin / DN_ECE_BINS && pm[best] <= (bin + 1.0L) / DN_ECE_BINS)) bin++;
        nll -= logl(pm[labels[row]]) / ROWS;
        top[bin] += pm[best];
        right[bin] += best == labels[row];
        all += best == labels[row];
    }
    for (int b = 0; b < DN_ECE_BINS; b++) ece += fabsl(top[b] - right[b]) / ROWS;
    const dn_calibration got = compute(&(dn_calibration_input){.members = (size_t)members,
                                                               .rows = ROWS,
                                                               .columns = CLASSES,
                                                               .logits = z,
                                                               .labels = labels,
                                                               .class_map = map,
                                                               .classes = CLASSES},
                                       NULL);
    expect_near(got.nll, nll, "nll");
    expect_near(got.brier, brier, "brier");
    expect_near(got.ece, ece, "ece");
    expect_near(got.accuracy, all / ROWS, "accuracy");
}

Test(calibration, by_definition)
{
    dn_random_sequence random = {.seed = 11};
    double z[MEMBERS * ROWS * CLASSES];
    int32_t labels[ROWS];
    /* Members that leave out a class each, and one in another order. */
    const int32_t map[MEMBERS * CLASSES] = {0, 1, 2, 3, -1, -1, 4, 3, 2, 1, 2, 3, -1, 0, 4};
    for (int round = 0; round < 30; round++) {
        for (size_t i = 0; i < sizeof z / sizeof *z; i++) z[i] = 3 * (double)dn_random_next_normal(&random);
        for (int i = 0; i < ROWS; i++) labels[i] = (int32_t)dn_random_next_below(&random, CLASSES);
        check_definition(z, 1, labels, NULL);
        check_definition(z, MEMBERS, labels, NULL);
        check_definition(z, MEMBERS, labels, map);
    }
}

/* Uniform rows: max p = 1/5 and 1/3 are edges of bins, which belong to the bin below. One row of 3/15, all wrong. */
Test(calibration, by_hand)
{
    const double even[] = {7, 7, 7, 7, 7};
    const int32_t label[] = {2};
    dn_calibration got =
        compute(&(dn_calibration_input){.members = 1, .rows = 1, .columns = 5, .logits = even, .labels = label}, NULL);
    expect_near(got.nll, logl(5), "nll");
    expect_near(got.brier, 0.8L, "brier");
    expect_near(got.ece, 0.2L, "ece");
    cr_expect_eq(got.accuracy, 0);

    /* 0.2 and a little less share a bin, a little more is in the next: with one right of the first two,
     * ece = (abs(1 - .2 - p1) + abs(0 - p2)) / 3. */
    const double three[] = {0, 0, 0, 0, 0, 1e-6, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const int32_t labels[] = {0, 1, 1};
    const long double above = expl(1e-6L) / (expl(1e-6L) + 4);
    got = compute(&(dn_calibration_input){.members = 1, .rows = 3, .columns = 5, .logits = three, .labels = labels},
                  NULL);
    expect_near(got.ece, (fabsl(1 - 0.4L) + above) / 3, "ece");
}

Test(calibration, saturated_rows_stay_exact)
{
    /* p_y = e^-800 underflows; of two certain rows the second is the more certain. */
    const double z[] = {800, 0, 50, 0, 60, 0};
    const int32_t labels[] = {1, 0, 0};
    uint8_t right[3];
    double msp[3];
    const dn_calibration got =
        compute(&(dn_calibration_input){.members = 1, .rows = 3, .columns = 2, .logits = z, .labels = labels},
                &(dn_calibration_rows){right, msp});
    cr_expect_eq(got.nll, (800 + log1p(exp(-50)) + log1p(exp(-60))) / 3);
    cr_expect(right[0] == 0 && right[1] == 1 && right[2] == 1);
    cr_expect(msp[1] == exp(-50) / (1 + exp(-50)) && msp[2] < msp[1] && msp[0] == 0);
}

Test(calibration, copies_of_a_member_change_nothing)
{
    double z[4 * ROWS * CLASSES];
    int32_t labels[ROWS];
    dn_random_sequence random = {.seed = 12};
    for (int i = 0; i < ROWS * CLASSES; i++) {
        z[i] = 4 * (double)dn_random_next_normal(&random);
        for (int e = 1; e < 4; e++) z[e * ROWS * CLASSES + i] = z[i];
    }
    for (int i = 0; i < ROWS; i++) labels[i] = (int32_t)dn_random_next_below(&random, CLASSES);
    dn_calibration_input in = {.members = 1, .rows = ROWS, .columns = CLASSES, .logits = z, .labels = labels};
    const dn_calibration one = compute(&in, NULL);
    in.members = 4;
    const dn_calibration four = compute(&in, NULL);
    expect_near(four.nll, one.nll, "nll");
    expect_near(four.brier, one.brier, "brier");
    expect_near(four.ece, one.ece, "ece");
    cr_expect_eq(four.accuracy, one.accuracy);
}

Test(calibration, threads_change_nothing)
{
    double z[ROWS * CLASSES];
    int32_t labels[ROWS] = {0};
    dn_random_sequence random = {.seed = 13};
    for (int i = 0; i < ROWS * CLASSES; i++) z[i] = (double)dn_random_next_normal(&random);
    const dn_calibration_input in = {.members = 1, .rows = ROWS, .columns = CLASSES, .logits = z, .labels = labels};
    omp_set_num_threads(1);
    const dn_calibration one = compute(&in, NULL);
    omp_set_num_threads(5);
    const dn_calibration five = compute(&in, NULL);
    cr_expect(one.nll == five.nll && one.brier == five.brier && one.ece == five.ece);
}

static void expect_error(dn_calibration_input in, dn_status want, const char *text)
{
    dn_calibration out = {.nll = 7};
    cr_expect_eq(dn_calibration_compute(&out, NULL, &in), want);
    cr_expect(strstr(dn_error_last(), text), "'%s' lacks '%s'", dn_error_last(), text);
    cr_expect_eq(out.nll, 7, "a failure must not write");
}

Test(calibration, bad_input_is_named)
{
    const double good[] = {1, 2, 3, 4}, bad[] = {1, 2, INFINITY, 4}, far[] = {1e308, -1e308, 0, 0};
    const int32_t labels[] = {1, 0}, high[] = {1, 2}, negative[] = {-1, 0};
    const int32_t outside[] = {0, 2}, twice[] = {0, 0}, unused[] = {-1, -1}, first[] = {0, -1};
    dn_calibration_input in = {.members = 1, .rows = 2, .columns = 2, .logits = good, .labels = labels, .classes = 2};
    dn_calibration_input other = in;
    other.rows = 0;
    expect_error(other, DN_ERROR_SHAPE, "0 rows");
    other.rows = 2, other.columns = 1;
    expect_error(other, DN_ERROR_SHAPE, "1 classes");
    other = in, other.classes = 3;
    expect_error(other, DN_ERROR_SHAPE, "class map");
    other = in, other.logits = bad;
    expect_error(other, DN_ERROR_NUMERIC, "row 1, column 0");
    other = in, other.logits = far;
    expect_error(other, DN_ERROR_NUMERIC, "row 0");
    other = in, other.labels = high;
    expect_error(other, DN_ERROR_ARGUMENT, "row 1 (counted from 0) is 2, expected a class from 0 to 1");
    other.labels = negative;
    expect_error(other, DN_ERROR_ARGUMENT, "row 0 (counted from 0) is -1");
    other = in, other.class_map = outside;
    expect_error(other, DN_ERROR_SHAPE, "column 1 is 2");
    other.class_map = twice;
    expect_error(other, DN_ERROR_SHAPE, "columns 0 and 1");
    other.class_map = unused;
    expect_error(other, DN_ERROR_SHAPE, "no column");
    other.class_map = first;
    expect_error(other, DN_ERROR_ARGUMENT, "no member knows");
}
