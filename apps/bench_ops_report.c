/* The report of `dunlin bench ops` as a table and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "apps/bench_ops.h"
#include "apps/bench_report.h"
#include "apps/json.h"
#include "apps/table.h"
#include "core/alloc.h"

static const double least_bytes = 65536.0; /* below this an op's time is not about bandwidth */

static int longest_first(const void *a, const void *b)
{
    const double x = ((const dn_op_time *)a)->ms.min, y = ((const dn_op_time *)b)->ms.min;
    return (x < y) - (x > y);
}

static double sum_of_least(const dn_ops_report *report)
{
    double sum = 0.0;
    for (int i = 0; i < report->n_rows; i++) sum += report->rows[i].ms.min;
    return sum;
}

static double spread_percent(const dn_spread *s)
{
    return s->median > 0.0 ? 100.0 * (s->high - s->low) / s->median : 0.0;
}

static void add_row(dn_table *table, const dn_op_time *row, const dn_program *program, double sum)
{
    char title[256];
    dn_table_cell(table, "%d", row->op);
    dn_table_cell(table, "%s", dn_op_title(program, row->op, title, sizeof title));
    dn_table_cell(table, "%s%s", row->kernel, row->slow_fallback ? "  slow fall-back" : "");
    dn_table_cell(table, "%.3f", row->ms.min);
    dn_table_cell(table, "%.3f", row->ms.median);
    dn_table_cell(table, "%.0f %%", spread_percent(&row->ms));
    dn_table_cell(table, "%.1f %%", 100.0 * row->ms.min / sum);
    if (row->cost.flops > 0.0)
        dn_table_cell(table, "%.1f GFLOP/s", 1e-6 * row->cost.flops / row->ms.min);
    else if (row->cost.bytes >= least_bytes)
        dn_table_cell(table, "%.1f GB/s", 1e-6 * row->cost.bytes / row->ms.min);
    else
        dn_table_cell(table, "-");
}

static void add_total(dn_table *table, const char *what, const dn_spread *s)
{
    dn_table_cell(table, "%s", "");
    dn_table_cell(table, "%s", what);
    dn_table_cell(table, "%s", "");
    dn_table_cell(table, "%.3f", s->min);
    dn_table_cell(table, "%.3f", s->median);
    dn_table_cell(table, "%.0f %%", spread_percent(s));
    dn_table_cell(table, "%s", "");
    dn_table_cell(table, "%s", "");
}

static dn_status print_rows(const dn_ops_report *report, const dn_op_time *rows, const dn_program *program, FILE *to)
{
    static const char *const head[] = {"#", "op", "kernel", "least ms", "median", "spread", "share", "rate"};
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, "rllrrrrr"));
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) dn_table_cell(table, "%s", head[i]);
    dn_table_rule(table);
    const double sum = sum_of_least(report);
    for (int i = 0; i < report->n_rows; i++) add_row(table, &rows[i], program, sum);
    dn_table_rule(table);
    add_total(table, "all ops, one by one", &report->sum_ms);
    add_total(table, "the whole step", &report->step_ms);
    const dn_status status = dn_table_print(table, to);
    dn_table_close(table);
    return status;
}

static void print_fallbacks(const dn_ops_report *report, const dn_program *program, FILE *to)
{
    char title[256];
    bool any = false;
    for (int i = 0; i < report->n_rows; i++) {
        const dn_op_time *row = &report->rows[i];
        if (!row->slow_fallback) continue;
        if (!any) fputs("\nslow fall-backs: these have no fast kernel for their shapes\n", to);
        any = true;
        fprintf(to, "  %d %s: %s\n", row->op, dn_op_title(program, row->op, title, sizeof title), row->kernel);
    }
}

dn_status dn_bench_ops_print(const dn_ops_report *report, const dn_workload *w, bool sorted, FILE *to)
{
    const size_t bytes = (size_t)report->n_rows * sizeof *report->rows;
    dn_op_time *rows = dn_calloc((size_t)report->n_rows, sizeof *rows);
    if (!rows) return DN_ERROR_MEMORY;
    memcpy(rows, report->rows, bytes);
    if (sorted) qsort(rows, (size_t)report->n_rows, sizeof *rows, longest_first);
    dn_bench_print_head(w, "ops of one training step", to);
    const dn_status status = print_rows(report, rows, w->objective.program, to);
    dn_free(rows);
    print_fallbacks(report, w->objective.program, to);
    fprintf(to, "\n%d repetitions; spread: between the quartiles, of the median; share and rate: by the least times\n",
            report->step_ms.n);
    return status;
}

static cJSON *row_json(const dn_op_time *row, const dn_program *program, double sum)
{
    char title[256];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "op", row->op);
    cJSON_AddStringToObject(object, "title", dn_op_title(program, row->op, title, sizeof title));
    cJSON_AddStringToObject(object, "kernel", row->kernel);
    cJSON_AddBoolToObject(object, "slow_fallback", row->slow_fallback);
    cJSON_AddNumberToObject(object, "runs", row->runs);
    dn_bench_add_spread(object, "ms", &row->ms);
    cJSON_AddNumberToObject(object, "share", row->ms.min / sum);
    cJSON_AddNumberToObject(object, "flops", row->cost.flops);
    cJSON_AddNumberToObject(object, "bytes", row->cost.bytes);
    return object;
}

dn_status dn_bench_ops_json(const dn_ops_report *report, const dn_workload *w, const char *path)
{
    cJSON *tree = dn_bench_json(w, "ops");
    dn_bench_add_spread(tree, "step_ms", &report->step_ms);
    dn_bench_add_spread(tree, "sum_ms", &report->sum_ms);
    cJSON *ops = cJSON_AddArrayToObject(tree, "ops");
    const double sum = sum_of_least(report);
    for (int i = 0; i < report->n_rows; i++)
        cJSON_AddItemToArray(ops, row_json(&report->rows[i], w->objective.program, sum));
    const dn_status status = dn_json_write(tree, path);
    cJSON_Delete(tree);
    return status;
}
