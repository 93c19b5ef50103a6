/** Doubles as integers of the same order, for selection by digits: library-private. */
#ifndef DN_OOD_ORDER_KEY_H
#define DN_OOD_ORDER_KEY_H

#include <stdint.h>
#include <string.h>

/** @return a < b exactly if key(a) < key(b); -0 and 0 have one key, 0 is no number's. Not for NaN. */
static inline uint64_t dn__order_key(double x)
{
    uint64_t bits;
    const double one_zero = x + 0.0;
    memcpy(&bits, &one_zero, sizeof bits);
    /* Negative numbers: the larger the bits, the smaller the number. Positive ones come above them. */
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/** @return the number of that key */
static inline double dn__order_value(uint64_t key)
{
    const uint64_t bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
