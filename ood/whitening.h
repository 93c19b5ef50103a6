/** Distances to class means in the metric of the classes' common covariance, for mahalanobis and rmds: library-private.
 *
 * With pinv(covariance) = L' L, the distance (f - mu)' pinv (f - mu) is the squared length of L f - L mu.
 */
#ifndef DN_OOD_WHITENING_H
#define DN_OOD_WHITENING_H

#include <stddef.h>

#include "core/status.h"
#include "ood/fit.h"
#include "ood/rows.h"
#include "ood/workspace.h"

typedef struct dn__whitening {
    size_t dim, rank, classes; /**< D; rows of L; classes that have fit rows */
    double *factor;            /**< [rank,D] L */
    const double *centre;      /**< [D] mean of all fit features, borrowed */
    double *mean;              /**< [classes,rank] L (mu_c - centre) */
    double *square;            /**< [classes] their squared lengths */
} dn__whitening;

/** The within-class covariance's whitening, made at the first call. @param out borrowed from the fit */
dn_status dn__whitening_get(const dn__whitening **out, dn_fit *fit) DN_NODISCARD;

/** The nearest class's squared distance of every row. @param distance [rows]
 *  @param offset NULL, or receives [rows,rank], L f - L mu of that class, in the workspace */
dn_status dn__whitening_nearest(double *distance, double **offset, const dn_score_rows *in,
                                const dn__whitening *whitening, dn_workspace *space) DN_NODISCARD;

#endif
