#include "ood/scorer.h"

#include <string.h>

#include "core/alloc.h"
#include "ood/linear_algebra.h"

static bool is_ensemble(const dn__score_item *item)
{
    return item->expression.base.method->kind == DN_METHOD_ENSEMBLE;
}

/* ---- fitting ---- */

static dn_status take_models(dn__score_item *item, dn_scorer *scorer)
{
    const bool reduced = item->reduce == DN_REDUCE_PROB || item->reduce == DN_REDUCE_LOGIT;
    item->models = reduced && !is_ensemble(item) ? 1 : scorer->columns.members;
    item->model = dn_calloc(item->models, sizeof(dn__model *));
    if (!item->model) return DN_ERROR_MEMORY;
    for (size_t m = 0; m < item->models; m++) {
        if (item->models == 1 && reduced && !is_ensemble(item))
            DN_TRY(dn__scorer_reduced(&item->model[m], scorer, item->reduce, &item->expression));
        else
            DN_TRY(dn__scorer_member(&item->model[m], scorer, m, &item->expression, item->expression.shapings));
    }
    return DN_OK;
}

static dn_status fit_base(dn__score_item *item, dn_scorer *scorer)
{
    const dn_method_call *base = &item->expression.base;
    if (!base->method->fit) return DN_OK;
    for (size_t m = 0; m < item->models; m++) {
        for (size_t l = 0; l < item->layers; l++) {
            dn_fit *fit;
            DN_TRY(dn__model_fit(&fit, item->model[m], item->first_layer + l, &scorer->source));
            DN_TRY(base->method->fit(&item->state[m * item->layers + l], fit, base->option));
        }
    }
    return DN_OK;
}

static dn_status open_item(dn__score_item *item, dn_scorer *scorer)
{
    const bool all = item->expression.layers == DN_LAYERS_ALL;
    item->layers = all ? scorer->layers : 1;
    item->first_layer = all || scorer->layers == 0 ? 0 : scorer->layers - 1;
    DN_TRY(take_models(item, scorer));
    const size_t places = item->models * item->layers;
    item->state = dn_calloc(places, sizeof *item->state);
    item->spread = dn_calloc(places, sizeof *item->spread);
    item->sorted = dn_calloc(places, sizeof *item->sorted);
    item->sorted_count = dn_calloc(places, sizeof *item->sorted_count);
    if (!item->state || !item->spread || !item->sorted || !item->sorted_count) return DN_ERROR_MEMORY;
    DN_TRY(fit_base(item, scorer));
    return dn__item_fit_layers(item, scorer);
}

static void close_item(dn__score_item *item)
{
    for (size_t i = 0; item->sorted && i < item->models * item->layers; i++) dn_free(item->sorted[i]);
    for (size_t i = 0; item->state && i < item->models * item->layers; i++)
        if (item->state[i]) item->expression.base.method->close(item->state[i]);
    dn_free(item->model);
    dn_free(item->state);
    dn_free(item->spread);
    dn_free(item->sorted);
    dn_free(item->sorted_count);
}

/* ---- opening ---- */

enum { UNREAD_ROWS = 64 };

static size_t labels_end(const dn_score_input *set)
{
    int32_t most = 0;
    for (size_t r = 0; set && set->labels && r < dn__input_rows(set); r++)
        if (set->labels[r] > most) most = set->labels[r];
    return (size_t)most + 1;
}

/* Without logits the classes are those of the head or of the fit logits, else those of the labels. */
static dn_status count_classes(size_t *out, const dn_score_input *form, const dn_score_fit *fit)
{
    const dn_score_input *set = fit ? fit->set : NULL;
    const size_t fitted = set ? set->logits.columns : 0;
    *out = form->logits.rows ? form->logits.columns : form->classes ? form->classes : fitted;
    if (fitted && fitted != *out)
        return dn_fail(DN_ERROR_SHAPE, "fit logits: %zu columns, but there are %zu classes", fitted, *out);
    const bool head = fit && fit->weight;
    if (head && *out < 2) {
        return dn_fail(DN_ERROR_SHAPE,
                       "a head of %zu classes (0: not stated), but scores need at least 2; without "
                       "logits the input must state them",
                       *out);
    }
    if (*out == 0) *out = labels_end(set);
    return DN_OK;
}

static dn_status take_form(dn_scorer *s, const dn_score_input *form, const dn_score_fit *fit)
{
    size_t columns;
    DN_TRY(count_classes(&columns, form, fit));
    s->has_logits = form->logits.rows > 0;
    s->layers = form->layers;
    for (size_t l = 0; l < form->layers; l++) s->dim[l] = form->layer[l].columns;
    return dn__columns_open(&s->columns, dn__input_members(form), columns, form->class_map,
                            s->has_logits ? form->classes : 0);
}

static dn_status check_labels(const dn_scorer *s, const dn_score_input *set)
{
    const size_t rows = dn__input_rows(set);
    for (size_t r = 0; set->labels && r < rows; r++) {
        if (set->labels[r] >= 0 && (size_t)set->labels[r] < s->columns.classes) continue;
        return dn_fail(DN_ERROR_SHAPE, "fit labels: row %zu (counted from 0) is class %d, but classes are 0..%zu", r,
                       set->labels[r], s->columns.classes - 1);
    }
    return DN_OK;
}

/* Looks through a block of the fit set's arrays that no fit reads. */
static dn_status look_through(dn__block *block, bool logits, bool features)
{
    const double *unused;
    for (size_t e = 0; e < block->columns->members; e++) {
        if (logits) DN_TRY(dn__block_logits(&unused, block, e));
        for (size_t l = 0; features && l < block->input->layers; l++) DN_TRY(dn__block_features(&unused, block, e, l));
    }
    return DN_OK;
}

/* A number that is not finite is an error in whatever is given, be it read or not. */
static dn_status check_unread(dn_scorer *s, const dn_score_expression *expressions, size_t count,
                              const dn_score_input *set)
{
    unsigned needs = 0;
    for (size_t i = 0; i < count; i++) needs |= dn_expression_needs(&expressions[i]);
    const bool logits = set->logits.rows && !(needs & DN_NEEDS_FIT_LOGITS);
    const bool features = set->layers && !(needs & DN_NEEDS_FIT_FEATURES);
    dn_workspace *space = s->source.space;
    const size_t rows = logits || features ? dn__input_rows(set) : 0, start = dn_workspace_mark(space);
    dn__block block;
    DN_TRY(dn__block_open(&block, set, &s->columns, "fit ", space));
    const size_t mark = dn_workspace_mark(space);
    for (size_t first = 0; first < rows; first += UNREAD_ROWS) {
        dn__block_move(&block, first, rows - first < UNREAD_ROWS ? rows - first : UNREAD_ROWS);
        DN_TRY(look_through(&block, logits, features));
        dn_workspace_release(space, mark);
    }
    dn_workspace_release(space, start);
    return DN_OK;
}

static dn_status check_all(const dn_score_expression *expressions, size_t count, dn_reduce reduce,
                           const dn_score_input *form, const dn_score_fit *fit)
{
    for (size_t i = 0; i < count; i++) DN_TRY(dn_score_check(&expressions[i], reduce, form, fit));
    return DN_OK;
}

static dn_status fit_all(dn_scorer *s, const dn_score_expression *expressions, size_t count, dn_reduce reduce,
                         const dn_score_input *form, const dn_score_fit *fit)
{
    DN_TRY(take_form(s, form, fit));
    if (fit && fit->set) DN_TRY(check_labels(s, fit->set));
    if (fit && fit->set) DN_TRY(check_unread(s, expressions, count, fit->set));
    s->item = dn_calloc(count, sizeof *s->item);
    if (!s->item) return DN_ERROR_MEMORY;
    s->count = count;
    dn__blas_threads(0);
    for (size_t i = 0; i < count; i++) {
        s->item[i].expression = expressions[i];
        s->item[i].reduce = reduce == DN_REDUCE_DEFAULT ? DN_REDUCE_SCORE : reduce;
        const dn_status status = open_item(&s->item[i], s);
        if (status == DN_OK) continue;
        char text[256];
        return dn_fail_context(status, "score '%s'", dn_expression_text(&expressions[i], text, sizeof text));
    }
    return DN_OK;
}

dn_status dn_scorer_open(dn_scorer **out, const dn_score_expression *expressions, size_t count, dn_reduce reduce,
                         const dn_score_input *form, const dn_score_fit *fit)
{
    *out = NULL;
    if (count == 0) return dn_fail(DN_ERROR_ARGUMENT, "there is no score to compute");
    DN_TRY(check_all(expressions, count, reduce, form, fit));
    dn_scorer *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    s->source.from = fit;
    dn_status status = dn_workspace_open(&s->source.space);
    if (status == DN_OK) status = fit_all(s, expressions, count, reduce, form, fit);
    dn_workspace_close(s->source.space);
    s->source.space = NULL;
    s->source.from = NULL; /* the fit set is borrowed for fitting only */
    if (status != DN_OK) {
        dn_scorer_close(s);
        return status;
    }
    *out = s;
    return DN_OK;
}

void dn_scorer_close(dn_scorer *scorer)
{
    if (!scorer) return;
    for (size_t i = 0; i < scorer->count; i++) close_item(&scorer->item[i]);
    while (scorer->models) {
        dn__model *model = scorer->models;
        scorer->models = model->next;
        dn__model_close(model);
    }
    dn__columns_close(&scorer->columns);
    dn_free(scorer->item);
    dn_free(scorer->source.notes);
    dn_free(scorer);
}

const char *dn_scorer_notes(const dn_scorer *scorer)
{
    return scorer->source.notes ? scorer->source.notes : "";
}
