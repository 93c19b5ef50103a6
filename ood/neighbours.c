/** How a search goes.
 *
 * Rows are ranked by a value of about 1 at most, of which products in single precision give an approximation: with
 * q, x_j of length <= 1, it is weight_j q.x_j / unit, or, for distances, q.x_j + (1 - x_j.x_j) / 2, a falling function
 * of the distance. Both are product * scale_j + offset_j.
 *
 * The sum of D products, in any order, differs from the exact one by at most g |q| |x| <= g, g = n u / (1 - n u) with
 * u = 2^-24 and n = D [Higham, Accuracy and Stability of Numerical Algorithms, 3.1]; the few roundings before and after
 * it make n = D + 16. So with v_k, the k-th largest approximation so far, a row below v_k - 2 g is not among the k, one
 * above v_k + 2 g certainly is; those between are computed in double.
 *
 * A query keeps a list of rows that may be among its k. When it is full, everything below the new threshold goes. Where
 * that is not enough, as among thousands of equal rows, the values are computed in double and k remain.
 */
#include "ood/neighbours.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/clones.h"
#include "ood/products.h"

enum { BLOCK = 16 * DN__PRODUCT_GROUP /* bank rows at a time: their products stay in L2 */, VECTOR = 16, SPARE = 64 };

/* Bytes of all lists of a search: only a very large k leads to fewer queries at a time. */
static const size_t LISTS = (size_t)32 << 20;

typedef struct candidate {
    double value; /* approximate or exact */
    size_t row;
} candidate;

typedef struct search {
    const dn__nearness *by;
    size_t k, n, capacity;
    double bound;
    const double *query; /* [n, dim] of length 1 */
    double *row;         /* [dim] scratch */
    candidate *list;     /* [n, capacity] */
    size_t count[DN__PRODUCT_QUERIES];
    float threshold[DN__PRODUCT_QUERIES];
} search;

/* ---- exact values ---- */

enum { LANES = 8 };

/** @param a, b [n] @return sum of (a_i - b_i / divisor)^2 */
DN_CLONES static double squared_distance(const double *a, const double *b, double divisor, size_t n)
{
    double sum[LANES] = {0}, total = 0.0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            const double difference = a[i + l] - b[i + l] / divisor;
            sum[l] += difference * difference;
        }
    }
    for (; i < n; i++) total += (a[i] - b[i] / divisor) * (a[i] - b[i] / divisor);
    for (size_t l = 0; l < LANES; l++) total += sum[l];
    return total;
}

/** @param a, b [n] */
DN_CLONES static double inner_product(const double *a, const double *b, size_t n)
{
    double sum[LANES] = {0}, total = 0.0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t l = 0; l < LANES; l++) sum[l] += a[i + l] * b[i + l];
    }
    for (; i < n; i++) total += a[i] * b[i];
    for (size_t l = 0; l < LANES; l++) total += sum[l];
    return total;
}

/** @return minus the squared distance, or the weighted inner product */
static double exact_value(const search *s, size_t query, size_t row)
{
    const dn__bank *bank = s->by->bank;
    const double *q = s->query + query * bank->dim, *x = dn__bank_row(bank, row, s->row);
    if (!s->by->weight) return -squared_distance(q, x, bank->divisor[row], bank->dim);
    return inner_product(q, x, bank->dim) / bank->divisor[row] * s->by->weight[row];
}

/** An exact value as the approximations count. */
static double in_units(const search *s, size_t query, double value)
{
    const size_t dim = s->by->bank->dim;
    const double *q = s->query + query * dim;
    return s->by->weight ? value / s->by->unit : 0.5 * (1.0 + inner_product(q, q, dim) + value);
}

/* ---- lists ---- */

/** Brings the k largest of x [n] to its front, the smallest of them to x[k - 1]. 1 <= k <= n. Hoare's FIND. */
static void select_largest(candidate *x, size_t n, size_t k)
{
    const ptrdiff_t wanted = (ptrdiff_t)k - 1;
    ptrdiff_t first = 0, last = (ptrdiff_t)n - 1;
    while (first < last) {
        const double pivot = x[wanted].value;
        ptrdiff_t i = first, j = last;
        while (i <= j) { /* equal values are swapped too: they spread evenly */
            while (x[i].value > pivot) i++;
            while (x[j].value < pivot) j--;
            if (i > j) break;
            const candidate swapped = x[i];
            x[i++] = x[j];
            x[j--] = swapped;
        }
        if (j < wanted) first = i;
        if (i > wanted) last = j;
    }
}

/** Drops what cannot be among a query's k. @return the k-th largest value */
static double prune(search *s, size_t query)
{
    candidate *list = s->list + query * s->capacity;
    const size_t n = s->count[query];
    select_largest(list, n, s->k);
    const double kth = list[s->k - 1].value, least = kth - 2.0 * s->bound;
    size_t kept = s->k;
    for (size_t i = s->k; i < n; i++) {
        if (list[i].value >= least) list[kept++] = list[i];
    }
    s->count[query] = kept;
    if (least > s->threshold[query]) s->threshold[query] = (float)least;
    return kth;
}

/** Makes room in a full list: at least half of what is beyond k. */
static void make_room(search *s, size_t query)
{
    candidate *list = s->list + query * s->capacity;
    prune(s, query);
    if (s->count[query] <= s->k + (s->capacity - s->k) / 2) return;
    for (size_t i = 0; i < s->count[query]; i++) list[i].value = exact_value(s, query, list[i].row);
    select_largest(list, s->count[query], s->k);
    s->count[query] = s->k;
    for (size_t i = 0; i < s->k; i++) list[i].value = in_units(s, query, list[i].value);
}

static void add_candidate(search *s, size_t query, size_t row, double value)
{
    if (s->count[query] == s->capacity) make_room(s, query);
    s->list[query * s->capacity + s->count[query]++] = (candidate){value, row};
}

/* ---- the search ---- */

/** Is any of VECTOR values at or above its threshold? */
static inline unsigned any_candidate(const float *products, float scale, float offset, const float *threshold)
{
    unsigned any = 0;
    for (size_t i = 0; i < VECTOR; i++) any |= products[i] * scale + offset >= threshold[i];
    return any;
}

/** @param products [rows, DN__PRODUCT_QUERIES] of bank rows first, first + 1, ... */
DN_CLONES static void scan(search *s, const float *products, size_t first, size_t rows)
{
    for (size_t j = 0; j < rows; j++) {
        const float scale = s->by->scale[first + j], offset = s->by->offset[first + j];
        const float *p = products + j * DN__PRODUCT_QUERIES;
        for (size_t q = 0; q < s->n; q += VECTOR) {
            if (!any_candidate(p + q, scale, offset, s->threshold + q)) continue;
            for (size_t i = q; i < q + VECTOR && i < s->n; i++) {
                const float value = p[i] * scale + offset;
                if (value >= s->threshold[i]) add_candidate(s, i, first + j, value);
            }
        }
    }
}

/** The queries as they are multiplied: row by row on a device, packed on this CPU. @return NULL if out of memory */
static float *take_queries(const search *s, dn_workspace *space)
{
    const dn__bank *bank = s->by->bank;
    const size_t all = DN__PRODUCT_QUERIES * bank->dim, given = s->n * bank->dim;
    const size_t floats = bank->device ? all : dn__products_packed(s->n, bank->dim);
    float *queries = (void *)dn_workspace_doubles(space, (floats + 1) / 2); /* two floats in a double */
    if (!queries) return NULL;
    if (!bank->device) dn__products_pack(queries, s->query, s->n, bank->dim);
    for (size_t i = 0; i < all && bank->device; i++) queries[i] = i < given ? (float)s->query[i] : 0.0F;
    return queries;
}

/** @param products [block rows, DN__PRODUCT_QUERIES] of bank rows first .. first + rows - 1 */
static dn_status multiply(float *products, const search *s, size_t first, size_t rows, const float *queries)
{
    const dn__bank *bank = s->by->bank;
    if (bank->device) return dn__device_bank_products(products, bank->device, first, queries);
    const size_t padded = (rows + DN__PRODUCT_GROUP - 1) / DN__PRODUCT_GROUP * DN__PRODUCT_GROUP;
    dn__products(products, bank->scaled + first * bank->dim, padded, queries, s->n, bank->dim);
    return DN_OK;
}

static dn_status search_bank(search *s, dn_workspace *space)
{
    const dn__bank *bank = s->by->bank;
    const size_t block = bank->device ? dn__device_bank_chunk(bank->device) : BLOCK;
    float *queries = take_queries(s, space);
    float *products = (void *)dn_workspace_doubles(space, block * DN__PRODUCT_QUERIES / 2);
    if (!queries || !products) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < DN__PRODUCT_QUERIES; i++) {
        s->count[i] = 0;
        s->threshold[i] = i < s->n ? -FLT_MAX : INFINITY;
    }
    for (size_t first = 0; first < bank->rows; first += block) {
        const size_t rows = bank->rows - first < block ? bank->rows - first : block;
        DN_TRY(multiply(products, s, first, rows, queries));
        scan(s, products, first, rows);
    }
    return DN_OK;
}

/** What a query's list comes to: the wanted score. */
typedef double answer_fn(search *s, size_t query);

/** As many queries as lists have room for. @param queries [n,dim] */
static dn_status search_some(double *out, search *s, const double *queries, answer_fn *answer, dn_workspace *space)
{
    const size_t dim = s->by->bank->dim;
    double *unit = dn_workspace_doubles(space, s->n * dim);
    s->row = dn_workspace_doubles(space, dim);
    s->list = (void *)dn_workspace_doubles(space, s->n * s->capacity * (sizeof(candidate) / sizeof(double)));
    if (!unit || !s->row || !s->list) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < s->n; i++) {
        const double divisor = dn__scale_row(unit + i * dim, queries + i * dim, dim);
        for (size_t d = 0; d < dim; d++) unit[i * dim + d] /= divisor;
    }
    s->query = unit;
    DN_TRY(search_bank(s, space));
    for (size_t i = 0; i < s->n; i++) out[i] = answer(s, i);
    return DN_OK;
}

/** @return g of the head of this file; more than any difference of two values where it proves nothing */
static double rounding_bound(size_t dim)
{
    const double nu = ((double)dim + 16.0) * 0x1p-24;
    return nu < 0.5 ? nu / (1.0 - nu) : 4.0;
}

static dn_status search_all(double *out, const dn__nearness *by, const double *queries, size_t n, size_t k,
                            answer_fn *answer, dn_workspace *space)
{
    const size_t rows = by->bank->rows;
    search s = {.by = by, .k = k, .bound = rounding_bound(by->bank->dim)};
    s.capacity = 2 * k + SPARE < rows ? 2 * k + SPARE : rows;
    size_t some = LISTS / sizeof(candidate) / s.capacity;
    some = some < 1 ? 1 : some > DN__PRODUCT_QUERIES ? DN__PRODUCT_QUERIES : some;
    for (size_t i = 0; i < n; i += some) {
        const size_t mark = dn_workspace_mark(space);
        s.n = n - i < some ? n - i : some;
        const dn_status status = search_some(out + i, &s, queries + i * by->bank->dim, answer, space);
        dn_workspace_release(space, mark);
        if (status != DN_OK) return status;
    }
    return DN_OK;
}

/** Only rows that the approximations leave in doubt are computed in double: of the others it is certain on which side
 *  of the k-th they stand. */
static double kth_distance(search *s, size_t query)
{
    const double kth = prune(s, query);
    candidate *list = s->list + query * s->capacity;
    size_t certain = 0;
    for (size_t i = 0; i < s->count[query]; i++) {
        if (list[i].value <= kth + 2.0 * s->bound) continue;
        const candidate nearer = list[i];
        list[i] = list[certain];
        list[certain++] = nearer;
    }
    for (size_t i = certain; i < s->count[query]; i++) list[i].value = exact_value(s, query, list[i].row);
    select_largest(list + certain, s->count[query] - certain, s->k - certain);
    return sqrt(-list[s->k - 1].value);
}

dn_status dn__kth_distances(double *distances, const dn__nearness *by, const double *queries, size_t n, size_t k,
                            dn_workspace *space)
{
    return search_all(distances, by, queries, n, k, kth_distance, space);
}

static int descending(const void *a, const void *b)
{
    const double x = ((const candidate *)a)->value, y = ((const candidate *)b)->value;
    return (x < y) - (x > y);
}

/** Summed in descending order, so that the order of the list makes no difference. */
static double mean_largest(search *s, size_t query)
{
    prune(s, query);
    candidate *list = s->list + query * s->capacity;
    for (size_t i = 0; i < s->count[query]; i++) list[i].value = exact_value(s, query, list[i].row);
    select_largest(list, s->count[query], s->k);
    qsort(list, s->k, sizeof *list, descending);
    double sum = 0.0;
    for (size_t i = 0; i < s->k; i++) sum += list[i].value;
    return sum / (double)s->k;
}

dn_status dn__mean_largest(double *means, const dn__nearness *by, const double *queries, size_t n, size_t k,
                           dn_workspace *space)
{
    return search_all(means, by, queries, n, k, mean_largest, space);
}

/* ---- what rows are compared by ---- */

dn_status dn__neighbours_check(const char *method, double k, const dn_fit *fit)
{
    const size_t rows = dn_fit_rows(fit);
    if (k <= (double)rows) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "%s: k = %.0f, but there are only %zu fit rows: k must be from 1 to %zu", method,
                   k, rows, rows);
}

dn_status dn__nearness_init(dn__nearness *out, const dn__bank *bank, const double *weight)
{
    *out = (dn__nearness){.bank = bank, .weight = weight, .unit = 1.0};
    out->scale = dn_calloc(bank->rows, sizeof *out->scale);
    out->offset = dn_calloc(bank->rows, sizeof *out->offset);
    double *space = dn_calloc(bank->dim, sizeof *space);
    const dn_status status = out->scale && out->offset && space ? DN_OK : DN_ERROR_MEMORY;
    double largest = 0.0;
    for (size_t j = 0; weight && j < bank->rows; j++) largest = fmax(largest, fabs(weight[j]));
    if (largest > 0.0) out->unit = largest;
    for (size_t j = 0; status == DN_OK && j < bank->rows; j++) {
        out->scale[j] = (float)((weight ? weight[j] / out->unit : 1.0) / bank->divisor[j]);
        if (weight) continue;
        /* 1 for a row that is longer than the least norm, up to a rounding error that the bound includes. */
        const double *row = dn__bank_row(bank, j, space), divisor = bank->divisor[j];
        double squares = 0.0;
        for (size_t d = 0; d < bank->dim; d++) squares += row[d] / divisor * (row[d] / divisor);
        out->offset[j] = (float)(0.5 * (1.0 - squares));
    }
    dn_free(space);
    if (status != DN_OK) dn__nearness_clear(out);
    return status;
}

void dn__nearness_clear(dn__nearness *nearness)
{
    dn_free(nearness->scale);
    dn_free(nearness->offset);
    *nearness = (dn__nearness){0};
}
