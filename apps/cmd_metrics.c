/* dunlin metrics: how well scores tell unknown data, and how far probabilities can be believed, from arrays. */
#include <argp.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/csv.h"
#include "apps/json.h"
#include "apps/metric_labels.h"
#include "apps/metric_report.h"
#include "apps/metric_sets.h"

enum {
    KEY_ID = 0x2000,
    KEY_OOD,
    KEY_NEAR,
    KEY_FAR,
    KEY_VERSUS_ID,
    KEY_VERSUS_OOD,
    KEY_RULE,
    KEY_POSITIVE,
    KEY_BOOTSTRAP,
    KEY_CSV,
    KEY_THREADS,
    KEY_LOGITS,
    KEY_LABELS,
    KEY_SCORES,
    KEY_THRESHOLD,
    MOST_RESAMPLES = 100000 /* their numbers are kept, some 200 bytes each */
};

typedef struct arguments {
    dn_metric_request sets;
    dn_label_request labels;
    const char *json, *csv;
    const char *only_sets; /* an option that means nothing with --logits */
    int threads;
} arguments;

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Scores of known and of unknown data (arrays: FILE.npy, or FILE.h5:NAME)", 1},
    {"id", KEY_ID, "ARRAY", 0, "Scores of known data", 1},
    {"ood", KEY_OOD, "ARRAY", 0, "Scores of unknown data; may be given many times", 1},
    {"near", KEY_NEAR, "ARRAY", 0, "The same, or a set of --ood again: it counts in the mean of near sets", 1},
    {"far", KEY_FAR, "ARRAY", 0, "The same for far sets", 1},
    {"versus-id", KEY_VERSUS_ID, "ARRAY", 0, "A second method's scores of the known rows: shows the difference", 1},
    {"versus-ood", KEY_VERSUS_OOD, "ARRAY", 0, "... of the unknown rows, one for each set, in the same order", 1},
    {"rule", KEY_RULE, "RULE", 0, "Where FPR95 is read: first, closest, band, oodeel (default first)", 1},
    {"positive", KEY_POSITIVE, "CLASS", 0, "The class of which 95 % are flagged: ood or id (default ood)", 1},
    {"bootstrap", KEY_BOOTSTRAP, "N", 0, "95 % intervals from N resamples, such as 1000 (default 0: none)", 1},
    {NULL, 0, NULL, 0, "Logits and labels", 2},
    {"logits", KEY_LOGITS, "ARRAY", 0, "Logits, [N,C] or [E,N,C]: prints calibration and selective figures", 2},
    {"labels", KEY_LABELS, "ARRAY", 0, "The rows' true classes, integers", 2},
    {"scores", KEY_SCORES, "ARRAY", 0, "The rows' scores (default 1 - the largest probability)", 2},
    {"threshold", KEY_THRESHOLD, "T", 0, "Also precision, recall and F1 where scores below T are accepted", 2},
    {NULL, 0, NULL, 0, "Both", 3},
    DN_OPTION_SEED,
    DN_OPTION_JSON,
    {"csv", KEY_CSV, "FILE", 0, "Write the results as CSV to FILE, '-' is standard output", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    {0}};

/* ---- options ---- */

/* A set that is named twice is one set; near and far add a group to it. */
static dn_status add_set(dn_metric_request *r, const char *name, dn_metric_group group)
{
    int i = 0;
    while (i < r->n_ood && strcmp(r->ood[i], name) != 0) i++;
    if (i == DN_METRIC_SETS_MOST) return dn_fail(DN_ERROR_ARGUMENT, "--ood: more than %d sets", DN_METRIC_SETS_MOST);
    if (i < r->n_ood && group != DN_GROUP_NONE && r->group[i] != DN_GROUP_NONE && r->group[i] != group)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: is named as --near and as --far, a set is one of them", name);
    if (i == r->n_ood) r->n_ood++;
    r->ood[i] = name;
    if (group != DN_GROUP_NONE) r->group[i] = group;
    return DN_OK;
}

static dn_status add_versus(dn_metric_request *r, const char *name)
{
    if (r->n_versus == DN_METRIC_SETS_MOST)
        return dn_fail(DN_ERROR_ARGUMENT, "--versus-ood: more than %d sets", DN_METRIC_SETS_MOST);
    r->versus_ood[r->n_versus++] = name;
    return DN_OK;
}

static dn_status take_number(arguments *a, int key, const char *arg)
{
    int64_t number = 0;
    switch (key) {
    case KEY_BOOTSTRAP:
        DN_TRY(dn_cli_parse_int("--bootstrap", arg, 0, MOST_RESAMPLES, &number));
        a->sets.bootstrap.resamples = (size_t)number;
        return DN_OK;
    case KEY_THREADS:
        DN_TRY(dn_cli_parse_int("--threads", arg, 1, 1024, &number));
        a->threads = (int)number;
        return DN_OK;
    case KEY_THRESHOLD:
        a->labels.has_threshold = true;
        return dn_cli_parse_double("--threshold", arg, -1e308, 1e308, &a->labels.threshold);
    case DN_KEY_SEED: return dn_cli_parse_u64("--seed", arg, &a->sets.bootstrap.seed);
    default: return DN_OK; /* argp's own keys */
    }
}

static dn_status take(arguments *a, int key, const char *arg)
{
    dn_metrics_options *metrics = &a->sets.bootstrap.metrics;
    switch (key) {
    case KEY_ID: a->sets.id = arg; return DN_OK;
    case KEY_OOD: return add_set(&a->sets, arg, DN_GROUP_NONE);
    case KEY_NEAR: return add_set(&a->sets, arg, DN_GROUP_NEAR);
    case KEY_FAR: return add_set(&a->sets, arg, DN_GROUP_FAR);
    case KEY_VERSUS_ID: a->sets.versus_id = arg; return DN_OK;
    case KEY_VERSUS_OOD: return add_versus(&a->sets, arg);
    case KEY_RULE: return dn_fpr_rule_parse(&metrics->rule, arg);
    case KEY_POSITIVE: return dn_positive_parse(&metrics->positive, arg);
    case KEY_LOGITS: a->labels.logits = arg; return DN_OK;
    case KEY_LABELS: a->labels.labels = arg; return DN_OK;
    case KEY_SCORES: a->labels.scores = arg; return DN_OK;
    case KEY_CSV: a->csv = arg; return DN_OK;
    case DN_KEY_JSON: a->json = arg; return DN_OK;
    default: return take_number(a, key, arg);
    }
}

static const char *name_of(int key)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].key == key) return options[i].name;
    return "?";
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    if (key == ARGP_KEY_ARG) argp_error(state, "'%s': arrays are named by options, such as --id and --ood", arg);
    if (key < KEY_ID && key != DN_KEY_JSON && key != DN_KEY_SEED) return ARGP_ERR_UNKNOWN;
    if (key == KEY_ID || (key >= KEY_NEAR && key <= KEY_BOOTSTRAP)) a->only_sets = name_of(key);
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc =
        "Holds scores of known (ID) and unknown (OOD) data, of any framework, against each other: AUROC, AUPR, FPR95 "
        "and more, exact with ties. Or takes logits and labels: accuracy, NLL, Brier score, ECE, AURC. Scores: "
        "higher = more out-of-distribution; OOD is the positive class.\v"
        "Examples:\n"
        "  dunlin metrics --id test.npy --near letters.npy --far noise.npy --bootstrap 1000\n"
        "  dunlin metrics --logits logits.npy --labels labels.npy --json -",
};

/* ---- results ---- */

/** Standard output holds one thing: JSON, CSV or the text. */
static bool is_standard_output(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static dn_status write_files(const arguments *a, cJSON *tree, const dn_csv *csv)
{
    if (a->json) DN_TRY(dn_json_write(tree, a->json));
    return a->csv ? dn_csv_write(csv, a->csv) : DN_OK;
}

static dn_status show_sets(const arguments *a, bool text)
{
    dn_metric_result result;
    DN_TRY(dn_metric_sets_compute(&result, &a->sets));
    dn_csv csv = {0};
    cJSON *tree = a->json ? dn_metric_json(&result, &a->sets) : NULL;
    if (a->csv) dn_metric_csv(&csv, &result, &a->sets);
    dn_status status = text ? dn_metric_print(&result, &a->sets) : DN_OK;
    if (status == DN_OK) status = write_files(a, tree, &csv);
    cJSON_Delete(tree);
    dn_csv_close(&csv);
    return status;
}

static dn_status show_labels(arguments *a, bool text)
{
    dn_label_result result;
    if (a->only_sets)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "--%s does not go with --logits and --labels, which show other figures; run twice",
                       a->only_sets);
    if (a->sets.n_ood > 1)
        return dn_fail(DN_ERROR_ARGUMENT, "--ood: found %d sets, but --logits takes one at most", a->sets.n_ood);
    a->labels.ood = a->sets.n_ood ? a->sets.ood[0] : NULL;
    DN_TRY(dn_metric_labels_compute(&result, &a->labels));
    dn_csv csv = {0};
    cJSON *tree = a->json ? dn_metric_labels_json(&result, &a->labels) : NULL;
    if (a->csv) dn_metric_labels_csv(&csv, &result, &a->labels);
    dn_status status = text ? dn_metric_labels_print(&result, &a->labels) : DN_OK;
    if (status == DN_OK) status = write_files(a, tree, &csv);
    cJSON_Delete(tree);
    dn_csv_close(&csv);
    return status;
}

int dn_cmd_metrics(int argc, char **argv)
{
    arguments a = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    const bool text = !is_standard_output(a.json) && !is_standard_output(a.csv);
    const dn_label_request *l = &a.labels;
    if (a.threads > 0) omp_set_num_threads(a.threads);
    if (is_standard_output(a.json) && is_standard_output(a.csv))
        return dn_cli_fail(dn_fail(DN_ERROR_ARGUMENT, "--json and --csv cannot both be standard output"));
    const bool labels = l->logits || l->labels || l->scores || l->has_threshold;
    return dn_cli_fail(labels ? show_labels(&a, text) : show_sets(&a, text));
}
