#include <math.h>

#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/planes.h"

/** d_c, the mean probabilities of the fit rows predicted c, as logarithms. */
typedef struct patterns {
    size_t columns, count; /* count: classes that were predicted at all */
    double *logs;          /* [count, columns] ln max(d_c, 1e-12) */
} patterns;

typedef struct sums {
    size_t columns;
    double *p;    /* [columns, columns] sum of p of the rows predicted c */
    double *rows; /* [columns] their number */
    dn_workspace *space;
} sums;

static dn_status add_rows(void *context, const dn_score_rows *rows, size_t first)
{
    (void)first;
    sums *to = context;
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, rows, 1.0, to->space));
    for (size_t r = 0; r < p.n; r++) {
        const size_t predicted = (size_t)p.at[r];
        double *sum = to->p + predicted * to->columns;
        to->rows[predicted] += 1.0;
        for (size_t c = 0; c < p.columns; c++) sum[c] += p.e[c * p.n + r] / (1.0 + p.others[r]);
    }
    dn_workspace_release(to->space, 0);
    return DN_OK;
}

static void close_patterns(void *state)
{
    patterns *d = state;
    dn_free(d->logs);
    dn_free(d);
}

/** Packs the predicted classes' logarithms at the front of the sums. */
static void finish(patterns *d, const double *rows)
{
    for (size_t c = 0; c < d->columns; c++) {
        if (rows[c] == 0.0) continue;
        const double *from = d->logs + c * d->columns;
        double *to = d->logs + d->count++ * d->columns;
        for (size_t k = 0; k < d->columns; k++) to[k] = log(fmax(from[k] / rows[c], 1e-12));
    }
}

static dn_status fit_patterns(void **state, dn_fit *fit, const double *option)
{
    (void)option;
    const size_t columns = dn_fit_columns(fit);
    patterns *d = dn_calloc(1, sizeof *d);
    *state = d;
    if (!d) return DN_ERROR_MEMORY;
    d->columns = columns;
    d->logs = dn_calloc(columns * columns, sizeof *d->logs);
    sums to = {.columns = columns, .p = d->logs, .rows = dn_calloc(columns, sizeof *to.rows)};
    dn_status status = to.p && to.rows ? dn_workspace_open(&to.space) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_fit_walk(fit, DN_NEEDS_FIT_LOGITS, add_rows, &to);
    if (status == DN_OK) finish(d, to.rows);
    dn_workspace_close(to.space);
    dn_free(to.rows);
    return status;
}

/** min_c sum p ln p - p . ln d_c = -H(p) - max_c ln d_c . e / sum e */
static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const patterns *d = by->state;
    const size_t n = in->rows;
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, in, 1.0, space));
    double *products = dn_workspace_doubles(space, (d->count + 2) * n);
    if (!products) return DN_ERROR_MEMORY;
    double *top = products + d->count * n, *at = top + n;
    dn__softmax_entropy(scores, &p);
    dn__planes_multiply(products, d->logs, p.e, d->count, p.columns, n);
    dn__planes_top(top, at, products, d->count, n);
    for (size_t r = 0; r < n; r++) scores[r] = -scores[r] - top[r] / (1.0 + p.others[r]);
    return DN_OK;
}

const dn_method dn__method_kl_matching = {
    .name = "kl_matching",
    .text = "least KL(p, d_c) over classes, d_c = mean p of the fit rows predicted c, at least 1e-12",
    .source = "Hendrycks et al., Scaling Out-of-Distribution Detection for Real-World Settings, ICML 2022",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FIT_LOGITS,
    .fit = fit_patterns,
    .close = close_patterns,
    .score.single = score,
};
