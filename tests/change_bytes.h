/* Damages the bytes of a file at random, the same way each time. */
#ifndef DN_TESTS_CHANGE_BYTES_H
#define DN_TESTS_CHANGE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "core/random.h"

/* Numbers and letters that mean something are likelier to get far than random bytes. */
static inline unsigned char changed_byte(dn_random_sequence *r, unsigned char old)
{
    static const unsigned char likely[] = {0,   1,   0x7f, 0x80, 0xff, '0', '9', '\'',
                                           ',', '(', ')',  '{',  '}',  ' ', '<', '\n'};
    switch (dn_random_next_below(r, 3)) {
    case 0: return likely[dn_random_next_below(r, sizeof likely)];
    case 1: return old ^ (unsigned char)(1u << dn_random_next_below(r, 8));
    default: return (unsigned char)dn_random_next(r);
    }
}

/* Makes the mutant of this number. Half of them are changed in their first bytes, where the headers are. */
static inline void change_bytes(unsigned char *bytes, size_t n, uint32_t mutant)
{
    enum { MOST_CHANGES = 4, HEADER = 128 };
    dn_random_sequence r = {.seed = 1, .member = mutant};
    const size_t range = mutant % 2 && n > HEADER ? HEADER : n;
    const uint32_t changes = 1 + dn_random_next_below(&r, MOST_CHANGES);
    for (uint32_t c = 0; n > 0 && c < changes; c++) {
        const uint32_t at = dn_random_next_below(&r, (uint32_t)range);
        bytes[at] = changed_byte(&r, bytes[at]);
    }
}

#endif
