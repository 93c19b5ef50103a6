/** Time, and what many measurements of the same thing say together. */
#ifndef DN_APPS_BENCH_SPREAD_H
#define DN_APPS_BENCH_SPREAD_H

#include "core/status.h"

/** Of n samples: the quartiles, interpolated between neighbours. What disturbs a measurement can only add time: the
 *  smallest sample is the least disturbed one. */
typedef struct dn_spread {
    int n;
    double min, low, median, high; /**< low and high: the first and third quartile */
} dn_spread;

/** @param samples [n], n >= 1 */
dn_status dn_spread_of(dn_spread *out, const double *samples, int n) DN_NODISCARD;

#endif
