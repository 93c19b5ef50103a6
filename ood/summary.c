#include "ood/summary.h"

#include <math.h>

typedef double value_fn(const void *values, size_t i, dn_metric which);

static double plain_value(const void *values, size_t i, dn_metric which)
{
    (void)which;
    return ((const double *)values)[i];
}

static double metric_value(const void *values, size_t i, dn_metric which)
{
    return dn_metrics_value((const dn_metrics *)values + i, which);
}

static dn_status summarise(dn_summary *out, value_fn *value, const void *values, size_t n, dn_metric which)
{
    if (n == 0) return dn_fail(DN_ERROR_ARGUMENT, "summary: no values, but at least one is needed");
    const double first = value(values, 0, which);
    dn_summary s = {.n = n, .min = first, .max = first, .deviation = NAN};
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double x = value(values, i, which);
        if (!isfinite(x)) return dn_fail(DN_ERROR_NUMERIC, "summary: value %zu (counted from 0) is %g", i, x);
        s.min = fmin(s.min, x);
        s.max = fmax(s.max, x);
        sum += x;
    }
    s.mean = s.min == s.max ? s.min : sum / (double)n; /* equal values: no rounding */
    for (size_t i = 0; i < n; i++) {
        const double distance = value(values, i, which) - s.mean;
        squares += distance * distance;
    }
    if (n > 1) s.deviation = sqrt(squares / (double)(n - 1));
    *out = s;
    return DN_OK;
}

dn_status dn_summarise(dn_summary *out, const double *values, size_t n)
{
    return summarise(out, plain_value, values, n, DN_METRIC_COUNT);
}

dn_status dn_summarise_metrics(dn_summary *out, const dn_metrics *metrics, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (metrics[i].rule == metrics[0].rule && metrics[i].positive == metrics[0].positive) continue;
        return dn_fail(DN_ERROR_ARGUMENT,
                       "summary: metrics 0 use rule %s with %s positive, metrics %zu rule %s with %s; compute all with "
                       "the same",
                       dn_fpr_rule_name(metrics[0].rule), dn_positive_name(metrics[0].positive), i,
                       dn_fpr_rule_name(metrics[i].rule), dn_positive_name(metrics[i].positive));
    }
    for (int i = 0; i < DN_METRIC_COUNT; i++) {
        dn_status status = summarise(&out[i], metric_value, metrics, n, (dn_metric)i);
        if (status != DN_OK) return n ? dn_fail_context(status, "%s", dn_metric_name((dn_metric)i)) : status;
    }
    return DN_OK;
}
