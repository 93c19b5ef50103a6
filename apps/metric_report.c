#include "apps/metric_report.h"

#include <math.h>
#include <stdio.h>

#include "apps/table.h"

/* ---- text ---- */

static const dn_metric shown[] = {DN_METRIC_AUROC, DN_METRIC_AUPR_OUT,        DN_METRIC_AUPR_IN,
                                  DN_METRIC_FPR95, DN_METRIC_DETECTION_ERROR, DN_METRIC_BEST_ACCURACY};
enum { SHOWN = sizeof shown / sizeof *shown };

/** A row of numbers and, below it, one of intervals. @param digits printf format */
static void add_rows(dn_table *table, const char *name, const char *rows, const dn_metric_figures *f, bool signs,
                     bool intervals)
{
    dn_table_cell(table, "%s", name);
    dn_table_cell(table, "%s", rows);
    for (int i = 0; i < SHOWN; i++) dn_table_cell(table, signs ? "%+.4f" : "%.4f", f->value[shown[i]]);
    if (!intervals) return;
    dn_table_cell(table, "%s", "");
    dn_table_cell(table, "%s", "");
    for (int i = 0; i < SHOWN; i++) {
        const dn_interval x = f->interval[shown[i]];
        dn_table_cell(table, signs ? "%+.4f to %+.4f" : "%.4f to %.4f", x.low, x.high);
    }
}

static dn_status print_table(const dn_metric_result *result, const dn_metric_request *r, bool difference)
{
    dn_table *table = NULL;
    const bool intervals = r->bootstrap.resamples > 0;
    static const char *const head[] = {"rows",  "AUROC",           "AUPR out",     "AUPR in",
                                       "FPR95", "detection error", "best accuracy"};
    DN_TRY(dn_table_open(&table, "lrrrrrrr"));
    dn_table_cell(table, "%s", difference ? "difference" : "unknown data");
    for (int i = 0; i <= SHOWN; i++) dn_table_cell(table, "%s", head[i]);
    dn_table_rule(table);
    for (int i = 0; i < r->n_ood; i++) {
        char rows[32];
        const dn_metric_set *set = &result->set[i];
        snprintf(rows, sizeof rows, "%zu", set->metrics.n_ood);
        add_rows(table, r->ood[i], rows, difference ? &set->difference : &set->figures, difference, intervals);
    }
    for (int g = DN_GROUP_NEAR; g < DN_GROUP_COUNT; g++) {
        char name[64];
        const dn_metric_group_means *group = &result->group[g];
        if (group->sets == 0) continue;
        snprintf(name, sizeof name, "mean of %d %s", group->sets, dn_metric_group_name((dn_metric_group)g));
        add_rows(table, name, "", difference ? &group->difference : &group->figures, difference, intervals);
    }
    const dn_status status = dn_table_print(table, stdout);
    dn_table_close(table);
    return status;
}

dn_status dn_metric_print(const dn_metric_result *result, const dn_metric_request *request)
{
    const dn_metrics *first = &result->set[0].metrics;
    printf("known data: %s, %zu rows; FPR95 by rule %s, positive class %s\n", request->id, result->n_id,
           dn_fpr_rule_name(first->rule), dn_positive_name(first->positive));
    if (request->bootstrap.resamples > 0)
        printf("95 %% intervals of %zu resamples, seed %llu\n", request->bootstrap.resamples,
               (unsigned long long)request->bootstrap.seed);
    printf("\n");
    DN_TRY(print_table(result, request, false));
    if (!request->versus_id) return DN_OK;
    printf("\n%s minus %s\n\n", request->id, request->versus_id);
    return print_table(result, request, true);
}

/* ---- JSON ---- */

void dn_metric_json_number(cJSON *object, const char *name, double value)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.17g", value);
    if (isfinite(value)) {
        cJSON_AddRawToObject(object, name, digits);
    } else {
        cJSON_AddNullToObject(object, name);
    }
}

static void add_intervals(cJSON *object, const dn_metric_figures *f, int count)
{
    cJSON *intervals = cJSON_AddObjectToObject(object, "intervals");
    for (int i = 0; i < count; i++) {
        cJSON *pair = cJSON_AddObjectToObject(intervals, dn_metric_name((dn_metric)i));
        dn_metric_json_number(pair, "low", f->interval[i].low);
        dn_metric_json_number(pair, "high", f->interval[i].high);
    }
}

/** @param count of numbers */
static void add_figures(cJSON *object, const dn_metric_figures *f, int count, bool intervals)
{
    for (int i = 0; i < count; i++) dn_metric_json_number(object, dn_metric_name((dn_metric)i), f->value[i]);
    if (intervals) add_intervals(object, f, count);
}

static void add_set(cJSON *object, const dn_metric_result *result, const dn_metric_request *r, int i)
{
    const dn_metric_set *set = &result->set[i];
    const bool intervals = r->bootstrap.resamples > 0;
    cJSON_AddStringToObject(object, "ood", r->ood[i]);
    if (r->group[i] != DN_GROUP_NONE) cJSON_AddStringToObject(object, "group", dn_metric_group_name(r->group[i]));
    cJSON_AddStringToObject(object, "rule", dn_fpr_rule_name(set->metrics.rule));
    cJSON_AddStringToObject(object, "positive", dn_positive_name(set->metrics.positive));
    cJSON_AddNumberToObject(object, "n_id", (double)set->metrics.n_id);
    cJSON_AddNumberToObject(object, "n_ood", (double)set->metrics.n_ood);
    add_figures(object, &set->figures, DN_METRIC_COUNT, intervals);
    if (!r->versus_id) return;
    cJSON *difference = cJSON_AddObjectToObject(object, "difference");
    cJSON_AddStringToObject(difference, "versus_ood", r->versus_ood[i]);
    add_figures(difference, &set->difference, DN_METRIC_COMPARABLE, intervals);
}

static void add_groups(cJSON *tree, const dn_metric_result *result, const dn_metric_request *r)
{
    const bool intervals = r->bootstrap.resamples > 0;
    cJSON *groups = cJSON_AddObjectToObject(tree, "groups");
    for (int g = DN_GROUP_NEAR; g < DN_GROUP_COUNT; g++) {
        const dn_metric_group_means *group = &result->group[g];
        if (group->sets == 0) continue;
        cJSON *object = cJSON_AddObjectToObject(groups, dn_metric_group_name((dn_metric_group)g));
        cJSON_AddNumberToObject(object, "sets", group->sets);
        add_figures(object, &group->figures, DN_METRIC_COMPARABLE, intervals);
        if (!r->versus_id) continue;
        cJSON *difference = cJSON_AddObjectToObject(object, "difference");
        add_figures(difference, &group->difference, DN_METRIC_COMPARABLE, intervals);
    }
}

cJSON *dn_metric_json(const dn_metric_result *result, const dn_metric_request *request)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "id", request->id);
    if (request->versus_id) cJSON_AddStringToObject(tree, "versus_id", request->versus_id);
    if (request->bootstrap.resamples > 0) {
        char seed[32];
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)request->bootstrap.seed);
        cJSON *bootstrap = cJSON_AddObjectToObject(tree, "bootstrap");
        cJSON_AddNumberToObject(bootstrap, "level", 0.95);
        cJSON_AddNumberToObject(bootstrap, "resamples", (double)request->bootstrap.resamples);
        cJSON_AddRawToObject(bootstrap, "seed", seed); /* a double does not hold every seed */
    }
    if (request->n_ood == 1) {
        add_set(tree, result, request, 0);
    } else {
        cJSON *sets = cJSON_AddArrayToObject(tree, "sets");
        for (int i = 0; i < request->n_ood; i++) {
            cJSON *object = cJSON_CreateObject();
            cJSON_AddItemToArray(sets, object);
            add_set(object, result, request, i);
        }
    }
    if (result->group[DN_GROUP_NEAR].sets + result->group[DN_GROUP_FAR].sets > 0) add_groups(tree, result, request);
    return tree;
}
