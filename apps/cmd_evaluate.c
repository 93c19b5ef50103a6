/* dunlin evaluate: accuracy on known data, and how well each score tells unknown data from it. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/evaluate.h"
#include "apps/evaluate_json.h"
#include "apps/json.h"
#include "apps/run.h"
#include "apps/table.h"
#include "core/alloc.h"

enum { KEY_ID = 0x2000, KEY_OOD, KEY_METHODS, KEY_REDUCE, KEY_DEVICE, KEY_THREADS, KEY_RULE, KEY_POSITIVE, MOST = 64 };

typedef struct arguments {
    dn_evaluation_options evaluation;
    const char *ood[MOST];
    char *methods[MOST];
    const char *run, *json, *device;
    int threads;
} arguments;

static const struct argp_option options[] = {
    {"id", KEY_ID, "SET", 0, "Known data (default: the recipe's test set)", 0},
    {"ood", KEY_OOD, "SET", 0, "Unknown data; may be given many times (default: the recipe's list)", 0},
    {"methods", KEY_METHODS, "LIST", 0,
     "Scores, separated by commas, with their options: msp,gen:gamma=.05,top=5 or 'all' (default: the usual ones for "
     "the kind of ensemble)",
     0},
    {"reduce", KEY_REDUCE, "R", 0, "How single-network scores take an ensemble: score, prob, logit, min, max", 0},
    {"rule", KEY_RULE, "RULE", 0, "Where FPR95 is read: first, closest, band, oodeel (default first)", 0},
    {"positive", KEY_POSITIVE, "CLASS", 0, "The class of which 95 % are flagged: ood or id (default ood)", 0},
    {"device", KEY_DEVICE, "D", 0, "See `dunlin devices` (default cpu)", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    DN_OPTION_DATA,
    DN_OPTION_JSON,
    {0}};

/* ---- options ---- */

static bool is_among(const char *text, size_t length, const char *const *list, int count)
{
    for (int i = 0; i < count; i++)
        if (strlen(list[i]) == length && memcmp(list[i], text, length) == 0) return true;
    return false;
}

/* What is asked for twice is shown once. */
static dn_status add_method(arguments *a, const char *text, size_t length)
{
    if (length == 0) return DN_OK;
    if (is_among(text, length, (const char *const *)a->methods, a->evaluation.n_methods)) return DN_OK;
    if (a->evaluation.n_methods == MOST) return dn_fail(DN_ERROR_ARGUMENT, "--methods: at most %d scores", MOST);
    char *method = dn_format("%.*s", (int)length, text);
    if (!method) return DN_ERROR_MEMORY;
    a->methods[a->evaluation.n_methods++] = method;
    return DN_OK;
}

/* The length of the first expression of a list: a piece such as "top=10" still belongs to the name before it. */
static size_t expression_length(const char *list)
{
    size_t length = strcspn(list, ",");
    while (list[length] == ',') {
        const char *piece = list + length + 1;
        const size_t next = strcspn(piece, ",");
        const size_t name = strcspn(piece, ":=");
        if (name >= next || piece[name] != '=') break;
        length += 1 + next;
    }
    return length;
}

static dn_status add_methods(arguments *a, const char *list)
{
    size_t count = 0;
    const dn_method *all = dn_methods(&count);
    if (strcmp(list, "all") == 0) {
        for (size_t i = 0; i < count; i++) DN_TRY(add_method(a, all[i].name, strlen(all[i].name)));
        return DN_OK;
    }
    while (*list) {
        const size_t length = expression_length(list);
        DN_TRY(add_method(a, list, length));
        list += length + (list[length] == ',');
    }
    if (a->evaluation.n_methods > 0) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "--methods: an empty list; expected scores such as msp,energy, or 'all'");
}

static dn_status add_ood(arguments *a, const char *set)
{
    if (is_among(set, strlen(set), a->ood, a->evaluation.n_ood)) return DN_OK;
    if (a->evaluation.n_ood == MOST) return dn_fail(DN_ERROR_ARGUMENT, "--ood: at most %d sets", MOST);
    a->ood[a->evaluation.n_ood++] = set;
    return DN_OK;
}

static dn_status take(arguments *a, int key, const char *arg)
{
    int64_t threads = 0;
    switch (key) {
    case KEY_ID: a->evaluation.id = arg; return DN_OK;
    case KEY_OOD: return add_ood(a, arg);
    case KEY_METHODS: return add_methods(a, arg);
    case KEY_REDUCE: return dn_reduce_parse(&a->evaluation.reduce, arg);
    case KEY_RULE: return dn_fpr_rule_parse(&a->evaluation.metrics.rule, arg);
    case KEY_POSITIVE: return dn_positive_parse(&a->evaluation.metrics.positive, arg);
    case KEY_DEVICE: a->device = arg; return DN_OK;
    case KEY_THREADS:
        DN_TRY(dn_cli_parse_int("--threads", arg, 1, 1024, &threads));
        a->threads = (int)threads;
        return DN_OK;
    case DN_KEY_DATA: a->evaluation.data_dir = arg; return DN_OK;
    case DN_KEY_JSON: a->json = arg; return DN_OK;
    default: return DN_OK;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    if (key == ARGP_KEY_ARG && !a->run) {
        a->run = arg;
        return 0;
    }
    if (key == ARGP_KEY_NO_ARGS) argp_error(state, "which run? Give the folder that `dunlin train --out` wrote");
    if (key < KEY_ID && key != DN_KEY_DATA && key != DN_KEY_JSON) return ARGP_ERR_UNKNOWN;
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN",
    .doc =
        "Runs a trained ensemble over known (ID) and unknown (OOD) data and prints its accuracy and, for each set and "
        "score, AUROC, AUPR and FPR95. Scores: higher = more out-of-distribution; OOD is the positive class.\v"
        "Example: dunlin evaluate runs/mi --ood glyphs:letters --ood noise:uniform@32x32x1 --json -",
};

/* ---- results ---- */

static dn_status print_rows(const dn_evaluation *e)
{
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, "lllrrrr"));
    static const char *const head[] = {"unknown data", "score", "reduce", "AUROC", "AUPR out", "AUPR in", "FPR95"};
    for (int i = 0; i < 7; i++) dn_table_cell(table, "%s", head[i]);
    dn_table_rule(table);
    for (int i = 0; i < e->n_rows; i++) {
        const dn_evaluation_row *row = &e->rows[i];
        const bool first = i == 0 || strcmp(row->ood, e->rows[i - 1].ood) != 0;
        dn_table_cell(table, "%s", first ? row->ood : "");
        dn_table_cell(table, "%s", row->method);
        dn_table_cell(table, "%s", dn_evaluation_reduce_text(row));
        dn_table_cell(table, "%.4f", row->metrics.auroc);
        dn_table_cell(table, "%.4f", row->metrics.aupr_out);
        dn_table_cell(table, "%.4f", row->metrics.aupr_in);
        dn_table_cell(table, "%.4f", row->metrics.fpr95);
    }
    const dn_status status = dn_table_print(table, stdout);
    dn_table_close(table);
    return status;
}

static dn_status print_text(const dn_evaluation *e)
{
    printf("known data: %s, %lld images\n", e->id, (long long)e->n_id);
    if (e->labelled) {
        printf("accuracy: %.2f %%", 100.0 * e->accuracy);
        if (e->members > 1) printf("; members");
        for (int m = 0; m < e->members && e->members > 1; m++) printf(" %.2f", 100.0 * e->member_accuracy[m]);
        printf("\n");
    }
    printf("\n");
    return print_rows(e);
}

static dn_status write_json(const dn_evaluation *e, const char *run, const char *path)
{
    cJSON *tree = dn_evaluation_json(e, run);
    const dn_status status = dn_json_write(tree, path);
    cJSON_Delete(tree);
    return status;
}

static dn_status evaluate(arguments *a, dn_evaluation *result)
{
    dn_device *device = NULL;
    dn_network *network = NULL;
    const dn_device_options options_of_device = {.threads = a->threads};
    DN_TRY(dn_device_open(&device, a->device ? a->device : "cpu", &options_of_device));
    dn_status status = dn_run_load(&network, a->run, device);
    a->evaluation.ood = a->ood;
    a->evaluation.methods = (const char *const *)a->methods;
    if (status == DN_OK) status = dn_evaluate(result, network, &a->evaluation);
    dn_network_close(network);
    dn_device_close(device);
    return status;
}

int dn_cmd_evaluate(int argc, char **argv)
{
    arguments a = {0};
    dn_evaluation result = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    dn_status status = evaluate(&a, &result);
    if (status == DN_OK && (!a.json || strcmp(a.json, "-") != 0)) status = print_text(&result);
    if (status == DN_OK && a.json) status = write_json(&result, a.run, a.json);
    dn_evaluation_close(&result);
    for (int i = 0; i < a.evaluation.n_methods; i++) dn_free(a.methods[i]);
    return dn_cli_fail(status);
}
