/* Scoring: blocks of rows, each on one thread, so that the result does not depend on their number. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/failure.h"
#include "ood/linear_algebra.h"
#include "ood/scorer.h"
#include "ood/widen.h"

/* What a thread loads of a block: at most about this many numbers (16 MiB), but enough rows for matrix products. */
enum { BLOCK_DOUBLES = 1 << 21, BLOCK_ROWS_MIN = 16, BLOCK_ROWS_MAX = 256 };

typedef struct run {
    const dn_scorer *scorer;
    double *const *scores; /* [count] [N] */
    const dn_score_input *input;
    size_t rows, block_rows, blocks;
    dn__failure failure;
} run;

static void plan_blocks(run *r)
{
    size_t numbers = r->scorer->has_logits ? r->scorer->columns.columns : 0;
    for (size_t l = 0; l < r->scorer->layers; l++) numbers += r->scorer->dim[l];
    const size_t rows = BLOCK_DOUBLES / (numbers * r->scorer->columns.members + 1);
    r->block_rows = rows < BLOCK_ROWS_MIN ? BLOCK_ROWS_MIN : rows > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : rows;
    r->rows = dn__input_rows(r->input);
    r->blocks = (r->rows - 1) / r->block_rows + 1;
}

/* Loads everything, so that the expressions' scratch memory can be released without losing it, and so that a number
 * that is not finite is found in arrays that no expression reads, too. */
static dn_status load(const run *r, dn__block *block)
{
    const double *unused;
    for (size_t e = 0; e < r->scorer->columns.members; e++) {
        if (r->scorer->has_logits) DN_TRY(dn__block_logits(&unused, block, e));
        for (size_t l = 0; l < r->scorer->layers; l++) DN_TRY(dn__block_features(&unused, block, e, l));
    }
    return DN_OK;
}

static void join(double *scores, const double *one, size_t rows, dn_reduce reduce)
{
    for (size_t r = 0; r < rows; r++) {
        switch (reduce) {
        case DN_REDUCE_MIN: scores[r] = fmin(scores[r], one[r]); break;
        case DN_REDUCE_MAX: scores[r] = fmax(scores[r], one[r]); break;
        default: scores[r] += one[r]; break;
        }
    }
}

static dn_status score_members(double *scores, const dn__score_item *item, dn__block *block)
{
    const size_t rows = block->rows;
    double *one = dn_workspace_doubles(block->space, rows);
    if (!one) return DN_ERROR_MEMORY;
    DN_TRY(dn__item_model_scores(scores, item, 0, block));
    for (size_t m = 1; m < item->models; m++) {
        const size_t mark = dn_workspace_mark(block->space);
        DN_TRY(dn__item_model_scores(one, item, m, block));
        join(scores, one, rows, item->reduce);
        dn_workspace_release(block->space, mark);
    }
    const bool mean = item->reduce == DN_REDUCE_SCORE && item->models > 1;
    for (size_t r = 0; r < rows && mean; r++) scores[r] /= (double)item->models;
    return DN_OK;
}

static dn_status score_together(double *scores, const dn__score_item *item, dn__block *block)
{
    const dn_method_call *call = &item->expression.base;
    void *room = dn_workspace_doubles(block->space, item->models * (sizeof(dn_score_rows) / sizeof(double) + 1));
    if (!room) return DN_ERROR_MEMORY;
    dn_score_rows *member = room;
    for (size_t m = 0; m < item->models; m++)
        DN_TRY(dn__model_rows(&member[m], item->model[m], block, 0, DN_NEEDS_LOGITS));
    const dn_score_block in = {item->models, block->rows, block->columns->classes, member};
    const dn_fitted by = {call->option, NULL};
    return call->method->score.ensemble(scores, &in, &by, block->space);
}

static dn_status check_scores(const dn__score_item *item, const double *scores, const dn__block *block)
{
    if (dn__all_finite(scores, block->rows)) return DN_OK;
    size_t r = 0;
    while (isfinite(scores[r])) r++;
    return dn_fail(DN_ERROR_NUMERIC,
                   "%s: the score of row %zu (counted from 0) is %g: its numbers are too large for double arithmetic; "
                   "scale them down",
                   item->expression.base.method->name, block->first + r, scores[r]);
}

static dn_status score_block(const run *r, dn__block *block)
{
    DN_TRY(load(r, block));
    for (size_t i = 0; i < r->scorer->count; i++) {
        const dn__score_item *item = &r->scorer->item[i];
        const size_t mark = dn_workspace_mark(block->space);
        double *scores = r->scores[i] + block->first;
        if (item->expression.base.method->kind == DN_METHOD_ENSEMBLE)
            DN_TRY(score_together(scores, item, block));
        else
            DN_TRY(score_members(scores, item, block));
        DN_TRY(check_scores(item, scores, block));
        dn_workspace_release(block->space, mark);
    }
    return DN_OK;
}

/* Neighbouring blocks on one thread keep the processor reading ahead; every thread gets at least 16 shares, so that
 * none waits long for the last one. */
static int blocks_in_a_row(size_t blocks, size_t threads)
{
    const size_t share = blocks / (16 * threads);
    return share < 1 ? 1 : share > 8 ? 8 : (int)share;
}

static void run_blocks(run *r, size_t threads)
{
#pragma omp parallel num_threads((int)threads)
    {
        dn_workspace *space = NULL;
        dn__block block;
        dn_status status = dn_workspace_open(&space);
        if (status == DN_OK) status = dn__block_open(&block, r->input, &r->scorer->columns, "", space);
        const size_t mark = status == DN_OK ? dn_workspace_mark(space) : 0;
#pragma omp for schedule(dynamic, blocks_in_a_row(r->blocks, threads))
        for (size_t b = 0; b < r->blocks; b++) {
            const size_t first = b * r->block_rows, left = r->rows - first;
            if (status == DN_OK) {
                dn__block_move(&block, first, left < r->block_rows ? left : r->block_rows);
                status = score_block(r, &block);
                dn_workspace_release(space, mark);
            }
            if (status != DN_OK) dn__failure_keep(&r->failure, b, status);
        }
        dn_workspace_close(space);
    }
}

static dn_status check_form(const dn_scorer *s, const dn_score_input *input)
{
    DN_TRY(dn__input_check(input, !s->has_logits, ""));
    bool same = dn__input_members(input) == s->columns.members && input->layers == s->layers;
    if (s->has_logits) same = same && input->logits.columns == s->columns.columns;
    for (size_t l = 0; l < s->layers && same; l++) same = input->layer[l].columns == s->dim[l];
    if (same) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE,
                   "the rows to score have other sizes than those that the scores were prepared for: %zu members with "
                   "%zu columns and %zu layers, expected %zu, %zu and %zu",
                   dn__input_members(input), input->logits.columns, input->layers, s->columns.members,
                   s->columns.columns, s->layers);
}

dn_status dn_scorer_run(const dn_scorer *scorer, double *const *scores, const dn_score_input *input)
{
    DN_TRY(check_form(scorer, input));
    run r = {.scorer = scorer, .scores = scores, .input = input};
    plan_blocks(&r);
    const size_t most = (size_t)omp_get_max_threads();
    dn__blas_threads(1);
    run_blocks(&r, most < r.blocks ? most : r.blocks);
    dn__blas_threads(0);
    return dn__failure_status(&r.failure);
}

dn_status dn_scorer_gradient(const dn_scorer *scorer, size_t expression, size_t member, size_t layer, double *gradient,
                             const double *logits, const double *features, size_t rows)
{
    const dn__score_item *item = &scorer->item[expression];
    const dn_method_call *call = &item->expression.base;
    if (item->layers > 1 && item->expression.combine != DN_COMBINE_SUM)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "%s: images move (eps) by one layer's score or by the sum of several; use combine=sum or eps=0",
                       call->method->name);
    if (!call->method->gradient || item->models <= member || layer >= item->layers || item->expression.shapings > 0) {
        return dn_fail(DN_ERROR_UNSUPPORTED, "%s has no gradient by one layer's features of one member",
                       call->method->name);
    }
    const dn__model *model = item->model[member];
    const dn_score_rows in = {.rows = rows,
                              .columns = model->columns,
                              .logits = logits,
                              .classes = model->classes,
                              .dim = scorer->dim[item->first_layer + layer],
                              .features = features};
    const dn_fitted by = {call->option, item->state[member * item->layers + layer]};
    dn_workspace *space;
    DN_TRY(dn_workspace_open(&space));
    const dn_status status = call->method->gradient(gradient, &in, &by, space);
    dn_workspace_close(space);
    return status;
}
