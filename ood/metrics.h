/** How well scores tell ID from OOD rows. Higher score = more out-of-distribution; OOD is the positive class.
 *
 * Exact with ties: every rate is an integer fraction and is compared as one, nothing is binned or sampled. O(n).
 * A row is flagged if its score >= threshold; thresholds are the distinct scores. docs/metrics.md has the formulas.
 */
#ifndef DN_OOD_METRICS_H
#define DN_OOD_METRICS_H

#include <stddef.h>

#include "core/status.h"
#include "ood/curve.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where FPR95 is read. With the positive class's share flagged, TPR, and the other's, FPR: */
typedef enum dn_fpr_rule {
    DN_FPR_FIRST,   /**< FPR at the first point, thresholds descending, with TPR >= 0.95 */
    DN_FPR_CLOSEST, /**< FPR where TPR is nearest 0.95; of equals the smaller FPR */
    DN_FPR_BAND,    /**< mean FPR over the points with 0.9495 <= TPR <= 0.9505, `first` if there is none; ID positive */
    DN_FPR_OODEEL,  /**< every 4th sorted score a threshold, ascending: FPR at the first with TPR < 0.95, else 0 */
    DN_FPR_RULE_COUNT
} dn_fpr_rule;

/** The class whose rate is fixed at 95 %. DN_POSITIVE_ID takes -score, and changes fpr95 and tnr95 only. */
typedef enum dn_positive { DN_POSITIVE_OOD, DN_POSITIVE_ID, DN_POSITIVE_COUNT } dn_positive;

/** All zero is the default. */
typedef struct dn_metrics_options {
    dn_fpr_rule rule;
    dn_positive positive;
} dn_metrics_options;

typedef struct dn_metrics {
    double auroc;           /**< P(ood > id) + P(ood = id) / 2 */
    double aupr_out;        /**< average precision (step-wise), OOD positive */
    double aupr_in;         /**< the same, ID positive with negated scores */
    double fpr95;           /**< by the rule */
    double tnr95;           /**< 1 - fpr95 */
    double detection_error; /**< least (FNR + FPR) / 2 over all thresholds */
    double best_accuracy;   /**< largest share of rows classified rightly as ID or OOD over all thresholds */
    double best_threshold;  /**< the largest threshold that reaches it */
    size_t n_id, n_ood;
    dn_fpr_rule rule;
    dn_positive positive; /**< as used: DN_POSITIVE_ID under DN_FPR_BAND, whatever was asked */
} dn_metrics;

/** Computes all metrics of one pair of score sets.
 *  @param id [n_id] and @param ood [n_ood] finite scores, 1 to 2^31 - 1 each
 *  @param options NULL for the defaults (first, OOD positive)
 *  @return DN_OK, DN_ERROR_ARGUMENT (empty set, unknown option), DN_ERROR_NUMERIC (NaN or infinity; the text names set
 *  and row), DN_ERROR_MEMORY; `out` is written on DN_OK only */
DN_NODISCARD dn_status dn_metrics_compute(dn_metrics *out, const double *id, size_t n_id, const double *ood,
                                          size_t n_ood, const dn_metrics_options *options);

/** @return DN_ERROR_ARGUMENT for an unknown rule or positive class; NULL is fine */
DN_NODISCARD dn_status dn_metrics_check(const dn_metrics_options *options);

/** The same from a curve that stands already: several rules cost one sort. Cannot fail.
 *  @param options that pass dn_metrics_check(); NULL for the defaults */
void dn_metrics_of_curve(dn_metrics *out, const dn_curve *curve, const dn_metrics_options *options);

/** The numbers of dn_metrics, for tables, intervals and means over sets and seeds. */
typedef enum dn_metric {
    DN_METRIC_AUROC,
    DN_METRIC_AUPR_OUT,
    DN_METRIC_AUPR_IN,
    DN_METRIC_FPR95,
    DN_METRIC_TNR95,
    DN_METRIC_DETECTION_ERROR,
    DN_METRIC_BEST_ACCURACY,
    DN_METRIC_BEST_THRESHOLD,
    DN_METRIC_COUNT
} dn_metric;

/** @return the field's name, such as "aupr_out"; "?" for another value */
const char *dn_metric_name(dn_metric metric);
/** @return the field's value; 0 for another `metric` */
double dn_metrics_value(const dn_metrics *metrics, dn_metric metric);

/** @return "first", "closest", "band" or "oodeel"; "?" for another value */
const char *dn_fpr_rule_name(dn_fpr_rule rule);
DN_NODISCARD dn_status dn_fpr_rule_parse(dn_fpr_rule *out, const char *name);

/** @return "ood" or "id"; "?" for another value */
const char *dn_positive_name(dn_positive positive);
DN_NODISCARD dn_status dn_positive_parse(dn_positive *out, const char *name);

#ifdef __cplusplus
}
#endif
#endif
