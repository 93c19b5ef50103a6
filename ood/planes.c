#include "ood/planes.h"

#include <string.h>

#include "core/clones.h"
#include "ood/linear_algebra.h"
#include "ood/vector_math.h"

enum { LANES = 4, STRIP = 8, TILE = 12 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef double strip __attribute__((vector_size(STRIP * sizeof(double))));

/** @param to [4, stride] @param from [4, from_stride] */
static inline void transpose_lanes(double *to, const double *from, size_t to_stride, size_t from_stride)
{
    lanes a, b, c, d;
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + from_stride, sizeof b);
    memcpy(&c, from + 2 * from_stride, sizeof c);
    memcpy(&d, from + 3 * from_stride, sizeof d);
    const lanes ab0 = __builtin_shufflevector(a, b, 0, 4, 2, 6), ab1 = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    const lanes cd0 = __builtin_shufflevector(c, d, 0, 4, 2, 6), cd1 = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    a = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
    b = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
    c = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
    d = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
    memcpy(to, &a, sizeof a);
    memcpy(to + to_stride, &b, sizeof b);
    memcpy(to + 2 * to_stride, &c, sizeof c);
    memcpy(to + 3 * to_stride, &d, sizeof d);
}

/** Squares of 4 x 4 in registers; the last ones overlap their neighbours where sizes are not multiples of 4. Columns
 *  come in tiles, for planes lie at distances that share few places in the cache. */
DN_CLONES void dn__transpose(double *restrict to, const double *restrict from, size_t rows, size_t columns)
{
    if (rows < LANES || columns < LANES) {
        for (size_t r = 0; r < rows; r++) {
            for (size_t c = 0; c < columns; c++) to[c * rows + r] = from[r * columns + c];
        }
        return;
    }
    for (size_t first = 0; first < columns; first += TILE) {
        const size_t end = first + TILE < columns ? first + TILE : columns;
        for (size_t r = 0; r < rows; r += LANES) {
            const size_t row = r + LANES <= rows ? r : rows - LANES;
            for (size_t c = first; c < end; c += LANES) {
                const size_t column = c + LANES <= columns ? c : columns - LANES;
                transpose_lanes(to + column * rows + row, from + row * columns + column, rows, columns);
            }
        }
    }
}

/** Four rows of weights, at once, by 8 of n rows: sums stay in registers.
 *  @param to [4] where the sums go @param weights [4] [columns] @param x [columns, n], of which 8 are read */
static inline void multiply_strip(double *const *to, const double *const *weights, const double *x, size_t columns,
                                  size_t n)
{
    strip a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t k = 0; k < columns; k++) {
        strip own;
        memcpy(&own, x + k * n, sizeof own);
        a += weights[0][k] * own;
        b += weights[1][k] * own;
        c += weights[2][k] * own;
        d += weights[3][k] * own;
    }
    memcpy(to[0], &a, sizeof a);
    memcpy(to[1], &b, sizeof b);
    memcpy(to[2], &c, sizeof c);
    memcpy(to[3], &d, sizeof d);
}

/** What is not a multiple of 4 or 8 is computed by overlapping. @param n at least 8 */
DN_CLONES static void multiply_few(double *restrict products, const double *restrict weights, const double *restrict x,
                                   size_t count, size_t columns, size_t n)
{
    for (size_t r = 0; r < n; r += STRIP) {
        const size_t row = r + STRIP <= n ? r : n - STRIP;
        for (size_t k = 0; k < count; k += 4) {
            double *to[4];
            const double *by[4];
            for (size_t i = 0; i < 4; i++) {
                const size_t own = k + i < count ? k + i : count - 1;
                to[i] = products + own * n + row;
                by[i] = weights + own * columns;
            }
            multiply_strip(to, by, x + row, columns, n);
        }
    }
}

void dn__planes_multiply(double *products, const double *weights, const double *x, size_t count, size_t columns,
                         size_t n)
{
    enum { FEW = 48 };
    if (columns <= FEW && n >= STRIP)
        multiply_few(products, weights, x, count, columns, n);
    else
        dn__multiply(products, weights, x, count, n, columns, 1.0, 0.0);
}

/** Two columns at once: half the traffic, and the compiler does not see a store that could be skipped, which it would
 *  turn into a branch that nobody can predict. @param x, y [n] columns c and d, or c twice */
DN_CLONES static void raise_top(double *restrict top, double *restrict at, const double *restrict x,
                                const double *restrict y, double c, double d, size_t n)
{
    for (size_t r = 0; r < n; r++) {
        double best = top[r], place = at[r];
        place = x[r] > best ? c : place;
        best = x[r] > best ? x[r] : best;
        place = y[r] > best ? d : place;
        best = y[r] > best ? y[r] : best;
        top[r] = best;
        at[r] = place;
    }
}

void dn__planes_top(double *top, double *at, const double *x, size_t columns, size_t n)
{
    for (size_t r = 0; r < n; r++) {
        top[r] = x[r];
        at[r] = 0.0;
    }
    for (size_t c = 1; c < columns; c += 2) {
        const size_t d = c + 1 < columns ? c + 1 : c;
        raise_top(top, at, x + c * n, x + d * n, (double)c, (double)d, n);
    }
}

/** One column's part of a softmax. @param below [n] logits, become (z - top) / T */
DN_CLONES static void add_column(double *restrict e, double *restrict below, double *restrict others,
                                 const double *restrict top, const double *restrict at, double column, size_t n,
                                 double temperature)
{
    if (temperature == 1.0) {
        for (size_t r = 0; r < n; r++) below[r] -= top[r];
    } else {
        for (size_t r = 0; r < n; r++) below[r] = (below[r] - top[r]) / temperature;
    }
    for (size_t r = 0; r < n; r++) {
        const double value = dn__exp(below[r]);
        e[r] = value;
        others[r] += at[r] == column ? 0.0 : value;
    }
}

dn_status dn__softmax_of(dn__softmax_planes *out, const dn_score_rows *in, double temperature, dn_workspace *space)
{
    const size_t n = in->rows, columns = in->columns;
    double *memory = dn_workspace_doubles(space, (2 * columns + 3) * n);
    if (!memory) return DN_ERROR_MEMORY;
    double *e = memory + columns * n, *others = e + columns * n;
    *out = (dn__softmax_planes){columns, n, memory, e, others, others + n, others + 2 * n};
    dn__transpose(out->below, in->logits, n, columns);
    dn__planes_top(out->top, out->at, out->below, columns, n);
    for (size_t r = 0; r < n; r++) others[r] = 0.0;
    for (size_t c = 0; c < columns; c++) {
        add_column(e + c * n, out->below + c * n, others, out->top, out->at, (double)c, n, temperature);
    }
    return DN_OK;
}

DN_CLONES void dn__softmax_column(double *restrict p, const dn__softmax_planes *s, size_t column)
{
    const double *restrict e = s->e + column * s->n, *restrict others = s->others;
    const size_t n = s->n;
    for (size_t r = 0; r < n; r++) p[r] = e[r] / (1.0 + others[r]);
}

DN_CLONES void dn__softmax_log_column(double *restrict l, const dn__softmax_planes *s, size_t column)
{
    const double *restrict below = s->below + column * s->n, *restrict others = s->others;
    const size_t n = s->n;
    for (size_t r = 0; r < n; r++) l[r] = below[r] - dn__log1p(others[r]);
}

DN_CLONES void dn__softmax_product(double *restrict x, const dn__softmax_planes *s, size_t column)
{
    const double *restrict e = s->e + column * s->n, *restrict others = s->others, *restrict at = s->at;
    const size_t n = s->n;
    for (size_t r = 0; r < n; r++) {
        const double sum = 1.0 + others[r], own = e[r];
        const double rest = at[r] == (double)column ? others[r] : sum - own;
        x[r] = own * rest / (sum * sum);
    }
}

DN_CLONES void dn__softmax_rest(double *restrict x, const dn__softmax_planes *s)
{
    const double *restrict others = s->others;
    const size_t n = s->n;
    for (size_t r = 0; r < n; r++) x[r] = others[r] / (1.0 + others[r]);
}

DN_CLONES void dn__softmax_log_sum(double *restrict x, const dn__softmax_planes *s, double temperature)
{
    const double *restrict others = s->others, *restrict top = s->top;
    const size_t n = s->n;
    for (size_t r = 0; r < n; r++) x[r] = top[r] + temperature * dn__log1p(others[r]);
}

/** sum += e * below, 0 where e is 0 (`below` may be minus infinity there). */
DN_CLONES static void add_products(double *restrict sum, const double *restrict e, const double *restrict below,
                                   size_t n)
{
    for (size_t r = 0; r < n; r++) {
        const double product = e[r] * below[r];
        sum[r] += e[r] > 0.0 ? product : 0.0;
    }
}

/** -ln p = ln(1 + others) - below: both parts are positive, nothing cancels. @param h [n] sum of e * below */
DN_CLONES static void finish_entropy(double *restrict h, const double *restrict others, size_t n)
{
    for (size_t r = 0; r < n; r++) h[r] = dn__log1p(others[r]) - h[r] / (1.0 + others[r]);
}

void dn__softmax_entropy(double *h, const dn__softmax_planes *s)
{
    for (size_t r = 0; r < s->n; r++) h[r] = 0.0;
    for (size_t c = 0; c < s->columns; c++) add_products(h, s->e + c * s->n, s->below + c * s->n, s->n);
    finish_entropy(h, s->others, s->n);
}

/** sum += x except where `at` is this column. */
DN_CLONES static void add_others(double *restrict sum, const double *restrict x, const double *restrict at,
                                 double column, size_t n)
{
    for (size_t r = 0; r < n; r++) {
        const double value = x[r];
        sum[r] += at[r] == column ? 0.0 : value;
    }
}

dn_status dn__planes_rest(double *x, const double *p, size_t columns, size_t n, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space);
    double *top = dn_workspace_doubles(space, 2 * n);
    if (!top) return DN_ERROR_MEMORY;
    double *at = top + n;
    dn__planes_top(top, at, p, columns, n);
    for (size_t r = 0; r < n; r++) x[r] = 0.0;
    for (size_t c = 0; c < columns; c++) add_others(x, p + c * n, at, (double)c, n);
    dn_workspace_release(space, mark);
    return DN_OK;
}

/** h -= p ln p except at a row's largest p. */
DN_CLONES static void add_entropy(double *restrict h, const double *restrict p, const double *restrict at,
                                  double column, size_t n)
{
    for (size_t r = 0; r < n; r++) {
        const double x = p[r], product = x * dn__log(x);
        const double kept = x > 0.0 ? product : 0.0;
        h[r] -= at[r] == column ? 0.0 : kept;
    }
}

/** The largest p's own term. It may have rounded to 1, its logarithm to 0: the others know better. */
DN_CLONES static void add_top_entropy(double *restrict h, const double *restrict top, const double *restrict others,
                                      size_t n)
{
    for (size_t r = 0; r < n; r++) {
        const double small = others[r] < 0.5 ? others[r] : 0.0, near = dn__log1p(-small), far = dn__log(top[r]);
        h[r] -= top[r] * (others[r] < 0.5 ? near : far);
    }
}

dn_status dn__planes_entropy(double *h, const double *p, size_t columns, size_t n, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space);
    double *top = dn_workspace_doubles(space, 3 * n);
    if (!top) return DN_ERROR_MEMORY;
    double *at = top + n, *others = at + n;
    dn__planes_top(top, at, p, columns, n);
    for (size_t r = 0; r < n; r++) h[r] = others[r] = 0.0;
    for (size_t c = 0; c < columns; c++) {
        add_others(others, p + c * n, at, (double)c, n);
        add_entropy(h, p + c * n, at, (double)c, n);
    }
    add_top_entropy(h, top, others, n);
    dn_workspace_release(space, mark);
    return DN_OK;
}

DN_CLONES static void raise(double *restrict top, const double *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) top[i] = x[i] > top[i] ? x[i] : top[i];
}

/** sum += exp(x - top), 0 where x is minus infinity (`top` may be, too). */
DN_CLONES static void add_exp_below(double *restrict sum, const double *restrict x, const double *restrict top,
                                    size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double value = dn__exp(x[i] - top[i]);
        sum[i] += x[i] > -INFINITY ? value : 0.0;
    }
}

DN_CLONES static void finish_log_mean(double *restrict mean, const double *restrict top, double members, size_t n)
{
    const double log_members = log(members);
    for (size_t i = 0; i < n; i++) mean[i] = top[i] + dn__log(mean[i]) - log_members;
}

dn_status dn__planes_log_mean(double *mean, const double *l, size_t members, size_t plane, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space);
    double *top = dn_workspace_doubles(space, plane);
    if (!top) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < plane; i++) {
        top[i] = l[i];
        mean[i] = 0.0;
    }
    for (size_t e = 1; e < members; e++) raise(top, l + e * plane, plane);
    for (size_t e = 0; e < members; e++) add_exp_below(mean, l + e * plane, top, plane);
    finish_log_mean(mean, top, (double)members, plane);
    dn_workspace_release(space, mark);
    return DN_OK;
}

/** sum += exp(l) except where `at` is this column. */
DN_CLONES static void add_other_exp(double *restrict sum, const double *restrict l, const double *restrict at,
                                    double column, size_t n)
{
    for (size_t r = 0; r < n; r++) {
        const double value = dn__exp(l[r]);
        sum[r] += at[r] == column ? 0.0 : value;
    }
}

dn_status dn__planes_sharpen_log(double *l, size_t columns, size_t n, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space);
    double *top = dn_workspace_doubles(space, 3 * n);
    if (!top) return DN_ERROR_MEMORY;
    double *at = top + n, *others = at + n;
    dn__planes_top(top, at, l, columns, n);
    for (size_t r = 0; r < n; r++) others[r] = 0.0;
    for (size_t c = 0; c < columns; c++) add_other_exp(others, l + c * n, at, (double)c, n);
    for (size_t r = 0; r < n; r++) {
        if (others[r] < 0.5) l[(size_t)at[r] * n + r] = dn__log1p(-others[r]);
    }
    dn_workspace_release(space, mark);
    return DN_OK;
}

DN_CLONES void dn__floored_logs(double *restrict logs, double *restrict p, size_t count, double least)
{
    for (size_t i = 0; i < count; i++) {
        const double kept = p[i] > least ? p[i] : least;
        p[i] = kept;
        logs[i] = dn__log(kept);
    }
}

DN_CLONES void dn__add_power(double *restrict sum, const double *restrict x, double exponent, size_t n)
{
    for (size_t r = 0; r < n; r++) sum[r] += dn__exp(exponent * dn__log_finite(x[r]));
}
