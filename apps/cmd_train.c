/* dunlin train: an ensemble by a recipe, into a run folder. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/interrupt.h"
#include "apps/json.h"
#include "apps/memory.h"
#include "apps/outputs.h"
#include "apps/progress.h"
#include "apps/run.h"
#include "apps/trainer.h"
#include "core/alloc.h"

enum { KEY_OUT = 0x2000, KEY_DEVICE, KEY_THREADS, KEY_RESUME, KEY_PLAN, KEY_LIST, MOST = 64 };

typedef struct arguments {
    const char *recipe, *out, *device, *data_dir, *json;
    const char *overrides[MOST];
    int n_overrides;
    char *seed; /* "train.seed=N", the option --seed as an override */
    int threads;
    bool resume, plan_only, list, quiet;
} arguments;

static const struct argp_option options[] = {
    {"out", KEY_OUT, "RUN", 0,
     "The run's folder (default: runs/ and the recipe's name, for a file without its folder and .yaml)", 0},
    {"resume", KEY_RESUME, NULL, 0,
     "Go on from the run's checkpoint; with the same number of threads the result is the same as without the break", 0},
    {"device", KEY_DEVICE, "D", 0, "See `dunlin devices` (default cpu)", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    {"plan", KEY_PLAN, NULL, 0, "Print the memory plan and stop", 0},
    {"list", KEY_LIST, NULL, 0, "List the recipes that come with dunlin", 0},
    DN_OPTION_SEED,
    DN_OPTION_DATA,
    DN_OPTION_JSON,
    DN_OPTION_QUIET,
    {0}};

/* ---- options ---- */

static dn_status take_seed(arguments *a, const char *arg)
{
    uint64_t seed = 0;
    DN_TRY(dn_cli_parse_u64("--seed", arg, &seed));
    dn_free(a->seed);
    a->seed = dn_format("train.seed=%llu", (unsigned long long)seed);
    return a->seed ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status take_argument(arguments *a, const char *arg)
{
    if (!strchr(arg, '=') && !a->recipe) {
        a->recipe = arg;
        return DN_OK;
    }
    if (!strchr(arg, '='))
        return dn_fail(DN_ERROR_ARGUMENT, "'%s': the recipe is '%s' already, an override is key=value", arg, a->recipe);
    if (a->n_overrides == MOST - 1) return dn_fail(DN_ERROR_ARGUMENT, "at most %d overrides", MOST - 1);
    a->overrides[a->n_overrides++] = arg;
    return DN_OK;
}

static dn_status take(arguments *a, int key, const char *arg)
{
    int64_t threads = 0;
    switch (key) {
    case ARGP_KEY_ARG: return take_argument(a, arg);
    case KEY_OUT: a->out = arg; return dn_run_check(arg);
    case KEY_RESUME: a->resume = true; return DN_OK;
    case KEY_DEVICE: a->device = arg; return DN_OK;
    case KEY_THREADS:
        DN_TRY(dn_cli_parse_int("--threads", arg, 1, 1024, &threads));
        a->threads = (int)threads;
        return DN_OK;
    case KEY_PLAN: a->plan_only = true; return DN_OK;
    case KEY_LIST: a->list = true; return DN_OK;
    case DN_KEY_SEED: return take_seed(a, arg);
    case DN_KEY_DATA: a->data_dir = arg; return DN_OK;
    case DN_KEY_JSON: a->json = arg; return DN_OK;
    default: a->quiet = true; return DN_OK; /* 'q' */
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    const bool known = key == ARGP_KEY_ARG || key == 'q' || (key >= DN_KEY_JSON && key <= DN_KEY_LIMIT) ||
                       (key >= KEY_OUT && key <= KEY_LIST);
    if (key == ARGP_KEY_END && !a->recipe && !a->list && !(a->resume && a->out))
        argp_error(state, "which recipe? `dunlin train --list` shows those that come with dunlin");
    if (!known) return ARGP_ERR_UNKNOWN;
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RECIPE [KEY=VALUE ...]",
    .doc =
        "Trains the ensemble that a recipe describes: one that comes with dunlin, by name, or a YAML file. Overrides "
        "change single keys.\v"
        "Example: dunlin train glyphs-mi train.epochs=2 ensemble.members=3 --out runs/mi\n"
        "Ctrl-C writes a checkpoint; --resume goes on from it.",
};

/* ---- telling the user ---- */

typedef struct listener {
    const arguments *arguments;
    const char *run;
    dn_progress *progress;
    dn_run_made made;
    bool on_host;   /* the device's memory is the host's */
    size_t planned; /* bytes of the host's memory: what the process had before, and the plan if it is the host's */
} listener;

/* Only now is there something to write: a start that fails before leaves no folder behind. */
static dn_status begin(void *context, const dn_network *network)
{
    listener *l = context;
    return l->arguments->resume ? DN_OK : dn_run_make(&l->made, l->run, network->recipe);
}

static void on_plan(void *context, const dn_plan *plan, size_t process_bytes)
{
    listener *l = context;
    /* The resident data sets are there already: they are in the plan and in the process. */
    const size_t rest = process_bytes > plan->external ? process_bytes - plan->external : 0;
    l->planned = l->on_host ? plan->total + rest : process_bytes;
    if (l->arguments->quiet && !l->arguments->plan_only) return;
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

static void on_news(void *context, const dn_training_news *news)
{
    listener *l = context;
    if (!l->progress) {
        const dn_progress_options o = {.label = "train",
                                       .total = news->steps,
                                       .first = news->step,
                                       .images_per_step = news->images_per_step,
                                       .quiet = l->arguments->quiet};
        if (dn_progress_open(&l->progress, &o) != DN_OK) l->progress = NULL;
        return; /* before the first step: from here the clock runs */
    }
    const dn_progress_values values = {
        .has_loss = true, .has_accuracy = true, .loss = news->loss, .accuracy = news->accuracy};
    dn_progress_update(l->progress, news->step, &values);
}

static void print_list(void)
{
    const char *const *names = NULL, *const *descriptions = NULL;
    const int count = dn_recipe_list(&names, &descriptions);
    for (int i = 0; i < count; i++) printf("%-28s %s\n", names[i], descriptions[i]);
}

static void print_accuracy(const dn_network *n, const dn_accuracy_report *report)
{
    printf("test accuracy (%s): %.2f %%", n->recipe->data.test, 100.0 * report->ensemble);
    if (n->members > 1) printf("; members");
    for (int e = 0; e < n->members && n->members > 1; e++) printf(" %.2f", 100.0 * report->member[e]);
    printf("\n");
}

static dn_status write_json(const arguments *a, const char *run, const dn_network *n, const dn_history *h,
                            const dn_accuracy_report *report, size_t planned)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "run", run);
    cJSON_AddStringToObject(tree, "recipe", n->recipe->name);
    cJSON_AddNumberToObject(tree, "steps", (double)h->steps);
    const int64_t last = (h->steps - 1) * h->members;
    cJSON *losses = cJSON_AddArrayToObject(tree, "last_loss");
    for (int e = 0; e < h->members; e++) cJSON_AddItemToArray(losses, cJSON_CreateNumber(h->loss[last + e]));
    cJSON_AddNumberToObject(tree, "accuracy", report->ensemble);
    cJSON *members = cJSON_AddArrayToObject(tree, "member_accuracy");
    for (int e = 0; e < n->members && report->member; e++)
        cJSON_AddItemToArray(members, cJSON_CreateNumber(report->member[e]));
    cJSON_AddNumberToObject(tree, "planned_bytes", (double)planned);
    cJSON_AddNumberToObject(tree, "peak_bytes", (double)dn_memory_peak());
    const dn_status status = dn_json_write(tree, a->json);
    cJSON_Delete(tree);
    return status;
}

/* ---- the work ---- */

/* The recipe of this training: the run's own when resuming, else the one that is asked for. */
static dn_status open_recipe(dn_recipe **out, const arguments *a, const char *checkpoint)
{
    if (a->resume && !a->recipe) {
        char *text = dn_checkpoint_recipe(checkpoint);
        if (!text) return DN_ERROR_FILE;
        const dn_status status = dn_recipe_parse(out, text, checkpoint, a->overrides, a->n_overrides);
        dn_free(text);
        return status;
    }
    return dn_recipe_open(out, a->recipe, a->overrides, a->n_overrides);
}

/* Resuming with another recipe, or with other values in it, would be another training. */
static dn_status check_same_recipe(const arguments *a, const dn_recipe *recipe, const char *checkpoint)
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
            a->recipe ? dn_fail(DN_ERROR_ARGUMENT, other, checkpoint) : dn_fail(DN_ERROR_ARGUMENT, changed, checkpoint);
    dn_free(text);
    dn_free(own_text);
    dn_free(stored);
    dn_recipe_close(own);
    return status;
}

static dn_status open_training_set(dn_dataset **out, const arguments *a, const dn_recipe *r)
{
    const dn_dataset_options o = {.data_dir = a->data_dir, .seed = r->train.seed, .limit = r->train.limit};
    return dn_dataset_open(out, r->data.train, &o);
}

/* A test set that cannot be used had better be noticed before the training than after it. */
static dn_status check_test_set(const arguments *a, const dn_network *n)
{
    dn_dataset *set = NULL;
    const dn_dataset_options o = {.data_dir = a->data_dir, .seed = n->recipe->train.seed, .limit = 1};
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

/* What the network says of the test set stays in the run's folder, for `dunlin evaluate`. */
static dn_status measure(dn_accuracy_report *report, const arguments *a, const char *run, const dn_network *n)
{
    dn_output_files files = {0};
    dn_outputs *outputs = NULL;
    const dn_output_request request = {.set = n->recipe->data.test, .seed = n->recipe->train.seed};
    DN_TRY(dn_output_files_open(&files, n, run, a->data_dir, false, true));
    dn_status status = dn_outputs_open(&outputs, &files, &request);
    if (status == DN_ERROR_INTERRUPTED)
        status = dn_fail(status, "stopped while testing; the run is trained, `dunlin evaluate %s` tests it", run);
    if (status == DN_OK) status = dn_outputs_accuracy(report, outputs);
    dn_outputs_close(outputs);
    dn_output_files_close(&files);
    return status;
}

static dn_status test(const arguments *a, const char *run, const dn_network *n, const dn_history *h, size_t planned)
{
    dn_dataset *set = NULL;
    dn_accuracy_report report = {.ensemble = NAN};
    const dn_dataset_options o = {.data_dir = a->data_dir, .seed = n->recipe->train.seed};
    DN_TRY(dn_dataset_open(&set, n->recipe->data.test, &o));
    const bool knows = dn_network_knows(n, set);
    if (knows && !a->quiet)
        fprintf(stderr, "testing on the %lld images of %s\n", (long long)set->n, n->recipe->data.test);
    dn_dataset_close(set);
    dn_status status = knows ? measure(&report, a, run, n) : DN_OK;
    if (status == DN_OK && knows && !(a->json && strcmp(a->json, "-") == 0)) print_accuracy(n, &report);
    if (status == DN_OK && a->json) status = write_json(a, run, n, h, &report, planned);
    dn_free(report.member);
    return status;
}

/* Trains and tests; takes the recipe over. */
static dn_status train_network(const arguments *a, const char *run, const char *checkpoint, dn_recipe *recipe,
                               dn_device *device)
{
    dn_dataset *set = NULL;
    dn_network *network = NULL;
    dn_history history = {0};
    listener l = {.arguments = a, .run = run, .on_host = dn_device_is_host(device)};
    dn_status status = open_training_set(&set, a, recipe);
    if (status == DN_OK)
        status = dn_network_new(&network, recipe, device, set);
    else
        dn_recipe_close(recipe);
    if (status == DN_OK) status = check_test_set(a, network);
    const dn_training_options o = {.checkpoint = checkpoint,
                                   .data_dir = a->data_dir,
                                   .resume = a->resume,
                                   .plan_only = a->plan_only,
                                   .begin = begin,
                                   .on_plan = on_plan,
                                   .on_news = on_news,
                                   .stop = stop,
                                   .context = &l};
    if (status == DN_OK) status = dn_train(network, set, &o, &history);
    dn_progress_close(l.progress);
    if (status != DN_OK && !dn_run_exists(run)) dn_run_unmake(&l.made, run);
    if (status == DN_OK && !a->plan_only) status = test(a, run, network, &history, l.planned);
    if (status == DN_OK && !a->plan_only && !a->quiet)
        fprintf(stderr, "peak memory%s %.1f MiB, planned %.1f MiB; the run is in %s\n", l.on_host ? "" : " of the host",
                (double)dn_memory_peak() / 1048576.0, (double)l.planned / 1048576.0, run);
    dn_history_close(&history);
    dn_network_close(network);
    dn_dataset_close(set);
    return status;
}

static dn_status prepare_run(arguments *a, const char *run, const char *checkpoint, dn_recipe **recipe)
{
    DN_TRY(dn_run_check(run));
    const bool exists = dn_run_exists(run);
    if (exists && !a->resume && !a->plan_only)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "'%s' holds a run already: --resume goes on with it, --out names another folder", run);
    if (!exists && a->resume && a->recipe) {
        fprintf(stderr, "nothing to resume in '%s' yet: training starts\n", run);
        a->resume = false;
    }
    DN_TRY(open_recipe(recipe, a, checkpoint));
    return a->resume ? check_same_recipe(a, *recipe, checkpoint) : DN_OK;
}

/* runs/NAME in the working directory, wherever the recipe's file is. */
static char *default_run(const char *recipe)
{
    const char *slash = strrchr(recipe, '/'), *name = slash ? slash + 1 : recipe;
    size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, ".yaml") == 0) length -= 5;
    return dn_format("runs/%.*s", (int)length, name);
}

static dn_status train(arguments *a)
{
    if (a->seed) a->overrides[a->n_overrides++] = a->seed;
    char *run = a->out ? dn_strdup(a->out) : default_run(a->recipe);
    char *checkpoint = run ? dn_format("%s/checkpoint.h5", run) : NULL;
    dn_recipe *recipe = NULL;
    dn_device *device = NULL;
    dn_status status = checkpoint ? prepare_run(a, run, checkpoint, &recipe) : DN_ERROR_MEMORY;
    const dn_device_options o = {.threads = a->threads};
    if (status == DN_OK) status = dn_device_open(&device, a->device ? a->device : "cpu", &o);
    if (status == DN_OK)
        status = train_network(a, run, checkpoint, recipe, device);
    else
        dn_recipe_close(recipe);
    dn_device_close(device);
    dn_free(checkpoint);
    dn_free(run);
    return status;
}

int dn_cmd_train(int argc, char **argv)
{
    arguments a = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    if (a.list) {
        print_list();
        return DN_EXIT_DONE;
    }
    dn_interrupt_install();
    const dn_status status = train(&a);
    dn_free(a.seed);
    return dn_cli_fail(status);
}
