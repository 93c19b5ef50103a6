/* mahalanobis, rmds, vim, residual and neco against their definitions, written down with plain loops. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/scorer.h"

enum { N = 9, C = 4, MOST_D = 8, MOST_M = 40 };

typedef struct sample {
    size_t m, d; /* fit rows, features */
    double features[N * MOST_D], fit_features[MOST_M * MOST_D], logits[N * C], fit_logits[MOST_M * C];
    double weight[C * MOST_D], bias[C];
    int32_t labels[MOST_M];
} sample;

static void draw(double *x, size_t count, uint64_t seed)
{
    dn_random_sequence r = {.seed = seed};
    for (size_t i = 0; i < count; i++) x[i] = 1.0 + 2.0 * (double)dn_random_next_normal(&r);
}

/** Labels are below `labelled`: the classes from there on have no rows. */
static sample sample_of(size_t m, size_t d, size_t labelled, uint64_t seed)
{
    sample s = {.m = m, .d = d};
    draw(s.features, N * d, seed);
    draw(s.fit_features, m * d, seed + 100);
    draw(s.logits, N * C, seed + 200);
    draw(s.fit_logits, m * C, seed + 300);
    draw(s.weight, C * d, seed + 400);
    draw(s.bias, C, seed + 500);
    for (size_t r = 0; r < m; r++) s.labels[r] = (int32_t)((r * 7 + r / 3) % labelled);
    return s;
}

/* ---- through the library ---- */

/** A scorer and what it borrows while it is opened. */
typedef struct fitted {
    dn_scorer *scorer;
    dn_matrix layer, fit_layer;
    dn_score_input in, set;
} fitted;

static dn_status open_scorer(fitted *f, const sample *s, const char *expression, bool labels)
{
    dn_score_expression parsed;
    f->layer = (dn_matrix){1, N, s->d, DN_F64, s->features, NULL, NULL};
    f->fit_layer = (dn_matrix){1, s->m, s->d, DN_F64, s->fit_features, NULL, NULL};
    f->in = (dn_score_input){.logits = {1, N, C, DN_F64, s->logits, NULL, NULL}, .layer = &f->layer, .layers = 1};
    f->set = (dn_score_input){.logits = {1, s->m, C, DN_F64, s->fit_logits, NULL, NULL},
                              .layer = &f->fit_layer,
                              .layers = 1,
                              .labels = labels ? s->labels : NULL};
    const dn_score_fit fit = {.set = &f->set, .weight = s->weight, .bias = s->bias};
    cr_assert_eq(dn_expression_parse(&parsed, expression), DN_OK, "%s", dn_error_last());
    f->scorer = NULL;
    return dn_scorer_open(&f->scorer, &parsed, 1, DN_REDUCE_DEFAULT, &f->in, &fit);
}

static void score(double scores[N], const sample *s, const char *expression, bool labels)
{
    fitted f;
    cr_assert_eq(open_scorer(&f, s, expression, labels), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_scorer_run(f.scorer, &scores, &f.in), DN_OK, "%s: %s", expression, dn_error_last());
    dn_scorer_close(f.scorer);
}

/* ---- by definition ---- */

static void rotate(double *x, double *y, double cosine, double sine)
{
    const double before = *x;
    *x = cosine * before - sine * *y;
    *y = sine * before + cosine * *y;
}

static void swap(double *x, double *y)
{
    rotate(x, y, 0.0, 1.0); /* and a sign, of no meaning for an eigenvector */
}

/** One of Jacobi's rotations, which brings a[p,q] to 0. */
static void rotate_pair(double *a, double *v, size_t d, size_t p, size_t q)
{
    if (a[p * d + q] == 0.0) return;
    const double angle = 0.5 * atan2(2.0 * a[p * d + q], a[q * d + q] - a[p * d + p]);
    const double c = cos(angle), s = sin(angle);
    for (size_t k = 0; k < d; k++) rotate(&a[k * d + p], &a[k * d + q], c, s);
    for (size_t k = 0; k < d; k++) rotate(&a[p * d + k], &a[q * d + k], c, s);
    for (size_t k = 0; k < d; k++) rotate(&v[p * d + k], &v[q * d + k], c, s);
}

/** @param a [d,d] symmetric, destroyed @param v [d,d] receives eigenvectors as rows @param values [d] falling */
static void eigen(double *values, double *v, double *a, size_t d)
{
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) v[i * d + j] = i == j ? 1.0 : 0.0;
    }
    for (size_t sweep = 0; sweep < 60; sweep++) {
        for (size_t p = 0; p < d; p++) {
            for (size_t q = p + 1; q < d; q++) rotate_pair(a, v, d, p, q);
        }
    }
    for (size_t i = 0; i < d; i++) {
        size_t most = i;
        for (size_t j = i + 1; j < d; j++) {
            if (a[j * d + j] > a[most * d + most]) most = j;
        }
        values[i] = a[most * d + most];
        a[most * d + most] = a[i * d + i];
        for (size_t k = 0; k < d && most != i; k++) swap(&v[i * d + k], &v[most * d + k]);
    }
}

/** a = a + weight x x' */
static void add_outer(double *a, const double *x, double weight, size_t d)
{
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) a[i * d + j] += weight * x[i] * x[j];
    }
}

static void pseudo_inverse(double *p, double *a, size_t d)
{
    double values[MOST_D] = {0}, v[MOST_D * MOST_D] = {0};
    eigen(values, v, a, d);
    memset(p, 0, d * d * sizeof *p);
    for (size_t e = 0; e < d; e++) {
        if (values[e] <= 0.0 || values[e] <= (double)d * DBL_EPSILON * values[0]) continue;
        add_outer(p, v + e * d, 1.0 / values[e], d);
    }
}

/** @param mean [d] of the fit rows of class c, or of all if c is negative @return how many there are */
static size_t mean_of(double *mean, const sample *s, int c)
{
    size_t count = 0;
    memset(mean, 0, s->d * sizeof *mean);
    for (size_t r = 0; r < s->m; r++) {
        if (c >= 0 && s->labels[r] != c) continue;
        count++;
        for (size_t j = 0; j < s->d; j++) mean[j] += s->fit_features[r * s->d + j];
    }
    for (size_t j = 0; j < s->d && count > 0; j++) mean[j] /= (double)count;
    return count;
}

/** Adds (1/M)(f - centre)(f - centre)' of the fit rows of class c, or of all. */
static void add_second_moment(double *a, const sample *s, int c, const double *centre)
{
    const size_t d = s->d;
    for (size_t r = 0; r < s->m; r++) {
        if (c >= 0 && s->labels[r] != c) continue;
        double difference[MOST_D];
        for (size_t j = 0; j < d; j++) difference[j] = s->fit_features[r * d + j] - centre[j];
        add_outer(a, difference, 1.0 / (double)s->m, d);
    }
}

/** (x - centre)' p (x - centre) */
static double distance(const double *x, const double *centre, const double *p, size_t d)
{
    double sum = 0.0;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) sum += (x[i] - centre[i]) * p[i * d + j] * (x[j] - centre[j]);
    }
    return sum;
}

static void plain_mahalanobis(double scores[N], const sample *s)
{
    double mean[C][MOST_D], a[MOST_D * MOST_D] = {0}, p[MOST_D * MOST_D];
    size_t count[C];
    for (int c = 0; c < C; c++) {
        count[c] = mean_of(mean[c], s, c);
        add_second_moment(a, s, c, mean[c]);
    }
    pseudo_inverse(p, a, s->d);
    for (size_t r = 0; r < N; r++) {
        scores[r] = INFINITY;
        for (int c = 0; c < C; c++) {
            if (count[c] > 0) scores[r] = fmin(scores[r], distance(s->features + r * s->d, mean[c], p, s->d));
        }
    }
}

static void plain_rmds(double scores[N], const sample *s)
{
    double mean[MOST_D], a[MOST_D * MOST_D] = {0}, p[MOST_D * MOST_D];
    mean_of(mean, s, -1);
    add_second_moment(a, s, -1, mean);
    pseudo_inverse(p, a, s->d);
    plain_mahalanobis(scores, s);
    for (size_t r = 0; r < N; r++) scores[r] -= distance(s->features + r * s->d, mean, p, s->d);
}

/** u = -pinv(W) b = -pinv(W'W) W' b */
static void origin_of(double *u, const sample *s)
{
    const size_t d = s->d;
    double square[MOST_D * MOST_D] = {0}, p[MOST_D * MOST_D], wb[MOST_D] = {0};
    double values[MOST_D], v[MOST_D * MOST_D];
    for (size_t c = 0; c < C; c++) {
        const double *w = s->weight + c * d;
        add_outer(square, w, 1.0, d);
        for (size_t i = 0; i < d; i++) wb[i] += w[i] * s->bias[c];
    }
    /* The rank is known here; the cut of the squares would be too near to their rounding errors. */
    eigen(values, v, square, d);
    memset(p, 0, sizeof p);
    for (size_t e = 0; e < d && e < C; e++) {
        add_outer(p, v + e * d, 1.0 / values[e], d);
    }
    for (size_t i = 0; i < d; i++) {
        u[i] = 0.0;
        for (size_t j = 0; j < d; j++) u[i] -= p[i * d + j] * wb[j];
    }
}

static double length_along(const double *x, const double *centre, const double *axes, size_t count, size_t d)
{
    double sum = 0.0;
    for (size_t e = 0; e < count; e++) {
        double along = 0.0;
        for (size_t j = 0; j < d; j++) along += axes[e * d + j] * (x[j] - centre[j]);
        sum += along * along;
    }
    return sqrt(sum);
}

static double largest(const double *z)
{
    return fmax(fmax(z[0], z[1]), fmax(z[2], z[3]));
}

/** @param vim also subtract the energy part */
static void plain_residual(double scores[N], const sample *s, size_t dim, bool vim)
{
    const size_t d = s->d;
    double u[MOST_D], a[MOST_D * MOST_D] = {0}, v[MOST_D * MOST_D], values[MOST_D], top = 0.0, norm = 0.0;
    origin_of(u, s);
    add_second_moment(a, s, -1, u);
    eigen(values, v, a, d);
    const double *rest = v + dim * d;
    for (size_t r = 0; r < s->m; r++) {
        top += largest(s->fit_logits + r * C) / (double)s->m;
        norm += length_along(s->fit_features + r * d, u, rest, d - dim, d) / (double)s->m;
    }
    for (size_t r = 0; r < N; r++) {
        scores[r] = length_along(s->features + r * d, u, rest, d - dim, d);
        if (!vim) continue;
        double sum = 0.0;
        for (size_t c = 0; c < C; c++) sum += exp(s->logits[r * C + c]);
        scores[r] = top / fmax(norm, 1e-10) * scores[r] - log(sum);
    }
}

static void plain_neco(double scores[N], const sample *s, size_t dim)
{
    const size_t d = s->d;
    double mean[MOST_D], deviation[MOST_D], a[MOST_D * MOST_D] = {0}, v[MOST_D * MOST_D], values[MOST_D], x[MOST_D];
    const double zero[MOST_D] = {0};
    sample standard = *s;
    mean_of(mean, s, -1);
    for (size_t j = 0; j < d; j++) {
        double sum = 0.0;
        for (size_t r = 0; r < s->m; r++) sum += pow(s->fit_features[r * d + j] - mean[j], 2) / (double)s->m;
        deviation[j] = sqrt(sum) < 1e-12 ? 1.0 : sqrt(sum);
        for (size_t r = 0; r < s->m; r++) {
            standard.fit_features[r * d + j] = (s->fit_features[r * d + j] - mean[j]) / deviation[j];
        }
    }
    add_second_moment(a, &standard, -1, zero);
    eigen(values, v, a, d);
    for (size_t r = 0; r < N; r++) {
        for (size_t j = 0; j < d; j++) x[j] = (s->features[r * d + j] - mean[j]) / deviation[j];
        const double norm = length_along(x, zero, v, d, d), part = length_along(x, zero, v, dim, d);
        scores[r] = -(part / fmax(norm, 1e-10)) * largest(s->logits + r * C);
    }
}

static void expect_near(const double *got, const double *want, const char *what)
{
    double scale = 0.0;
    for (size_t r = 0; r < N; r++) scale = fmax(scale, fabs(want[r]));
    for (size_t r = 0; r < N; r++) {
        cr_expect(fabs(got[r] - want[r]) <= 1e-9 * scale, "%s, row %zu: %.15g, expected %.15g", what, r, got[r],
                  want[r]);
    }
}

/** All five, with `dim` where they take one: between different eigenvalues, so that the axes are no matter of taste. */
static void check_all(const sample *s, const char *dim, size_t value)
{
    double got[N], want[N];
    char expression[32];
    plain_mahalanobis(want, s);
    score(got, s, "mahalanobis", true);
    expect_near(got, want, "mahalanobis");
    plain_rmds(want, s);
    score(got, s, "rmds", true);
    expect_near(got, want, "rmds");
    for (int labels = 0; labels < 2; labels++) {
        plain_residual(want, s, value, false);
        snprintf(expression, sizeof expression, "residual%s", dim);
        score(got, s, expression, labels);
        expect_near(got, want, expression);
        plain_residual(want, s, value, true);
        snprintf(expression, sizeof expression, "vim%s", dim);
        score(got, s, expression, labels);
        expect_near(got, want, expression);
        plain_neco(want, s, value);
        snprintf(expression, sizeof expression, "neco%s", dim);
        score(got, s, expression, labels);
        expect_near(got, want, expression);
    }
}

Test(feature_moments, are_as_defined)
{
    const sample s = sample_of(40, 6, C, 1), odd = sample_of(33, 7, C, 2), more_classes = sample_of(40, 3, C, 3);
    check_all(&s, "", 3);
    check_all(&s, ":dim=1", 1);
    check_all(&s, ":dim=5", 5);
    check_all(&odd, "", 3);
    check_all(&more_classes, "", 1);
}

Test(feature_moments, singular_covariance)
{
    /* Seven rows, eight features, four classes: the rank within classes is 3, that of all 6. */
    sample s = sample_of(7, 8, C, 4);
    check_all(&s, ":dim=2", 2);
    /* Two features that are the same. */
    s = sample_of(40, 6, C, 5);
    for (size_t r = 0; r < s.m; r++) s.fit_features[r * 6 + 1] = s.fit_features[r * 6 + 4];
    check_all(&s, "", 3);
}

Test(feature_moments, constant_features)
{
    sample s = sample_of(40, 6, C, 6);
    for (size_t r = 0; r < s.m; r++) s.fit_features[r * 6] = 1000.1, s.fit_features[r * 6 + 3] = 0.0;
    check_all(&s, "", 3);
    for (size_t i = 0; i < s.m * s.d; i++) s.fit_features[i] = 0.1;
    double got[N];
    score(got, &s, "mahalanobis", true);
    for (size_t r = 0; r < N; r++) cr_expect_eq(got[r], 0.0);
    score(got, &s, "rmds", true);
    for (size_t r = 0; r < N; r++) cr_expect_eq(got[r], 0.0);
}

Test(feature_moments, far_from_zero)
{
    sample near = sample_of(40, 6, C, 7), far = near;
    for (size_t i = 0; i < far.m * far.d; i++) far.fit_features[i] += 0x1p20;
    for (size_t i = 0; i < N * far.d; i++) far.features[i] += 0x1p20;
    double got[N], want[N];
    plain_rmds(want, &near);
    score(got, &far, "rmds", true);
    double scale = 0.0; /* what is left of the features' digits is known to 2^-32 of their spread */
    for (size_t r = 0; r < N; r++) scale = fmax(scale, fabs(want[r]));
    for (size_t r = 0; r < N; r++) cr_expect_float_eq(got[r], want[r], 1e-7 * scale);
}

Test(feature_moments, one_class)
{
    const sample s = sample_of(40, 6, 1, 8);
    check_all(&s, "", 3);
    double got[N];
    score(got, &s, "rmds", true);
    for (size_t r = 0; r < N; r++) cr_expect_float_eq(got[r], 0.0, 1e-10);
}

Test(feature_moments, classes_without_rows_are_skipped_and_named)
{
    const sample s = sample_of(40, 6, 3, 9), two = sample_of(40, 6, 2, 10), all = sample_of(40, 6, C, 11);
    check_all(&s, "", 3);
    check_all(&two, "", 3);
    const sample *const samples[] = {&s, &two, &all};
    const char *const notes[] = {"class 3 has no fit rows and is skipped\n",
                                 "classes 2, 3 have no fit rows and are skipped\n", ""};
    for (size_t i = 0; i < 3; i++) {
        fitted f;
        cr_assert_eq(open_scorer(&f, samples[i], "rmds", true), DN_OK);
        cr_expect_str_eq(dn_scorer_notes(f.scorer), notes[i]);
        dn_scorer_close(f.scorer);
    }
}

Test(feature_moments, one_fit_row)
{
    sample s = sample_of(1, 6, 1, 12);
    double got[N], want[N] = {0};
    score(got, &s, "mahalanobis", true);
    expect_near(got, want, "mahalanobis");
    score(got, &s, "rmds", true);
    expect_near(got, want, "rmds");
    score(got, &s, "vim:dim=1", true);
    for (size_t r = 0; r < N; r++) cr_expect(isfinite(got[r])); /* alpha divides by a length of 0: its floor */
    plain_residual(want, &s, 1, false);
    score(got, &s, "residual:dim=1", true);
    expect_near(got, want, "residual");
    score(got, &s, "neco", true);
    for (size_t r = 0; r < N; r++) cr_expect(isfinite(got[r]));
}

Test(feature_moments, one_feature)
{
    const sample s = sample_of(20, 1, C, 13);
    double got[N], want[N];
    plain_rmds(want, &s);
    score(got, &s, "rmds", true);
    expect_near(got, want, "rmds");
    score(got, &s, "neco:dim=1", true);
    for (size_t r = 0; r < N; r++) cr_expect_eq(got[r], -largest(s.logits + r * C));
}

/** Every fit row many times over changes nothing. That many rows come in several blocks, fill the buffer of centred
 *  rows more than once, and are worth threads. */
Test(feature_moments, many_rows)
{
    enum { M = 200, D = 150, COPIES = 80 };
    double *rows = dn_calloc((size_t)M * D * COPIES, sizeof *rows),
           *logits = dn_calloc((size_t)M * C * COPIES, sizeof *logits);
    int32_t *labels = dn_calloc((size_t)M * COPIES, sizeof *labels);
    double features[N * D], z[N * C], weight[C * D], bias[C], scores[2][5][N];
    cr_assert(rows && logits && labels);
    draw(rows, M * D, 20);
    draw(logits, M * C, 21);
    draw(features, N * D, 22);
    draw(z, N * C, 23);
    draw(weight, C * D, 24);
    draw(bias, C, 25);
    for (size_t r = 0; r < (size_t)M * COPIES; r++) {
        labels[r] = (int32_t)(r % M % C);
        memcpy(rows + r * D, rows + r % M * D, r < M ? 0 : D * sizeof *rows);
        memcpy(logits + r * C, logits + r % M * C, r < M ? 0 : C * sizeof *logits);
    }
    dn_expression_list list = {0};
    cr_assert_eq(dn_expression_list_add(&list, "mahalanobis,rmds,vim,residual,neco"), DN_OK);
    for (size_t i = 0; i < 2; i++) {
        const size_t m = i == 0 ? M : (size_t)M * COPIES;
        const dn_matrix layer = {1, N, D, DN_F64, features, NULL, NULL},
                        fit_layer = {1, m, D, DN_F64, rows, NULL, NULL};
        const dn_score_input in = {.logits = {1, N, C, DN_F64, z, NULL, NULL}, .layer = &layer, .layers = 1};
        const dn_score_input set = {
            .logits = {1, m, C, DN_F64, logits, NULL, NULL}, .layer = &fit_layer, .layers = 1, .labels = labels};
        const dn_score_fit fit = {.set = &set, .weight = weight, .bias = bias};
        double *out[5];
        for (size_t e = 0; e < 5; e++) out[e] = scores[i][e];
        dn_scorer *scorer;
        cr_assert_eq(dn_scorer_open(&scorer, list.expression, 5, DN_REDUCE_DEFAULT, &in, &fit), DN_OK);
        cr_assert_eq(dn_scorer_run(scorer, out, &in), DN_OK);
        dn_scorer_close(scorer);
    }
    for (size_t e = 0; e < 5; e++) expect_near(scores[1][e], scores[0][e], list.text[e]);
    dn_expression_list_close(&list);
    dn_free(rows);
    dn_free(logits);
    dn_free(labels);
}

static void refuse(const sample *s, const char *expression, dn_status status, const char *text)
{
    fitted f;
    cr_expect_eq(open_scorer(&f, s, expression, true), status, "%s", expression);
    cr_expect(strstr(dn_error_last(), text), "'%s' lacks '%s'", dn_error_last(), text);
    dn_scorer_close(f.scorer);
}

Test(feature_moments, refusals)
{
    const sample s = sample_of(20, 6, C, 14), one = sample_of(20, 1, C, 15);
    refuse(&s, "vim:dim=6", DN_ERROR_ARGUMENT, "D = 6, so that dim may be 1..5");
    refuse(&s, "residual:dim=900000000", DN_ERROR_ARGUMENT, "D = 6");
    refuse(&s, "neco:dim=7", DN_ERROR_ARGUMENT, "D = 6, so that dim may be 1..6");
    refuse(&one, "vim", DN_ERROR_ARGUMENT, "D = 1");
    refuse(&one, "residual", DN_ERROR_ARGUMENT, "D = 1");
    refuse(&one, "neco", DN_ERROR_ARGUMENT, "D = 1");
    sample huge = s;
    huge.fit_features[3] = 1e300;
    refuse(&huge, "mahalanobis", DN_ERROR_NUMERIC, "beyond the range of double");
    dn_score_expression parsed;
    cr_expect_neq(dn_expression_parse(&parsed, "vim:dim=0"), DN_OK);
    cr_expect_neq(dn_expression_parse(&parsed, "mahalanobis:eps=2"), DN_OK);
}

Test(feature_moments, gradient_of_mahalanobis)
{
    const sample samples[] = {sample_of(40, 6, C, 16), sample_of(7, 8, C, 17)}; /* the second one singular */
    for (size_t i = 0; i < 2; i++) {
        const size_t d = samples[i].d;
        fitted f;
        dn_workspace *space;
        double gradient[N * MOST_D], plus[N], minus[N];
        cr_assert_eq(open_scorer(&f, &samples[i], "mahalanobis", true), DN_OK, "%s", dn_error_last());
        cr_assert(f.scorer && dn_workspace_open(&space) == DN_OK);
        const dn_score_rows rows = {.rows = N, .columns = C, .dim = d, .features = samples[i].features};
        const dn_fitted by = {f.scorer->item->expression.base.option, f.scorer->item->state[0]};
        const dn_method *method = dn_method_find("mahalanobis");
        cr_assert_eq(method->gradient(gradient, &rows, &by, space), DN_OK);
        for (size_t j = 0; j < d; j++) {
            sample moved = samples[i];
            dn_score_rows there = rows;
            there.features = moved.features;
            for (size_t r = 0; r < N; r++) moved.features[r * d + j] += 1e-5;
            cr_assert_eq(method->score.single(plus, &there, &by, space), DN_OK);
            for (size_t r = 0; r < N; r++) moved.features[r * d + j] -= 2e-5;
            cr_assert_eq(method->score.single(minus, &there, &by, space), DN_OK);
            for (size_t r = 0; r < N; r++) {
                const double slope = (plus[r] - minus[r]) / 2e-5, tolerance = 1e-7 * (1.0 + fabs(slope) + plus[r]);
                cr_expect_float_eq(gradient[r * d + j], slope, tolerance, "row %zu, feature %zu", r, j);
            }
        }
        dn_workspace_close(space);
        dn_scorer_close(f.scorer);
    }
}
