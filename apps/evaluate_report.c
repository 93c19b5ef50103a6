#include "apps/evaluate_report.h"

#include <stdio.h>
#include <string.h>

#include "apps/table.h"

static const dn_metric shown[] = {DN_METRIC_AUROC, DN_METRIC_AUPR_OUT, DN_METRIC_AUPR_IN, DN_METRIC_FPR95};
enum { SHOWN = sizeof shown / sizeof *shown };

/* ---- text ---- */

static void put_value(dn_table *table, const dn_evaluation_line *line, dn_metric metric)
{
    if (line->interval)
        dn_table_cell(table, "%.4f [%.4f, %.4f]", line->mean[metric], line->interval[metric].low,
                      line->interval[metric].high);
    else if (line->runs > 1)
        dn_table_cell(table, "%.4f +- %.4f", line->mean[metric], line->deviation[metric]);
    else
        dn_table_cell(table, "%.4f", line->mean[metric]);
}

static dn_status print_lines(const dn_evaluation_lines *lines)
{
    static const char *const head[] = {"unknown data", "score", "reduce", "AUROC", "AUPR out", "AUPR in", "FPR95"};
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, "lllrrrr"));
    for (int i = 0; i < 7; i++) dn_table_cell(table, "%s", head[i]);
    dn_table_rule(table);
    for (int i = 0; i < lines->count; i++) {
        const dn_evaluation_line *line = &lines->lines[i], *before = i > 0 ? line - 1 : NULL;
        const bool first = !before || strcmp(line->set, before->set) != 0 || line->is_mean != before->is_mean;
        if (first && line->is_mean && before && !before->is_mean) dn_table_rule(table);
        dn_table_cell(table, "%s%s", first ? line->set : "", first && line->is_mean ? " of sets" : "");
        dn_table_cell(table, "%s", line->method);
        dn_table_cell(table, "%s", dn_evaluation_reduce_text(line->reduce));
        for (int k = 0; k < SHOWN; k++) put_value(table, line, shown[k]);
    }
    const dn_status status = dn_table_print(table, stdout);
    dn_table_close(table);
    return status;
}

static void print_accuracy(const dn_evaluation *run, bool named)
{
    if (!run->labelled) return;
    if (named) printf("%s: ", run->run);
    printf("accuracy: %.2f %%", 100.0 * run->accuracy);
    if (run->members > 1) printf("; members");
    for (int m = 0; m < run->members && run->members > 1; m++) printf(" %.2f", 100.0 * run->member_accuracy[m]);
    printf("\n");
}

/* FPR95 has several: what is not the default is said. */
static void print_convention(const dn_evaluation *run)
{
    if (run->n_rows == 0) return;
    const dn_metrics_options usual = {0};
    const dn_metrics *m = &run->rows[0].metrics;
    if (m->rule == usual.rule && m->positive == usual.positive) return;
    printf("FPR95 by rule %s, positive class %s\n", dn_fpr_rule_name(m->rule), dn_positive_name(m->positive));
}

dn_status dn_evaluation_print(const dn_evaluation *runs, int n, const dn_metric_group *groups)
{
    dn_evaluation_lines lines = {0};
    DN_TRY(dn_evaluation_lines_take(&lines, runs, n, groups));
    printf("known data: %s, %lld images\n", runs[0].id, (long long)runs[0].n_id);
    for (int r = 0; r < n; r++) print_accuracy(&runs[r], n > 1);
    if (n > 1) printf("mean +- sample standard deviation of %d runs\n", n);
    if (lines.count > 0 && lines.lines[0].interval) printf("in brackets: bootstrap intervals of 95 %%\n");
    print_convention(runs);
    printf("\n");
    const dn_status status = print_lines(&lines);
    dn_evaluation_lines_close(&lines);
    return status;
}

void dn_evaluation_print_times(const dn_evaluation *runs, int n)
{
    long long images = 0;
    double network = 0.0, fit = 0.0, score = 0.0, metrics = 0.0;
    for (int r = 0; r < n; r++) {
        images += runs[r].images;
        network += runs[r].seconds.network;
        fit += runs[r].seconds.fit;
        score += runs[r].seconds.score;
        metrics += runs[r].seconds.metrics;
    }
    fprintf(stderr, "network: %lld images; seconds: data and network %.2f, fits %.2f, scores %.2f, metrics %.2f\n",
            images, network, fit, score, metrics);
}

/* ---- CSV ---- */

static void add_row(dn_csv *csv, const dn_evaluation *run, const dn_evaluation_row *row, dn_metric_group group)
{
    dn_csv_add_text(csv, run->run);
    dn_csv_add(csv, ",%llu,", (unsigned long long)run->seed);
    dn_csv_add_text(csv, run->id);
    dn_csv_add(csv, ",");
    dn_csv_add_text(csv, row->ood);
    dn_csv_add(csv, ",%s,", dn_metric_group_name(group));
    dn_csv_add_text(csv, row->method);
    dn_csv_add(csv, ",%s,%zu,%zu,%s,%s", dn_evaluation_reduce_text(row->reduce), row->metrics.n_id, row->metrics.n_ood,
               dn_fpr_rule_name(row->metrics.rule), dn_positive_name(row->metrics.positive));
    for (int m = 0; m < DN_METRIC_COUNT; m++) {
        dn_csv_add(csv, ",%.17g", dn_metrics_value(&row->metrics, (dn_metric)m));
        if (row->interval) dn_csv_add(csv, ",%.17g,%.17g", row->interval[m].low, row->interval[m].high);
    }
    dn_csv_add(csv, "\n");
}

void dn_evaluation_csv(dn_csv *csv, const dn_evaluation *runs, int n, const dn_metric_group *groups)
{
    dn_csv_add(csv, "run,seed,id,ood,group,method,reduce,n_id,n_ood,rule,positive");
    const bool intervals = runs[0].n_rows > 0 && runs[0].rows[0].interval;
    for (int m = 0; m < DN_METRIC_COUNT; m++) {
        const char *name = dn_metric_name((dn_metric)m);
        dn_csv_add(csv, ",%s", name);
        if (intervals) dn_csv_add(csv, ",%s_low,%s_high", name, name);
    }
    dn_csv_add(csv, "\n");
    for (int r = 0; r < n; r++) {
        int set = 0;
        for (int i = 0; i < runs[r].n_rows; i++) {
            const dn_evaluation_row *row = &runs[r].rows[i];
            if (i > 0 && strcmp(row->ood, row[-1].ood) != 0) set++;
            add_row(csv, &runs[r], row, groups ? groups[set] : DN_GROUP_NONE);
        }
    }
}
