#include "apps/evaluate_check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/checkpoint.h"
#include "apps/network_pass.h"
#include "apps/run.h"
#include "apps/utf8.h"
#include "core/alloc.h"

/* ---- runs ---- */

dn_status dn_run_recipe(dn_recipe **out, const char *run)
{
    char *path = NULL;
    *out = NULL;
    DN_TRY(dn_run_find(&path, run));
    char *text = dn_checkpoint_recipe(path);
    const dn_status status = text ? dn_recipe_parse(out, text, path, NULL, 0) : DN_ERROR_FILE;
    dn_free(text);
    dn_free(path);
    return status;
}

/* Whatever way their paths take there. */
static bool is_same_run(const char *a, const char *b)
{
    struct stat first, second;
    char *paths[2] = {dn_run_checkpoint(a), dn_run_checkpoint(b)};
    const bool same = paths[0] && paths[1] && stat(paths[0], &first) == 0 && stat(paths[1], &second) == 0 &&
                      first.st_dev == second.st_dev && first.st_ino == second.st_ino;
    dn_free(paths[0]);
    dn_free(paths[1]);
    return same;
}

/* A key of both recipes as text. @return DN_OK if it is the same */
static dn_status same_text(const char *const runs[2], const char *key, const char *first, const char *second)
{
    if (strcmp(first, second) == 0) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT,
                   "'%s' and '%s' are not seeds of one recipe, whose mean could be shown: %s is %s in the first and "
                   "%s in the second; hold different runs against each other with `dunlin compare`",
                   runs[0], runs[1], key, first, second);
}

static dn_status same_number(const char *const runs[2], const char *key, double first, double second)
{
    char texts[2][32];
    snprintf(texts[0], sizeof texts[0], "%.9g", first);
    snprintf(texts[1], sizeof texts[1], "%.9g", second);
    return same_text(runs, key, texts[0], texts[1]);
}

static dn_status same_recipe(const char *const runs[2], const dn_recipe *a, const dn_recipe *b, bool id_named)
{
    static const char *const kinds[] = {"deep", "mi", "leave_out"};
    DN_TRY(same_text(runs, "ensemble.kind", kinds[a->ensemble.kind], kinds[b->ensemble.kind]));
    DN_TRY(same_number(runs, "ensemble.members", a->ensemble.members, b->ensemble.members));
    DN_TRY(same_text(runs, "model.name", a->model.name, b->model.name));
    DN_TRY(same_number(runs, "model.width", a->model.width, b->model.width));
    DN_TRY(same_number(runs, "model.depth", a->model.depth, b->model.depth));
    DN_TRY(same_number(runs, "model.outputs", a->model.outputs, b->model.outputs));
    DN_TRY(same_number(runs, "model.dropout", a->model.dropout, b->model.dropout));
    DN_TRY(same_text(runs, "data.train", a->data.train, b->data.train));
    if (id_named) return DN_OK;
    const dn_status status = same_text(runs, "data.test", a->data.test, b->data.test);
    if (status == DN_OK) return DN_OK;
    return dn_fail(status, "%s, or name one known set for all with --id SET", dn_error_last());
}

dn_status dn_runs_check(const char *const *runs, int n, bool id_named)
{
    dn_recipe *first = NULL;
    DN_TRY(dn_run_recipe(&first, runs[0]));
    dn_status status = DN_OK;
    for (int r = 1; r < n && status == DN_OK; r++) {
        const char *const pair[2] = {runs[0], runs[r]};
        dn_recipe *recipe = NULL;
        status = dn_run_recipe(&recipe, runs[r]);
        if (status == DN_OK) status = same_recipe(pair, first, recipe, id_named);
        dn_recipe_close(recipe);
        for (int before = 0; before < r && status == DN_OK; before++)
            if (is_same_run(runs[before], runs[r]))
                status = dn_fail(DN_ERROR_ARGUMENT,
                                 "'%s' and '%s' are the same run: it would count twice in mean and deviation; name "
                                 "each run once",
                                 runs[before], runs[r]);
    }
    dn_recipe_close(first);
    return status;
}

/* ---- sets ---- */

/* @param line one of the network's class names, with whatever lines are behind it */
static bool has_class(const dn_dataset *set, const char *line)
{
    const size_t length = strcspn(line, "\n");
    for (int c = 0; c < set->classes; c++)
        if (strlen(set->class_names[c]) == length && strncmp(set->class_names[c], line, length) == 0) return true;
    return false;
}

/* A folder without images of one class has other labels than the folder that was trained on. */
static void tell_unknown_labels(const dn_network *n, const dn_dataset *set, const char *expression)
{
    char text[512] = "its classes are the network's in another order, or more";
    const char *line = n->class_names ? n->class_names : "";
    if (!set->labels || dn_network_knows(n, set)) return;
    if (!set->class_names || !*line)
        snprintf(text, sizeof text, "%d classes, the network has %d, and not both have names", set->classes,
                 n->classes);
    while (set->class_names && *line && has_class(set, line)) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    if (set->class_names && *line)
        snprintf(text, sizeof text, "it has no class '%.*s', which the network knows", (int)strcspn(line, "\n"), line);
    dn_text_disarm(text, "");
    fprintf(stderr, "%s: no accuracy, the labels are not the network's: %s\n", expression, text);
}

/* @param tell of labels that are not the network's */
static dn_status check_set(const dn_network *network, const char *set, const char *data_dir, bool tell)
{
    dn_dataset *opened = NULL;
    const dn_dataset_options options = {.data_dir = data_dir, .limit = 1};
    DN_TRY(dn_dataset_open(&opened, set, &options));
    const dn_status status = dn_network_check_images(network, opened);
    if (status == DN_OK && tell) tell_unknown_labels(network, opened, set);
    dn_dataset_close(opened);
    return status;
}

static bool is_fitted(const dn_expression_list *list)
{
    unsigned needs = 0;
    for (size_t i = 0; i < list->count; i++) needs |= dn_expression_needs(&list->expression[i]);
    return needs & (DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES | DN_NEEDS_FIT_LABELS);
}

dn_status dn_sets_check(const dn_network *network, const dn_wanted_sets *wanted)
{
    const char *fit = wanted->fit;
    if (!fit && is_fitted(wanted->list)) fit = network->recipe->data.train;
    if (wanted->id) DN_TRY(check_set(network, wanted->id, wanted->data_dir, wanted->tell));
    for (int i = 0; i < wanted->n_ood; i++) DN_TRY(check_set(network, wanted->ood[i], wanted->data_dir, false));
    return fit ? check_set(network, fit, wanted->data_dir, false) : DN_OK;
}
