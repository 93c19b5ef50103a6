/** Weibull distributions of positive numbers, by maximum likelihood: library-private. */
#ifndef DN_OOD_WEIBULL_H
#define DN_OOD_WEIBULL_H

#include <stddef.h>

/** P(X <= x) = 1 - exp(-(x / scale)^shape). An infinite shape stands for a step: 0 up to `scale`, 1 above. */
typedef struct dn__weibull {
    double shape, scale;
} dn__weibull;

/** The shape and scale of largest likelihood. Zeros, which have no likelihood, are left out. If fewer than two numbers
 *  differ, the likelihood has no maximum: the result is the step behind the largest number. @param x [n] at least 0 */
dn__weibull dn__weibull_fit(const double *x, size_t n);

/** @return P(X <= x), x at least 0 */
double dn__weibull_cdf(const dn__weibull *w, double x);

#endif
