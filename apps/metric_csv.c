#include "apps/metric_report.h"

static void add_head(dn_csv *csv, const char *suffix, int count, bool intervals)
{
    for (int i = 0; i < count; i++) {
        const char *name = dn_metric_name((dn_metric)i);
        dn_csv_add(csv, ",%s%s", name, suffix);
        if (intervals) dn_csv_add(csv, ",%s%s_low,%s%s_high", name, suffix, name, suffix);
    }
}

/** @param count of numbers; empty cells follow up to `columns` */
static void add_figures(dn_csv *csv, const dn_metric_figures *f, int count, int columns, bool intervals)
{
    for (int i = 0; i < columns; i++) {
        if (i < count) {
            dn_csv_add(csv, ",%.17g", f->value[i]);
            if (intervals) dn_csv_add(csv, ",%.17g,%.17g", f->interval[i].low, f->interval[i].high);
        } else {
            dn_csv_add(csv, intervals ? ",,," : ",");
        }
    }
}

static void add_set(dn_csv *csv, const dn_metric_result *result, const dn_metric_request *r, int i)
{
    const dn_metric_set *set = &result->set[i];
    const bool intervals = r->bootstrap.resamples > 0;
    dn_csv_add_text(csv, r->ood[i]);
    dn_csv_add(csv, ",%s,%s,%s,%zu,%zu", dn_metric_group_name(r->group[i]), dn_fpr_rule_name(set->metrics.rule),
               dn_positive_name(set->metrics.positive), set->metrics.n_id, set->metrics.n_ood);
    add_figures(csv, &set->figures, DN_METRIC_COUNT, DN_METRIC_COUNT, intervals);
    if (r->versus_id) add_figures(csv, &set->difference, DN_METRIC_COMPARABLE, DN_METRIC_COMPARABLE, intervals);
    dn_csv_add(csv, "\n");
}

void dn_metric_csv(dn_csv *csv, const dn_metric_result *result, const dn_metric_request *request)
{
    const bool intervals = request->bootstrap.resamples > 0;
    const dn_metrics *first = &result->set[0].metrics;
    dn_csv_add(csv, "set,group,rule,positive,n_id,n_ood");
    add_head(csv, "", DN_METRIC_COUNT, intervals);
    if (request->versus_id) add_head(csv, "_difference", DN_METRIC_COMPARABLE, intervals);
    dn_csv_add(csv, "\n");
    for (int i = 0; i < request->n_ood; i++) add_set(csv, result, request, i);
    for (int g = DN_GROUP_NEAR; g < DN_GROUP_COUNT; g++) {
        const dn_metric_group_means *group = &result->group[g];
        if (group->sets == 0) continue;
        dn_csv_add(csv, "mean,%s,%s,%s,%zu,", dn_metric_group_name((dn_metric_group)g), dn_fpr_rule_name(first->rule),
                   dn_positive_name(first->positive), result->n_id);
        add_figures(csv, &group->figures, DN_METRIC_COMPARABLE, DN_METRIC_COUNT, intervals);
        if (request->versus_id)
            add_figures(csv, &group->difference, DN_METRIC_COMPARABLE, DN_METRIC_COMPARABLE, intervals);
        dn_csv_add(csv, "\n");
    }
}
