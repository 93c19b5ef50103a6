/* dunlin report: all that runs have shown, as one HTML page. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/command_line.h"
#include "apps/commands.h"
#include "apps/interrupt.h"
#include "apps/report.h"
#include "core/alloc.h"

enum { KEY_ID = 0x2000, KEY_OOD, KEY_METHODS, KEY_TITLE, KEY_DEVICE, KEY_THREADS, MOST_RUNS = 32, MOST_SETS = 64 };

typedef struct arguments {
    const char *runs[MOST_RUNS], *ood[MOST_SETS];
    dn_report_options report;
    dn_expression_list list;
    const char *output, *device;
    int threads;
} arguments;

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "The page (default report.html)", 0},
    {"title", KEY_TITLE, "TEXT", 0, "The page's title (default: the runs' names)", 0},
    {"id", KEY_ID, "SET", 0, "Known data (default: each recipe's test set)", 0},
    {"ood", KEY_OOD, "SET", 0, "Unknown data; may be given many times (default: each recipe's list)", 0},
    {"methods", KEY_METHODS, "LIST", 0,
     "Scores, see `dunlin evaluate`; the first is drawn in full (default: the usual ones for each kind of ensemble)",
     0},
    {"device", KEY_DEVICE, "D", 0, "See `dunlin devices` (default cpu)", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    DN_OPTION_DATA,
    DN_OPTION_QUIET,
    {0}};

static dn_status take_threads(arguments *a, const char *arg)
{
    int64_t threads = 0;
    DN_TRY(dn_cli_parse_int("--threads", arg, 1, 1024, &threads));
    a->threads = (int)threads;
    return DN_OK;
}

static dn_status take(arguments *a, int key, const char *arg)
{
    dn_report_options *r = &a->report;
    switch (key) {
    case ARGP_KEY_ARG:
        if (r->n_runs == MOST_RUNS) return dn_fail(DN_ERROR_ARGUMENT, "at most %d runs", MOST_RUNS);
        a->runs[r->n_runs++] = arg;
        return DN_OK;
    case KEY_OOD:
        if (r->n_ood == MOST_SETS) return dn_fail(DN_ERROR_ARGUMENT, "--ood: at most %d sets", MOST_SETS);
        a->ood[r->n_ood++] = arg;
        return DN_OK;
    case KEY_METHODS: return dn_expression_list_add(&a->list, arg);
    case KEY_ID: r->id = arg; return DN_OK;
    case KEY_TITLE: r->title = arg; return DN_OK;
    case KEY_DEVICE: a->device = arg; return DN_OK;
    case KEY_THREADS: return take_threads(a, arg);
    case DN_KEY_DATA: r->data_dir = arg; return DN_OK;
    case 'o': a->output = arg; return DN_OK;
    default: r->quiet = true; return DN_OK; /* 'q' */
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    const bool known =
        key == ARGP_KEY_ARG || key == 'q' || key == 'o' || key == DN_KEY_DATA || (key >= KEY_ID && key <= KEY_THREADS);
    if (key == ARGP_KEY_NO_ARGS) argp_error(state, "which runs? Give the folders that `dunlin train --out` wrote");
    if (!known) return ARGP_ERR_UNKNOWN;
    if (take(state->input, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN ...",
    .doc =
        "Writes one HTML page that needs nothing beside it: tables, ROC and precision-recall curves, histograms of the "
        "scores, a map of the features, the images that were got wrong, how training went, recipes, versions and data. "
        "Needs gnuplot.\v"
        "Example: dunlin report runs/single runs/mi -o report.html",
};

static dn_status report(arguments *a)
{
    dn_device *device = NULL;
    a->report.runs = a->runs;
    a->report.ood = a->ood;
    a->report.methods = &a->list;
    DN_TRY(dn_report_check(a->output));
    DN_TRY(dn_cli_open_device(&device, a->device, a->threads));
    const dn_status status = dn_report_write(a->output, device, &a->report);
    dn_device_close(device);
    return status;
}

int dn_cmd_report(int argc, char **argv)
{
    arguments a = {.output = "report.html"};
    char *command = dn_command_line(argc, argv);
    a.report.command = command;
    dn_status status = command ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK && argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) status = DN_ERROR_ARGUMENT;
    dn_interrupt_install();
    if (status == DN_OK) status = report(&a);
    if (status == DN_OK && !a.report.quiet) printf("%s\n", a.output);
    dn_expression_list_close(&a.list);
    dn_free(command);
    return dn_cli_fail(status);
}
