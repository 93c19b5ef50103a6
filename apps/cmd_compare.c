/* dunlin compare: several runs side by side, as a table, as JSON and as a picture. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/compare.h"
#include "apps/evaluate_json.h"
#include "apps/gnuplot.h"
#include "apps/interrupt.h"
#include "apps/json.h"
#include "apps/plot.h"
#include "apps/table.h"
#include "core/alloc.h"

enum { KEY_ID = 0x2000, KEY_OOD, KEY_PLOT, KEY_DEVICE, KEY_THREADS, MOST_RUNS = 16, MOST_SETS = 64 };

typedef struct arguments {
    const char *runs[MOST_RUNS], *ood[MOST_SETS];
    dn_comparison_options comparison;
    const char *json, *plot, *device;
    int threads;
    bool quiet;
} arguments;

static const struct argp_option options[] = {
    {"id", KEY_ID, "SET", 0, "Known data (default: the test set of the recipes, which must be the same)", 0},
    {"ood", KEY_OOD, "SET", 0, "Unknown data; may be given many times (default: the list of the first run's recipe)",
     0},
    {"plot", KEY_PLOT, "FILE", 0, "Draw the result, as SVG or PNG by the file's ending (needs gnuplot)", 0},
    {"device", KEY_DEVICE, "D", 0, "See `dunlin devices` (default cpu)", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    DN_OPTION_DATA,
    DN_OPTION_JSON,
    DN_OPTION_QUIET,
    {0}};

/* ---- options ---- */

static dn_status take(arguments *a, int key, const char *arg)
{
    int64_t threads = 0;
    switch (key) {
    case ARGP_KEY_ARG:
        if (a->comparison.n_runs == MOST_RUNS) return dn_fail(DN_ERROR_ARGUMENT, "at most %d runs", MOST_RUNS);
        a->runs[a->comparison.n_runs++] = arg;
        return DN_OK;
    case KEY_OOD:
        if (a->comparison.n_ood == MOST_SETS) return dn_fail(DN_ERROR_ARGUMENT, "--ood: at most %d sets", MOST_SETS);
        a->ood[a->comparison.n_ood++] = arg;
        return DN_OK;
    case KEY_ID: a->comparison.id = arg; return DN_OK;
    case KEY_PLOT: a->plot = arg; return DN_OK;
    case KEY_DEVICE: a->device = arg; return DN_OK;
    case KEY_THREADS:
        DN_TRY(dn_cli_parse_int("--threads", arg, 1, 1024, &threads));
        a->threads = (int)threads;
        return DN_OK;
    case DN_KEY_DATA: a->comparison.data_dir = arg; return DN_OK;
    case DN_KEY_JSON: a->json = arg; return DN_OK;
    default: a->quiet = true; return DN_OK; /* 'q' */
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    const bool known = key == ARGP_KEY_ARG || key == 'q' || key == DN_KEY_DATA || key == DN_KEY_JSON ||
                       (key >= KEY_ID && key <= KEY_THREADS);
    if (key == ARGP_KEY_NO_ARGS) argp_error(state, "which runs? Give the folders that `dunlin train --out` wrote");
    if (!known) return ARGP_ERR_UNKNOWN;
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN[:METHOD] ...",
    .doc =
        "Evaluates trained ensembles on the same known and unknown data and prints their AUROC and FPR95 (in percent) "
        "side by side; * marks the best of each row. METHOD is a score, see `dunlin evaluate`; without one: msp for "
        "a single network, predictive_entropy for a deep ensemble, mutual_information for an MI ensemble, ensemble_msp "
        "for a leave-out ensemble.\v"
        "Example: dunlin compare runs/single runs/mi runs/mi:gen:gamma=.05 --plot comparison.svg",
};

/* ---- table ---- */

/* In hundredths of a percent: what looks the same in the table is the same. */
static double shown(double share)
{
    return round(1e4 * share);
}

/* @param row index of an OOD set, or n_ood for the mean */
static double auroc_of(const dn_comparison *c, int run, int row)
{
    return row < c->n_ood ? c->runs[run].result.rows[row].metrics.auroc : c->runs[run].mean_auroc;
}

static double fpr95_of(const dn_comparison *c, int run, int row)
{
    return row < c->n_ood ? c->runs[run].result.rows[row].metrics.fpr95 : c->runs[run].mean_fpr95;
}

static void put_row(dn_table *table, const dn_comparison *c, int row)
{
    double most = -1.0, least = INFINITY;
    for (int i = 0; i < c->n_runs; i++) {
        most = fmax(most, shown(auroc_of(c, i, row)));
        least = fmin(least, shown(fpr95_of(c, i, row)));
    }
    dn_table_cell(table, "%s", row < c->n_ood ? c->ood[row] : "mean");
    for (int i = 0; i < c->n_runs; i++) {
        const double auroc = shown(auroc_of(c, i, row)), fpr95 = shown(fpr95_of(c, i, row));
        char marked[2][16];
        snprintf(marked[0], sizeof marked[0], "%s%.2f", c->n_runs > 1 && auroc >= most ? "*" : "", 0.01 * auroc);
        snprintf(marked[1], sizeof marked[1], "%s%.2f", c->n_runs > 1 && fpr95 <= least ? "*" : "", 0.01 * fpr95);
        dn_table_cell(table, "%9s%9s", marked[0], marked[1]);
    }
}

static void put_heading(dn_table *table, const dn_comparison *c)
{
    dn_table_cell(table, "run");
    for (int i = 0; i < c->n_runs; i++) dn_table_cell(table, "%s", c->runs[i].name);
    dn_table_cell(table, "kind");
    for (int i = 0; i < c->n_runs; i++) dn_table_cell(table, "%s", dn_ensemble_kind_name(c->runs[i].kind));
    dn_table_cell(table, "members");
    for (int i = 0; i < c->n_runs; i++) dn_table_cell(table, "%d", c->runs[i].result.members);
    dn_table_cell(table, "accuracy");
    for (int i = 0; i < c->n_runs; i++) {
        const dn_evaluation *e = &c->runs[i].result;
        if (e->labelled)
            dn_table_cell(table, "%.2f", 100.0 * e->accuracy);
        else
            dn_table_cell(table, "-");
    }
    dn_table_cell(table, "score");
    for (int i = 0; i < c->n_runs; i++) dn_table_cell(table, "%s", c->runs[i].method);
    dn_table_rule(table);
    dn_table_cell(table, "unknown data");
    for (int i = 0; i < c->n_runs; i++) dn_table_cell(table, "%9s%9s", "AUROC", "FPR95");
    dn_table_rule(table);
}

static dn_status print_table(const dn_comparison *c)
{
    char columns[MOST_RUNS + 2] = "l";
    memset(columns + 1, 'r', (size_t)c->n_runs);
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, columns));
    printf("known data: %s, %lld images; all figures in percent, * is the best of its row\n\n", c->id,
           (long long)c->runs[0].result.n_id);
    put_heading(table, c);
    for (int row = 0; row < c->n_ood; row++) put_row(table, c, row);
    dn_table_rule(table);
    put_row(table, c, c->n_ood);
    const dn_status status = dn_table_print(table, stdout);
    dn_table_close(table);
    return status;
}

/* ---- JSON ---- */

static dn_status write_json(const dn_comparison *c, const char *path)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "id", c->id);
    cJSON *runs = cJSON_AddArrayToObject(tree, "runs");
    for (int i = 0; i < c->n_runs; i++) {
        const dn_compared_run *run = &c->runs[i];
        cJSON *object = dn_evaluation_json(&run->result, NULL);
        cJSON_AddStringToObject(object, "name", run->name);
        cJSON_AddStringToObject(object, "kind", dn_ensemble_kind_name(run->kind));
        cJSON_AddNumberToObject(object, "members", run->result.members);
        cJSON_AddStringToObject(object, "method", run->method);
        cJSON *mean = cJSON_AddObjectToObject(object, "mean");
        cJSON_AddNumberToObject(mean, "auroc", run->mean_auroc);
        cJSON_AddNumberToObject(mean, "fpr95", run->mean_fpr95);
        cJSON_AddItemToArray(runs, object);
    }
    const dn_status status = dn_json_write(tree, path);
    cJSON_Delete(tree);
    return status;
}

/* ---- picture ---- */

static void describe(char text[96], const dn_compared_run *run)
{
    static const char *const kinds[] = {[DN_ENSEMBLE_DEEP] = "deep ensemble",
                                        [DN_ENSEMBLE_MI] = "MI ensemble",
                                        [DN_ENSEMBLE_LEAVE_OUT] = "leave-out ensemble"};
    int used = run->result.members == 1 ? snprintf(text, 96, "one network")
                                        : snprintf(text, 96, "%s of %d", kinds[run->kind], run->result.members);
    if (run->result.labelled) snprintf(text + used, 96 - (size_t)used, ", %.1f %% right", 100.0 * run->result.accuracy);
}

static dn_status draw(const dn_comparison *c, const char *path)
{
    char lines[MOST_RUNS][96];
    dn_plot_panel panels[MOST_RUNS] = {{0}};
    dn_plot_cell *cells = dn_calloc((size_t)c->n_runs * (size_t)c->n_ood, sizeof *cells);
    if (!cells) return DN_ERROR_MEMORY;
    for (int i = 0; i < c->n_runs; i++) {
        describe(lines[i], &c->runs[i]);
        panels[i] = (dn_plot_panel){c->runs[i].name, lines[i], c->runs[i].method, cells + i * c->n_ood};
        for (int row = 0; row < c->n_ood; row++) {
            const dn_evaluation_row *r = &c->runs[i].result.rows[row];
            cells[i * c->n_ood + row] =
                (dn_plot_cell){r->id_scores, r->scores, r->metrics.n_id, r->metrics.n_ood, r->metrics.auroc};
        }
    }
    const dn_plot plot = {c->id, (const char *const *)c->ood, c->n_ood, panels, c->n_runs};
    const dn_status status = dn_plot_draw(&plot, path);
    dn_free(cells);
    return status;
}

/* ---- all of it ---- */

static dn_status compare(arguments *a, dn_comparison *result)
{
    if (a->plot) DN_TRY(dn_gnuplot_check(a->plot));
    dn_device *device = NULL;
    dn_progress *progress = NULL;
    const dn_progress_options progress_options = {.label = "compare", .quiet = a->quiet};
    DN_TRY(dn_cli_open_device(&device, a->device, a->threads));
    dn_status status = dn_progress_open(&progress, &progress_options);
    a->comparison.runs = a->runs;
    a->comparison.ood = a->ood;
    a->comparison.keep_scores = a->plot != NULL;
    a->comparison.progress = progress;
    if (status == DN_OK) status = dn_compare(result, device, &a->comparison);
    dn_progress_close(progress);
    dn_device_close(device);
    return status;
}

int dn_cmd_compare(int argc, char **argv)
{
    arguments a = {0};
    dn_comparison result = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    dn_interrupt_install();
    dn_status status = compare(&a, &result);
    if (status == DN_OK && (!a.json || strcmp(a.json, "-") != 0)) status = print_table(&result);
    if (status == DN_OK && a.json) status = write_json(&result, a.json);
    if (status == DN_OK && a.plot) status = draw(&result, a.plot);
    dn_comparison_close(&result);
    return dn_cli_fail(status);
}
