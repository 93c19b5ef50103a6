/** What the definition leaves open:
 *
 * - A class's mean logits and distances are those of its correctly classified fit rows; there must be at least 3, or
 *   else nothing is taken off the class's logit (noted). With fewer than `tail` rows, all are the tail.
 * - The Weibull distribution starts at 0. Rows that all have the same distance make it a step behind that distance.
 * - The i-th largest logit z_c, i = 0 .. alpha - 1, keeps w = 1 - (alpha - i) / alpha F_c(distance to the mean of c);
 *   what was taken off, z_c (1 - w) with its sign, adds up to the logit of "unknown". alpha is at most C.
 */
#include <math.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "ood/correct_means.h"
#include "ood/methods.h"
#include "ood/probability.h"
#include "ood/row.h"
#include "ood/weibull.h"

enum { ALPHA, TAIL, OPTIONS, LEAST_ROWS = 3 };

typedef struct openmax {
    dn__correct_means means; /* of logits */
    dn__weibull *tail;       /* [C] */
    double *distance;        /* [M] while fitting: of correct rows, class by class */
    size_t *end;             /* [C] while fitting: where the next one of a class goes */
} openmax;

static void close_openmax(void *state)
{
    openmax *o = state;
    dn__correct_means_clear(&o->means);
    dn_free(o->tail);
    dn_free(o->distance);
    dn_free(o->end);
    dn_free(o);
}

static dn_status add_distances(void *context, const dn_score_rows *rows, size_t first)
{
    (void)first;
    openmax *o = context;
    const size_t classes = rows->columns;
    for (size_t r = 0; r < rows->rows; r++) {
        const int32_t c = dn__correct_class(rows, r);
        if (c < 0) continue;
        o->distance[o->end[c]++] =
            dn__distance(rows->logits + r * classes, o->means.mean + (size_t)c * classes, classes);
    }
    return DN_OK;
}

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static dn_status fill(openmax *o, dn_fit *fit, const double *option)
{
    const size_t classes = dn_fit_columns(fit);
    DN_TRY(dn__correct_means_init(&o->means, fit, true));
    o->tail = dn_calloc(classes, sizeof *o->tail);
    o->distance = dn_calloc(dn_fit_rows(fit), sizeof *o->distance);
    o->end = dn_calloc(classes, sizeof *o->end);
    if (!o->tail || !o->distance || !o->end) return DN_ERROR_MEMORY;
    for (size_t c = 1; c < classes; c++) o->end[c] = o->end[c - 1] + o->means.count[c - 1];
    DN_TRY(dn_fit_walk(fit, DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_LABELS, add_distances, o));
    for (size_t c = 0; c < classes; c++) {
        const size_t count = o->means.count[c];
        double *own = o->distance + (o->end[c] - count);
        if (count == 0) continue;
        qsort(own, count, sizeof *own, descending);
        o->tail[c] = dn__weibull_fit(own, (double)count < option[TAIL] ? count : (size_t)option[TAIL]);
    }
    dn__correct_means_note(fit, &o->means, LEAST_ROWS, "openmax takes nothing off the logit");
    return DN_OK;
}

static dn_status fit_openmax(void **state, dn_fit *fit, const double *option)
{
    openmax *o = dn_calloc(1, sizeof *o);
    if (!o) return DN_ERROR_MEMORY;
    const dn_status status = fill(o, fit, option);
    if (status != DN_OK) {
        close_openmax(o);
        return status;
    }
    dn_free(o->distance);
    dn_free(o->end);
    o->distance = NULL;
    o->end = NULL;
    *state = o;
    return DN_OK;
}

/** @param left [C] scratch @param changed [C + 1] receives the logits after it, "unknown" last */
static void recalibrate(double *changed, double *left, const double *z, const openmax *o, size_t alpha)
{
    const size_t classes = o->means.classes;
    double unknown = 0.0;
    for (size_t c = 0; c < classes; c++) changed[c] = left[c] = z[c];
    for (size_t i = 0; i < alpha; i++) {
        const size_t c = dn__argmax(left, classes);
        left[c] = -INFINITY;
        if (o->means.count[c] < LEAST_ROWS) continue;
        const double distance = dn__distance(z, o->means.mean + c * classes, classes);
        const double off = (double)(alpha - i) / (double)alpha * dn__weibull_cdf(&o->tail[c], distance);
        changed[c] = z[c] * (1.0 - off);
        unknown += z[c] * off;
    }
    changed[classes] = unknown;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const size_t classes = in->columns,
                 alpha = by->option[ALPHA] < (double)classes ? (size_t)by->option[ALPHA] : classes;
    double *changed = dn_workspace_doubles(space, classes + 1), *left = dn_workspace_doubles(space, classes);
    if (!changed || !left) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < in->rows; r++) {
        recalibrate(changed, left, in->logits + r * classes, by->state, alpha);
        dn__softmax(changed, changed, classes + 1, 1.0);
        scores[r] = changed[classes];
    }
    return DN_OK;
}

const dn_method dn__method_openmax = {
    .name = "openmax",
    .text = "probability of `unknown`, which takes from the `alpha` largest logits by their distance from class means",
    .source = "Bendale and Boult, Towards Open Set Deep Networks, CVPR 2016",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_LABELS,
    .option_count = OPTIONS,
    .option = {[ALPHA] = {.name = "alpha",
                          .text = "largest logits that are changed",
                          .standard = 3,
                          .low = 1,
                          .high = 1e9,
                          .integer = true},
               [TAIL] = {.name = "tail",
                         .text = "largest distances of a class that its distribution is fitted to",
                         .standard = 20,
                         .low = 3,
                         .high = 1e9,
                         .integer = true}},
    .fit = fit_openmax,
    .close = close_openmax,
    .score.single = score,
};
