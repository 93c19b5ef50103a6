/** Detection figures as the public implementation of leave-out classifiers computes them: ID is the positive class, and
 *  a threshold is met by ID rows at it but passed only by OOD rows above it. They differ from ood/metrics.h by what one
 *  row counts, and by more where scores are equal. */
#ifndef DN_APPS_ELOC_METRICS_H
#define DN_APPS_ELOC_METRICS_H

#include <stddef.h>

#include "core/status.h"

typedef enum dn_eloc_figure {
    DN_ELOC_FPR95, /**< mean FPR over the thresholds with TPR 0.9495 to 0.9505; NaN if there is none */
    DN_ELOC_DETECTION_ERROR,
    DN_ELOC_AUROC,
    DN_ELOC_AUPR_IN,
    DN_ELOC_AUPR_OUT,
    DN_ELOC_FIGURES
} dn_eloc_figure;

/** @param id [n_id] and @param ood [n_ood] finite scores, higher = more OOD, at least 1 each
 *  @param figures [DN_ELOC_FIGURES] */
dn_status dn_eloc_metrics(double *figures, const double *id, size_t n_id, const double *ood, size_t n_ood) DN_NODISCARD;

#endif
