#include "apps/eloc_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

/* Rows of both sets, seen from one threshold d among the scores: higher = more ID, as the implementation has it. */
typedef struct shares {
    double id_below, id_reached;              /* x < d, x >= d */
    double ood_below, ood_reached, ood_above; /* y < d, y >= d, y > d */
} shares;

/* ---- thresholds ---- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* @return [n] sorted, with the sign that makes ID high; NULL without memory */
static double *sorted(const double *scores, size_t n)
{
    double *out = dn_calloc(n, sizeof *out);
    for (size_t i = 0; out && i < n; i++) out[i] = -scores[i];
    if (out) qsort(out, n, sizeof *out, compare);
    return out;
}

/* Fills the shares of each distinct score, ascending. @param to [n_x + n_y] @return how many */
static size_t list(shares *to, const double *x, size_t n_x, const double *y, size_t n_y)
{
    size_t i = 0, j = 0, count = 0;
    while (i < n_x || j < n_y) {
        const double d = j == n_y || (i < n_x && x[i] < y[j]) ? x[i] : y[j];
        size_t x_to = i, y_to = j;
        while (x_to < n_x && x[x_to] == d) x_to++;
        while (y_to < n_y && y[y_to] == d) y_to++;
        to[count++] = (shares){.id_below = (double)i / (double)n_x,
                               .id_reached = (double)(n_x - i) / (double)n_x,
                               .ood_below = (double)j / (double)n_y,
                               .ood_reached = (double)(n_y - j) / (double)n_y,
                               .ood_above = (double)(n_y - y_to) / (double)n_y};
        i = x_to;
        j = y_to;
    }
    return count;
}

/* ---- figures ---- */

static double fpr95(const shares *at, size_t n)
{
    double sum = 0.0;
    size_t count = 0;
    for (size_t k = 0; k < n; k++) {
        if (at[k].id_reached < .9495 || at[k].id_reached > .9505) continue;
        sum += at[k].ood_above;
        count++;
    }
    return count ? sum / (double)count : NAN;
}

static double detection_error(const shares *at, size_t n)
{
    double least = 1.0;
    for (size_t k = 0; k < n; k++) least = fmin(least, (at[k].id_below + at[k].ood_above) / 2.0);
    return least;
}

static double auroc(const shares *at, size_t n)
{
    double sum = 0.0, before = 1.0;
    for (size_t k = 0; k < n; k++) {
        sum += (before - at[k].ood_above) * at[k].id_reached;
        before = at[k].ood_above;
    }
    return sum + before * at[n - 1].id_reached;
}

/* One step of an area under precision and recall. */
static void add_step(double *sum, double *before, double *precision, double hit, double missed)
{
    *precision = hit / (hit + missed);
    *sum += (*before - hit) * *precision;
    *before = hit;
}

static double aupr_in(const shares *at, size_t n)
{
    double sum = 0.0, recall = 1.0, precision = 0.0;
    for (size_t k = 0; k < n; k++) add_step(&sum, &recall, &precision, at[k].id_reached, at[k].ood_reached);
    return sum + recall * precision;
}

static double aupr_out(const shares *at, size_t n)
{
    double sum = 0.0, recall = 1.0, precision = 0.0;
    for (size_t k = n; k-- > 0 && at[k].ood_below + at[k].id_below > 0.0;)
        add_step(&sum, &recall, &precision, at[k].ood_below, at[k].id_below);
    return sum + recall * precision;
}

dn_status dn_eloc_metrics(double *figures, const double *id, size_t n_id, const double *ood, size_t n_ood)
{
    if (n_id == 0 || n_ood == 0) return dn_fail(DN_ERROR_ARGUMENT, "figures of %zu ID and %zu OOD rows", n_id, n_ood);
    double *x = sorted(id, n_id), *y = sorted(ood, n_ood);
    shares *at = dn_calloc(n_id + n_ood, sizeof *at);
    const dn_status status = x && y && at ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) {
        const size_t n = list(at, x, n_id, y, n_ood);
        figures[DN_ELOC_FPR95] = fpr95(at, n);
        figures[DN_ELOC_DETECTION_ERROR] = detection_error(at, n);
        figures[DN_ELOC_AUROC] = auroc(at, n);
        figures[DN_ELOC_AUPR_IN] = aupr_in(at, n);
        figures[DN_ELOC_AUPR_OUT] = aupr_out(at, n);
    }
    dn_free(at);
    dn_free(y);
    dn_free(x);
    return status;
}
