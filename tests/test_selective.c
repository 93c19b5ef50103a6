/** Selective figures against their definitions, one row or one threshold at a time, over small scores full of ties. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "ood/selective.h"

enum { MOST = 24 };

typedef struct rows {
    double id[MOST], ood[MOST];
    uint8_t right[MOST];
    size_t n_id, n_ood;
} rows;

static dn_selective *open_rows(const rows *r)
{
    dn_selective *s = NULL;
    const dn_selective_rows in = {r->id, r->right, r->n_id, r->n_ood ? r->ood : NULL, r->n_ood};
    cr_assert_eq(dn_selective_open(&s, &in), DN_OK, "%s", dn_error_last());
    return s;
}

static rows draw(dn_random_sequence *random, uint32_t values)
{
    rows r = {.n_id = 1 + dn_random_next_below(random, MOST), .n_ood = dn_random_next_below(random, MOST)};
    for (size_t i = 0; i < r.n_id; i++) {
        r.id[i] = (double)dn_random_next_below(random, values) - 2;
        r.right[i] = (uint8_t)dn_random_next_below(random, 2);
    }
    for (size_t i = 0; i < r.n_ood; i++) r.ood[i] = (double)dn_random_next_below(random, values) - 1;
    return r;
}

/** All rows in one list, sorted by score with equal scores in a random order. */
static size_t sorted_rows(const rows *r, double *score, double *wrong, dn_random_sequence *random)
{
    size_t n = 0;
    double key[2 * MOST];
    for (size_t i = 0; i < r->n_id + r->n_ood; i++) {
        const double s = i < r->n_id ? r->id[i] : r->ood[i - r->n_id];
        const double w = i < r->n_id ? 1 - r->right[i] : 1, k = (double)dn_random_next(random);
        size_t at = n++;
        for (; at > 0 && (score[at - 1] > s || (score[at - 1] == s && key[at - 1] > k)); at--) {
            score[at] = score[at - 1], wrong[at] = wrong[at - 1], key[at] = key[at - 1];
        }
        score[at] = s, wrong[at] = w, key[at] = k;
    }
    return n;
}

/** The definition: every row of equal score counts as the mean of its like. */
static void replace_ties_by_means(const double *score, double *wrong, size_t n)
{
    for (size_t from = 0, to; from < n; from = to) {
        double sum = 0;
        for (to = from; to < n && score[to] == score[from]; to++) sum += wrong[to];
        for (size_t i = from; i < to; i++) wrong[i] = sum / (double)(to - from);
    }
}

Test(selective, aurc_and_accuracy_by_definition)
{
    dn_random_sequence random = {.seed = 3};
    for (int round = 0; round < 300; round++) {
        const rows r = draw(&random, round % 3 ? 5 : 1000);
        double score[2 * MOST], wrong[2 * MOST], sum = 0, area = 0;
        const size_t n = sorted_rows(&r, score, wrong, &random);
        replace_ties_by_means(score, wrong, n);
        dn_selective *s = open_rows(&r);
        for (size_t i = 0; i < n; i++) {
            double accuracy = -1;
            sum += wrong[i];
            area += sum / (double)(i + 1);
            cr_assert_eq(dn_selective_accuracy(&accuracy, s, (double)(i + 1) / (double)n), DN_OK);
            cr_expect(fabs(accuracy - (1 - sum / (double)(i + 1))) < 1e-12, "round %d, %zu of %zu rows: %.17g", round,
                      i + 1, n, accuracy);
        }
        cr_expect(fabs(dn_selective_aurc(s) - area / (double)n) < 1e-12, "round %d", round);
        dn_selective_close(s);
    }
}

/** AURC with ties is the mean of AURC over all orders of the tied rows: here of 4 equal rows, 1 wrong. */
Test(selective, ties_are_the_mean_of_all_orders)
{
    const rows r = {.id = {1, 1, 1, 1}, .right = {1, 0, 1, 1}, .n_id = 4};
    double mean = 0;
    for (int place = 0; place < 4; place++)
        for (int n = 1; n <= 4; n++) mean += (n > place ? 1.0 / n : 0) / 4 / 4;
    dn_selective *s = open_rows(&r);
    cr_expect(fabs(dn_selective_aurc(s) - mean) < 1e-15);
    dn_selective_close(s);
}

Test(selective, figures_at_thresholds)
{
    dn_random_sequence random = {.seed = 4};
    for (int round = 0; round < 300; round++) {
        const rows r = draw(&random, 5);
        dn_selective *s = open_rows(&r);
        for (int half = -6; half <= 10; half++) {
            const double threshold = half / 2.0;
            size_t accepted = 0, right = 0;
            for (size_t i = 0; i < r.n_id; i++) {
                accepted += r.id[i] < threshold;
                right += r.id[i] < threshold && r.right[i];
            }
            for (size_t i = 0; i < r.n_ood; i++) accepted += r.ood[i] < threshold;
            const double precision = accepted ? (double)right / (double)accepted : 0;
            const double recall = (double)right / (double)r.n_id;
            const double f1 = right ? 2 * precision * recall / (precision + recall) : 0;
            dn_selective_figures got;
            cr_assert_eq(dn_selective_at(&got, s, threshold), DN_OK);
            cr_expect(got.accepted == accepted && got.right == right);
            cr_expect(got.precision == precision && got.recall == recall && fabs(got.f1 - f1) < 1e-15);
            cr_expect_eq(got.coverage, (double)accepted / (double)(r.n_id + r.n_ood));
        }
        dn_selective_close(s);
    }
}

Test(selective, extremes)
{
    dn_selective_figures got;
    double accuracy;
    const rows all_wrong = {.id = {5}, .right = {0}, .n_id = 1},
               all_right = {.id = {5, -0.0, 0.0}, .right = {1, 1, 1}, .n_id = 3};
    dn_selective *s = open_rows(&all_wrong);
    cr_assert_eq(dn_selective_at(&got, s, INFINITY), DN_OK);
    cr_expect(got.accepted == 1 && got.precision == 0 && got.recall == 0 && got.f1 == 0);
    cr_expect_eq(dn_selective_aurc(s), 1);
    dn_selective_close(s);
    s = open_rows(&all_right);
    cr_assert_eq(dn_selective_at(&got, s, -INFINITY), DN_OK);
    cr_expect(got.accepted == 0 && got.precision == 0 && got.recall == 0 && got.f1 == 0);
    cr_assert_eq(dn_selective_at(&got, s, 0.0), DN_OK);
    cr_expect_eq(got.accepted, 0, "-0 is not below 0");
    cr_assert_eq(dn_selective_at(&got, s, 5.0), DN_OK);
    cr_expect(got.accepted == 2 && got.precision == 1 && got.f1 == 0.8);
    cr_expect_eq(dn_selective_aurc(s), 0);
    cr_assert_eq(dn_selective_accuracy(&accuracy, s, 1.0), DN_OK);
    cr_expect_eq(accuracy, 1);
    dn_selective_close(s);
}

static void expect_error(dn_status got, dn_status want, const char *text)
{
    cr_expect_eq(got, want);
    cr_expect(strstr(dn_error_last(), text), "'%s' lacks '%s'", dn_error_last(), text);
}

Test(selective, bad_input_is_named)
{
    dn_selective *s = NULL;
    const double good[] = {1, 2, 3}, bad[] = {1, 2, NAN};
    const uint8_t right[] = {1, 0, 1}, two[] = {1, 2, 1};
    dn_selective_figures figures;
    double accuracy;
    expect_error(dn_selective_open(&s, &(dn_selective_rows){good, right, 0, NULL, 0}), DN_ERROR_ARGUMENT, "empty");
    expect_error(dn_selective_open(&s, &(dn_selective_rows){good, two, 3, NULL, 0}), DN_ERROR_ARGUMENT, "right[1]");
    expect_error(dn_selective_open(&s, &(dn_selective_rows){bad, right, 3, NULL, 0}), DN_ERROR_NUMERIC,
                 "ID scores: row 2");
    expect_error(dn_selective_open(&s, &(dn_selective_rows){good, right, 3, bad, 3}), DN_ERROR_NUMERIC,
                 "OOD scores: row 2");
    cr_expect_null(s);
    cr_assert_eq(dn_selective_open(&s, &(dn_selective_rows){good, right, 3, good, 3}), DN_OK);
    expect_error(dn_selective_at(&figures, s, NAN), DN_ERROR_NUMERIC, "NaN");
    expect_error(dn_selective_accuracy(&accuracy, s, 0.0), DN_ERROR_ARGUMENT, "coverage");
    expect_error(dn_selective_accuracy(&accuracy, s, 1.01), DN_ERROR_ARGUMENT, "coverage");
    expect_error(dn_selective_accuracy(&accuracy, s, NAN), DN_ERROR_ARGUMENT, "coverage");
    dn_selective_close(s);
    dn_selective_close(NULL);
}
