/** Exponential and logarithm beside the C library's of higher precision. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

#include "core/random.h"
#include "ood/vector_math.h"

/** @return the distance in units of the last place that a double of the true value's size has */
static double ulps(double got, long double want)
{
    if ((long double)got == want) return 0;
    int exponent;
    frexpl(want, &exponent);
    const int least = DBL_MIN_EXP; /* denormals are as far apart as the smallest normal numbers */
    const long double unit = ldexpl(1, (exponent > least ? exponent : least) - DBL_MANT_DIG);
    return (double)(fabsl((long double)got - want) / unit);
}

/** 53 random bits, for a float's 24 would leave most doubles out. */
static double uniform(dn_random_sequence *r, double low, double high)
{
    const double coarse = (double)dn_random_next(r) * 0x1p-32, fine = (double)(dn_random_next(r) >> 11) * 0x1p-53;
    return low + (high - low) * (coarse + fine);
}

Test(vector_math, exp_is_within_one_ulp)
{
    dn_random_sequence r = {.seed = 1};
    double worst = 0;
    for (int i = 0; i < 2000000; i++) {
        const double wide[] = {745.2, 50, 1, 0x1p-20};
        const double x = uniform(&r, -wide[i % 4], i % 4 ? wide[i % 4] : 709.78);
        worst = fmax(worst, ulps(dn__exp(x), expl((long double)x)));
    }
    cr_expect_leq(worst, 1.0, "%g ulp", worst);
}

Test(vector_math, log_is_within_one_ulp)
{
    dn_random_sequence r = {.seed = 2};
    double worst = 0;
    for (int i = 0; i < 2000000; i++) {
        const double m = uniform(&r, 0.5, 2);
        /* All exponents, with those of denormal numbers, then the neighbourhood of 1. */
        const double x = i % 2 ? ldexp(m, (int)uniform(&r, -1074, 1023)) : i % 4 ? m : 1 + (m - 1) * 0x1p-12;
        worst = fmax(worst, ulps(dn__log(x), logl((long double)x)));
    }
    cr_expect_leq(worst, 1.0, "%g ulp", worst);
}

Test(vector_math, log1p_is_within_one_and_a_half_ulp)
{
    dn_random_sequence r = {.seed = 3};
    double worst = 0;
    for (int i = 0; i < 2000000; i++) {
        const double x = i % 2 ? uniform(&r, -0.999, 4) : ldexp(uniform(&r, -1, 1), (int)uniform(&r, -1060, 0));
        if (x <= -1) continue;
        worst = fmax(worst, ulps(dn__log1p(x), log1pl((long double)x)));
    }
    cr_expect_leq(worst, 1.5, "%g ulp", worst);
}

Test(vector_math, ends_of_the_range)
{
    cr_expect_eq(dn__exp(0), 1);
    cr_expect_eq(dn__exp(-0.0), 1);
    cr_expect_eq(dn__exp(-INFINITY), 0);
    cr_expect_eq(dn__exp(-1e300), 0);
    cr_expect_eq(dn__exp(-745.14), 0);
    cr_expect_eq(dn__exp(-745.13), 0x1p-1074);
    cr_expect(isfinite(dn__exp(709.782)));
    cr_expect_eq(dn__exp(709.79), INFINITY);
    cr_expect_eq(dn__exp(INFINITY), INFINITY);
    cr_expect(isnan(dn__exp(NAN)));

    cr_expect_eq(dn__log(1), 0);
    cr_expect_eq(dn__log(0), -INFINITY);
    cr_expect_eq(dn__log(-0.0), -INFINITY);
    cr_expect_eq(dn__log(INFINITY), INFINITY);
    cr_expect(isnan(dn__log(-1)));
    cr_expect(isnan(dn__log(-INFINITY)));
    cr_expect(isnan(dn__log(NAN)));
    cr_expect_leq(ulps(dn__log(0x1p-1074), logl(0x1p-1074L)), 1);
    cr_expect_leq(ulps(dn__log(DBL_MAX), logl((long double)DBL_MAX)), 1);

    cr_expect_eq(dn__log1p(0), 0);
    cr_expect_eq(dn__log1p(0x1p-1074), 0x1p-1074);
    cr_expect_eq(dn__log1p(1e-300), 1e-300);
    cr_expect_eq(dn__log1p(INFINITY), INFINITY);
    cr_expect(isnan(dn__log1p(NAN)));
}
