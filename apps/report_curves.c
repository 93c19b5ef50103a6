/* The points of the page's curves: as many as a picture can show, none that matters left out. */
#include <math.h>

#include "apps/report_private.h"
#include "core/alloc.h"

/* Half a pixel of a picture of 320. */
static const double TOLERANCE = 1.0 / 640.0;

void dn__report_line_close(dn__report_line *line)
{
    dn_free(line->x);
    dn_free(line->y);
    *line = (dn__report_line){0};
}

/* @return how far a point lies from the line from `first` to `last` */
static double distance(const dn__report_line *l, size_t first, size_t last, size_t point)
{
    const double dx = l->x[last] - l->x[first], dy = l->y[last] - l->y[first];
    const double x = l->x[point] - l->x[first], y = l->y[point] - l->y[first], square = dx * dx + dy * dy;
    double along = square > 0.0 ? (x * dx + y * dy) / square : 0.0;
    along = along < 0.0 ? 0.0 : along > 1.0 ? 1.0 : along;
    return hypot(x - along * dx, y - along * dy);
}

/* @return the point between that lies furthest from the straight line, or `first` if none is further than allowed */
static size_t furthest(const dn__report_line *l, size_t first, size_t last, double tolerance)
{
    size_t found = first;
    double most = tolerance;
    for (size_t i = first + 1; i < last; i++) {
        const double away = distance(l, first, last, i);
        if (away <= most) continue;
        most = away;
        found = i;
    }
    return found;
}

dn_status dn__report_thin(dn__report_line *line, double tolerance)
{
    if (line->n < 3) return DN_OK;
    size_t *ends = dn_calloc(line->n, sizeof *ends); /* of pieces that have not been looked at, the nearest last */
    if (!ends) return DN_ERROR_MEMORY;
    size_t open = 1, kept = 1, first = 0;
    ends[0] = line->n - 1;
    while (open > 0) {
        const size_t last = ends[open - 1], split = furthest(line, first, last, tolerance);
        if (split != first) {
            ends[open++] = split;
            continue;
        }
        line->x[kept] = line->x[last];
        line->y[kept++] = line->y[last];
        first = last;
        open--;
    }
    line->n = kept;
    dn_free(ends);
    return DN_OK;
}

static dn_status new_line(dn__report_line *out, size_t n)
{
    *out = (dn__report_line){.n = n};
    out->x = dn_calloc(n, sizeof *out->x);
    out->y = dn_calloc(n, sizeof *out->y);
    return out->x && out->y ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status open_curve(dn_curve **out, const dn_evaluation_row *row)
{
    return dn_curve_open(out, row->id_scores, row->metrics.n_id, row->scores, row->metrics.n_ood);
}

dn_status dn__report_roc(dn__report_line *out, const dn_evaluation_row *row)
{
    dn_curve *curve = NULL;
    *out = (dn__report_line){0};
    DN_TRY(open_curve(&curve, row));
    const dn_status status = new_line(out, curve->points + 1); /* the first is (0,0) */
    for (size_t i = 0; i < curve->points && status == DN_OK; i++) {
        out->x[i + 1] = (double)curve->id_flagged[i] / (double)curve->n_id;
        out->y[i + 1] = (double)curve->ood_flagged[i] / (double)curve->n_ood;
    }
    dn_curve_close(curve);
    return status == DN_OK ? dn__report_thin(out, TOLERANCE) : status;
}

dn_status dn__report_precision(dn__report_line *out, const dn_evaluation_row *row)
{
    dn_curve *curve = NULL;
    *out = (dn__report_line){0};
    DN_TRY(open_curve(&curve, row));
    const dn_status status = new_line(out, curve->points);
    for (size_t i = 0; i < curve->points && status == DN_OK; i++) {
        out->x[i] = (double)curve->ood_flagged[i] / (double)curve->n_ood;
        out->y[i] = (double)curve->ood_flagged[i] / ((double)curve->ood_flagged[i] + (double)curve->id_flagged[i]);
    }
    dn_curve_close(curve);
    return status == DN_OK ? dn__report_thin(out, TOLERANCE) : status;
}

double dn__report_quantile(const double *scores, size_t n, double share)
{
    const double place = ceil(share * (double)n);
    return scores[place < 1.0 ? 0 : place > (double)n ? n - 1 : (size_t)place - 1];
}

/* ---- training ---- */

static double mean(const float *values, int64_t first, int64_t end, int64_t stride, int64_t offset)
{
    double sum = 0.0;
    for (int64_t i = first; i < end; i++) sum += (double)values[i * stride + offset];
    return sum / (double)(end - first);
}

dn_status dn__report_training_take(dn__report_training *out, const dn_history *h, size_t most)
{
    const size_t n = (size_t)h->steps < most ? (size_t)h->steps : most, members = (size_t)h->members;
    *out = (dn__report_training){.n = n, .members = h->members};
    if (n == 0) return DN_OK;
    out->step = dn_calloc(n, sizeof *out->step);
    out->loss = dn_calloc(n * members, sizeof *out->loss);
    out->accuracy = dn_calloc(n * members, sizeof *out->accuracy);
    out->mutual_information = dn_calloc(n, sizeof *out->mutual_information);
    if (!out->step || !out->loss || !out->accuracy || !out->mutual_information) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const int64_t first = h->steps * (int64_t)i / (int64_t)n, end = h->steps * (int64_t)(i + 1) / (int64_t)n;
        out->step[i] = (double)end;
        out->mutual_information[i] = mean(h->mutual_information, first, end, 1, 0);
        for (size_t e = 0; e < members; e++) {
            out->loss[e * n + i] = mean(h->loss, first, end, h->members, (int64_t)e);
            out->accuracy[e * n + i] = mean(h->accuracy, first, end, h->members, (int64_t)e);
        }
    }
    return DN_OK;
}

void dn__report_training_close(dn__report_training *training)
{
    dn_free(training->step);
    dn_free(training->loss);
    dn_free(training->accuracy);
    dn_free(training->mutual_information);
    *training = (dn__report_training){0};
}
