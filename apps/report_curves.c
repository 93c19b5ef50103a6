/* The points of the page's curves: as many as a picture can show, none that matters left out. */
#include <math.h>

#include "apps/report_private.h"
#include "core/alloc.h"

/* Of a picture of 300 pixels, half a pixel. */
static const double STEP = 1.0 / 600.0;

void dn__report_line_close(dn__report_line *line)
{
    dn_free(line->x);
    dn_free(line->y);
    *line = (dn__report_line){0};
}

static void keep(dn__report_line *line, size_t *kept, size_t point)
{
    line->x[*kept] = line->x[point];
    line->y[*kept] = line->y[point];
    (*kept)++;
}

void dn__report_thin(dn__report_line *line, double step)
{
    if (line->n < 3) return;
    size_t kept = 1, last = 0; /* the last point that was kept */
    double x = line->x[0], y = line->y[0];
    for (size_t i = 1; i < line->n; i++) {
        const bool far = fabs(line->x[i] - x) > step || fabs(line->y[i] - y) > step;
        if (!far && i + 1 < line->n) continue;
        if (far && i - 1 > last) keep(line, &kept, i - 1); /* where the far step begins */
        x = line->x[i];
        y = line->y[i];
        keep(line, &kept, i);
        last = i;
    }
    line->n = kept;
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
    if (status == DN_OK) dn__report_thin(out, STEP);
    return status;
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
    if (status == DN_OK) dn__report_thin(out, STEP);
    return status;
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
