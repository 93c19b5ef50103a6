/** How sure metrics are: bootstrap intervals, and the difference of two methods on the same rows.
 *
 * A resample draws n_id ID rows and n_ood OOD rows with replacement, each from its own set, and computes all numbers of
 * dn_metrics anew, thresholds included. Scores are sorted once; a resample only counts how often each row was drawn,
 * which gives the same numbers as sorting the drawn rows. Draws are functions of (seed, resample, set, draw), so that
 * results do not depend on the number of threads. Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
 */
#ifndef DN_OOD_BOOTSTRAP_H
#define DN_OOD_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "ood/metrics.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_BOOTSTRAP_MOST = 1000000 /**< resamples */ };

/** What one method says about the two sets. */
typedef struct dn_score_sets {
    const double *id, *ood; /**< [n_id], [n_ood], finite */
    size_t n_id, n_ood;
} dn_score_sets;

typedef struct dn_bootstrap_options {
    size_t resamples; /**< 1 to DN_BOOTSTRAP_MOST; 1000 is usual */
    uint64_t seed;
    /** Number of the OOD set: those of the same number and size draw the same OOD rows. ID rows do not depend on it, as
     *  all OOD sets are held against the same ID rows. */
    uint32_t ood_set;
    dn_metrics_options metrics;
} dn_bootstrap_options;

/** The numbers of every resample.
 *  @param values [methods, DN_METRIC_COUNT, resamples], written on DN_OK only
 *  @param sets [methods] scores of the same rows in the same order: every method gets the same draws
 *  @return as dn_metrics_compute(); DN_ERROR_SHAPE if methods have different numbers of rows; DN_ERROR_ARGUMENT for no
 *  method or a number of resamples out of range */
DN_NODISCARD dn_status dn_bootstrap_values(double *values, const dn_score_sets *sets, size_t methods,
                                           const dn_bootstrap_options *options);

typedef struct dn_interval {
    double low, high;
} dn_interval;

/** The 95 % percentile interval: the 2.5 % and the 97.5 % quantile, interpolated linearly between values.
 *  @param values [n] finite, n >= 1; are sorted */
dn_interval dn_interval_of(double *values, size_t n);

/** 95 % intervals of all numbers of one method. @param out [DN_METRIC_COUNT], by dn_metric
 *  @return as dn_bootstrap_values() */
DN_NODISCARD dn_status dn_bootstrap(dn_interval *out, const dn_score_sets *sets, const dn_bootstrap_options *options);

/** 95 % intervals of `first` minus `second`, resampled together. A method minus itself is exactly 0.
 *  @param out [DN_METRIC_COUNT] @return as dn_bootstrap_values() */
DN_NODISCARD dn_status dn_bootstrap_difference(dn_interval *out, const dn_score_sets *first,
                                               const dn_score_sets *second, const dn_bootstrap_options *options);

#ifdef __cplusplus
}
#endif
#endif
