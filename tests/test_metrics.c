/** Metrics against hand-computed cases and against plain O(n^2) definitions over small integer scores full of ties. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/curve.h"
#include "ood/metrics.h"

enum { MOST = 64 };

static dn_metrics compute(const double *id, size_t n_id, const double *ood, size_t n_ood, dn_fpr_rule rule,
                          dn_positive positive)
{
    dn_metrics out;
    const dn_metrics_options options = {rule, positive};
    cr_assert_eq(dn_metrics_compute(&out, id, n_id, ood, n_ood, &options), DN_OK, "%s", dn_error_last());
    return out;
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-12, "%s is %.17g, expected %.17g", what, got, want);
}

/** The definitions, one threshold at a time: positives and negatives already negated where ID is positive. */
typedef struct reference {
    double positive[MOST], negative[MOST];
    size_t positives, negatives;
} reference;

static reference reference_of(const double *id, size_t n_id, const double *ood, size_t n_ood, dn_positive which)
{
    reference r = {0};
    const int swapped = which == DN_POSITIVE_ID;
    r.positives = swapped ? n_id : n_ood;
    r.negatives = swapped ? n_ood : n_id;
    for (size_t i = 0; i < r.positives; i++) r.positive[i] = swapped ? -id[i] : ood[i];
    for (size_t i = 0; i < r.negatives; i++) r.negative[i] = swapped ? -ood[i] : id[i];
    return r;
}

static long long flagged(const double *x, size_t n, double threshold)
{
    long long count = 0;
    for (size_t i = 0; i < n; i++) count += x[i] >= threshold;
    return count;
}

/** @param all [positives + negatives] receives every score, ascending, repeats kept @return their number */
static size_t all_sorted(const reference *r, double *all)
{
    const size_t n = r->positives + r->negatives;
    memcpy(all, r->positive, r->positives * sizeof *all);
    memcpy(all + r->positives, r->negative, r->negatives * sizeof *all);
    for (size_t i = 1; i < n; i++) {
        for (size_t j = i; j > 0 && all[j] < all[j - 1]; j--) {
            const double swapped = all[j];
            all[j] = all[j - 1];
            all[j - 1] = swapped;
        }
    }
    return n;
}

static double reference_oodeel(const reference *r)
{
    double all[2 * MOST];
    const size_t n = all_sorted(r, all);
    for (size_t i = 1; i < n; i += 4) {
        if (flagged(r->positive, r->positives, all[i]) * 100 >= 95 * (long long)r->positives) continue;
        return (double)flagged(r->negative, r->negatives, all[i]) / (double)r->negatives;
    }
    return 0.0;
}

static double reference_fpr(const reference *r, dn_fpr_rule rule)
{
    double all[2 * MOST], first = -1, closest = -1, band = 0;
    long long least = 1 << 30, in_band = 0;
    const long long p = (long long)r->positives;
    for (size_t i = all_sorted(r, all); i-- > 0;) {
        if (i + 1 < r->positives + r->negatives && all[i] == all[i + 1]) continue;
        const long long tp = flagged(r->positive, r->positives, all[i]);
        const double fpr = (double)flagged(r->negative, r->negatives, all[i]) / (double)r->negatives;
        const long long away = llabs(100 * tp - 95 * p);
        if (first < 0 && 100 * tp >= 95 * p) first = fpr;
        if (away < least || (away == least && fpr < closest)) closest = fpr;
        if (away < least) least = away;
        if (10000 * tp < 9495 * p || 10000 * tp > 9505 * p) continue;
        band += fpr;
        in_band++;
    }
    switch (rule) {
    case DN_FPR_CLOSEST: return closest;
    case DN_FPR_BAND: return in_band ? band / (double)in_band : first;
    case DN_FPR_OODEEL: return reference_oodeel(r);
    default: return first;
    }
}

static double reference_auroc(const reference *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->positives; i++) {
        for (size_t j = 0; j < r->negatives; j++) {
            sum += r->positive[i] > r->negative[j] ? 1 : r->positive[i] == r->negative[j] ? 0.5 : 0;
        }
    }
    return sum / (double)(r->positives * r->negatives);
}

/** Every positive adds the precision at its own score. */
static double reference_average_precision(const reference *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->positives; i++) {
        const double tp = (double)flagged(r->positive, r->positives, r->positive[i]);
        sum += tp / (tp + (double)flagged(r->negative, r->negatives, r->positive[i]));
    }
    return sum / (double)r->positives;
}

static void expect_best_thresholds(const dn_metrics *got, const reference *ood)
{
    double all[2 * MOST], error = 2, accuracy = -1, threshold = 0;
    const size_t n = all_sorted(ood, all);
    for (size_t i = 0; i < n; i++) { /* ascending, so that of equals the largest threshold is kept */
        const double tp = (double)flagged(ood->positive, ood->positives, all[i]);
        const double fp = (double)flagged(ood->negative, ood->negatives, all[i]);
        error = fmin(error, (1 - tp / (double)ood->positives + fp / (double)ood->negatives) / 2);
        const double right = tp + (double)ood->negatives - fp;
        if (right < accuracy) continue;
        accuracy = right;
        threshold = all[i];
    }
    expect_near(got->detection_error, error, "detection_error");
    expect_near(got->best_accuracy, accuracy / (double)n, "best_accuracy");
    cr_expect_eq(got->best_threshold, threshold);
}

static void compare_all(const double *id, size_t n_id, const double *ood, size_t n_ood)
{
    const reference by_ood = reference_of(id, n_id, ood, n_ood, DN_POSITIVE_OOD);
    const reference by_id = reference_of(id, n_id, ood, n_ood, DN_POSITIVE_ID);
    for (int rule = 0; rule < DN_FPR_RULE_COUNT; rule++) {
        for (int positive = 0; positive < DN_POSITIVE_COUNT; positive++) {
            const dn_metrics got = compute(id, n_id, ood, n_ood, (dn_fpr_rule)rule, (dn_positive)positive);
            const int id_positive = positive == DN_POSITIVE_ID || rule == DN_FPR_BAND;
            cr_expect_eq(got.positive, id_positive ? DN_POSITIVE_ID : DN_POSITIVE_OOD);
            cr_expect_eq(got.rule, (dn_fpr_rule)rule);
            cr_expect(got.n_id == n_id && got.n_ood == n_ood);
            const double fpr = reference_fpr(id_positive ? &by_id : &by_ood, (dn_fpr_rule)rule);
            expect_near(got.fpr95, fpr, dn_fpr_rule_name(got.rule));
            expect_near(got.tnr95, 1 - fpr, "tnr95");
            expect_near(got.auroc, reference_auroc(&by_ood), "auroc");
            expect_near(got.aupr_out, reference_average_precision(&by_ood), "aupr_out");
            expect_near(got.aupr_in, reference_average_precision(&by_id), "aupr_in");
            expect_best_thresholds(&got, &by_ood);
        }
    }
}

static size_t draw(dn_random_sequence *r, double *x, uint32_t values, uint32_t shift)
{
    const size_t n = 1 + dn_random_next_below(r, MOST);
    for (size_t i = 0; i < n; i++) x[i] = (double)(dn_random_next_below(r, values) + shift) - 8.0;
    return n;
}

Test(metrics, equal_the_definitions_on_random_ties)
{
    dn_random_sequence r = {.seed = 3};
    for (int round = 0; round < 600; round++) {
        double id[MOST], ood[MOST];
        const uint32_t values = 1 + dn_random_next_below(&r, round % 2 ? 6 : 400);
        const size_t n_id = draw(&r, id, values, 0), n_ood = draw(&r, ood, values, dn_random_next_below(&r, values));
        compare_all(id, n_id, ood, n_ood);
    }
}

Test(metrics, exactly_95_percent_is_enough)
{
    double id[20], ood[20];
    for (int i = 0; i < 20; i++) {
        id[i] = i;       /* 0 ... 19 */
        ood[i] = i + 15; /* 15 ... 34: 19 of 20 are at least 16, and so are 4 ID scores */
    }
    cr_expect_eq(compute(id, 20, ood, 20, DN_FPR_FIRST, DN_POSITIVE_OOD).fpr95, 4 / 20.0);
    cr_expect_eq(compute(id, 20, ood, 20, DN_FPR_CLOSEST, DN_POSITIVE_OOD).fpr95, 4 / 20.0);
    compare_all(id, 20, ood, 20);
}

Test(metrics, ties_by_hand)
{
    /* Threshold 2 flags 1 ID and 2 OOD rows, threshold 1 flags 2 and 2, threshold 0 all 3 and 3. */
    const double id[] = {0, 1, 2}, ood[] = {2, 2, 0};
    const dn_metrics got = compute(id, 3, ood, 3, DN_FPR_FIRST, DN_POSITIVE_OOD);
    expect_near(got.auroc, 5.5 / 9, "auroc"); /* 2.5 + 2.5 + 0.5 */
    expect_near(got.aupr_out, 2 / 3.0 * (2 / 3.0) + 1 / 3.0 * 0.5, "aupr_out");
    expect_near(got.aupr_in, 1 / 3.0 * 0.5 + 1 / 3.0 * (2 / 3.0) + 1 / 3.0 * 0.5, "aupr_in");
    expect_near(got.fpr95, 1.0, "fpr95");
    expect_near(got.detection_error, (1 / 3.0 + 1 / 3.0) / 2, "detection_error");
    expect_near(got.best_accuracy, 4 / 6.0, "best_accuracy");
    cr_expect_eq(got.best_threshold, 2.0);
    expect_near(compute(id, 3, ood, 3, DN_FPR_CLOSEST, DN_POSITIVE_OOD).fpr95, 1.0, "closest");
    /* Ascending 0 0 1 2 2 2: place 1 flags everything, place 5 two of three OOD rows and one ID row. */
    expect_near(compute(id, 3, ood, 3, DN_FPR_OODEEL, DN_POSITIVE_OOD).fpr95, 1 / 3.0, "oodeel");
}

Test(metrics, equal_separated_and_reversed)
{
    const double low[] = {1, 2, 3}, high[] = {4, 5}, same[] = {7, 7, 7, 7};
    const dn_metrics apart = compute(low, 3, high, 2, DN_FPR_FIRST, DN_POSITIVE_OOD);
    cr_expect(apart.auroc == 1 && apart.aupr_out == 1 && apart.aupr_in == 1 && apart.fpr95 == 0 && apart.tnr95 == 1);
    cr_expect(apart.detection_error == 0 && apart.best_accuracy == 1 && apart.best_threshold == 4);
    const dn_metrics wrong = compute(high, 2, low, 3, DN_FPR_FIRST, DN_POSITIVE_OOD);
    cr_expect(wrong.auroc == 0 && wrong.fpr95 == 1 && wrong.detection_error == 0.5 && wrong.best_accuracy == 0.6);
    const dn_metrics equal = compute(same, 3, same, 1, DN_FPR_FIRST, DN_POSITIVE_OOD);
    cr_expect(equal.auroc == 0.5 && equal.aupr_out == 0.25 && equal.aupr_in == 0.75 && equal.fpr95 == 1);
}

Test(metrics, extreme_scores_and_signed_zeros)
{
    const double id[] = {-0.0, -DBL_MAX, DBL_TRUE_MIN, 1e-300}, ood[] = {0.0, DBL_MAX, -DBL_TRUE_MIN};
    compare_all(id, 4, ood, 3);
    cr_expect_eq(compute(id, 1, ood, 1, DN_FPR_FIRST, DN_POSITIVE_OOD).auroc, 0.5);
    cr_expect_not(signbit(compute(id, 1, ood, 1, DN_FPR_FIRST, DN_POSITIVE_OOD).best_threshold));
}

Test(metrics, monotone_maps_change_thresholds_only)
{
    dn_random_sequence r = {.seed = 4};
    double id[MOST], ood[MOST], id_mapped[MOST], ood_mapped[MOST];
    for (size_t i = 0; i < MOST; i++) {
        id[i] = dn_random_next_normal(&r);
        ood[i] = dn_random_next_normal(&r) + 1;
        id_mapped[i] = exp(3 * id[i]) - 5;
        ood_mapped[i] = exp(3 * ood[i]) - 5;
    }
    for (int rule = 0; rule < DN_FPR_RULE_COUNT; rule++) {
        dn_metrics a = compute(id, MOST, ood, MOST, (dn_fpr_rule)rule, DN_POSITIVE_OOD);
        const dn_metrics b = compute(id_mapped, MOST, ood_mapped, MOST, (dn_fpr_rule)rule, DN_POSITIVE_OOD);
        cr_expect_eq(b.best_threshold, exp(3 * a.best_threshold) - 5);
        a.best_threshold = b.best_threshold;
        cr_expect(a.auroc == b.auroc && a.aupr_out == b.aupr_out && a.aupr_in == b.aupr_in && a.fpr95 == b.fpr95 &&
                  a.detection_error == b.detection_error && a.best_accuracy == b.best_accuracy);
    }
}

Test(metrics, swapped_roles_with_negated_scores)
{
    const double id[] = {1, 2, 2, 3, 5, 8}, ood[] = {2, 3, 3, 7}, minus_id[] = {-1, -2, -2, -3, -5, -8};
    const double minus_ood[] = {-2, -3, -3, -7};
    const dn_fpr_rule rules[] = {DN_FPR_FIRST, DN_FPR_CLOSEST, DN_FPR_OODEEL};
    for (int i = 0; i < 3; i++) {
        const dn_metrics a = compute(id, 6, ood, 4, rules[i], DN_POSITIVE_ID);
        const dn_metrics b = compute(minus_ood, 4, minus_id, 6, rules[i], DN_POSITIVE_OOD);
        cr_expect(a.fpr95 == b.fpr95 && a.auroc == b.auroc && a.aupr_in == b.aupr_out && a.aupr_out == b.aupr_in);
    }
}

Test(metrics, long_lists_stay_sorted)
{
    enum { N = 100000 };
    dn_random_sequence r = {.seed = 5};
    double *id = dn_calloc(N, sizeof *id), *ood = dn_calloc(N, sizeof *ood);
    cr_assert(id && ood);
    for (size_t i = 0; i < N; i++) {
        id[i] = (double)dn_random_next_normal(&r) * exp(20 * (double)dn_random_next_normal(&r));
        ood[i] = (double)dn_random_next_normal(&r) * exp(20 * (double)dn_random_next_normal(&r));
    }
    dn_curve *curve;
    cr_assert_eq(dn_curve_open(&curve, id, N, ood, N), DN_OK);
    for (size_t k = 1; k < curve->points; k++) {
        cr_assert_gt(curve->threshold[k - 1], curve->threshold[k]);
        cr_assert_gt(curve->id_flagged[k] + curve->ood_flagged[k],
                     curve->id_flagged[k - 1] + curve->ood_flagged[k - 1]);
    }
    for (size_t k = 0; k < curve->points; k += curve->points / 7) {
        cr_expect_eq(curve->id_flagged[k], flagged(id, N, curve->threshold[k]));
        cr_expect_eq(curve->ood_flagged[k], flagged(ood, N, curve->threshold[k]));
    }
    cr_expect(curve->id_flagged[curve->points - 1] == N && curve->ood_flagged[curve->points - 1] == N);
    dn_curve_close(curve);
    dn_free(id);
    dn_free(ood);
}

static void expect_error(dn_status got, dn_status want, const char *text)
{
    cr_expect_eq(got, want);
    cr_expect(strstr(dn_error_last(), text), "'%s' lacks '%s'", dn_error_last(), text);
}

Test(metrics, bad_input_is_named)
{
    dn_metrics out = {.auroc = 7};
    const double good[] = {1, 2, 3}, nan_row[] = {1, NAN, 3}, infinite_row[] = {1, 2, -INFINITY};
    expect_error(dn_metrics_compute(&out, good, 0, good, 3, NULL), DN_ERROR_ARGUMENT, "ID scores");
    expect_error(dn_metrics_compute(&out, good, 3, NULL, 0, NULL), DN_ERROR_ARGUMENT, "OOD scores");
    expect_error(dn_metrics_compute(&out, nan_row, 3, good, 3, NULL), DN_ERROR_NUMERIC, "ID scores: row 1");
    expect_error(dn_metrics_compute(&out, good, 3, infinite_row, 3, NULL), DN_ERROR_NUMERIC, "OOD scores: row 2");
    const dn_metrics_options wrong = {.rule = DN_FPR_RULE_COUNT};
    expect_error(dn_metrics_compute(&out, good, 3, good, 3, &wrong), DN_ERROR_ARGUMENT, "rule");
    cr_expect_eq(out.auroc, 7, "a failure must not write");
    cr_expect_eq(dn_metrics_compute(&out, good, 3, good, 3, NULL), DN_OK);
    cr_expect(out.rule == DN_FPR_FIRST && out.positive == DN_POSITIVE_OOD);
}

Test(metrics, names_are_read_back)
{
    for (int i = 0; i < DN_FPR_RULE_COUNT; i++) {
        dn_fpr_rule rule;
        cr_expect_eq(dn_fpr_rule_parse(&rule, dn_fpr_rule_name((dn_fpr_rule)i)), DN_OK);
        cr_expect_eq((int)rule, i);
    }
    for (int i = 0; i < DN_POSITIVE_COUNT; i++) {
        dn_positive positive;
        cr_expect_eq(dn_positive_parse(&positive, dn_positive_name((dn_positive)i)), DN_OK);
        cr_expect_eq((int)positive, i);
    }
    dn_fpr_rule rule;
    dn_positive positive;
    expect_error(dn_fpr_rule_parse(&rule, "second"), DN_ERROR_ARGUMENT, "closest");
    expect_error(dn_positive_parse(&positive, "OOD"), DN_ERROR_ARGUMENT, "ood or id");
}
