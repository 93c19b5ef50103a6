#include "ood/widen.h"

#include <stdint.h>
#include <string.h>

#include "core/clones.h"

/* NaN and infinity are the numbers with all bits of the exponent set: with one more there, the bits overflow into the
 * sign's place. On integers, such a look at all numbers is vector code. */

DN_CLONES static uint32_t widen_f32(double *restrict to, const float *restrict from, size_t count)
{
    uint32_t overflow = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        overflow |= (bits & 0x7fffffff) + 0x00800000;
        to[i] = (double)from[i];
    }
    return overflow >> 31;
}

DN_CLONES static uint64_t any_wrong(const double *x, size_t count)
{
    uint64_t overflow = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        overflow |= (bits & 0x7fffffffffffffff) + 0x0010000000000000;
    }
    return overflow >> 63;
}

bool dn__widen(double *to, const float *from, size_t count)
{
    return widen_f32(to, from, count) == 0;
}

bool dn__all_finite(const double *x, size_t count)
{
    return any_wrong(x, count) == 0;
}
