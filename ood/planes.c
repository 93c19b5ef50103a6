#include "ood/planes.h"

#include "core/clones.h"
#include "ood/vector_math.h"

void dn__transpose(double *to, const double *from, size_t rows, size_t columns)
{
    enum { TILE = 8 }; /* a cache line of both sides */
    for (size_t first = 0; first < columns; first += TILE) {
        const size_t end = first + TILE < columns ? first + TILE : columns;
        for (size_t r = 0; r < rows; r++) {
            for (size_t c = first; c < end; c++) to[c * rows + r] = from[r * columns + c];
        }
    }
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

DN_CLONES void dn__power(double *x, size_t count, double exponent)
{
    for (size_t i = 0; i < count; i++) x[i] = dn__exp(exponent * dn__log(x[i]));
}
