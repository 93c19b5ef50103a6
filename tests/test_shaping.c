/** Shapings against naive definitions: row by row, then fitted, stacked and scored. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/score.h"

enum { N = 12, D = 49, C = 6 };

static dn_score_expression parse(const char *text)
{
    dn_score_expression e;
    cr_assert_eq(dn_expression_parse(&e, text), DN_OK, "%s", dn_error_last());
    return e;
}

/* ---- ash and scale, by their definitions ---- */

/** Marks the entries that stay: there are fewer than `kept` that come before them, larger or equal and earlier. */
static void mark_kept(bool *stays, const double *f, size_t dim, double p)
{
    const double exact = (double)dim * p;
    size_t gone = (size_t)exact;
    if (exact - (double)gone > .5 || (exact - (double)gone == .5 && gone % 2)) gone++;
    const size_t kept = gone < dim ? dim - gone : 1;
    for (size_t d = 0; d < dim; d++) {
        size_t before = 0;
        for (size_t i = 0; i < dim; i++) before += f[i] > f[d] || (f[i] == f[d] && i < d);
        stays[d] = before < kept;
    }
}

static double factor_of(const double *f, const bool *stays, size_t dim)
{
    double s1 = 0, s2 = 0;
    for (size_t d = 0; d < dim; d++) s1 += f[d];
    for (size_t d = 0; d < dim; d++) s2 += stays[d] ? f[d] : 0;
    return s2 <= 0 ? 1 : exp(s1 / s2);
}

static void naive_ash(double *f, size_t dim, double p, char variant)
{
    bool stays[D];
    double s1 = 0;
    size_t kept = 0;
    mark_kept(stays, f, dim, p);
    const double factor = factor_of(f, stays, dim);
    for (size_t d = 0; d < dim; d++) s1 += f[d];
    for (size_t d = 0; d < dim; d++) kept += stays[d];
    for (size_t d = 0; d < dim; d++) {
        if (!stays[d]) {
            f[d] = 0;
        } else if (variant == 'b') {
            f[d] = s1 / (double)kept;
        } else if (variant == 's') {
            f[d] *= factor;
        }
    }
}

static void naive_scale(double *f, size_t dim, double p)
{
    bool stays[D];
    mark_kept(stays, f, dim, p);
    const double factor = factor_of(f, stays, dim);
    for (size_t d = 0; d < dim; d++) f[d] *= factor;
}

static void shape(double *features, size_t rows, size_t dim, const char *text)
{
    const dn_score_expression e = parse(text);
    dn_workspace *space;
    cr_assert_eq(dn_workspace_open(&space), DN_OK);
    const dn_fitted by = {e.shaping[0].option, NULL};
    cr_assert_eq(e.shaping[0].method->score.shape(features, rows, dim, &by, space), DN_OK);
    cr_expect_eq(dn_workspace_mark(space), 0, "scratch was not given back");
    dn_workspace_close(space);
}

/** Rows with many zeros, ties, negative numbers, one row of zeros only, one negative. */
static void draw_rows(double *f, size_t rows, size_t dim, uint64_t seed)
{
    dn_random_sequence r = {.seed = seed};
    for (size_t i = 0; i < rows * dim; i++) {
        const double x = (double)dn_random_next_normal(&r);
        const size_t kind = i / dim % 4;
        f[i] = kind == 0 ? fmax(x, 0) : kind == 1 ? round(x) : kind == 2 ? x : fmax(round(2 * x), 0);
    }
    for (size_t d = 0; d < dim && rows > 5; d++) {
        f[4 * dim + d] = 0;
        f[5 * dim + d] = -fabs(f[5 * dim + d]) - .25;
    }
}

static void expect_rows(const double *got, const double *want, size_t rows, size_t dim, const char *what)
{
    for (size_t i = 0; i < rows * dim; i++) {
        cr_assert(fabs(got[i] - want[i]) <= 1e-13 * fmax(1, fabs(want[i])), "%s, row %zu, entry %zu: %.17g, not %.17g",
                  what, i / dim, i % dim, got[i], want[i]);
    }
}

Test(shaping, ash_and_scale_follow_their_definitions)
{
    static const double shares[] = {0, .1, .3, .5, .65, .9, .999, 1};
    static const char variants[] = "pbs";
    for (size_t dim = 1; dim <= D; dim += 6) {
        for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
            double f[N * D], got[N * D], want[N * D];
            char text[64];
            draw_rows(f, N, dim, 100 + dim);
            for (const char *v = variants; *v; v++) {
                memcpy(got, f, sizeof f);
                memcpy(want, f, sizeof f);
                (void)snprintf(text, sizeof text, "ash:p=%g,variant=%c", shares[i], *v);
                shape(got, N, dim, text);
                for (size_t r = 0; r < N; r++) naive_ash(want + r * dim, dim, shares[i], *v);
                expect_rows(got, want, N, dim, text);
            }
            memcpy(got, f, sizeof f);
            memcpy(want, f, sizeof f);
            (void)snprintf(text, sizeof text, "scale:p=%g", shares[i]);
            shape(got, N, dim, text);
            for (size_t r = 0; r < N; r++) naive_scale(want + r * dim, dim, shares[i]);
            expect_rows(got, want, N, dim, text);
        }
    }
}

Test(shaping, of_equal_entries_the_first_stay)
{
    double f[] = {2, 1, 2, 2, 0, 2};
    shape(f, 1, 6, "ash:p=.5,variant=p");
    const double want[] = {2, 0, 2, 2, 0, 0};
    expect_rows(f, want, 1, 6, "ash");
    double zeros[] = {0, 1, 0, 0};
    shape(zeros, 1, 4, "ash:p=.5,variant=b");
    const double filled[] = {.5, .5, 0, 0};
    expect_rows(zeros, filled, 1, 4, "ash of zeros");
}

/* ---- fitted shapings, by their definitions ---- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *x, size_t n, double q)
{
    double *sorted = dn_calloc(n, sizeof *sorted);
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    const double at = q * (double)(n - 1), below = floor(at);
    const size_t i = (size_t)below;
    const double value = sorted[i] + (at - below) * (sorted[i + 1 < n ? i + 1 : i] - sorted[i]);
    dn_free(sorted);
    return value;
}

/** A model, its fit set and rows to score, all shaped in place. */
typedef struct world {
    size_t fit_rows;
    double *fit; /* [fit_rows,D] */
    double f[N * D], w[C * D], b[C];
} world;

static void naive_react(world *s, double q)
{
    const double most = quantile(s->fit, s->fit_rows * D, q);
    for (size_t i = 0; i < s->fit_rows * D; i++) s->fit[i] = fmin(s->fit[i], most);
    for (size_t i = 0; i < (size_t)N * D; i++) s->f[i] = fmin(s->f[i], most);
}

static void clip(double *f, size_t n, double low, double high)
{
    for (size_t i = 0; i < n; i++) {
        if (f[i] > high) {
            f[i] = high;
        } else if (f[i] < low) {
            f[i] = 0;
        }
    }
}

static void naive_vra(world *s, double q_lo, double q_hi)
{
    const double low = quantile(s->fit, s->fit_rows * D, q_lo), high = quantile(s->fit, s->fit_rows * D, q_hi);
    clip(s->fit, s->fit_rows * D, low, high);
    clip(s->f, (size_t)N * D, low, high);
}

static void naive_dice(world *s, double p)
{
    double product[C * D];
    for (size_t d = 0; d < D; d++) {
        double mean = 0;
        for (size_t r = 0; r < s->fit_rows; r++) mean += s->fit[r * D + d];
        for (size_t c = 0; c < C; c++) product[c * D + d] = s->w[c * D + d] * (mean / (double)s->fit_rows);
    }
    const double threshold = quantile(product, (size_t)C * D, p);
    for (size_t i = 0; i < (size_t)C * D; i++) {
        if (product[i] <= threshold) s->w[i] = 0;
    }
}

static void naive_ash_all(world *s, double p, char variant)
{
    for (size_t r = 0; r < s->fit_rows; r++) naive_ash(s->fit + r * D, D, p, variant);
    for (size_t r = 0; r < N; r++) naive_ash(s->f + r * D, D, p, variant);
}

static void naive_scale_all(world *s, double p)
{
    for (size_t r = 0; r < s->fit_rows; r++) naive_scale(s->fit + r * D, D, p);
    for (size_t r = 0; r < N; r++) naive_scale(s->f + r * D, D, p);
}

static void open_world(world *s, size_t fit_rows)
{
    dn_random_sequence r = {.seed = 9};
    s->fit_rows = fit_rows;
    s->fit = dn_calloc(fit_rows * D, sizeof *s->fit);
    draw_rows(s->fit, fit_rows, D, 1);
    draw_rows(s->f, N, D, 2);
    for (size_t i = 0; i < (size_t)C * D; i++) s->w[i] = (double)dn_random_next_normal(&r) / 4;
    for (size_t c = 0; c < C; c++) s->b[c] = (double)dn_random_next_normal(&r);
}

static double naive_logit(const world *s, size_t row, size_t c)
{
    double z = s->b[c];
    for (size_t d = 0; d < D; d++) z += s->w[c * D + d] * s->f[row * D + d];
    return z;
}

static dn_status try_score(double *scores, const char *text, const world *s)
{
    double logits[N * C] = {0}; /* made anew by every shaping */
    const dn_matrix features = {1, N, D, DN_F64, s->f, NULL, NULL};
    const dn_matrix fit_features = {1, s->fit_rows, D, DN_F64, s->fit, NULL, NULL};
    const dn_score_input input = {.logits = {1, N, C, DN_F64, logits, NULL, NULL}, .layer = &features, .layers = 1};
    const dn_score_input set = {.layer = &fit_features, .layers = 1};
    const dn_score_fit fit = {.set = &set, .weight = s->w, .bias = s->b};
    const dn_score_expression e = parse(text);
    return dn_score(scores, &e, &input, DN_REDUCE_DEFAULT, &fit);
}

/** Compares with the scores of the shaped world. */
static void expect_scores(const double *energy, const double *max_logit, const world *shaped, const char *what)
{
    for (size_t r = 0; r < N; r++) {
        double sum = 0, most = -INFINITY;
        for (size_t c = 0; c < C; c++) most = fmax(most, naive_logit(shaped, r, c));
        for (size_t c = 0; c < C; c++) sum += exp(naive_logit(shaped, r, c) - most);
        const double tolerance = 1e-11 * fmax(1, fabs(most));
        cr_expect_float_eq(max_logit[r], -most, tolerance, "%s+max_logit, row %zu: %.17g, not %.17g", what, r,
                           max_logit[r], -most);
        cr_expect_float_eq(energy[r], -most - log(sum), tolerance, "%s, row %zu: %.17g, not %.17g", what, r, energy[r],
                           -most - log(sum));
    }
}

static void compare(const char *text, const world *plain, world *shaped)
{
    double energy[N], max_logit[N];
    char with_base[128];
    (void)snprintf(with_base, sizeof with_base, "%s+max_logit", text);
    cr_assert_eq(try_score(energy, text, plain), DN_OK, "%s", dn_error_last());
    cr_assert_eq(try_score(max_logit, with_base, plain), DN_OK, "%s", dn_error_last());
    expect_scores(energy, max_logit, shaped, text);
    dn_free(shaped->fit);
}

static world copy_of(const world *s)
{
    world copy = *s;
    copy.fit = dn_calloc(s->fit_rows * D, sizeof *s->fit);
    memcpy(copy.fit, s->fit, s->fit_rows * D * sizeof *s->fit);
    return copy;
}

static void compare_all(size_t fit_rows)
{
    world plain;
    open_world(&plain, fit_rows);

    world s = copy_of(&plain);
    naive_react(&s, .9);
    compare("react", &plain, &s);

    s = copy_of(&plain);
    naive_vra(&s, .6, .95);
    compare("vra:q_lo=.6,q_hi=.95", &plain, &s);

    s = copy_of(&plain);
    naive_dice(&s, .7);
    compare("dice:p=.7", &plain, &s);

    s = copy_of(&plain);
    naive_ash_all(&s, .5, 'b');
    compare("ash:p=.5,variant=b", &plain, &s);

    /* Each shaping is fitted on what those before it left. */
    s = copy_of(&plain);
    naive_scale_all(&s, .5);
    naive_react(&s, .8);
    compare("scale:p=.5+react:q=.8", &plain, &s);

    s = copy_of(&plain);
    naive_react(&s, .8);
    naive_dice(&s, .3);
    naive_dice(&s, .6);
    compare("react:q=.8+dice:p=.3+dice:p=.6", &plain, &s);

    s = copy_of(&plain);
    naive_vra(&s, .3, .9);
    naive_ash_all(&s, .75, 'p');
    naive_react(&s, .99);
    naive_dice(&s, .5);
    compare("vra:q_lo=.3+ash:p=.75,variant=p+react:q=.99+dice:p=.5", &plain, &s);
    dn_free(plain.fit);
}

Test(shaping, fitted_shapings_follow_their_definitions)
{
    compare_all(40);
}

Test(shaping, one_fit_row_is_enough)
{
    compare_all(1);
}

Test(shaping, fit_sets_are_read_in_blocks)
{
    compare_all(9001);
}

Test(shaping, equal_bounds_are_allowed_crossed_ones_are_not)
{
    world plain;
    double scores[N];
    open_world(&plain, 20);
    cr_expect_eq(try_score(scores, "vra:q_lo=.5,q_hi=.5", &plain), DN_OK, "%s", dn_error_last());
    cr_expect_eq(try_score(scores, "vra:q_lo=.6,q_hi=.5", &plain), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "vra: q_lo is 0.6, but it must be at most q_hi, 0.5"), "%s", dn_error_last());
    dn_free(plain.fit);
}

Test(shaping, without_what_they_need_they_are_refused)
{
    world plain;
    double scores[N], logits[N * C] = {0};
    open_world(&plain, 20);
    const dn_matrix features = {1, N, D, DN_F64, plain.f, NULL, NULL};
    const dn_score_input input = {.logits = {1, N, C, DN_F64, logits, NULL, NULL}, .layer = &features, .layers = 1};
    const dn_score_fit head = {.weight = plain.w, .bias = plain.b};
    dn_score_expression e = parse("react");
    cr_expect_eq(dn_score(scores, &e, &input, DN_REDUCE_DEFAULT, &head), DN_ERROR_ARGUMENT, "%s", dn_error_last());
    e = parse("ash");
    cr_expect_eq(dn_score(scores, &e, &input, DN_REDUCE_DEFAULT, NULL), DN_ERROR_ARGUMENT, "%s", dn_error_last());
    cr_expect_eq(dn_score(scores, &e, &input, DN_REDUCE_DEFAULT, &head), DN_OK, "%s", dn_error_last());
    dn_free(plain.fit);
}
