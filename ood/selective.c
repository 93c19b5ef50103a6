#include "ood/selective.h"

#include <math.h>

#include "core/alloc.h"
#include "ood/curve_private.h"

static dn_status check_finite(const double *scores, size_t n, const char *set)
{
    for (size_t i = 0; i < n; i++) {
        if (isfinite(scores[i])) continue;
        return dn_fail(
            DN_ERROR_NUMERIC,
            "%s scores: row %zu (counted from 0) is %g, but every score must be a finite number; drop the row "
            "or repair the scores",
            set, i, scores[i]);
    }
    return DN_OK;
}

static dn_status check_rows(const dn_selective_rows *rows)
{
    if (rows->n_id == 0 || !rows->id || !rows->right || (rows->n_ood > 0 && !rows->ood)) {
        return dn_fail(DN_ERROR_ARGUMENT, "selective figures: the ID set is empty, but at least one row is needed");
    }
    if (rows->n_id > INT32_MAX || rows->n_ood > INT32_MAX - rows->n_id) {
        return dn_fail(DN_ERROR_ARGUMENT, "selective figures: %zu ID and %zu OOD rows, but at most %d are counted",
                       rows->n_id, rows->n_ood, INT32_MAX);
    }
    for (size_t i = 0; i < rows->n_id; i++) {
        if (rows->right[i] > 1) {
            return dn_fail(DN_ERROR_ARGUMENT, "selective figures: right[%zu] is %d, expected 0 or 1", i,
                           rows->right[i]);
        }
    }
    DN_TRY(check_finite(rows->id, rows->n_id, "ID"));
    return check_finite(rows->ood, rows->n_ood, "OOD");
}

/** @param scores [n_id + n_ood] receives the right rows' scores first, then the others' */
static dn_status count(dn_selective *s, const dn_selective_rows *rows, double *scores)
{
    size_t right = 0, other = rows->n_id + rows->n_ood;
    for (size_t i = 0; i < rows->n_id; i++) {
        if (rows->right[i]) {
            scores[right++] = rows->id[i];
        } else {
            scores[--other] = rows->id[i];
        }
    }
    for (size_t i = 0; i < rows->n_ood; i++) scores[--other] = rows->ood[i];
    return dn__curve_count(&s->curve, scores, right, scores + right, rows->n_id + rows->n_ood - right);
}

dn_status dn_selective_open(dn_selective **out, const dn_selective_rows *rows)
{
    *out = NULL;
    DN_TRY(check_rows(rows));
    dn_selective *s = dn_calloc(1, sizeof *s);
    double *scores = dn_calloc(rows->n_id + rows->n_ood, sizeof *scores);
    dn_status status = DN_ERROR_MEMORY;
    if (s && scores) {
        s->n_id = rows->n_id;
        s->n_ood = rows->n_ood;
        status = count(s, rows, scores);
    }
    dn_free(scores);
    if (status == DN_OK) {
        *out = s;
    } else {
        dn_selective_close(s);
    }
    return status;
}

void dn_selective_close(dn_selective *selective)
{
    if (!selective) return;
    dn_curve_close(selective->curve);
    dn_free(selective);
}

static double share(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : 0.0;
}

dn_status dn_selective_at(dn_selective_figures *out, const dn_selective *selective, double threshold)
{
    const dn_curve *c = selective->curve;
    const size_t rows = selective->n_id + selective->n_ood;
    if (isnan(threshold)) return dn_fail(DN_ERROR_NUMERIC, "selective figures: the threshold is NaN");
    size_t low = 0, high = c->points; /* points of this threshold and above: they are flagged */
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (c->threshold[middle] >= threshold) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const size_t right_flagged = low ? c->id_flagged[low - 1] : 0, other_flagged = low ? c->ood_flagged[low - 1] : 0;
    const size_t right = c->n_id - right_flagged, accepted = rows - right_flagged - other_flagged;
    *out = (dn_selective_figures){.threshold = threshold,
                                  .precision = share(right, accepted),
                                  .recall = share(right, selective->n_id),
                                  /* = 2 P R / (P + R), from the counts */
                                  .f1 = share(2 * right, accepted + selective->n_id),
                                  .coverage = share(accepted, rows),
                                  .accepted = accepted,
                                  .right = right};
    return DN_OK;
}

/** Rows of equal score: what lies below them and what they add. */
typedef struct ties {
    double rows_below, right_below, rows, right;
} ties;

static ties ties_at(const dn_curve *c, size_t k)
{
    const size_t right_above = k ? c->id_flagged[k - 1] : 0, other_above = k ? c->ood_flagged[k - 1] : 0;
    const size_t right_below = c->n_id - c->id_flagged[k], other_below = c->n_ood - c->ood_flagged[k];
    const size_t right = c->id_flagged[k] - right_above, other = c->ood_flagged[k] - other_above;
    return (ties){(double)(right_below + other_below), (double)right_below, (double)(right + other), (double)right};
}

double dn_selective_aurc(const dn_selective *selective)
{
    const dn_curve *c = selective->curve;
    double sum = 0.0;
    for (size_t k = c->points; k-- > 0;) {
        const ties t = ties_at(c, k);
        const double wrong_below = t.rows_below - t.right_below, wrong = (t.rows - t.right) / t.rows;
        for (size_t j = 1; j <= (size_t)t.rows; j++)
            sum += (wrong_below + wrong * (double)j) / (t.rows_below + (double)j);
    }
    return sum / (double)(selective->n_id + selective->n_ood);
}

dn_status dn_selective_accuracy(double *out, const dn_selective *selective, double coverage)
{
    const dn_curve *c = selective->curve;
    if (!(coverage > 0.0 && coverage <= 1.0)) {
        return dn_fail(DN_ERROR_ARGUMENT, "selective figures: the coverage is %g, expected above 0 and at most 1",
                       coverage);
    }
    const double rows = (double)(selective->n_id + selective->n_ood);
    const double n =
        fmax(1.0, ceil(coverage * rows * (1.0 - 0x1p-50))); /* .07 * 100 is 7 rows, whatever rounding says */
    size_t k = c->points - 1;
    ties t = ties_at(c, k);
    while (t.rows_below + t.rows < n) t = ties_at(c, --k);
    *out = (t.right_below + t.right * ((n - t.rows_below) / t.rows)) / n;
    return DN_OK;
}
