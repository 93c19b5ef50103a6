/** Exponential and logarithm in double, as plain arithmetic without branches or tables, so that a loop over them
 *  becomes vector code: library-private.
 *
 * Errors stay below 1 ulp, those of dn__log1p below 1.5 (test_vector_math.c measures them). Without fused
 * multiply-adds (-ffp-contract=off) every instruction set gives the same bits. The functions know nothing of errno and
 * floating-point exceptions.
 */
#ifndef DN_OOD_VECTOR_MATH_H
#define DN_OOD_VECTOR_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/** ln 2 in two parts: the first ends in zeros, so that a whole number times it is exact. */
#define DN__LN2_HIGH 0x1.62e42feep-1
#define DN__LN2_LOW  0x1.a39ef35793c76p-33

/** Adding it to a number below 2^51 rounds it to a whole one, which then stands in the lowest bits. */
#define DN__ROUNDER 0x1.8p52

static inline uint64_t dn__bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double dn__from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/** e^x: 0 at minus infinity, denormal results rounded like others, infinity above ln(largest double). */
static inline double dn__exp(double x)
{
    /* x = n ln 2 + r, abs(r) <= ln(2) / 2 */
    const double n = (x * 0x1.71547652b82fep0 + DN__ROUNDER) - DN__ROUNDER;
    const double r = (x - n * DN__LN2_HIGH) - n * DN__LN2_LOW;
    /* e^r by its series, of which the first term left out is below 2^-57: 1/k! for k = 2 ... 13, in pairs, for one long
     * chain of operations would keep the processor waiting. */
    const double r2 = r * r, r4 = r2 * r2;
    const double q2 = (0.5 + r * 0x1.5555555555555p-3) + r2 * (0x1.5555555555555p-5 + r * 0x1.1111111111111p-7);
    const double q6 =
        (0x1.6c16c16c16c17p-10 + r * 0x1.a01a01a01a01ap-13) + r2 * (0x1.a01a01a01a01ap-16 + r * 0x1.71de3a556c734p-19);
    const double q10 =
        (0x1.27e4fb7789f5cp-22 + r * 0x1.ae64567f544e4p-26) + r2 * (0x1.1eed8eff8d898p-29 + r * 0x1.6124613a86d09p-33);
    const double q = q2 + r4 * (q6 + r4 * q10);
    const double p = 1.0 + (r + r2 * q);
    /* 2^n as two factors, for n = 1024 and denormals: only the second product rounds. */
    const double half = (n * 0.5 + DN__ROUNDER) - DN__ROUNDER, rest = n - half;
    const uint64_t first = (dn__bits(half + DN__ROUNDER) + 1023) << 52;
    const uint64_t second = (dn__bits(rest + DN__ROUNDER) + 1023) << 52;
    double y = p * dn__from_bits(first) * dn__from_bits(second);
    y = x < -746.0 ? 0.0 : y; /* out here, n has no place in the bits */
    return x > 710.0 ? INFINITY : y;
}

/** ln x: minus infinity at 0, NaN below. */
static inline double dn__log(double x)
{
    const double normal = x < 0x1p-1022 ? x * 0x1p54 : x; /* denormals have no exponent of their own */
    /* x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2): the exponent is read from bits shifted by sqrt(1/2)'s. */
    const uint64_t low = 0x3fe6a09e00000000, one = 0x3ff0000000000000, mantissa = 0x000fffffffffffff;
    const uint64_t shifted = dn__bits(normal) + (one - low);
    const double biased = dn__from_bits(shifted >> 52 | 0x4330000000000000) - 0x1p52;
    const double k = biased - (x < 0x1p-1022 ? 1023.0 + 54.0 : 1023.0);
    const double f = dn__from_bits((shifted & mantissa) + low) - 1.0;
    /* ln(1 + f) = 2 artanh(s), s = f / (2 + f), by its series; the first term left out is below 2^-60.
     * It is f - (f f / 2 - s (f f / 2 + R)), R = sum of 2/(2j+1) s^2j for j = 1, 2, ...: f itself is exact. */
    const double s = f / (2.0 + f), z = s * s;
    const double z2 = z * z, z4 = z2 * z2;
    const double r0 =
        (0x1.5555555555555p-1 + z * 0x1.999999999999ap-2) + z2 * (0x1.2492492492492p-2 + z * 0x1.c71c71c71c71cp-3);
    const double r4 =
        (0x1.745d1745d1746p-3 + z * 0x1.3b13b13b13b14p-3) + z2 * (0x1.1111111111111p-3 + z * 0x1.e1e1e1e1e1e1ep-4);
    const double r8 = 0x1.af286bca1af28p-4 + z * 0x1.8618618618618p-4;
    const double sum = r0 + z4 * (r4 + z4 * r8);
    const double half = 0.5 * f * f;
    double y = k * DN__LN2_HIGH - ((half - (s * (half + sum * z) + k * DN__LN2_LOW)) - f);
    y = x < INFINITY ? y : x; /* infinity and NaN stay */
    y = x == 0.0 ? -INFINITY : y;
    return x < 0.0 ? NAN : y;
}

/** ln(1 + x), exact for small x; x > -1. */
static inline double dn__log1p(double x)
{
    const double u = 1.0 + x;
    /* What 1 + x lost in rounding comes back to first order. Infinity has lost nothing. */
    const double lost = u < INFINITY ? (x - (u - 1.0)) / u : 0.0;
    return dn__log(u) + lost;
}

#endif
