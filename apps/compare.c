#include "apps/compare.h"

#include <string.h>

#include "apps/run.h"
#include "core/alloc.h"

const char *dn_comparison_method(const dn_recipe *recipe)
{
    int count = 0;
    return dn_evaluation_methods(recipe, &count)[0];
}

const char *dn_ensemble_kind_name(dn_ensemble_kind kind)
{
    switch (kind) {
    case DN_ENSEMBLE_MI: return "mi";
    case DN_ENSEMBLE_LEAVE_OUT: return "leave_out";
    case DN_ENSEMBLE_DEEP: break;
    }
    return "deep";
}

/* ---- what the arguments name ---- */

/* RUN:METHOD. A run's folder and a method may both have colons in them: the shortest folder with a run in it counts. */
static dn_status split(dn_compared_run *run, const char *argument)
{
    run->path = dn_strdup(argument);
    if (!run->path) return DN_ERROR_MEMORY;
    if (dn_run_exists(run->path)) return DN_OK;
    for (char *colon = strchr(run->path, ':'); colon; colon = strchr(colon + 1, ':')) {
        *colon = '\0';
        if (dn_run_exists(run->path)) {
            run->method = dn_strdup(colon + 1);
            return run->method ? DN_OK : DN_ERROR_MEMORY;
        }
        *colon = ':';
    }
    run->path[strcspn(run->path, ":")] = '\0';
    return dn_fail(DN_ERROR_FILE,
                   "'%s': there is no trained run (no %s/checkpoint.h5); give the folder that `dunlin train --out` "
                   "wrote, and a score after a colon if you like",
                   argument, run->path);
}

static dn_status name_runs(dn_comparison *c)
{
    const char **paths = dn_calloc((size_t)c->n_runs, sizeof *paths);
    char **names = dn_calloc((size_t)c->n_runs, sizeof *names);
    dn_status status = paths && names ? DN_OK : DN_ERROR_MEMORY;
    for (int i = 0; i < c->n_runs && status == DN_OK; i++) paths[i] = c->runs[i].path;
    if (status == DN_OK) status = dn_run_names(names, paths, c->n_runs);
    for (int i = 0; i < c->n_runs && status == DN_OK; i++) c->runs[i].name = names[i];
    dn_free(names);
    dn_free(paths);
    return status;
}

/* ---- what the recipes say ---- */

static dn_status take_sets(dn_comparison *c, const dn_recipe *first, const dn_comparison_options *options)
{
    const bool own = options->n_ood > 0;
    c->seed = first->train.seed;
    c->id = dn_strdup(options->id ? options->id : first->data.test);
    c->n_ood = own ? options->n_ood : (int)first->data.n_ood;
    if (c->n_ood == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "the recipe of '%s' names no unknown data: give --ood SET", c->runs[0].path);
    c->ood = dn_calloc((size_t)c->n_ood, sizeof *c->ood);
    if (!c->id || !c->ood) return DN_ERROR_MEMORY;
    for (int i = 0; i < c->n_ood; i++)
        if (!(c->ood[i] = dn_strdup(own ? options->ood[i] : first->data.ood[i]))) return DN_ERROR_MEMORY;
    return DN_OK;
}

static dn_status check_run(dn_comparison *c, dn_compared_run *run, const dn_recipe *recipe, bool id_given)
{
    dn_score_expression expression;
    run->kind = recipe->ensemble.kind;
    if (!run->method) run->method = dn_strdup(dn_comparison_method(recipe));
    if (!run->method) return DN_ERROR_MEMORY;
    const dn_status status = dn_expression_parse(&expression, run->method);
    if (status != DN_OK) return dn_fail_context(status, "run '%s'", run->path);
    if (id_given || strcmp(c->id, recipe->data.test) == 0) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT,
                   "the runs do not know the same data: '%s' was made to be tested on %s, '%s' on %s; compare runs of "
                   "one kind of data, or name the known set for all of them with --id SET",
                   c->runs[0].path, c->id, run->path, recipe->data.test);
}

/* Loads every run once before the first is evaluated: errors come at once, and only one network is held at a time. */
static dn_status look(dn_comparison *c, dn_device *device, const dn_comparison_options *options)
{
    for (int i = 0; i < c->n_runs; i++) DN_TRY(split(&c->runs[i], options->runs[i]));
    DN_TRY(name_runs(c));
    for (int i = 0; i < c->n_runs; i++) {
        dn_network *network = NULL;
        DN_TRY(dn_run_load(&network, c->runs[i].path, device));
        dn_status status = i == 0 ? take_sets(c, network->recipe, options) : DN_OK;
        if (status == DN_OK) status = check_run(c, &c->runs[i], network->recipe, options->id != NULL);
        dn_network_close(network);
        DN_TRY(status);
    }
    return DN_OK;
}

/* ---- evaluation ---- */

static void take_means(dn_compared_run *run)
{
    for (int i = 0; i < run->result.n_rows; i++) {
        run->mean_auroc += run->result.rows[i].metrics.auroc / run->result.n_rows;
        run->mean_fpr95 += run->result.rows[i].metrics.fpr95 / run->result.n_rows;
    }
}

static dn_status evaluate_run(const dn_comparison *c, dn_compared_run *run, dn_device *device,
                              const dn_comparison_options *options)
{
    dn_network *network = NULL;
    DN_TRY(dn_run_load(&network, run->path, device));
    dn_expression_list list = {0};
    dn_status status = dn_expression_list_add(&list, run->method);
    const dn_evaluation_options evaluation = {.run = run->path,
                                              .data_dir = options->data_dir,
                                              .id = c->id,
                                              .ood = (const char *const *)c->ood,
                                              .n_ood = c->n_ood,
                                              .list = &list,
                                              .seed = &c->seed,
                                              .keep_scores = options->keep_scores,
                                              .quiet = true};
    if (status == DN_OK) status = dn_evaluate(&run->result, network, &evaluation);
    dn_expression_list_close(&list);
    dn_network_close(network);
    if (status != DN_OK) return dn_fail_context(status, "run '%s'", run->path);
    take_means(run);
    return DN_OK;
}

dn_status dn_compare(dn_comparison *out, dn_device *device, const dn_comparison_options *options)
{
    *out = (dn_comparison){.n_runs = options->n_runs};
    out->runs = dn_calloc((size_t)out->n_runs, sizeof *out->runs);
    dn_status status = out->runs ? look(out, device, options) : DN_ERROR_MEMORY;
    for (int i = 0; i < out->n_runs && status == DN_OK; i++) {
        if (options->progress)
            dn_progress_note(options->progress, "evaluating %s (%d of %d)", out->runs[i].name, i + 1, out->n_runs);
        status = evaluate_run(out, &out->runs[i], device, options);
    }
    if (status != DN_OK) dn_comparison_close(out);
    return status;
}

void dn_comparison_close(dn_comparison *comparison)
{
    for (int i = 0; i < comparison->n_runs && comparison->runs; i++) {
        dn_free(comparison->runs[i].path);
        dn_free(comparison->runs[i].name);
        dn_free(comparison->runs[i].method);
        dn_evaluation_close(&comparison->runs[i].result);
    }
    for (int i = 0; i < comparison->n_ood && comparison->ood; i++) dn_free(comparison->ood[i]);
    dn_free(comparison->runs);
    dn_free(comparison->ood);
    dn_free(comparison->id);
    *comparison = (dn_comparison){0};
}
