/* One model's scores, from one layer or combined from several. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/failure.h"
#include "ood/linear_algebra.h"
#include "ood/scorer.h"

/* Fit rows that one thread scores at a time. */
enum { PART_ROWS = 128 };

static dn_status score_rows(double *scores, const dn__score_item *item, size_t place, const dn_score_rows *rows,
                            dn_workspace *space)
{
    const dn_method_call *call = &item->expression.base;
    const dn_fitted by = {call->option, item->state[place]};
    return call->method->score.single(scores, rows, &by, space);
}

static bool is_combined(const dn__score_item *item)
{
    return item->expression.layers == DN_LAYERS_ALL;
}

/* ---- what the fit set says of each layer's scores ---- */

typedef struct fit_scores {
    const dn__score_item *item;
    size_t place;   /* of the layer's state in the item */
    double *scores; /* [M] */
} fit_scores;

/* The methods are made for one thread each: the block is cut into parts. */
static dn_status score_block(void *context, const dn_score_rows *in, size_t first)
{
    const fit_scores *f = context;
    dn__failure failure = {0};
    const size_t parts = (in->rows + PART_ROWS - 1) / PART_ROWS;
#pragma omp parallel for schedule(dynamic)
    for (size_t p = 0; p < parts; p++) {
        const size_t from = p * PART_ROWS, left = in->rows - from;
        dn_score_rows rows = *in;
        rows.rows = left < PART_ROWS ? left : PART_ROWS;
        if (in->logits) rows.logits = in->logits + from * in->columns;
        if (in->features) rows.features = in->features + from * in->dim;
        rows.labels = NULL;
        dn_workspace *space;
        dn_status one = dn_workspace_open(&space);
        if (one == DN_OK) {
            one = score_rows(f->scores + first + from, f->item, f->place, &rows, space);
            dn_workspace_close(space);
        }
        if (one != DN_OK) dn__failure_keep(&failure, p, one);
    }
    const dn_status status = dn__failure_status(&failure);
    if (status == DN_OK) return DN_OK;
    return dn_fail_context(status, "the fit set could not be scored by %s", f->item->expression.base.method->name);
}

/** @return the standard deviation, or 1 if the scores differ by rounding only: such a layer tells nothing */
static double spread_of(const double *x, size_t count)
{
    double mean = 0.0, sum = 0.0, largest = 0.0;
    for (size_t i = 0; i < count; i++) {
        mean += x[i] / (double)count;
        largest = fmax(largest, fabs(x[i]));
    }
    for (size_t i = 0; i < count; i++) sum += (x[i] - mean) * (x[i] - mean);
    const double deviation = sqrt(sum / (double)count);
    return deviation > 1e-12 * largest ? deviation : 1.0;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static dn_status fit_layer(dn__score_item *item, size_t place, dn_fit *fit)
{
    const unsigned needs = (item->expression.base.method->needs & (DN_NEEDS_LOGITS | DN_NEEDS_FEATURES)) << 3;
    const size_t rows = dn_fit_rows(fit);
    fit_scores f = {item, place, dn_calloc(rows, sizeof(double))};
    if (!f.scores) return DN_ERROR_MEMORY;
    dn__blas_threads(1);
    const dn_status status = dn_fit_walk(fit, needs, score_block, &f);
    dn__blas_threads(0);
    if (status == DN_OK && item->expression.combine == DN_COMBINE_FISHER) {
        qsort(f.scores, rows, sizeof *f.scores, ascending);
        item->sorted[place] = f.scores;
        item->sorted_count[place] = rows;
        return DN_OK;
    }
    item->spread[place] = spread_of(f.scores, rows);
    dn_free(f.scores);
    return status;
}

dn_status dn__item_fit_layers(dn__score_item *item, dn_scorer *scorer)
{
    if (!is_combined(item) || item->expression.combine == DN_COMBINE_SUM) return DN_OK;
    for (size_t m = 0; m < item->models; m++) {
        for (size_t l = 0; l < item->layers; l++) {
            dn_fit *fit;
            DN_TRY(dn__model_fit(&fit, item->model[m], item->first_layer + l, &scorer->source));
            DN_TRY(fit_layer(item, m * item->layers + l, fit));
        }
    }
    return DN_OK;
}

/* ---- combining ---- */

/** @return how many of the sorted numbers are at least x */
static size_t at_least(const double *sorted, size_t count, double x)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return count - low;
}

static double weigh(double score, const dn__score_item *item, size_t place)
{
    switch (item->expression.combine) {
    case DN_COMBINE_STD: return score / item->spread[place] / (double)item->layers;
    case DN_COMBINE_FISHER: {
        const size_t count = item->sorted_count[place];
        return -2.0 * log((1.0 + (double)at_least(item->sorted[place], count, score)) / (1.0 + (double)count));
    }
    case DN_COMBINE_SUM: break;
    }
    return score;
}

dn_status dn__item_model_scores(double *scores, const dn__score_item *item, size_t model, dn__block *block)
{
    const unsigned needs = item->expression.base.method->needs;
    dn_score_rows rows;
    if (!is_combined(item)) {
        DN_TRY(dn__model_rows(&rows, item->model[model], block, item->first_layer, needs));
        return score_rows(scores, item, model, &rows, block->space);
    }
    double *one = dn_workspace_doubles(block->space, block->rows);
    if (!one) return DN_ERROR_MEMORY;
    memset(scores, 0, block->rows * sizeof *scores);
    for (size_t l = 0; l < item->layers; l++) {
        const size_t place = model * item->layers + l, mark = dn_workspace_mark(block->space);
        DN_TRY(dn__model_rows(&rows, item->model[model], block, item->first_layer + l, needs));
        DN_TRY(score_rows(one, item, place, &rows, block->space));
        for (size_t r = 0; r < block->rows; r++) scores[r] += weigh(one[r], item, place);
        dn_workspace_release(block->space, mark);
    }
    return DN_OK;
}
