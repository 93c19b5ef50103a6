#include "apps/evaluate_json.h"

#include <string.h>

#include "apps/metric_report.h"

/* ---- one run ---- */

static cJSON *row_json(const dn_evaluation_row *row, dn_metric_group group)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "ood", row->ood);
    if (group != DN_GROUP_NONE) cJSON_AddStringToObject(object, "group", dn_metric_group_name(group));
    cJSON_AddStringToObject(object, "method", row->method);
    cJSON_AddStringToObject(object, "reduce", dn_evaluation_reduce_text(row->reduce));
    for (int m = 0; m < DN_METRIC_COUNT; m++)
        dn_metric_json_number(object, dn_metric_name((dn_metric)m), dn_metrics_value(&row->metrics, (dn_metric)m));
    cJSON_AddNumberToObject(object, "n_ood", (double)row->metrics.n_ood);
    cJSON_AddStringToObject(object, "rule", dn_fpr_rule_name(row->metrics.rule));
    cJSON_AddStringToObject(object, "positive", dn_positive_name(row->metrics.positive));
    if (!row->interval) return object;
    cJSON *intervals = cJSON_AddObjectToObject(object, "intervals");
    for (int m = 0; m < DN_METRIC_COUNT; m++) {
        cJSON *pair = cJSON_AddObjectToObject(intervals, dn_metric_name((dn_metric)m));
        dn_metric_json_number(pair, "low", row->interval[m].low);
        dn_metric_json_number(pair, "high", row->interval[m].high);
    }
    return object;
}

static void add_work(cJSON *tree, const dn_evaluation *e)
{
    cJSON *network = cJSON_AddObjectToObject(tree, "network");
    cJSON_AddNumberToObject(network, "images", (double)e->images);
    cJSON_AddNumberToObject(network, "seconds", e->seconds.network);
    cJSON *seconds = cJSON_AddObjectToObject(tree, "seconds");
    cJSON_AddNumberToObject(seconds, "fit", e->seconds.fit);
    cJSON_AddNumberToObject(seconds, "score", e->seconds.score);
    cJSON_AddNumberToObject(seconds, "metrics", e->seconds.metrics);
}

static void add_left_out(cJSON *tree, const dn_evaluation *e)
{
    cJSON *list = cJSON_AddArrayToObject(tree, "left_out");
    for (int i = 0; i < e->n_left_out; i++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "method", e->left_out[i].method);
        cJSON_AddStringToObject(object, "reason", e->left_out[i].reason);
        cJSON_AddItemToArray(list, object);
    }
}

cJSON *dn_evaluation_json(const dn_evaluation *e, const dn_metric_group *groups)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "run", e->run);
    cJSON_AddNumberToObject(tree, "seed", (double)e->seed);
    cJSON_AddStringToObject(tree, "id", e->id);
    cJSON_AddNumberToObject(tree, "n_id", (double)e->n_id);
    cJSON_AddNumberToObject(tree, "accuracy", e->accuracy);
    cJSON *members = cJSON_AddArrayToObject(tree, "member_accuracy");
    for (int m = 0; m < e->members && e->labelled; m++)
        cJSON_AddItemToArray(members, cJSON_CreateNumber(e->member_accuracy[m]));
    add_work(tree, e);
    cJSON *results = cJSON_AddArrayToObject(tree, "results");
    int set = 0;
    for (int i = 0; i < e->n_rows; i++) {
        if (i > 0 && strcmp(e->rows[i].ood, e->rows[i - 1].ood) != 0) set++;
        cJSON_AddItemToArray(results, row_json(&e->rows[i], groups ? groups[set] : DN_GROUP_NONE));
    }
    if (e->n_left_out > 0) add_left_out(tree, e);
    return tree;
}

/* ---- the summary ---- */

static cJSON *line_json(const dn_evaluation_line *line)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, line->is_mean ? "group" : "ood", line->set);
    cJSON_AddStringToObject(object, "method", line->method);
    cJSON_AddStringToObject(object, "reduce", dn_evaluation_reduce_text(line->reduce));
    for (int m = 0; m < DN_METRIC_COMPARABLE; m++) {
        cJSON *values = cJSON_AddObjectToObject(object, dn_metric_name((dn_metric)m));
        dn_metric_json_number(values, "mean", line->mean[m]);
        dn_metric_json_number(values, "deviation", line->deviation[m]);
    }
    return object;
}

cJSON *dn_evaluations_json(const dn_evaluation *runs, int n, const dn_metric_group *groups)
{
    dn_evaluation_lines lines = {0};
    if (dn_evaluation_lines_take(&lines, runs, n, groups) != DN_OK) return NULL;
    cJSON *tree = n == 1 ? dn_evaluation_json(&runs[0], groups) : cJSON_CreateObject();
    if (n > 1) {
        cJSON *list = cJSON_AddArrayToObject(tree, "runs");
        for (int r = 0; r < n; r++) cJSON_AddItemToArray(list, dn_evaluation_json(&runs[r], groups));
    }
    cJSON *summary = cJSON_AddArrayToObject(tree, "summary");
    for (int i = 0; i < lines.count; i++) cJSON_AddItemToArray(summary, line_json(&lines.lines[i]));
    dn_evaluation_lines_close(&lines);
    return tree;
}
