#include "apps/scoring_private.h"

#include <string.h>

#include "apps/clock.h"
#include "core/alloc.h"
#include "core/nearest.h"

/* ---- layers ---- */

/* Takes the next name of a list. @return its bit; 0 with an error text */
static uint64_t layer_bit(const dn_pass_layers *layers, const char *name, size_t length)
{
    const char *names[DN_PASS_LAYERS_MAX];
    char text[DN_PASS_LAYER_NAME] = "";
    for (size_t l = 0; l < layers->count; l++) {
        names[l] = layers->layer[l].name;
        if (strlen(names[l]) == length && memcmp(names[l], name, length) == 0) return UINT64_C(1) << l;
    }
    if (length < sizeof text) memcpy(text, name, length);
    const char *near = dn_nearest(text, names, layers->count);
    char known[1024] = "";
    for (size_t l = 0, used = 0; l < layers->count && used < sizeof known; l++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", l ? ", " : "", names[l]);
    if (near)
        dn_fail(DN_ERROR_ARGUMENT, "--layers: the network has no layer '%s'; did you mean '%s'?", text, near);
    else
        dn_fail(DN_ERROR_ARGUMENT, "--layers: the network has no layer '%.*s'; it has %s", (int)length, name, known);
    return 0;
}

static dn_status choose_layers(dn_scoring *s)
{
    const dn_pass_layers *layers = &s->files->layers;
    s->layers = dn_pass_all_layers(layers);
    const char *list = s->options.layers;
    if (!list) return DN_OK;
    s->layers = dn_pass_last_layer(layers);
    while (*list) {
        const size_t length = strcspn(list, ",");
        const uint64_t bit = layer_bit(layers, list, length);
        if (!bit) return DN_ERROR_ARGUMENT;
        s->layers |= bit;
        list += length + (list[length] == ',');
    }
    return DN_OK;
}

uint64_t dn__expression_layers(const dn_scoring *s, const dn_score_expression *e)
{
    const unsigned needs = dn_expression_needs(e);
    if (!(needs & (DN_NEEDS_FEATURES | DN_NEEDS_FIT_FEATURES))) return 0;
    return e->layers == DN_LAYERS_ALL ? s->layers : dn_pass_last_layer(&s->files->layers);
}

dn_score_input dn__score_form(const dn_scoring *s, uint64_t layers, dn_matrix *layer)
{
    static const float unread = 0.0F;
    const dn_network *n = s->files->network;
    const dn_matrix one = {(size_t)n->members, 1, (size_t)n->columns, DN_F32, &unread, NULL, NULL};
    dn_score_input form = {.logits = one, .layer = layer, .class_map = n->class_map, .classes = (size_t)n->classes};
    for (size_t l = 0; l < s->files->layers.count; l++) {
        if (!(layers >> l & 1)) continue;
        layer[form.layers] = one;
        layer[form.layers++].columns = s->files->layers.layer[l].dim;
    }
    return form;
}

/* ---- what is fitted on ---- */

static dn_status open_fit_set(dn_scoring *s)
{
    const dn_recipe *recipe = s->files->network->recipe;
    const dn_expression_list *list = s->options.list;
    unsigned needs = 0;
    for (size_t i = 0; i < list->count; i++) needs |= dn_expression_needs(&list->expression[i]);
    if (needs & DN_NEEDS_HEAD) DN_TRY(dn_network_head_open(&s->head, s->files->network));
    if (!(needs & (DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES | DN_NEEDS_FIT_LABELS))) return DN_OK;
    const dn_output_request request = {.set = s->options.fit ? s->options.fit : recipe->data.train,
                                       .seed = s->options.seed,
                                       .limit = s->options.fit ? 0 : recipe->train.limit,
                                       .layers = s->plain_layers};
    DN_TRY(dn_outputs_open(&s->fit, s->files, &request));
    s->fit_print = s->fit->set_print;
    if (s->fit->labels || !(needs & DN_NEEDS_FIT_LABELS)) return DN_OK;
    if (s->options.quiet) return DN_OK;
    fprintf(stderr, "fit set %s: it has no labels of the network's classes\n", request.set);
    return DN_OK;
}

/* What a group is fitted on. `room` holds the layers. */
static dn_score_fit fit_of(const dn_scoring *s, uint64_t layers, dn_score_input *set, dn_matrix *room)
{
    if (s->fit) *set = dn_outputs_choose(s->fit, layers, room);
    return (dn_score_fit){.set = s->fit ? set : NULL,
                          .weight = s->head.weight,
                          .bias = s->head.bias,
                          .passes = true,
                          .device = s->files->network->device};
}

static dn_status open_scorer(dn_scorer **out, const dn_scoring *s, const dn__score_group *group,
                             const dn_score_expression *expressions, size_t count)
{
    dn_matrix layer[DN_PASS_LAYERS_MAX], fit_layer[DN_PASS_LAYERS_MAX];
    dn_score_input set = {0};
    const dn_score_input form = dn__score_form(s, group->layers, layer);
    const dn_score_fit fit = fit_of(s, group->layers, &set, fit_layer);
    return dn_scorer_open(out, expressions, count, group->reduce, &form, &fit);
}

/* ---- groups ---- */

static bool is_optional(const dn_scoring *s, size_t expression)
{
    return s->options.list->optional[expression];
}

/* Leaves an optional expression out for the last error. @return DN_OK if that is what happened */
static dn_status leave_out(dn_scoring *s, size_t expression, dn_status status)
{
    if (status == DN_ERROR_INTERRUPTED || status == DN_ERROR_MEMORY || !is_optional(s, expression)) return status;
    s->left_out[expression] = dn_strdup(dn_error_last());
    if (!s->left_out[expression]) return DN_ERROR_MEMORY;
    if (!s->options.quiet)
        fprintf(stderr, "left out: %s: %s\n", s->options.list->text[expression], s->left_out[expression]);
    return DN_OK;
}

static dn_reduce scorer_reduce(const dn_scoring *s, const dn_score_expression *e)
{
    return e->base.method->kind == DN_METHOD_ENSEMBLE ? DN_REDUCE_DEFAULT : s->options.reduce;
}

static dn_method_pass pass_of(const dn_score_expression *e)
{
    return dn_pass_options_for(&e->base).kind;
}

/* @return the group that takes the expression: plain ones of one reduction share a group */
static dn__score_group *find_group(dn_scoring *s, const dn_score_expression *e)
{
    const dn_method_pass pass = pass_of(e);
    const dn_reduce reduce = scorer_reduce(s, e);
    for (size_t g = 0; g < s->n_groups && pass == DN_PASS_NONE; g++)
        if (s->groups[g].pass == DN_PASS_NONE && (s->groups[g].reduce == reduce)) return &s->groups[g];
    dn__score_group *group = &s->groups[s->n_groups++];
    *group = (dn__score_group){.reduce = reduce, .pass = pass};
    return group;
}

static dn_status add_to_group(dn_scoring *s, size_t expression)
{
    const dn_score_expression *e = &s->options.list->expression[expression];
    dn__score_group *group = find_group(s, e);
    if (!group->index) {
        group->index = dn_calloc(s->options.list->count, sizeof *group->index);
        group->expression = dn_calloc(s->options.list->count, sizeof *group->expression);
        if (!group->index || !group->expression) return DN_ERROR_MEMORY;
    }
    group->index[group->count] = expression;
    group->expression[group->count++] = *e;
    const uint64_t layers = dn__expression_layers(s, e);
    if (group->pass == DN_PASS_NONE || group->pass == DN_PASS_SCORE) {
        group->layers |= layers;
        s->plain_layers |= layers;
    }
    return DN_OK;
}

static void drop_from_group(dn__score_group *group, size_t place)
{
    group->count--;
    for (size_t i = place; i < group->count; i++) {
        group->index[i] = group->index[i + 1];
        group->expression[i] = group->expression[i + 1];
    }
}

/* What measures how members disagree is 0 for every row of a single one. Asked for by name it is shown. */
static dn_status check_members(const dn_scoring *s, const dn__score_group *group, size_t place)
{
    static const char *const disagreement[] = {"mutual_information", "variance", "variation_ratio", "pairwise_kl"};
    const char *name = group->expression[place].base.method->name;
    if (s->files->network->members > 1 || !is_optional(s, group->index[place])) return DN_OK;
    for (size_t i = 0; i < sizeof disagreement / sizeof *disagreement; i++)
        if (strcmp(name, disagreement[i]) == 0)
            return dn_fail(DN_ERROR_ARGUMENT, "a single network has no members that could disagree: 0 for every row");
    return DN_OK;
}

static dn_status check_expression(const dn_scoring *s, const dn__score_group *group, size_t place)
{
    dn_matrix layer[DN_PASS_LAYERS_MAX], fit_layer[DN_PASS_LAYERS_MAX];
    dn_score_input set = {0};
    const dn_score_input form = dn__score_form(s, group->layers, layer);
    const dn_score_fit fit = fit_of(s, group->layers, &set, fit_layer);
    DN_TRY(check_members(s, group, place));
    DN_TRY(dn_score_check(&group->expression[place], group->reduce, &form, &fit));
    return group->pass == DN_PASS_NONE ? DN_OK : dn__group_check_pass(group, s);
}

/* One by one, to find those that cannot be fitted. */
static dn_status drop_unfit(dn_scoring *s, dn__score_group *group)
{
    for (size_t i = 0; i < group->count;) {
        dn_scorer *alone = NULL;
        const dn_status status =
            is_optional(s, group->index[i]) ? open_scorer(&alone, s, group, &group->expression[i], 1) : DN_OK;
        dn_scorer_close(alone);
        if (status == DN_OK) {
            i++;
            continue;
        }
        DN_TRY(leave_out(s, group->index[i], status));
        drop_from_group(group, i);
    }
    return DN_OK;
}

static bool has_optional(const dn_scoring *s, const dn__score_group *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (is_optional(s, group->index[i])) return true;
    return false;
}

static void print_notes(const dn_scoring *s, const dn_scorer *scorer)
{
    const char *notes = dn_scorer_notes(scorer);
    const size_t length = strlen(notes);
    if (length > 0 && !s->options.quiet) fprintf(stderr, "%s%s", notes, notes[length - 1] == '\n' ? "" : "\n");
}

static dn_status open_group(dn_scoring *s, dn__score_group *group)
{
    if (group->pass != DN_PASS_NONE) DN_TRY(dn__group_take_pass(group, s));
    for (size_t i = 0; i < group->count;) {
        const dn_status status = check_expression(s, group, i);
        if (status == DN_OK) {
            i++;
            continue;
        }
        DN_TRY(leave_out(s, group->index[i], status));
        drop_from_group(group, i);
    }
    if (group->count == 0 || group->pass == DN_PASS_DROPOUT) return DN_OK;
    dn_status status = open_scorer(&group->scorer, s, group, group->expression, group->count);
    if (status != DN_OK && status != DN_ERROR_INTERRUPTED && status != DN_ERROR_MEMORY && has_optional(s, group)) {
        DN_TRY(drop_unfit(s, group));
        if (group->count == 0) return DN_OK;
        status = open_scorer(&group->scorer, s, group, group->expression, group->count);
    }
    if (status == DN_OK) print_notes(s, group->scorer);
    return status;
}

/* ---- all of it ---- */

static dn_status open_all(dn_scoring *s)
{
    const size_t count = s->options.list->count;
    s->left_out = dn_calloc(count, sizeof *s->left_out);
    s->groups = dn_calloc(count, sizeof *s->groups);
    if (!s->left_out || !s->groups) return DN_ERROR_MEMORY;
    DN_TRY(choose_layers(s));
    for (size_t i = 0; i < count; i++) DN_TRY(add_to_group(s, i));
    DN_TRY(open_fit_set(s));
    const double start = dn_seconds();
    for (size_t g = 0; g < s->n_groups; g++) DN_TRY(open_group(s, &s->groups[g]));
    s->seconds.fit = dn_seconds() - start;
    dn_outputs_close(s->fit);
    s->fit = NULL;
    return DN_OK;
}

dn_status dn_scoring_open(dn_scoring **out, dn_output_files *files, const dn_scoring_options *options)
{
    *out = NULL;
    dn_scoring *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    s->files = files;
    s->options = *options;
    const dn_status status = open_all(s);
    if (status != DN_OK) {
        dn_scoring_close(s);
        return status;
    }
    *out = s;
    return DN_OK;
}

void dn_scoring_close(dn_scoring *s)
{
    if (!s) return;
    for (size_t g = 0; s->groups && g < s->n_groups; g++) {
        dn_scorer_close(s->groups[g].scorer);
        dn_free(s->groups[g].index);
        dn_free(s->groups[g].expression);
        dn_free(s->groups[g].pass_text);
    }
    for (size_t i = 0; s->left_out && i < s->options.list->count; i++) dn_free(s->left_out[i]);
    dn_outputs_close(s->fit);
    dn_network_head_close(&s->head);
    dn_free(s->groups);
    dn_free(s->left_out);
    dn_free(s);
}

const char *dn_scoring_left_out(const dn_scoring *s, size_t expression)
{
    return s->left_out[expression];
}

dn_reduce dn_scoring_reduce(const dn_scoring *s, size_t expression)
{
    const dn_score_expression *e = &s->options.list->expression[expression];
    const bool combines = e->base.method->kind == DN_METHOD_ENSEMBLE && pass_of(e) != DN_PASS_DROPOUT;
    if (combines || s->files->network->members == 1) return DN_REDUCE_DEFAULT;
    return s->options.reduce == DN_REDUCE_DEFAULT ? DN_REDUCE_SCORE : s->options.reduce;
}

uint64_t dn_scoring_fit_print(const dn_scoring *s)
{
    return s->fit_print;
}

dn_scoring_seconds dn_scoring_time(const dn_scoring *s)
{
    return s->seconds;
}
