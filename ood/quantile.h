/** Exact quantiles of more numbers than memory holds: library-private.
 *
 * Quantile q of n numbers is the one at position q (n - 1) of them in order, interpolated linearly between neighbours
 * (NumPy's default).
 */
#ifndef DN_OOD_QUANTILE_H
#define DN_OOD_QUANTILE_H

#include "ood/fit.h"

enum { DN__QUANTILES_MAX = 2 };

/** @param value receives `count` quantiles of all entries of the fit features
 *  @param q [count] 0 to 1 @param count at most DN__QUANTILES_MAX: all are found in the same four walks */
dn_status dn__fit_quantiles(double *value, const double *q, size_t count, dn_fit *fit) DN_NODISCARD;

/** The same for numbers in memory. @param x [n], n at least 1, finite; left as it is */
dn_status dn__quantiles(double *value, const double *q, size_t count, const double *x, size_t n) DN_NODISCARD;

#endif
