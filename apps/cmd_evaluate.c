/* dunlin evaluate: accuracy on known data, and how well each score tells unknown data from it. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/combined.h"
#include "apps/commands.h"
#include "apps/evaluate.h"
#include "apps/evaluate_check.h"
#include "apps/evaluate_json.h"
#include "apps/evaluate_report.h"
#include "apps/interrupt.h"
#include "apps/json.h"
#include "apps/run.h"
#include "apps/text_file.h"

enum {
    KEY_ID = 0x2000,
    KEY_OOD,
    KEY_NEAR,
    KEY_FAR,
    KEY_FIT,
    KEY_METHODS,
    KEY_REDUCE,
    KEY_LAYERS,
    KEY_RULE,
    KEY_POSITIVE,
    KEY_BOOTSTRAP,
    KEY_CSV,
    KEY_CLASSIFIER,
    KEY_THRESHOLD,
    KEY_REFRESH,
    KEY_DEVICE,
    KEY_THREADS,
    MOST_SETS = 64,
    MOST_RUNS = 64
};

typedef struct arguments {
    dn_evaluation_options evaluation;
    const char *ood[MOST_SETS], *runs[MOST_RUNS];
    dn_metric_group group[MOST_SETS];
    int n_runs;
    dn_expression_list list;
    const char *classifier; /* a run */
    dn_threshold_on threshold;
    const char *json, *csv, *device;
    int threads;
} arguments;

static const struct argp_option options[] = {
    {"id", KEY_ID, "SET", 0, "Known data (default: the recipe's test set)", 0},
    {"ood", KEY_OOD, "SET", 0, "Unknown data; may be given many times (default: the recipe's list)", 0},
    {"near", KEY_NEAR, "SET", 0,
     "Unknown data that resemble the known; may be given many times: the mean over these sets is shown too", 0},
    {"far", KEY_FAR, "SET", 0,
     "Unknown data unlike the known; may be given many times: the mean over these sets is shown too", 0},
    {"fit", KEY_FIT, "SET", 0,
     "Known data that scores are fitted on (default: the recipe's training set, not augmented)", 0},
    {"methods", KEY_METHODS, "LIST", 0,
     "Scores, separated by commas, with their options: msp,gen:gamma=.05,top=5; | makes a sweep: 'knn:k=1|5|10'; + "
     "stacks shapings on a score: react+energy; 'all' is every score that this run can give; `dunlin score --list` "
     "describes them (default: the usual ones for the kind of ensemble)",
     0},
    {"reduce", KEY_REDUCE, "R", 0, "How single-network scores take an ensemble: score, prob, logit, min, max", 0},
    {"layers", KEY_LAYERS, "LIST", 0, "What layers=all means, beside the penultimate features (default: all layers)",
     0},
    {"rule", KEY_RULE, "RULE", 0, "Where FPR95 is read: first, closest, band, oodeel (default first)", 0},
    {"positive", KEY_POSITIVE, "CLASS", 0, "The class of which 95 % are flagged: ood or id (default ood)", 0},
    {"bootstrap", KEY_BOOTSTRAP, "N", 0, "Intervals of 95 % from N resamples; 1000 is usual", 0},
    {"classifier", KEY_CLASSIFIER, "RUN1", 0,
     "RUN accepts or rejects by one score (default predictive_entropy), RUN1 names the class of what is accepted: "
     "precision, recall and F1 of both together and of each alone",
     0},
    {"threshold-on", KEY_THRESHOLD, "ROWS", 0,
     "With --classifier, where the threshold is chosen: held-out, a random half of each set, or test, the very rows "
     "that are measured, which flatters, or test-grid, the same among 1000 values from 0 to 1 (default held-out)",
     0},
    {"csv", KEY_CSV, "FILE", 0, "Write a line for each run, score and set as CSV to FILE, '-' is standard output", 0},
    {"refresh", KEY_REFRESH, NULL, 0, "Run the network anew, whatever outputs the run's folder has", 0},
    {"device", KEY_DEVICE, "D", 0, "See `dunlin devices` (default cpu)", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    DN_OPTION_DATA,
    DN_OPTION_JSON,
    DN_OPTION_QUIET,
    {0}};

/* ---- options ---- */

static dn_status add_methods(arguments *a, const char *list)
{
    const dn_status status = dn_expression_list_add(&a->list, list);
    return status == DN_OK ? DN_OK : dn_fail_context(status, "--methods");
}

static dn_status add_ood(arguments *a, const char *set, dn_metric_group group)
{
    for (int i = 0; i < a->evaluation.n_ood; i++) {
        if (strcmp(a->ood[i], set) != 0) continue;
        if (group != DN_GROUP_NONE && a->group[i] != DN_GROUP_NONE && a->group[i] != group)
            return dn_fail(DN_ERROR_ARGUMENT, "%s: is named as --near and as --far, a set is one of them", set);
        if (group != DN_GROUP_NONE) a->group[i] = group;
        return DN_OK;
    }
    if (a->evaluation.n_ood == MOST_SETS) return dn_fail(DN_ERROR_ARGUMENT, "--ood: at most %d sets", MOST_SETS);
    a->group[a->evaluation.n_ood] = group;
    a->ood[a->evaluation.n_ood++] = set;
    return DN_OK;
}

static dn_status take_run(arguments *a, const char *run)
{
    if (a->n_runs == MOST_RUNS) return dn_fail(DN_ERROR_ARGUMENT, "at most %d runs", MOST_RUNS);
    a->runs[a->n_runs++] = run;
    return DN_OK;
}

static dn_status take_number(arguments *a, int key, const char *arg)
{
    int64_t number = 0;
    if (key == KEY_THREADS) {
        DN_TRY(dn_cli_parse_int("--threads", arg, 1, 1024, &number));
        a->threads = (int)number;
    } else {
        DN_TRY(dn_cli_parse_int("--bootstrap", arg, 1, DN_BOOTSTRAP_MOST, &number));
        a->evaluation.bootstrap = (size_t)number;
    }
    return DN_OK;
}

static dn_status take_set(arguments *a, int key, const char *arg)
{
    switch (key) {
    case KEY_ID: a->evaluation.id = arg; return DN_OK;
    case KEY_OOD: return add_ood(a, arg, DN_GROUP_NONE);
    case KEY_NEAR: return add_ood(a, arg, DN_GROUP_NEAR);
    case KEY_FAR: return add_ood(a, arg, DN_GROUP_FAR);
    default: a->evaluation.fit = arg; return DN_OK; /* KEY_FIT */
    }
}

static dn_status take_threshold(arguments *a, const char *arg)
{
    static const char *const names[] = {"held-out", "test", "test-grid"};
    size_t index = 0;
    DN_TRY(dn_cli_choose("--threshold-on", arg, names, 3, &index));
    a->threshold = (dn_threshold_on)index;
    return DN_OK;
}

static dn_status take(arguments *a, int key, const char *arg)
{
    if (key >= KEY_ID && key <= KEY_FIT) return take_set(a, key, arg);
    switch (key) {
    case ARGP_KEY_ARG: return take_run(a, arg);
    case KEY_METHODS: return add_methods(a, arg);
    case KEY_REDUCE: return dn_reduce_parse(&a->evaluation.reduce, arg);
    case KEY_LAYERS: a->evaluation.layers = arg; return DN_OK;
    case KEY_RULE: return dn_fpr_rule_parse(&a->evaluation.metrics.rule, arg);
    case KEY_POSITIVE: return dn_positive_parse(&a->evaluation.metrics.positive, arg);
    case KEY_CLASSIFIER: a->classifier = arg; return DN_OK;
    case KEY_THRESHOLD: return take_threshold(a, arg);
    case KEY_CSV: a->csv = arg; return DN_OK;
    case KEY_REFRESH: a->evaluation.refresh = true; return DN_OK;
    case KEY_DEVICE: a->device = arg; return DN_OK;
    case KEY_BOOTSTRAP:
    case KEY_THREADS: return take_number(a, key, arg);
    case DN_KEY_DATA: a->evaluation.data_dir = arg; return DN_OK;
    case DN_KEY_JSON: a->json = arg; return DN_OK;
    default: a->evaluation.quiet = true; return DN_OK; /* 'q' */
    }
}

static void check_arguments(const arguments *a, struct argp_state *state)
{
    if (!a->classifier && a->threshold != DN_THRESHOLD_ON_HALF)
        argp_error(state, "--threshold-on goes with --classifier");
    if (a->classifier && a->n_runs > 1) argp_error(state, "--classifier goes with one run that accepts");
    if (a->classifier && a->evaluation.bootstrap > 0) argp_error(state, "--bootstrap does not go with --classifier");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    const bool known = key == ARGP_KEY_ARG || key == 'q' || key == DN_KEY_DATA || key == DN_KEY_JSON ||
                       (key >= KEY_ID && key <= KEY_THREADS);
    if (key == ARGP_KEY_NO_ARGS) argp_error(state, "which run? Give the folder that `dunlin train --out` wrote");
    if (key == ARGP_KEY_END) check_arguments(a, state);
    if (!known) return ARGP_ERR_UNKNOWN;
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN...",
    .doc =
        "Prints a trained ensemble's accuracy on known (ID) data and, for each set of unknown (OOD) data and score, "
        "AUROC, AUPR and FPR95. Scores: higher = more out-of-distribution; OOD is the positive class. The network runs "
        "once over each set: its outputs stay in RUN/outputs for the next time. Several runs must be seeds of "
        "one recipe: mean and standard deviation. `dunlin score --list` describes the scores.\v"
        "Example: dunlin evaluate runs/mi --ood glyphs:letters --methods all --json -",
};

/* ---- the work ---- */

/* All runs see the first one's sets. */
static dn_status take_sets(arguments *a, const dn_evaluation *first)
{
    for (int i = 0; i < first->n_rows; i++) DN_TRY(add_ood(a, first->rows[i].ood, DN_GROUP_NONE));
    return DN_OK;
}

/* @param first the first run's result; NULL: this is the first */
static dn_status evaluate_run(arguments *a, dn_evaluation *result, const char *run, const dn_evaluation *first,
                              dn_device *device)
{
    dn_network *network = NULL;
    DN_TRY(dn_run_load(&network, run, device));
    a->evaluation.run = run;
    dn_status status = first ? take_sets(a, first) : DN_OK;
    if (status == DN_OK) status = dn_evaluate(result, network, &a->evaluation);
    dn_network_close(network);
    return status == DN_OK || a->n_runs == 1 ? status : dn_fail_context(status, "run '%s'", run);
}

static dn_status evaluate(arguments *a, dn_evaluation *results)
{
    dn_device *device = NULL;
    if (a->n_runs > 1) DN_TRY(dn_runs_check(a->runs, a->n_runs, a->evaluation.id != NULL));
    if (a->n_runs > 1 && a->evaluation.bootstrap > 0 && !a->evaluation.quiet)
        fprintf(stderr, "--bootstrap: the table of several runs shows their deviation, not intervals; each run's own "
                        "intervals are in what --json and --csv write\n");
    DN_TRY(dn_cli_open_device(&device, a->device, a->threads));
    a->evaluation.ood = a->ood;
    a->evaluation.list = &a->list;
    dn_status status = DN_OK;
    for (int r = 0; r < a->n_runs && status == DN_OK; r++)
        status = evaluate_run(a, &results[r], a->runs[r], r > 0 ? results : NULL, device);
    dn_device_close(device);
    return status;
}

/* ---- results ---- */

static dn_status write_json(const arguments *a, const dn_evaluation *results, const dn_metric_group *groups)
{
    cJSON *tree = dn_evaluations_json(results, a->n_runs, groups);
    const dn_status status = tree ? dn_json_write(tree, a->json) : DN_ERROR_MEMORY;
    cJSON_Delete(tree);
    return status;
}

static dn_status write_csv(const arguments *a, const dn_evaluation *results, const dn_metric_group *groups)
{
    dn_csv csv = {0};
    dn_evaluation_csv(&csv, results, a->n_runs, groups);
    const dn_status status = dn_csv_write(&csv, a->csv);
    dn_csv_close(&csv);
    return status;
}

static dn_status show(const arguments *a, const dn_evaluation *results)
{
    bool grouped = false;
    for (int i = 0; i < a->evaluation.n_ood; i++) grouped |= a->group[i] != DN_GROUP_NONE;
    const dn_metric_group *groups = grouped ? a->group : NULL;
    if (!a->evaluation.quiet) dn_evaluation_print_times(results, a->n_runs);
    if (!dn_text_is_standard_output(a->json) && !dn_text_is_standard_output(a->csv))
        DN_TRY(dn_evaluation_print(results, a->n_runs, groups));
    if (a->csv) DN_TRY(write_csv(a, results, groups));
    return a->json ? write_json(a, results, groups) : DN_OK;
}

/* ---- two runs as one system ---- */

static dn_status show_combined(const arguments *a, const dn_combined *combined, const dn_combined_options *o)
{
    dn_csv csv = {0};
    if (!o->quiet) fprintf(stderr, "network: %lld images\n", (long long)combined->images);
    if (!dn_text_is_standard_output(a->json) && !dn_text_is_standard_output(a->csv))
        DN_TRY(dn_combined_print(combined, o));
    if (a->csv) dn_combined_csv(&csv, combined, o);
    dn_status status = a->csv ? dn_csv_write(&csv, a->csv) : DN_OK;
    dn_csv_close(&csv);
    cJSON *tree = a->json ? dn_combined_json(combined, o) : NULL;
    if (a->json && status == DN_OK) status = dn_json_write(tree, a->json);
    cJSON_Delete(tree);
    return status;
}

static dn_status combine(const arguments *a)
{
    const dn_evaluation_options *e = &a->evaluation;
    const dn_combined_options o = {.acceptor = a->runs[0],
                                   .classifier = a->classifier,
                                   .data_dir = e->data_dir,
                                   .id = e->id,
                                   .ood = a->ood,
                                   .n_ood = e->n_ood,
                                   .list = &a->list,
                                   .reduce = e->reduce,
                                   .fit = e->fit,
                                   .layers = e->layers,
                                   .threshold = a->threshold,
                                   .refresh = e->refresh,
                                   .quiet = e->quiet};
    dn_device *device = NULL;
    dn_combined combined = {0};
    DN_TRY(dn_cli_open_device(&device, a->device, a->threads));
    if (o.threshold != DN_THRESHOLD_ON_HALF)
        fprintf(stderr, "warning: the threshold is chosen with the labels of the rows that are measured: the figures "
                        "are better than new images will show\n");
    dn_status status = dn_combine(&combined, device, &o);
    if (status == DN_OK) status = show_combined(a, &combined, &o);
    dn_combined_close(&combined);
    dn_device_close(device);
    return status;
}

int dn_cmd_evaluate(int argc, char **argv)
{
    arguments a = {0};
    dn_evaluation results[MOST_RUNS] = {{0}};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    dn_interrupt_install();
    dn_status status = dn_text_check_outputs(a.json, a.csv);
    if (status == DN_OK) status = a.classifier ? combine(&a) : evaluate(&a, results);
    if (status == DN_OK && !a.classifier) status = show(&a, results);
    for (int r = 0; r < a.n_runs; r++) dn_evaluation_close(&results[r]);
    dn_expression_list_close(&a.list);
    return dn_cli_fail(status);
}
