/** Bootstrap intervals against resamples that are drawn, sorted and measured one by one. */
#include <criterion/criterion.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/bootstrap.h"

enum { N_ID = 37, N_OOD = 22, R = 60, NUMBERS = DN_METRIC_COUNT * R };

/** The draws that the header promises: word i mod 4 of block i / 4 of (seed, resample, set). */
static void draw_rows(double *to, const double *from, uint32_t n, uint64_t seed, uint32_t resample, uint32_t set)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bits[4];
        dn_random_block(bits, seed, 0x626f6f74, resample, set, i / 4);
        to[i] = from[dn_random_to_below(bits[i % 4], n)];
    }
}

static void make_scores(double *id, double *ood, uint32_t values, uint64_t seed)
{
    dn_random_sequence random = {.seed = seed};
    for (int i = 0; i < N_ID; i++) id[i] = (double)dn_random_next_below(&random, values) - 1;
    for (int i = 0; i < N_OOD; i++) ood[i] = (double)dn_random_next_below(&random, values);
}

static void compute(double *values, const dn_score_sets *sets, size_t methods, const dn_bootstrap_options *options)
{
    cr_assert_eq(dn_bootstrap_values(values, sets, methods, options), DN_OK, "%s", dn_error_last());
}

Test(bootstrap, resamples_equal_sorting_the_drawn_rows)
{
    double id[2][N_ID], ood[2][N_OOD], drawn_id[N_ID], drawn_ood[N_OOD];
    static double values[2 * NUMBERS];
    for (int round = 0; round < 8; round++) {
        /* Two methods on the same rows, one with ties. */
        make_scores(id[0], ood[0], 4, 5);
        make_scores(id[1], ood[1], 1000000, 6);
        const dn_score_sets sets[2] = {{id[0], ood[0], N_ID, N_OOD}, {id[1], ood[1], N_ID, N_OOD}};
        const dn_bootstrap_options options = {
            R, 99, 3, {(dn_fpr_rule)(round / 2), round % 2 ? DN_POSITIVE_ID : DN_POSITIVE_OOD}};
        compute(values, sets, 2, &options);
        for (uint32_t m = 0; m < 2; m++) {
            for (uint32_t r = 0; r < R; r++) {
                dn_metrics want;
                draw_rows(drawn_id, id[m], N_ID, 99, r, 0);
                draw_rows(drawn_ood, ood[m], N_OOD, 99, r, 1 + 3);
                cr_assert_eq(dn_metrics_compute(&want, drawn_id, N_ID, drawn_ood, N_OOD, &options.metrics), DN_OK);
                for (uint32_t i = 0; i < DN_METRIC_COUNT; i++) {
                    cr_expect_eq(values[(m * DN_METRIC_COUNT + i) * R + r], dn_metrics_value(&want, (dn_metric)i),
                                 "method %u, resample %u, %s", m, r, dn_metric_name((dn_metric)i));
                }
            }
        }
    }
}

static bool same(const double *a, const double *b, int n)
{
    int i = 0;
    while (i < n && a[i] == b[i]) i++;
    return i == n;
}

Test(bootstrap, threads_change_nothing_and_seeds_do)
{
    double id[N_ID], ood[N_OOD];
    static double one[NUMBERS], many[NUMBERS], other[NUMBERS];
    make_scores(id, ood, 1000, 7);
    const dn_score_sets sets = {id, ood, N_ID, N_OOD};
    dn_bootstrap_options options = {.resamples = R, .seed = 1};
    omp_set_num_threads(1);
    compute(one, &sets, 1, &options);
    omp_set_num_threads(7);
    compute(many, &sets, 1, &options);
    cr_expect(same(one, many, NUMBERS));
    options.seed = 2;
    compute(other, &sets, 1, &options);
    cr_expect_not(same(one, other, NUMBERS));
    options.seed = 1, options.ood_set = 1;
    compute(other, &sets, 1, &options);
    cr_expect_not(same(one, other, NUMBERS));
    /* More resamples keep the earlier ones. */
    options = (dn_bootstrap_options){.resamples = R / 2, .seed = 1};
    compute(other, &sets, 1, &options);
    for (int i = 0; i < DN_METRIC_COUNT; i++) cr_expect(same(one + i * R, other + i * R / 2, R / 2));
}

Test(bootstrap, quantiles_interpolate_linearly)
{
    double values[41], one[] = {3}, two[] = {10, 0};
    for (int i = 0; i < 41; i++) values[i] = (i * 7) % 41; /* a permutation of 0..40 */
    dn_interval got = dn_interval_of(values, 41);
    cr_expect(fabs(got.low - 1) < 1e-12 && fabs(got.high - 39) < 1e-12);
    got = dn_interval_of(one, 1);
    cr_expect(got.low == 3 && got.high == 3);
    got = dn_interval_of(two, 2);
    cr_expect(fabs(got.low - 0.25) < 1e-12 && fabs(got.high - 9.75) < 1e-12);
}

Test(bootstrap, a_method_minus_itself_is_0)
{
    double id[N_ID], ood[N_OOD];
    make_scores(id, ood, 50, 8);
    const dn_score_sets sets = {id, ood, N_ID, N_OOD};
    dn_interval got[DN_METRIC_COUNT];
    cr_assert_eq(dn_bootstrap_difference(got, &sets, &sets, &(dn_bootstrap_options){.resamples = R}), DN_OK);
    for (int i = 0; i < DN_METRIC_COUNT; i++) cr_expect(got[i].low == 0 && got[i].high == 0);
}

/** A monotone map of the scores keeps every order, and so every difference is 0; pairing is what makes it exact. */
Test(bootstrap, differences_are_of_the_same_rows)
{
    double id[N_ID], ood[N_OOD], mapped_id[N_ID], mapped_ood[N_OOD];
    make_scores(id, ood, 50, 9);
    for (int i = 0; i < N_ID; i++) mapped_id[i] = exp(id[i] / 9);
    for (int i = 0; i < N_OOD; i++) mapped_ood[i] = exp(ood[i] / 9);
    const dn_score_sets first = {id, ood, N_ID, N_OOD}, second = {mapped_id, mapped_ood, N_ID, N_OOD};
    dn_interval got[DN_METRIC_COUNT];
    cr_assert_eq(dn_bootstrap_difference(got, &first, &second, &(dn_bootstrap_options){.resamples = R}), DN_OK);
    for (int i = 0; i < DN_METRIC_BEST_THRESHOLD; i++) cr_expect(got[i].low == 0 && got[i].high == 0);
}

/** Normal scores one apart have AUROC Phi(1/sqrt 2) = 0.7602. Of 200 samples' 95 % intervals, 171 to 200 hold it unless
 *  their true coverage is outside of what such intervals have at n = 150 (some 94 %; 171 is 5.6 deviations below). */
Test(bootstrap, intervals_cover)
{
    enum { N = 150, SAMPLES = 200 };
    double id[N], ood[N];
    int covered = 0, narrow = 0;
    for (uint32_t s = 0; s < SAMPLES; s++) {
        dn_random_sequence random = {.seed = 21, .step = s};
        for (int i = 0; i < N; i++) id[i] = (double)dn_random_next_normal(&random);
        for (int i = 0; i < N; i++) ood[i] = 1 + (double)dn_random_next_normal(&random);
        const dn_score_sets sets = {id, ood, N, N};
        dn_interval got[DN_METRIC_COUNT];
        cr_assert_eq(dn_bootstrap(got, &sets, &(dn_bootstrap_options){.resamples = 300, .seed = s}), DN_OK);
        const dn_interval auroc = got[DN_METRIC_AUROC];
        covered += auroc.low <= 0.76024993890652326 && auroc.high >= 0.76024993890652326;
        narrow += auroc.high - auroc.low < 0.16; /* 2 * 1.96 * 0.0275 = 0.108 */
    }
    cr_expect(covered >= 171 && covered < SAMPLES, "%d of %d intervals cover", covered, SAMPLES);
    cr_expect_eq(narrow, SAMPLES);
}

Test(bootstrap, one_row_sets_and_constant_scores)
{
    const double a = 1, b = 2, same[] = {5, 5, 5};
    dn_interval got[DN_METRIC_COUNT];
    const dn_score_sets rows = {&a, &b, 1, 1}, constant = {same, same, 3, 3};
    cr_assert_eq(dn_bootstrap(got, &rows, &(dn_bootstrap_options){.resamples = 9}), DN_OK);
    cr_expect(got[DN_METRIC_AUROC].low == 1 && got[DN_METRIC_BEST_THRESHOLD].high == 2);
    cr_assert_eq(dn_bootstrap(got, &constant, &(dn_bootstrap_options){.resamples = 9}), DN_OK);
    cr_expect(got[DN_METRIC_AUROC].low == 0.5 && got[DN_METRIC_AUROC].high == 0.5);
    cr_expect(got[DN_METRIC_FPR95].low == 1 && got[DN_METRIC_BEST_THRESHOLD].low == 5);
}

static void expect_error(dn_status got, dn_status want, const char *text)
{
    cr_expect_eq(got, want);
    cr_expect(strstr(dn_error_last(), text), "'%s' lacks '%s'", dn_error_last(), text);
}

Test(bootstrap, bad_input_is_named)
{
    const double x[] = {1, 2, 3}, bad[] = {1, 2, NAN};
    const dn_score_sets sets = {x, x, 3, 3}, fewer = {x, x, 3, 2}, hole = {x, bad, 3, 3}, empty = {x, x, 3, 0};
    dn_interval out[DN_METRIC_COUNT];
    double values[2 * DN_METRIC_COUNT];
    dn_bootstrap_options options = {.resamples = 1};
    expect_error(dn_bootstrap_values(values, &sets, 0, &options), DN_ERROR_ARGUMENT, "no scores");
    expect_error(dn_bootstrap(out, &hole, &options), DN_ERROR_NUMERIC, "OOD scores: row 2");
    expect_error(dn_bootstrap(out, &empty, &options), DN_ERROR_ARGUMENT, "OOD scores");
    expect_error(dn_bootstrap_difference(out, &sets, &fewer, &options), DN_ERROR_SHAPE, "same rows");
    expect_error(dn_bootstrap_difference(out, &sets, &hole, &options), DN_ERROR_NUMERIC, "method 1");
    options.resamples = 0;
    expect_error(dn_bootstrap(out, &sets, &options), DN_ERROR_ARGUMENT, "0 resamples");
    options.resamples = DN_BOOTSTRAP_MOST + 1;
    expect_error(dn_bootstrap(out, &sets, &options), DN_ERROR_ARGUMENT, "resamples");
    options = (dn_bootstrap_options){.resamples = 1, .metrics = {.rule = DN_FPR_RULE_COUNT}};
    expect_error(dn_bootstrap(out, &sets, &options), DN_ERROR_ARGUMENT, "rule");
}
