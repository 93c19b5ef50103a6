/* dunlin reproduce: published experiments, from the data to a table beside the published figures. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/command_line.h"
#include "apps/commands.h"
#include "apps/experiments.h"
#include "apps/interrupt.h"
#include "apps/run.h"
#include "apps/text_file.h"
#include "core/alloc.h"

enum { KEY_OUT = 0x2000, KEY_DEVICE, KEY_THREADS, KEY_QUICK, KEY_SEEDS, KEY_PART, KEY_WEIGHTS, KEY_LIST };

#define ADDRESS_OF(name) &dn_experiment_##name,
static const dn_experiment *const experiments[] = {DN_EXPERIMENTS(ADDRESS_OF) NULL};
enum { N_EXPERIMENTS = sizeof experiments / sizeof *experiments - 1 };

const dn_experiment *const *dn_experiments(void)
{
    return experiments;
}

typedef struct arguments {
    dn_reproduce_options options;
    const char *name, *device;
    int threads;
    bool list;
} arguments;

static const struct argp_option options[] = {
    {"quick", KEY_QUICK, NULL, 0, "A small version of the same steps, minutes on 2 cores; says what it reduces", 0},
    {"seeds", KEY_SEEDS, "N", 0, "Run with seeds 0 to N-1: mean and standard deviation (default 1)", 0},
    {"out", KEY_OUT, "DIR", 0, "Folder of runs and results (default: runs/reproduce/NAME, with --quick NAME-quick)", 0},
    {"part", KEY_PART, "PART", 0, "Only this part of the experiment, see --list; the results then hold no other", 0},
    {"weights", KEY_WEIGHTS, "FILE", 0, "A trained network instead of one trained here, where --list says so", 0},
    {"device", KEY_DEVICE, "D", 0, "See `dunlin devices` (default cpu)", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    {"list", KEY_LIST, NULL, 0, "List the experiments", 0},
    DN_OPTION_DATA,
    DN_OPTION_JSON,
    DN_OPTION_QUIET,
    {0}};

/* ---- options ---- */

static dn_status take_name(arguments *a, const char *arg)
{
    if (a->name) return dn_fail(DN_ERROR_ARGUMENT, "'%s': one experiment at a time, '%s' is asked for", arg, a->name);
    a->name = arg;
    return DN_OK;
}

static dn_status take_count(const char *what, const char *arg, int *count)
{
    int64_t number = 0;
    DN_TRY(dn_cli_parse_int(what, arg, 1, 1024, &number));
    *count = (int)number;
    return DN_OK;
}

static dn_status take(arguments *a, int key, const char *arg)
{
    dn_reproduce_options *o = &a->options;
    switch (key) {
    case ARGP_KEY_ARG: return take_name(a, arg);
    case KEY_OUT: o->out = arg; return dn_run_check(arg);
    case KEY_DEVICE: a->device = arg; return DN_OK;
    case KEY_THREADS: return take_count("--threads", arg, &a->threads);
    case KEY_SEEDS: return take_count("--seeds", arg, &o->seeds);
    case KEY_QUICK: o->quick = true; return DN_OK;
    case KEY_PART: o->part = arg; return DN_OK;
    case KEY_WEIGHTS: o->weights = arg; return DN_OK;
    case KEY_LIST: a->list = true; return DN_OK;
    case DN_KEY_DATA: o->data_dir = arg; return DN_OK;
    case DN_KEY_JSON: o->json = arg; return DN_OK;
    default: o->quiet = true; return DN_OK; /* 'q' */
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    const bool known = key == ARGP_KEY_ARG || key == 'q' || key == DN_KEY_DATA || key == DN_KEY_JSON ||
                       (key >= KEY_OUT && key <= KEY_LIST);
    if (key == ARGP_KEY_END && !a->name && !a->list)
        argp_error(state, "which experiment? `dunlin reproduce --list` shows them");
    if (!known) return ARGP_ERR_UNKNOWN;
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "NAME",
    .doc =
        "Runs a published experiment again: trains, scores, and shows the figures beside the published ones. What is "
        "done stays in the folder: after Ctrl-C the same command goes on. Results and report are those of the parts "
        "and seeds asked for; asked for more of them, the command takes those that are trained already as they are.\v"
        "Example: dunlin reproduce gen --part mnist --seeds 5",
};

/* ---- the work ---- */

static void print_list(void)
{
    for (int i = 0; i < N_EXPERIMENTS; i++) {
        const dn_experiment *e = experiments[i];
        printf("%-18s %s\n%18s source: %s\n%18s %s\n", e->name, e->about, "", e->source, "", e->address);
        if (e->n_parts > 0) printf("%18s parts:", "");
        for (int p = 0; p < e->n_parts; p++) printf(" %s%s", e->part[p].name, p + 1 < e->n_parts ? "," : "\n");
        if (e->weights) printf("%18s takes --weights\n", "");
        printf("%18s --quick: %s\n", "", e->reduced);
    }
}

static dn_status find(const dn_experiment **out, const char *name)
{
    const char *names[N_EXPERIMENTS];
    size_t index = 0;
    for (int i = 0; i < N_EXPERIMENTS; i++) names[i] = experiments[i]->name;
    DN_TRY(dn_cli_choose("experiment", name, names, N_EXPERIMENTS, &index));
    *out = experiments[index];
    return DN_OK;
}

static dn_status reproduce(const arguments *a)
{
    const dn_experiment *experiment = NULL;
    dn_device *device = NULL;
    DN_TRY(find(&experiment, a->name));
    if (a->options.json) DN_TRY(dn_text_check_outputs(a->options.json, NULL));
    DN_TRY(dn_cli_open_device(&device, a->device, a->threads));
    const dn_status status = dn_reproduce(experiment, device, &a->options);
    dn_device_close(device);
    return status;
}

int dn_cmd_reproduce(int argc, char **argv)
{
    arguments a = {.options = {.seeds = 1}};
    char *command = dn_command_line(argc, argv);
    if (!command) return dn_cli_fail(DN_ERROR_MEMORY);
    a.options.command = command;
    dn_status status = DN_OK;
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    if (a.list) {
        print_list();
    } else {
        dn_interrupt_install();
        status = reproduce(&a);
    }
    dn_free(command);
    return dn_cli_fail(status);
}
