/* The models that a scorer's expressions run on: made once, shared by all expressions with the same beginning. */
#include <string.h>

#include "core/alloc.h"
#include "ood/expression_private.h"
#include "ood/scorer.h"

static dn_status new_model(dn__model **out, dn_scorer *scorer)
{
    dn__model *model = dn_calloc(1, sizeof *model);
    *out = model;
    if (!model) return DN_ERROR_MEMORY;
    model->all = &scorer->columns;
    model->layers = scorer->layers;
    model->head_dim = scorer->layers ? scorer->dim[scorer->layers - 1] : 0;
    model->next = scorer->models;
    scorer->models = model;
    return DN_OK;
}

/* The rows of the head that belong to the member's used columns, in class order. */
static dn_status take_head(dn__model *model, const dn_score_fit *from)
{
    if (!from || !from->weight || !from->bias) return DN_OK;
    const size_t stride = model->all->columns, dim = model->head_dim;
    const int32_t *column = model->all->column + model->member * stride;
    model->own_weight = dn_calloc(model->columns * dim, sizeof *model->own_weight);
    model->own_bias = dn_calloc(model->columns, sizeof *model->own_bias);
    if (!model->own_weight || !model->own_bias) return DN_ERROR_MEMORY;
    for (size_t k = 0; k < model->columns; k++) {
        const size_t row = model->member * stride + (size_t)column[k];
        memcpy(model->own_weight + k * dim, from->weight + row * dim, dim * sizeof *model->own_weight);
        model->own_bias[k] = from->bias[row];
    }
    model->weight = model->own_weight;
    model->bias = model->own_bias;
    return DN_OK;
}

static dn_status plain_member(dn__model **out, dn_scorer *scorer, size_t member)
{
    for (dn__model *m = scorer->models; m; m = m->next) {
        if (m->of || m->parent || m->member != member) continue;
        *out = m;
        return DN_OK;
    }
    DN_TRY(new_model(out, scorer));
    (*out)->member = member;
    (*out)->columns = scorer->columns.used[member];
    (*out)->classes = scorer->columns.class_of + member * scorer->columns.columns;
    return take_head(*out, scorer->source.from);
}

/* A shaping is fitted on the features as its parent leaves them. */
static dn_status fit_shaping(dn__model *model, dn_scorer *scorer)
{
    const dn_method *method = model->shaping.method;
    dn_fit *fit = NULL;
    if (method->fit) {
        DN_TRY(dn__model_fit(&fit, model->parent, scorer->layers - 1, &scorer->source));
        DN_TRY(method->fit(&model->state, fit, model->shaping.option));
    }
    if (!method->shape_head) return DN_OK;
    const size_t size = model->columns * model->head_dim;
    model->own_weight = dn_calloc(size, sizeof *model->own_weight);
    if (!model->own_weight) return DN_ERROR_MEMORY;
    memcpy(model->own_weight, model->weight, size * sizeof *model->own_weight);
    model->weight = model->own_weight;
    const dn_fitted by = {model->shaping.option, model->state};
    return method->shape_head(model->own_weight, model->columns, model->head_dim, &by);
}

dn_status dn__scorer_member(dn__model **out, dn_scorer *scorer, size_t member, const dn_score_expression *expression,
                            size_t shapings)
{
    if (shapings == 0) return plain_member(out, scorer, member);
    dn__model *parent;
    const dn_method_call *last = &expression->shaping[shapings - 1];
    DN_TRY(dn__scorer_member(&parent, scorer, member, expression, shapings - 1));
    for (dn__model *m = scorer->models; m; m = m->next) {
        if (m->parent != parent || !dn__call_same(&m->shaping, last)) continue;
        *out = m;
        return DN_OK;
    }
    DN_TRY(new_model(out, scorer));
    dn__model *model = *out;
    model->parent = parent;
    model->shaping = *last;
    model->member = member;
    model->columns = parent->columns;
    model->classes = parent->classes;
    model->weight = parent->weight;
    model->bias = parent->bias;
    return fit_shaping(model, scorer);
}

dn_status dn__scorer_reduced(dn__model **out, dn_scorer *scorer, dn_reduce reduce,
                             const dn_score_expression *expression)
{
    const size_t members = scorer->columns.members, classes = scorer->columns.classes;
    dn__model *first;
    DN_TRY(dn__scorer_member(&first, scorer, 0, expression, expression->shapings));
    for (dn__model *m = scorer->models; m; m = m->next) {
        if (!m->of || m->reduce != reduce || m->of[0] != first) continue;
        *out = m;
        return DN_OK;
    }
    DN_TRY(new_model(out, scorer));
    dn__model *model = *out;
    model->reduce = reduce;
    model->columns = classes;
    model->own_classes = dn_calloc(classes, sizeof *model->own_classes);
    model->of = dn_calloc(members, sizeof(dn__model *));
    if (!model->own_classes || !model->of) return DN_ERROR_MEMORY;
    for (size_t c = 0; c < classes; c++) model->own_classes[c] = (int32_t)c;
    model->classes = model->own_classes;
    for (size_t e = 0; e < members; e++)
        DN_TRY(dn__scorer_member(&model->of[e], scorer, e, expression, expression->shapings));
    return DN_OK;
}
