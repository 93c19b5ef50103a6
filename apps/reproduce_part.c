/* Training the parts of an experiment: each is a run folder that is trained once, whatever breaks it off. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/json.h"
#include "apps/reproduce.h"
#include "apps/run.h"
#include "apps/train_run.h"
#include "core/alloc.h"

/* ---- what is known of a network, beside its checkpoint ---- */

static dn_status save_record(const dn_part *part, const char *path)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddNumberToObject(tree, "step", (double)part->step);
    cJSON_AddNumberToObject(tree, "accuracy", part->accuracy);
    cJSON_AddNumberToObject(tree, "train_loss", part->loss);
    cJSON_AddNumberToObject(tree, "train_accuracy", part->train_accuracy);
    const dn_status status = dn_json_write(tree, path);
    cJSON_Delete(tree);
    return status;
}

/* @return NaN for a null, which is how JSON has one */
static dn_status get_number(double *out, const cJSON *tree, const char *name, const char *path)
{
    const cJSON *item = cJSON_GetObjectItem(tree, name);
    *out = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (cJSON_IsNumber(item) || cJSON_IsNull(item)) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "%s: there is no number '%s'; delete the file to have it made anew", path, name);
}

static dn_status load_record(dn_part *part, const char *path)
{
    cJSON *tree = NULL;
    double step = 0.0;
    DN_TRY(dn_json_read(&tree, path));
    dn_status status = get_number(&step, tree, "step", path);
    if (status == DN_OK) status = get_number(&part->accuracy, tree, "accuracy", path);
    if (status == DN_OK) status = get_number(&part->loss, tree, "train_loss", path);
    if (status == DN_OK) status = get_number(&part->train_accuracy, tree, "train_accuracy", path);
    part->step = step >= 0.0 && step < 0x1p53 ? (int64_t)step : 0;
    cJSON_Delete(tree);
    return status;
}

/* ---- the best checkpoint ---- */

typedef struct keeper {
    const dn_part_request *request;
    const dn_reproduction *reproduction;
    const char *run;
    char *best;        /* RUN/best */
    char *record;      /* RUN/best/part.json */
    int64_t looked_at; /* the last step that was measured by this process */
} keeper;

static dn_status keep(const keeper *k, const dn_network *network, const dn_history *history, double accuracy)
{
    const dn_part now = {.step = history->steps, .accuracy = accuracy, .loss = NAN, .train_accuracy = NAN};
    dn_run_made made;
    DN_TRY(dn_run_make(&made, k->best, network->recipe));
    char *checkpoint = dn_format("%s/checkpoint.h5", k->best);
    const dn_status status = checkpoint ? dn_checkpoint_save(checkpoint, network, history) : DN_ERROR_MEMORY;
    dn_free(checkpoint);
    return status == DN_OK ? save_record(&now, k->record) : status;
}

/* A crash between checkpoint and record does no harm: the same checkpoint is then measured again. */
static dn_status look(const keeper *k, const dn_network *network, const dn_history *history)
{
    dn_part before = {.accuracy = -1.0};
    dn_accuracy_report report = {.ensemble = NAN};
    if (access(k->record, F_OK) == 0) DN_TRY(load_record(&before, k->record));
    if (before.step >= history->steps) return DN_OK;
    const dn_status status =
        dn_train_measure(&report, network, k->run, k->reproduction->options->data_dir, network->recipe->data.test);
    dn_free(report.member);
    DN_TRY(status);
    const int64_t step = history->steps;
    dn_reproduce_note(k->reproduction, "step %lld: test accuracy %.4f", (long long)step, report.ensemble);
    return report.ensemble > before.accuracy ? keep(k, network, history, report.ensemble) : DN_OK;
}

static dn_status on_checkpoint(void *context, const dn_network *network, const dn_history *history)
{
    keeper *k = context;
    if (k->request->keep_best && history->steps > k->looked_at) {
        DN_TRY(look(k, network, history));
        k->looked_at = history->steps;
    }
    return k->request->on_checkpoint ? k->request->on_checkpoint(k->request->context, network, history) : DN_OK;
}

/* ---- training ---- */

static double last_mean(const float *values, const dn_history *h, int64_t steps)
{
    double sum = 0.0;
    const int64_t count = (steps < h->steps ? steps : h->steps) * h->members;
    for (int64_t i = 0; i < count; i++) sum += (double)values[h->steps * h->members - 1 - i];
    return count > 0 ? sum / (double)count : NAN;
}

static void take_history(dn_part *out, const dn_train_result *result)
{
    const dn_recipe_train *train = &result->network->recipe->train;
    const dn_history *h = &result->history;
    const double epochs = train->steps > 0 || train->epochs < 1.0 ? 1.0 : train->epochs;
    const int64_t steps = (int64_t)ceil((double)h->steps / epochs);
    out->loss = last_mean(h->loss, h, steps);
    out->train_accuracy = last_mean(h->accuracy, h, steps);
    out->accuracy = result->report.ensemble;
    out->step = h->steps;
}

static dn_status train(dn_part *out, keeper *k, dn_recipe *recipe, dn_train_request *request)
{
    dn_train_result result = {0};
    request->on_checkpoint = on_checkpoint;
    request->context = k;
    dn_status status = dn_train_run(&result, recipe, k->reproduction->device, request);
    if (status == DN_OK) take_history(out, &result);
    dn_train_result_close(&result);
    return status;
}

/* The best network's record says how good it is; how training went, the whole run's. */
static dn_status take_best(dn_part *out, const keeper *k)
{
    dn_part best = {0};
    DN_TRY(load_record(&best, k->record));
    out->accuracy = best.accuracy;
    out->step = best.step;
    return DN_OK;
}

static dn_status open_recipe(dn_recipe **out, dn_train_request *request)
{
    const dn_status status = dn_train_recipe(out, request);
    if (status != DN_ERROR_ARGUMENT || !dn_run_exists(request->run)) return status;
    return dn_fail(status, "'%s' was trained with other settings: delete it, or name another folder with --out",
                   request->run);
}

static dn_status train_or_take(dn_part *out, keeper *k, dn_train_request *request, const char *done)
{
    dn_recipe *recipe = NULL;
    DN_TRY(open_recipe(&recipe, request));
    if (access(done, F_OK) == 0) {
        dn_recipe_close(recipe);
        return load_record(out, done);
    }
    dn_reproduce_note(k->reproduction, "%s: %s", k->run, request->resume ? "training goes on" : "training");
    DN_TRY(train(out, k, recipe, request));
    if (k->request->keep_best) DN_TRY(take_best(out, k));
    return save_record(out, done);
}

enum { MOST_OVERRIDES = 64 };

static dn_status start(dn_part *out, keeper *k, const char *done)
{
    const dn_part_request *p = k->request;
    const char *overrides[MOST_OVERRIDES + 1];
    if (p->n_overrides > MOST_OVERRIDES)
        return dn_fail(DN_ERROR_INTERNAL, "%s: more than %d overrides", p->name, MOST_OVERRIDES);
    char *seed = dn_format("train.seed=%llu", (unsigned long long)k->reproduction->seed);
    overrides[0] = seed; /* first: one among the others wins */
    for (int i = 0; i < p->n_overrides; i++) overrides[i + 1] = p->overrides[i];
    dn_train_request request = {.run = k->run,
                                .recipe = p->recipe,
                                .overrides = overrides,
                                .n_overrides = p->n_overrides + 1,
                                .data_dir = k->reproduction->options->data_dir,
                                .resume = dn_run_exists(k->run),
                                .quiet = k->reproduction->options->quiet};
    const dn_status status = seed ? train_or_take(out, k, &request, done) : DN_ERROR_MEMORY;
    dn_free(seed);
    return status;
}

dn_status dn_reproduce_train(dn_part *out, const dn_reproduction *r, const dn_part_request *request)
{
    *out = (dn_part){0};
    char *run = dn_format("%s/%s", r->folder, request->name);
    keeper k = {.request = request,
                .reproduction = r,
                .run = run,
                .best = dn_format("%s/%s/best", r->folder, request->name),
                .record = dn_format("%s/%s/best/part.json", r->folder, request->name)};
    char *done = dn_format("%s/%s/part.json", r->folder, request->name);
    dn_status status = run && k.best && k.record && done ? start(out, &k, done) : DN_ERROR_MEMORY;
    if (status == DN_OK && !(out->run = dn_strdup(request->keep_best ? k.best : run))) status = DN_ERROR_MEMORY;
    dn_free(done);
    dn_free(k.record);
    dn_free(k.best);
    dn_free(run);
    return status;
}

void dn_part_close(dn_part *part)
{
    dn_free(part->run);
    *part = (dn_part){0};
}
