#include "apps/train_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/interrupt.h"
#include "apps/memory.h"
#include "apps/progress.h"
#include "apps/run.h"
#include "apps/trainer.h"
#include "core/alloc.h"

/* ---- the recipe ---- */

/* The run's own when resuming, else the one that is asked for. */
static dn_status open_recipe(dn_recipe **out, const dn_train_request *r, const char *checkpoint)
{
    if (r->recipe) return dn_recipe_open(out, r->recipe, r->overrides, r->n_overrides);
    char *text = dn_checkpoint_recipe(checkpoint);
    if (!text) return DN_ERROR_FILE;
    const dn_status status = dn_recipe_parse(out, text, checkpoint, r->overrides, r->n_overrides);
    dn_free(text);
    return status;
}

/* Resuming with another recipe, or with other values in it, would be another training. */
static dn_status check_same_recipe(const dn_train_request *r, const dn_recipe *recipe, const char *checkpoint)
{
    static const char other[] =
        "the recipe is not the one that '%s' was trained by; leave it out to resume with the run's "
        "own";
    static const char changed[] =
        "the overrides or --seed change the recipe that '%s' was trained by: that would be another training; leave "
        "them out to resume, or start one with a recipe and another --out";
    dn_recipe *own = NULL;
    char *stored = dn_checkpoint_recipe(checkpoint);
    dn_status status = stored ? dn_recipe_parse(&own, stored, checkpoint, NULL, 0) : DN_ERROR_FILE;
    char *own_text = own ? dn_recipe_text(own) : NULL, *text = dn_recipe_text(recipe);
    if (status == DN_OK && !(own_text && text)) status = DN_ERROR_MEMORY;
    if (status == DN_OK && strcmp(text, own_text) != 0)
        status =
            r->recipe ? dn_fail(DN_ERROR_ARGUMENT, other, checkpoint) : dn_fail(DN_ERROR_ARGUMENT, changed, checkpoint);
    dn_free(text);
    dn_free(own_text);
    dn_free(stored);
    dn_recipe_close(own);
    return status;
}

static dn_status prepare(dn_recipe **out, dn_train_request *r, const char *checkpoint)
{
    DN_TRY(dn_run_check(r->run));
    const bool exists = dn_run_exists(r->run);
    if (exists && !r->resume && !r->plan_only)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "'%s' holds a run already: --resume goes on with it, --out names another folder", r->run);
    if (!exists && r->resume && r->recipe) {
        if (!r->quiet) fprintf(stderr, "nothing to resume in '%s' yet: training starts\n", r->run);
        r->resume = false;
    }
    DN_TRY(open_recipe(out, r, checkpoint));
    return r->resume ? check_same_recipe(r, *out, checkpoint) : DN_OK;
}

dn_status dn_train_recipe(dn_recipe **out, dn_train_request *request)
{
    *out = NULL;
    char *checkpoint = dn_format("%s/checkpoint.h5", request->run);
    const dn_status status = checkpoint ? prepare(out, request, checkpoint) : DN_ERROR_MEMORY;
    dn_free(checkpoint);
    if (status == DN_OK) return DN_OK;
    dn_recipe_close(*out);
    *out = NULL;
    return status;
}

/* ---- telling the user ---- */

typedef struct listener {
    const dn_train_request *request;
    dn_progress *progress;
    dn_run_made made;
    bool on_host;   /* the device's memory is the host's */
    size_t planned; /* bytes of the host's memory: what the process had before, and the plan if it is the host's */
} listener;

/* Only now is there something to write: a start that fails before leaves no folder behind. */
static dn_status begin(void *context, const dn_network *network)
{
    listener *l = context;
    return l->request->resume ? DN_OK : dn_run_make(&l->made, l->request->run, network->recipe);
}

static void on_plan(void *context, const dn_plan *plan, size_t process_bytes)
{
    listener *l = context;
    /* The resident data sets are there already: they are in the plan and in the process. */
    const size_t rest = process_bytes > plan->external ? process_bytes - plan->external : 0;
    l->planned = l->on_host ? plan->total + rest : process_bytes;
    if (l->request->quiet && !l->request->plan_only) return;
    dn_plan_print(plan, stderr);
    fprintf(stderr, "  %-28s %10.1f MiB\n", l->on_host ? "with program and libraries" : "on the host beside that",
            (double)l->planned / 1048576.0);
    /* Sizes are known only when the data have been read; reading a set of which a part is kept can take more. */
    if (dn_memory_peak() > l->planned)
        fprintf(stderr, "  %-28s %10.1f MiB\n", "reached reading the data", (double)dn_memory_peak() / 1048576.0);
}

static bool stop(void *context)
{
    (void)context;
    return dn_interrupted();
}

static dn_status on_checkpoint(void *context, const dn_network *network, const dn_history *history)
{
    const dn_train_request *r = ((listener *)context)->request;
    return r->on_checkpoint ? r->on_checkpoint(r->context, network, history) : DN_OK;
}

static void on_news(void *context, const dn_training_news *news)
{
    listener *l = context;
    if (!l->progress) {
        const dn_progress_options o = {.label = "train",
                                       .total = news->steps,
                                       .first = news->step,
                                       .images_per_step = news->images_per_step,
                                       .quiet = l->request->quiet};
        if (dn_progress_open(&l->progress, &o) != DN_OK) l->progress = NULL;
        return; /* before the first step: from here the clock runs */
    }
    const dn_progress_values values = {
        .has_loss = true, .has_accuracy = true, .loss = news->loss, .accuracy = news->accuracy};
    dn_progress_update(l->progress, news->step, &values);
}

/* ---- the test set ---- */

/* A test set that cannot be used had better be noticed before the training than after it. */
static dn_status check_test_set(const dn_train_request *r, const dn_network *n)
{
    dn_dataset *set = NULL;
    const dn_dataset_options o = {.data_dir = r->data_dir, .seed = n->recipe->train.seed, .limit = 1};
    DN_TRY(dn_dataset_open(&set, n->recipe->data.test, &o));
    dn_status status = DN_OK;
    if (set->height != n->height || set->width != n->width || set->channels != n->channels)
        status = dn_fail(DN_ERROR_SHAPE,
                         "data.test '%s' has images of %dx%dx%d, data.train '%s' of %dx%dx%d: end both in @%dx%dx%d",
                         set->name, set->height, set->width, set->channels, n->recipe->data.train, n->height, n->width,
                         n->channels, n->height, n->width, n->channels);
    else if (set->classes > n->classes)
        status = dn_fail(DN_ERROR_ARGUMENT, "data.test '%s' has %d classes, data.train '%s' only %d", set->name,
                         set->classes, n->recipe->data.train, n->classes);
    dn_dataset_close(set);
    return status;
}

dn_status dn_train_measure(dn_accuracy_report *out, const dn_network *network, const char *run, const char *data_dir,
                           const char *set)
{
    dn_output_files files = {0};
    dn_outputs *outputs = NULL;
    const dn_output_request request = {.set = set, .seed = network->recipe->train.seed};
    DN_TRY(dn_output_files_open(&files, network, run, data_dir, false, true));
    dn_status status = dn_outputs_open(&outputs, &files, &request);
    if (status == DN_ERROR_INTERRUPTED)
        status = dn_fail(status, "stopped while testing; the run is trained, `dunlin evaluate %s` tests it", run);
    if (status == DN_OK) status = dn_outputs_accuracy(out, outputs);
    dn_outputs_close(outputs);
    dn_output_files_close(&files);
    return status;
}

static dn_status test(dn_train_result *out, const dn_train_request *r)
{
    dn_dataset *set = NULL;
    const dn_recipe *recipe = out->network->recipe;
    const dn_dataset_options o = {.data_dir = r->data_dir, .seed = recipe->train.seed, .stream = true};
    DN_TRY(dn_dataset_open(&set, recipe->data.test, &o));
    out->knows = dn_network_knows(out->network, set);
    if (out->knows && !r->quiet)
        fprintf(stderr, "testing on the %lld images of %s\n", (long long)set->n, recipe->data.test);
    dn_dataset_close(set);
    return out->knows ? dn_train_measure(&out->report, out->network, r->run, r->data_dir, recipe->data.test) : DN_OK;
}

/* ---- the work ---- */

static dn_status open_training_set(dn_dataset **out, const dn_train_request *r, const dn_recipe *recipe)
{
    const dn_dataset_options o = {
        .data_dir = r->data_dir, .seed = recipe->train.seed, .limit = recipe->train.limit, .stream = true};
    return dn_dataset_open(out, recipe->data.train, &o);
}

/* Takes the network over: it is the result's, unless there was only a plan. */
static dn_status train(dn_train_result *out, dn_network *network, dn_dataset *set, const dn_train_request *r)
{
    listener l = {.request = r, .on_host = out->on_host};
    char *checkpoint = dn_format("%s/checkpoint.h5", r->run);
    const dn_training_options o = {.checkpoint = checkpoint,
                                   .data_dir = r->data_dir,
                                   .resume = r->resume,
                                   .plan_only = r->plan_only,
                                   .begin = begin,
                                   .on_plan = on_plan,
                                   .on_news = on_news,
                                   .on_checkpoint = on_checkpoint,
                                   .stop = stop,
                                   .context = &l};
    dn_status status = checkpoint ? check_test_set(r, network) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_train(network, set, &o, &out->history);
    dn_progress_close(l.progress);
    if (status != DN_OK && !dn_run_exists(r->run)) dn_run_unmake(&l.made, r->run);
    out->planned = l.planned;
    dn_free(checkpoint);
    if (r->plan_only || status != DN_OK)
        dn_network_close(network);
    else
        out->network = network;
    return status;
}

dn_status dn_train_run(dn_train_result *out, dn_recipe *recipe, dn_device *device, const dn_train_request *request)
{
    *out = (dn_train_result){.on_host = dn_device_is_host(device), .report.ensemble = NAN};
    dn_dataset *set = NULL;
    dn_network *network = NULL;
    dn_status status = open_training_set(&set, request, recipe);
    if (status == DN_OK)
        status = dn_network_new(&network, recipe, device, set);
    else
        dn_recipe_close(recipe);
    if (status == DN_OK) status = train(out, network, set, request);
    dn_dataset_close(set);
    return status == DN_OK && out->network ? test(out, request) : status;
}

void dn_train_result_close(dn_train_result *result)
{
    dn_free(result->report.member);
    dn_history_close(&result->history);
    dn_network_close(result->network);
    *result = (dn_train_result){0};
}
