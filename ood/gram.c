/** Gram matrices of one vector of pooled features per layer.
 *
 * Order p takes the outer product of f^p with itself, the p-th root of every entry (the sign is kept), and sums each
 * row up to the diagonal: D statistics. The root undoes the power: an entry is f_i f_j for odd p and |f_i| |f_j| for
 * even p. Orders 1, 3 and 5 are thus the same statistics, as are 2 and 4; each kind is computed once, with prefix sums
 * of f and of |f|, and counts three times and twice.
 *
 * Least and largest values are kept for each predicted class, over the fit rows of which every tenth is held out. A row
 * deviates by (least - v) / |least| below and by (v - largest) / |largest| above, summed over all statistics. What
 * divides is at least a millionth of the mean statistic, so that the unit of the features does not matter, and 1e-10.
 * A predicted class that has no such fit row has the least and largest values of all classes. The score is the
 * deviation divided by its mean over the rows held out, or by 1 if that is 0.
 */
#include <math.h>

#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/probability.h"

enum { ORDERS_ODD, ORDERS_EVEN, KINDS, EVERY = 10 };
static const double orders[KINDS] = {3.0, 2.0};

typedef struct gram {
    size_t classes, dim;
    double *least, *largest; /* [C + 1, KINDS, D]; the last are those of all classes */
    size_t *count;           /* [C] rows not held out */
    double floor[KINDS];     /* of what divides */
    double mean;             /* deviation of the rows held out */
    double *statistic;       /* [KINDS, D] scratch of the fit */
} gram;

static void close_gram(void *state)
{
    gram *g = state;
    dn_free(g->least);
    dn_free(g->largest);
    dn_free(g->count);
    dn_free(g->statistic);
    dn_free(g);
}

static int is_held_out(size_t row)
{
    return row % EVERY == EVERY - 1;
}

/** @param to [KINDS, dim] */
static void statistics(double *to, const double *f, size_t dim)
{
    double sum = 0.0, absolute = 0.0;
    for (size_t i = 0; i < dim; i++) {
        sum += f[i];
        absolute += fabs(f[i]);
        to[ORDERS_ODD * dim + i] = f[i] * sum;
        to[ORDERS_EVEN * dim + i] = fabs(f[i]) * absolute;
    }
}

static double deviation(const gram *g, const double *statistic, size_t predicted)
{
    const size_t of = g->count[predicted] > 0 ? predicted : g->classes;
    double total = 0.0;
    for (size_t kind = 0; kind < KINDS; kind++) {
        const size_t at = (of * KINDS + kind) * g->dim;
        const double *v = statistic + kind * g->dim, *least = g->least + at, *largest = g->largest + at;
        double sum = 0.0;
        for (size_t i = 0; i < g->dim; i++) {
            if (v[i] < least[i]) sum += (least[i] - v[i]) / fmax(fabs(least[i]), g->floor[kind]);
            if (v[i] > largest[i]) sum += (v[i] - largest[i]) / fmax(fabs(largest[i]), g->floor[kind]);
        }
        total += orders[kind] * sum;
    }
    return total;
}

/** Widens what lies between least and largest. @param statistic [KINDS, D] */
static void include(gram *g, size_t class, const double *statistic)
{
    const size_t width = KINDS * g->dim;
    double *least = g->least + class * width, *largest = g->largest + class * width;
    for (size_t i = 0; i < width; i++) {
        least[i] = fmin(least[i], statistic[i]);
        largest[i] = fmax(largest[i], statistic[i]);
    }
}

static dn_status add_rows(void *context, const dn_score_rows *rows, size_t first)
{
    gram *g = context;
    for (size_t r = 0; r < rows->rows; r++) {
        if (is_held_out(first + r)) continue;
        const size_t predicted = dn__argmax(rows->logits + r * rows->columns, rows->columns);
        statistics(g->statistic, rows->features + r * g->dim, g->dim);
        include(g, predicted, g->statistic);
        include(g, g->classes, g->statistic);
        g->count[predicted]++;
        for (size_t i = 0; i < KINDS * g->dim; i++) g->floor[i / g->dim] += fabs(g->statistic[i]);
    }
    return DN_OK;
}

static dn_status add_held_out(void *context, const dn_score_rows *rows, size_t first)
{
    gram *g = context;
    for (size_t r = 0; r < rows->rows; r++) {
        if (!is_held_out(first + r)) continue;
        statistics(g->statistic, rows->features + r * g->dim, g->dim);
        g->mean += deviation(g, g->statistic, dn__argmax(rows->logits + r * rows->columns, rows->columns));
    }
    return DN_OK;
}

static dn_status fill(gram *g, dn_fit *fit)
{
    const size_t width = KINDS * g->dim, held_out = dn_fit_rows(fit) / EVERY, others = dn_fit_rows(fit) - held_out;
    g->least = dn_calloc(g->classes + 1, width * sizeof *g->least);
    g->largest = dn_calloc(g->classes + 1, width * sizeof *g->largest);
    g->count = dn_calloc(g->classes, sizeof *g->count);
    g->statistic = dn_calloc(width, sizeof *g->statistic);
    if (!g->least || !g->largest || !g->count || !g->statistic) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < (g->classes + 1) * width; i++) {
        g->least[i] = INFINITY;
        g->largest[i] = -INFINITY;
    }
    const unsigned needs = DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES;
    DN_TRY(dn_fit_walk(fit, needs, add_rows, g));
    for (size_t kind = 0; kind < KINDS; kind++) {
        g->floor[kind] = fmax(1e-6 * g->floor[kind] / (double)others / (double)g->dim, 1e-10);
    }
    DN_TRY(dn_fit_walk(fit, needs, add_held_out, g));
    g->mean = g->mean > 0.0 ? g->mean / (double)held_out : 1.0;
    return DN_OK;
}

static dn_status fit_gram(void **state, dn_fit *fit, const double *option)
{
    (void)option;
    if (dn_fit_rows(fit) < EVERY) {
        return dn_fail(
            DN_ERROR_ARGUMENT,
            "gram: %zu fit rows: at least %d are needed, because every %dth is held out to tell how far rows "
            "deviate",
            dn_fit_rows(fit), EVERY, EVERY);
    }
    gram *g = dn_calloc(1, sizeof *g);
    if (!g) return DN_ERROR_MEMORY;
    g->classes = dn_fit_columns(fit);
    g->dim = dn_fit_dim(fit);
    const dn_status status = fill(g, fit);
    if (status != DN_OK) {
        close_gram(g);
        return status;
    }
    *state = g;
    return DN_OK;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const gram *g = by->state;
    double *statistic = dn_workspace_doubles(space, KINDS * g->dim);
    if (!statistic) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < in->rows; r++) {
        statistics(statistic, in->features + r * g->dim, g->dim);
        scores[r] = deviation(g, statistic, dn__argmax(in->logits + r * in->columns, in->columns)) / g->mean;
    }
    return DN_OK;
}

const dn_method dn__method_gram = {
    .name = "gram",
    .text = "how far Gram statistics leave the predicted class's range, orders 1-5, relative to held-out fit rows",
    .source = "Sastry and Oore, Detecting Out-of-Distribution Examples with Gram Matrices, ICML 2020",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FEATURES | DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES,
    .layered = true,
    .all_layers = true,
    .fit = fit_gram,
    .close = close_gram,
    .score.single = score,
};
