/* dunlin train: an ensemble by a recipe, into a run folder. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/interrupt.h"
#include "apps/json.h"
#include "apps/memory.h"
#include "apps/run.h"
#include "apps/train_run.h"
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

static void print_list(void)
{
    const char *const *names = NULL, *const *descriptions = NULL;
    const int count = dn_recipe_list(&names, &descriptions);
    for (int i = 0; i < count; i++) printf("%-28s %s\n", names[i], descriptions[i]);
}

static void print_accuracy(const dn_train_result *r)
{
    const dn_network *n = r->network;
    printf("test accuracy (%s): %.2f %%", n->recipe->data.test, 100.0 * r->report.ensemble);
    if (n->members > 1) printf("; members");
    for (int e = 0; e < n->members && n->members > 1; e++) printf(" %.2f", 100.0 * r->report.member[e]);
    printf("\n");
}

static dn_status write_json(const arguments *a, const char *run, const dn_train_result *r)
{
    const dn_history *h = &r->history;
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "run", run);
    cJSON_AddStringToObject(tree, "recipe", r->network->recipe->name);
    cJSON_AddNumberToObject(tree, "steps", (double)h->steps);
    const int64_t last = (h->steps - 1) * h->members;
    cJSON *losses = cJSON_AddArrayToObject(tree, "last_loss");
    for (int e = 0; e < h->members; e++) cJSON_AddItemToArray(losses, cJSON_CreateNumber(h->loss[last + e]));
    cJSON_AddNumberToObject(tree, "accuracy", r->report.ensemble);
    cJSON *members = cJSON_AddArrayToObject(tree, "member_accuracy");
    for (int e = 0; e < r->network->members && r->report.member; e++)
        cJSON_AddItemToArray(members, cJSON_CreateNumber(r->report.member[e]));
    cJSON_AddNumberToObject(tree, "planned_bytes", (double)r->planned);
    cJSON_AddNumberToObject(tree, "peak_bytes", (double)dn_memory_peak());
    const dn_status status = dn_json_write(tree, a->json);
    cJSON_Delete(tree);
    return status;
}

static dn_status show(const arguments *a, const char *run, const dn_train_result *r)
{
    if (r->knows && !(a->json && strcmp(a->json, "-") == 0)) print_accuracy(r);
    if (a->json) DN_TRY(write_json(a, run, r));
    if (!a->quiet)
        fprintf(stderr, "peak memory%s %.1f MiB, planned %.1f MiB; the run is in %s\n",
                r->on_host ? "" : " of the host", (double)dn_memory_peak() / 1048576.0, (double)r->planned / 1048576.0,
                run);
    return DN_OK;
}

/* ---- the work ---- */

/* runs/NAME in the working directory, wherever the recipe's file is. */
static char *default_run(const char *recipe)
{
    const char *slash = strrchr(recipe, '/'), *name = slash ? slash + 1 : recipe;
    size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, ".yaml") == 0) length -= 5;
    return dn_format("runs/%.*s", (int)length, name);
}

static dn_status train_in(const arguments *a, const char *run)
{
    dn_train_request request = {.run = run,
                                .recipe = a->recipe,
                                .overrides = a->overrides,
                                .n_overrides = a->n_overrides,
                                .data_dir = a->data_dir,
                                .resume = a->resume,
                                .plan_only = a->plan_only,
                                .quiet = a->quiet};
    dn_recipe *recipe = NULL;
    dn_device *device = NULL;
    dn_train_result result = {0};
    DN_TRY(dn_train_recipe(&recipe, &request));
    dn_status status = dn_cli_open_device(&device, a->device, a->threads);
    if (status == DN_OK)
        status = dn_train_run(&result, recipe, device, &request);
    else
        dn_recipe_close(recipe);
    if (status == DN_OK && result.network) status = show(a, run, &result);
    dn_train_result_close(&result);
    dn_device_close(device);
    return status;
}

static dn_status train(arguments *a)
{
    if (a->seed) a->overrides[a->n_overrides++] = a->seed;
    char *run = a->out ? dn_strdup(a->out) : default_run(a->recipe);
    const dn_status status = run ? train_in(a, run) : DN_ERROR_MEMORY;
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
