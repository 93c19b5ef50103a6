#include "ood/model.h"

#include <string.h>

#include "core/alloc.h"
#include "ood/linear_algebra.h"
#include "ood/members.h"

dn_status dn__model_fit(dn_fit **out, dn__model *model, size_t layer, dn__fit_source *source)
{
    if (!model->fit) {
        model->fit = dn_calloc(model->layers ? model->layers : 1, sizeof(dn_fit *));
        if (!model->fit) return DN_ERROR_MEMORY;
    }
    if (!model->fit[layer]) DN_TRY(dn__fit_open(&model->fit[layer], model, layer, source));
    *out = model->fit[layer];
    return DN_OK;
}

void dn__model_close(dn__model *model)
{
    if (!model) return;
    for (size_t l = 0; model->fit && l < (model->layers ? model->layers : 1); l++) dn__fit_close(model->fit[l]);
    if (model->state) model->shaping.method->close(model->state);
    dn_free(model->fit);
    dn_free(model->of);
    dn_free(model->own_weight);
    dn_free(model->own_bias);
    dn_free(model->own_classes);
    dn_free(model);
}

/* ---- shaped rows ---- */

static dn_status shaped_features(double *features, const dn__model *model, dn__block *block)
{
    const size_t dim = model->head_dim, layer = model->layers - 1;
    if (!model->parent) {
        const double *plain;
        DN_TRY(dn__block_features(&plain, block, model->member, layer));
        memcpy(features, plain, block->rows * dim * sizeof *features);
        return DN_OK;
    }
    DN_TRY(shaped_features(features, model->parent, block));
    const dn_method *method = model->shaping.method;
    if (!method->score.shape) return DN_OK;
    const dn_fitted by = {model->shaping.option, model->state};
    return method->score.shape(features, block->rows, dim, &by, block->space);
}

/** z' = W f' + b */
static void head_logits(double *logits, const dn__model *model, const double *features, size_t rows)
{
    for (size_t r = 0; r < rows; r++) memcpy(logits + r * model->columns, model->bias, model->columns * sizeof *logits);
    dn__multiply_transposed(logits, features, model->weight, rows, model->columns, model->head_dim, 1.0, 1.0);
}

static dn_status shaped_rows(dn_score_rows *out, const dn__model *model, dn__block *block, unsigned needs)
{
    const size_t rows = block->rows;
    double *features = dn_workspace_doubles(block->space, rows * model->head_dim);
    double *logits = dn_workspace_doubles(block->space, rows * model->columns);
    if (!features || !logits) return DN_ERROR_MEMORY;
    DN_TRY(shaped_features(features, model, block));
    out->dim = model->head_dim;
    out->features = features;
    if (!(needs & DN_NEEDS_LOGITS)) return DN_OK;
    head_logits(logits, model, features, rows);
    out->logits = logits;
    return DN_OK;
}

/* ---- reduced rows ---- */

static void mean_logits(double *logits, const dn_score_block *in)
{
    for (size_t i = 0; i < in->rows * in->classes; i++) {
        double sum = 0.0;
        for (size_t e = 0; e < in->members; e++) sum += in->member[e].logits[i];
        logits[i] = sum / (double)in->members;
    }
}

static dn_status reduced_rows(dn_score_rows *out, const dn__model *model, dn__block *block)
{
    const size_t members = model->all->members;
    double *logits = dn_workspace_doubles(block->space, block->rows * model->columns);
    void *room = dn_workspace_doubles(block->space, members * (sizeof(dn_score_rows) / sizeof(double) + 1));
    if (!logits || !room) return DN_ERROR_MEMORY;
    dn_score_rows *member = room;
    for (size_t e = 0; e < members; e++) DN_TRY(dn__model_rows(&member[e], model->of[e], block, 0, DN_NEEDS_LOGITS));
    const dn_score_block in = {members, block->rows, model->columns, member};
    if (model->reduce == DN_REDUCE_LOGIT)
        mean_logits(logits, &in);
    else
        DN_TRY(dn__log_mean_probabilities(logits, &in, block->space));
    out->logits = logits;
    return DN_OK;
}

dn_status dn__model_rows(dn_score_rows *out, const dn__model *model, dn__block *block, size_t layer, unsigned needs)
{
    *out = (dn_score_rows){.rows = block->rows, .columns = model->columns, .classes = model->classes};
    if (model->of) return reduced_rows(out, model, block);
    if (model->parent) return shaped_rows(out, model, block, needs);
    if (needs & DN_NEEDS_LOGITS) DN_TRY(dn__block_logits(&out->logits, block, model->member));
    if (needs & DN_NEEDS_FEATURES) {
        out->dim = block->input->layer[layer].columns;
        DN_TRY(dn__block_features(&out->features, block, model->member, layer));
    }
    return DN_OK;
}
