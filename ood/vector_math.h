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
    /* x = n ln 2 + r, abs(r) <= ln(2) / 2; n + 2046 also stands in the lowest bits of `whole`. */
    const double rounder = DN__ROUNDER + 2046.0, whole = x * 0x1.71547652b82fep0 + rounder, n = whole - rounder;
    const double r = (x - n * DN__LN2_HIGH) - n * DN__LN2_LOW;
    /* e^r = 1 + r + r r q: the polynomial of least largest error, 2^-64 (Remez), in place of 1/2 + r/6 + ..., in pairs,
     * for one long chain of operations would keep the processor waiting. */
    const double r2 = r * r, r4 = r2 * r2;
    const double q0 = (0.5 + r * 0x1.555555555555bp-3) + r2 * (0x1.555555555555ap-5 + r * 0x1.111111110ebf8p-7);
    const double q4 =
        (0x1.6c16c16c1415dp-10 + r * 0x1.a01a01b3a59e4p-13) + r2 * (0x1.a01a01b1faedap-16 + r * 0x1.71ddefc0f2a6fp-19);
    const double q8 = (0x1.27e4c2c803a45p-22 + r * 0x1.af6c88d3a55e2p-26) + r2 * 0x1.1f99b35ad6c8fp-29;
    const double q = q0 + r4 * (q4 + r4 * q8);
    const double p = 1.0 + (r + r2 * q);
    /* 2^n as two factors, for n = 1024 and denormals: only the second product rounds. Half of n + 2046 is the first's
     * field of the exponent, the rest that of the second; what lies above these bits is shifted out. */
    const uint64_t first = dn__bits(whole) >> 1, second = dn__bits(whole) - first;
    double y = p * dn__from_bits(first << 52) * dn__from_bits(second << 52);
    y = x < -746.0 ? 0.0 : y; /* out here, n has no place in the bits */
    return x > 710.0 ? INFINITY : y;
}

/** ln x of x >= 0 that is finite: minus infinity at 0. */
static inline double dn__log_finite(double x)
{
    const double normal = x < 0x1p-1022 ? x * 0x1p54 : x; /* denormals have no exponent of their own */
    /* x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2): the exponent is read from bits shifted by sqrt(1/2)'s. */
    const uint64_t low = 0x3fe6a09e00000000, one = 0x3ff0000000000000, mantissa = 0x000fffffffffffff;
    const uint64_t shifted = dn__bits(normal) + (one - low);
    const double biased = dn__from_bits(shifted >> 52 | 0x4330000000000000);
    const double k = biased - (x < 0x1p-1022 ? 0x1p52 + 1023.0 + 54.0 : 0x1p52 + 1023.0);
    const double f = dn__from_bits((shifted & mantissa) + low) - 1.0;
    /* ln(1 + f) = 2 artanh(s), s = f / (2 + f). It is f - (f f / 2 - s (f f / 2 + R)), R = z sum, z = s s: f itself is
     * exact. The sum is the polynomial of least largest error, 2^-59 of the result (Remez), in place of
     * 2/3 + z 2/5 + z z 2/7 + ... */
    const double s = f / (2.0 + f), z = s * s;
    const double z2 = z * z, z4 = z2 * z2;
    const double r0 =
        (0x1.5555555555593p-1 + z * 0x1.999999997fb31p-2) + z2 * (0x1.24924942179d9p-2 + z * 0x1.c71c51e7fc287p-3);
    const double r4 = (0x1.7466462b53cd0p-3 + z * 0x1.39a0f5267a387p-3) + z2 * 0x1.2f0d8d08d7cb4p-3;
    const double sum = r0 + z4 * r4;
    const double half = 0.5 * f * f;
    const double y = k * DN__LN2_HIGH - ((half - (s * (half + sum * z) + k * DN__LN2_LOW)) - f);
    return x == 0.0 ? -INFINITY : y;
}

/** ln x: minus infinity at 0, NaN below. */
static inline double dn__log(double x)
{
    const double y = dn__log_finite(x), kept = x < INFINITY ? y : x; /* infinity and NaN stay */
    return x < 0.0 ? NAN : kept;
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
