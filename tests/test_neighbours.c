/** Neighbour searches beside brute force in double: ties, copies, zeros, magnitudes, sizes at the edges. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/products.h"
#include "ood/score.h"

enum { C = 3 };

/** How the fit rows are made. */
typedef enum kind {
    NORMAL,
    LATTICE,    /* entries -1, 0, 1: many ties, many copies */
    IDENTICAL,  /* all rows are one, but for their lengths */
    NEARLY,     /* rows that differ by less than single precision tells apart */
    SPARSE,     /* every third row is zeros, every third shorter than the least norm */
    MAGNITUDES, /* rows of 1e-30 to 1e30 */
    EXTREMES,   /* of double: 1e-300 to 1e300 */
    KINDS
} kind;

typedef struct problem {
    size_t m, n, dim;
    dn_dtype type;
    void *fit, *query;    /* [m,dim], [n,dim] of the type */
    double *f, *q;        /* the same in double */
    double *zf, *z;       /* [m,C], [n,C] */
    double *scores, *all; /* [n], [m] */
} problem;

static double entry(kind of, size_t row, double base, dn_random_sequence *r)
{
    const double x = (double)dn_random_next_normal(r);
    switch (of) {
    case LATTICE: return (double)dn_random_next_below(r, 3) - 1.0;
    case IDENTICAL: return base * (double)(1 + row % 2);
    case NEARLY: return base + 1e-7 * x;
    case SPARSE: return row % 3 == 0 ? 0.0 : row % 3 == 1 ? 1e-11 * x : x;
    case MAGNITUDES: return x * pow(10.0, (double)(row % 61) - 30.0);
    case EXTREMES: return x * pow(10.0, 100.0 * ((double)(row % 7) - 3.0));
    default: return x;
    }
}

/** Every other query is a copy of a fit row, one is zeros. */
static problem make(kind of, size_t m, size_t n, size_t dim, dn_dtype type)
{
    const size_t size = type == DN_F32 ? sizeof(float) : sizeof(double);
    problem p = {.m = m, .n = n, .dim = dim, .type = type};
    p.fit = dn_calloc(m * dim, size);
    p.query = dn_calloc(n * dim, size);
    p.f = dn_calloc(m * dim, sizeof *p.f);
    p.q = dn_calloc(n * dim, sizeof *p.q);
    p.zf = dn_calloc(m * C, sizeof *p.zf);
    p.z = dn_calloc(n * C, sizeof *p.z);
    p.scores = dn_calloc(n, sizeof *p.scores);
    p.all = dn_calloc(m, sizeof *p.all);
    dn_random_sequence r = {.seed = 5 + (uint64_t)of};
    double *base = dn_calloc(dim, sizeof *base);
    for (size_t d = 0; d < dim; d++) base[d] = (double)dn_random_next_normal(&r);
    for (size_t i = 0; i < m * dim; i++) p.f[i] = entry(of, i / dim, base[i % dim], &r);
    for (size_t i = 0; i < n * dim; i++) {
        const size_t row = i / dim;
        p.q[i] = row == 2 ? 0.0 : row % 2 ? p.f[row * 7 % m * dim + i % dim] : entry(of, row + 1, base[i % dim], &r);
    }
    for (size_t i = 0; i < m * dim && type == DN_F32; i++) p.f[i] = ((float *)p.fit)[i] = (float)p.f[i];
    for (size_t i = 0; i < n * dim && type == DN_F32; i++) p.q[i] = ((float *)p.query)[i] = (float)p.q[i];
    if (type == DN_F64) {
        memcpy(p.fit, p.f, m * dim * sizeof *p.f);
        memcpy(p.query, p.q, n * dim * sizeof *p.q);
    }
    /* Energies of both signs. */
    for (size_t i = 0; i < m * C; i++) p.zf[i] = 3 * (double)dn_random_next_normal(&r) - 1;
    for (size_t i = 0; i < n * C; i++) p.z[i] = (double)dn_random_next_normal(&r);
    dn_free(base);
    return p;
}

static void drop(problem *p)
{
    void *const memory[] = {p->fit, p->query, p->f, p->q, p->zf, p->z, p->scores, p->all};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) dn_free(memory[i]);
}

static dn_status score(const problem *p, const char *method, size_t k)
{
    char text[64];
    snprintf(text, sizeof text, "%s:k=%zu", method, k);
    dn_score_expression expression;
    cr_assert_eq(dn_expression_parse(&expression, text), DN_OK, "%s", dn_error_last());
    const dn_matrix layer = {1, p->n, p->dim, p->type, p->query, NULL, NULL};
    const dn_matrix fit_layer = {1, p->m, p->dim, p->type, p->fit, NULL, NULL};
    const dn_score_input input = {.logits = {1, p->n, C, DN_F64, p->z, NULL, NULL}, .layer = &layer, .layers = 1};
    const dn_score_input set = {.logits = {1, p->m, C, DN_F64, p->zf, NULL, NULL}, .layer = &fit_layer, .layers = 1};
    const dn_score_fit fit = {.set = &set};
    return dn_score(p->scores, &expression, &input, DN_REDUCE_DEFAULT, &fit);
}

/** max(norm, 1e-10), in long double, whose range no square leaves */
static long double divisor(const double *x, size_t n)
{
    long double sum = 0;
    for (size_t d = 0; d < n; d++) sum += (long double)x[d] * x[d];
    return sum > 1e-20L ? sqrtl(sum) : 1e-10L;
}

static double log_sum_exp(const double *z)
{
    return log(exp(z[0]) + exp(z[1]) + exp(z[2]));
}

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/** Minus the distances, or the weighted cosines, of query i to all rows, largest first. */
static void brute_force(const problem *p, size_t i, bool weighted)
{
    const double *q = p->q + i * p->dim;
    const long double a = divisor(q, p->dim);
    for (size_t j = 0; j < p->m; j++) {
        const double *f = p->f + j * p->dim;
        const long double b = divisor(f, p->dim);
        long double squares = 0, inner = 0;
        for (size_t d = 0; d < p->dim; d++) {
            const long double difference = q[d] / a - f[d] / b;
            squares += difference * difference;
            inner += q[d] / a * (f[d] / b);
        }
        p->all[j] = weighted ? (double)inner * log_sum_exp(p->zf + j * C) : -(double)sqrtl(squares);
    }
    qsort(p->all, p->m, sizeof *p->all, descending);
}

/** Entries of unit rows have errors of a few 2^-53, and so have distances and cosines; weights are below 20. */
static void compare(const problem *p, size_t k, const char *what)
{
    const double rounding = 16 * 0x1p-53 * sqrt((double)p->dim);
    cr_assert_eq(score(p, "knn", k), DN_OK, "%s: %s", what, dn_error_last());
    for (size_t i = 0; i < p->n; i++) {
        brute_force(p, i, false);
        cr_assert(fabs(p->scores[i] + p->all[k - 1]) <= rounding, "%s, k = %zu, row %zu: %.17g, expected %.17g", what,
                  k, i, p->scores[i], -p->all[k - 1]);
        if (k == 1 && i % 2) cr_assert_eq(p->scores[i], 0.0, "%s: a copy is %g away", what, p->scores[i]);
    }
    cr_assert_eq(score(p, "nnguide", k), DN_OK, "%s: %s", what, dn_error_last());
    for (size_t i = 0; i < p->n; i++) {
        brute_force(p, i, true);
        double sum = 0;
        for (size_t j = 0; j < k; j++) sum += p->all[j];
        const double want = -log_sum_exp(p->z + i * C) * sum / (double)k;
        cr_assert(fabs(p->scores[i] - want) <= 400 * rounding, "%s, k = %zu, row %zu: nnguide %.17g, expected %.17g",
                  what, k, i, p->scores[i], want);
    }
}

static void try_sizes(kind of, dn_dtype type, const char *what)
{
    const size_t size[][3] = {{1, 4, 1}, {5, 9, 1}, {13, 40, 3}, {700, 37, 20}, {192, 3, 64}, {2500, 5, 9}};
    for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
        problem p = make(of, size[s][0], size[s][1], size[s][2], type);
        const size_t ks[] = {1, 2, 10, p.m / 2, p.m - 1, p.m};
        for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
            if (ks[i] >= 1 && ks[i] <= p.m) compare(&p, ks[i], what);
        }
        drop(&p);
    }
}

Test(neighbours, single_precision)
{
    try_sizes(NORMAL, DN_F32, "normal");
    try_sizes(LATTICE, DN_F32, "lattice");
    try_sizes(IDENTICAL, DN_F32, "identical");
    try_sizes(NEARLY, DN_F32, "nearly equal");
    try_sizes(SPARSE, DN_F32, "zeros");
    try_sizes(MAGNITUDES, DN_F32, "magnitudes");
}

Test(neighbours, double_precision)
{
    try_sizes(NORMAL, DN_F64, "normal");
    try_sizes(NEARLY, DN_F64, "nearly equal");
    try_sizes(SPARSE, DN_F64, "zeros");
    try_sizes(MAGNITUDES, DN_F64, "magnitudes");
    try_sizes(EXTREMES, DN_F64, "extremes");
}

/** More than one block of queries, lists that fill again and again. */
Test(neighbours, many_queries)
{
    problem p = make(NORMAL, 3000, 300, 8, DN_F32);
    compare(&p, 3, "many queries");
    compare(&p, 200, "many queries");
    drop(&p);
}

Test(neighbours, k_beyond_the_fit_rows)
{
    problem p = make(NORMAL, 5, 4, 3, DN_F32);
    const char *const methods[] = {"knn", "nnguide"};
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(score(&p, methods[i], 6), DN_ERROR_ARGUMENT);
        cr_expect(strstr(dn_error_last(), "k = 6") && strstr(dn_error_last(), "5 fit rows"), "%s", dn_error_last());
    }
    drop(&p);
}

/** Both ways stay within the bound that searches rely on. @param n queries */
static void check_products(size_t n, size_t dim)
{
    enum { ROWS = 2 * DN__PRODUCT_GROUP };
    float *bank = dn_calloc_aligned(ROWS * dim * sizeof *bank);
    float *products = dn_calloc_aligned((size_t)ROWS * DN__PRODUCT_QUERIES * sizeof *products);
    float *packed = dn_calloc_aligned(dn__products_packed(n, dim) * sizeof *packed);
    double *queries = dn_calloc(n * dim, sizeof *queries);
    dn_random_sequence r = {.seed = 3};
    for (size_t i = 0; i < ROWS * dim; i++) bank[i] = dn_random_next_normal(&r);
    for (size_t i = 0; i < n * dim; i++) queries[i] = (double)dn_random_next_normal(&r);
    dn__products_pack(packed, queries, n, dim);
    for (int way = 0; way < 2; way++) {
        (way ? dn__products_by_blas : dn__products)(products, bank, ROWS, packed, n, dim);
        for (size_t at = 0; at < ROWS * n; at++) {
            const float *b = bank + at / n * dim;
            const double *q = queries + at % n * dim;
            double exact = 0, absolute = 0;
            for (size_t d = 0; d < dim; d++) {
                exact += (double)b[d] * (double)(float)q[d];
                absolute += fabs((double)b[d] * q[d]);
            }
            const double got = (double)products[at / n * DN__PRODUCT_QUERIES + at % n];
            cr_assert(fabs(got - exact) <= ((double)dim + 2) * 0x1p-24 * absolute, "%zu queries of %zu: %g, not %g", n,
                      dim, got, exact);
        }
    }
    dn_free(bank);
    dn_free(products);
    dn_free(packed);
    dn_free(queries);
}

Test(neighbours, products)
{
    check_products(1, 1);
    check_products(33, 7);
    check_products(DN__PRODUCT_QUERIES, 100);
}
