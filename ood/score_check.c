/* Do arrays, expressions and reductions fit together? */
#include <stdio.h>
#include <string.h>

#include "ood/expression_private.h"
#include "ood/pass.h"
#include "ood/scorer.h"

size_t dn__input_members(const dn_score_input *input)
{
    return input->logits.rows ? input->logits.members : input->layers ? input->layer[input->layers - 1].members : 0;
}

size_t dn_score_input_classes(const dn_score_input *input)
{
    return input->class_map ? input->classes : input->logits.columns;
}

/* ---- sizes ---- */

static dn_status check_matrix(const dn_matrix *m, const char *kind, const char *name, size_t least_columns)
{
    if (m->members == 0 || m->rows == 0 || m->columns < least_columns || (!m->data && !m->read)) {
        return dn_fail(DN_ERROR_SHAPE,
                       "%s%s: [%zu members, %zu rows, %zu columns], but scores need at least 1 member, 1 row and %zu "
                       "columns",
                       kind, name, m->members, m->rows, m->columns, least_columns);
    }
    if (m->columns > INT32_MAX || m->rows > SIZE_MAX / m->columns ||
        m->rows * m->columns > SIZE_MAX / sizeof(double) / m->members) {
        return dn_fail(DN_ERROR_SHAPE, "%s%s: [%zu, %zu, %zu] is larger than memory can be", kind, name, m->members,
                       m->rows, m->columns);
    }
    if (m->type == DN_F32 || m->type == DN_F64) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE, "%s%s: elements are %s, but f32 or f64 is needed; convert them", kind, name,
                   dn_dtype_name(m->type));
}

dn_status dn__input_check(const dn_score_input *input, bool logits_may_be_absent, const char *kind)
{
    if (input->logits.rows || !logits_may_be_absent || input->layers == 0)
        DN_TRY(check_matrix(&input->logits, kind, "logits", 2));
    if (input->layers > DN_SCORE_LAYERS_MAX)
        return dn_fail(DN_ERROR_ARGUMENT, "%zu layers, but at most %d are possible", input->layers,
                       DN_SCORE_LAYERS_MAX);
    for (size_t l = 0; l < input->layers; l++) {
        const dn_matrix *m = &input->layer[l];
        DN_TRY(check_matrix(m, kind, "features", 1));
        if (m->members == dn__input_members(input) && m->rows == dn__input_rows(input)) continue;
        return dn_fail(DN_ERROR_SHAPE,
                       "%sfeatures: [%zu members, %zu rows, %zu columns] do not belong to %zu members and %zu rows",
                       kind, m->members, m->rows, m->columns, dn__input_members(input), dn__input_rows(input));
    }
    return DN_OK;
}

static dn_status check_fit(const dn_score_input *form, const dn_score_fit *fit)
{
    if (!fit || !fit->set) return DN_OK;
    const dn_score_input *set = fit->set;
    DN_TRY(dn__input_check(set, true, "fit "));
    if (dn__input_members(set) != dn__input_members(form)) {
        return dn_fail(DN_ERROR_SHAPE, "the fit set has %zu members, the rows to score have %zu; they must be the same",
                       dn__input_members(set), dn__input_members(form));
    }
    if (set->logits.rows && form->logits.rows && set->logits.columns != form->logits.columns) {
        return dn_fail(DN_ERROR_SHAPE, "fit logits: %zu columns, but logits have %zu; they must be the same",
                       set->logits.columns, form->logits.columns);
    }
    if (set->layers != form->layers && set->layers && form->layers)
        return dn_fail(DN_ERROR_SHAPE, "the fit set has %zu layers of features, the rows to score have %zu",
                       set->layers, form->layers);
    for (size_t l = 0; l < set->layers && l < form->layers; l++) {
        if (set->layer[l].columns == form->layer[l].columns) continue;
        return dn_fail(DN_ERROR_SHAPE, "fit features: %zu columns, but features have %zu; they must be the same",
                       set->layer[l].columns, form->layer[l].columns);
    }
    return DN_OK;
}

/* ---- what is there ---- */

static unsigned given(const dn_score_input *form, const dn_score_fit *fit)
{
    unsigned bits = 0;
    if (form->logits.rows) bits |= DN_NEEDS_LOGITS;
    if (form->layers) bits |= DN_NEEDS_FEATURES;
    if (!fit) return bits;
    if (fit->weight && fit->bias) bits |= DN_NEEDS_HEAD;
    if (!fit->set) return bits;
    if (fit->set->logits.rows) bits |= DN_NEEDS_FIT_LOGITS;
    if (fit->set->layers) bits |= DN_NEEDS_FIT_FEATURES;
    if (fit->set->labels) bits |= DN_NEEDS_FIT_LABELS;
    return bits;
}

static dn_status check_needs(const dn_score_expression *e, const dn_score_input *form, const dn_score_fit *fit)
{
    static const char *const names[] = {"logits",     "features",     "the head's weight and bias",
                                        "fit logits", "fit features", "fit labels"};
    const unsigned missing = dn_expression_needs(e) & ~given(form, fit);
    if (!missing) return DN_OK;
    char list[160] = "", text[256];
    size_t used = 0;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(missing & 1U << i)) continue;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", names[i]);
    }
    return dn_fail(DN_ERROR_ARGUMENT, "score '%s' also needs: %s", dn_expression_text(e, text, sizeof text), list);
}

static bool asks_for_pass(const dn_score_expression *e)
{
    return dn_pass_options_for(&e->base).kind != DN_PASS_NONE;
}

static dn_status check_pass(const dn_score_expression *e, const dn_score_fit *fit)
{
    if (!asks_for_pass(e) || (fit && fit->passes)) return DN_OK;
    char text[256];
    return dn_fail(DN_ERROR_ARGUMENT,
                   "score '%s' needs the network itself, arrays are not enough: use `dunlin evaluate` on a run",
                   dn_expression_text(e, text, sizeof text));
}

/* ---- reductions ---- */

static dn_status check_joined_logits(const dn_score_expression *e, const dn_score_input *form, dn_reduce reduce)
{
    const dn_method *method = e->base.method;
    if (!dn__is_base(method)) {
        return dn_fail(DN_ERROR_ARGUMENT,
                       "%s with reduce=%s: only scores of logits can be taken of the members' joined outputs; use "
                       "reduce=score, min or max",
                       method->name, dn_reduce_name(reduce));
    }
    if (reduce == DN_REDUCE_LOGIT && form->class_map) {
        return dn_fail(
            DN_ERROR_ARGUMENT,
            "%s with reduce=logit: members with a class map have no logit at the classes that they leave out, "
            "so that logits have no mean; use reduce=prob or reduce=score",
            method->name);
    }
    if (reduce == DN_REDUCE_PROB && strcmp(method->name, "energy") == 0 &&
        dn_method_option_value(&e->base, "T") == 1.0) {
        return dn_fail(
            DN_ERROR_ARGUMENT,
            "energy with reduce=prob is 0 for every row at T=1, because probabilities sum to 1; use reduce=score "
            "or reduce=logit, or another T");
    }
    return DN_OK;
}

static dn_status check_reduce(const dn_score_expression *e, const dn_score_input *form, dn_reduce reduce)
{
    if ((unsigned)reduce >= DN_REDUCE_COUNT)
        return dn_fail(DN_ERROR_ARGUMENT, "score: reduction %d does not exist", (int)reduce);
    if (reduce == DN_REDUCE_DEFAULT) return DN_OK;
    if (e->base.method->kind == DN_METHOD_ENSEMBLE) {
        return dn_fail(DN_ERROR_ARGUMENT,
                       "%s combines the members itself, but reduce=%s was given; leave the reduction out",
                       e->base.method->name, dn_reduce_name(reduce));
    }
    const bool joins = reduce == DN_REDUCE_PROB || reduce == DN_REDUCE_LOGIT;
    return joins ? check_joined_logits(e, form, reduce) : DN_OK;
}

dn_status dn_score_check(const dn_score_expression *expression, dn_reduce reduce, const dn_score_input *form,
                         const dn_score_fit *fit)
{
    const bool by_logits = (dn_expression_needs(expression) & DN_NEEDS_LOGITS) != 0;
    DN_TRY(check_reduce(expression, form, reduce));
    DN_TRY(check_pass(expression, fit));
    if (by_logits && form->layers) DN_TRY(check_needs(expression, form, fit));
    DN_TRY(dn__input_check(form, !by_logits, ""));
    DN_TRY(check_fit(form, fit));
    return check_needs(expression, form, fit);
}
