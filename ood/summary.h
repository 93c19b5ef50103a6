/** Mean and spread over runs (seeds) and means over groups of OOD sets (near, far). */
#ifndef DN_OOD_SUMMARY_H
#define DN_OOD_SUMMARY_H

#include <stddef.h>

#include "core/status.h"
#include "ood/metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_summary {
    size_t n;
    double mean, min, max;
    double deviation; /**< sample standard deviation (divisor n - 1); NaN if n = 1, as one value has no spread */
} dn_summary;

/** @param values [n] finite @return DN_ERROR_ARGUMENT if n is 0, DN_ERROR_NUMERIC naming a NaN or infinite value */
DN_NODISCARD dn_status dn_summarise(dn_summary *out, const double *values, size_t n);

/** One summary for each number of dn_metrics. @param out [DN_METRIC_COUNT], by dn_metric @param metrics [n]
 *  @return as dn_summarise(); DN_ERROR_ARGUMENT if rules or positive classes differ, whose FPR95 have no common mean */
DN_NODISCARD dn_status dn_summarise_metrics(dn_summary *out, const dn_metrics *metrics, size_t n);

#ifdef __cplusplus
}
#endif
#endif
