/** A threshold from a grid of values, as "Predictive Uncertainty via Degeneralization" chooses it. */
#ifndef DN_APPS_GRID_THRESHOLD_H
#define DN_APPS_GRID_THRESHOLD_H

#include <stddef.h>

/** Of `points` values from 0 to 1, both included, the one that tells most rows rightly: ID below it, OOD not; of equals
 *  the largest. The source takes 1000 of them for entropies, which may be larger than 1.
 *  @param points at least 2 @return the threshold */
double dn_grid_threshold(const double *id, size_t n_id, const double *ood, size_t n_ood, size_t points);

#endif
