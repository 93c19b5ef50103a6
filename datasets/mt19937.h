/** The Mersenne Twister as NumPy's RandomState seeds and uses it, for splits that published experiments drew with it.
 *  Everything else draws from core/random.h. Library-private.
 *
 *  Source: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998), with the seeding of 2002.
 */
#ifndef DN_DATASETS_MT19937_H
#define DN_DATASETS_MT19937_H

#include <stdint.h>

enum { DN__MT_WORDS = 624 };

typedef struct dn__mt19937 {
    uint32_t words[DN__MT_WORDS];
    int next;
} dn__mt19937;

void dn__mt19937_seed(dn__mt19937 *mt, uint32_t seed);
uint32_t dn__mt19937_next(dn__mt19937 *mt);

/** Fills items [n] with RandomState(seed).permutation(n). */
void dn__mt19937_permutation(int *items, int n, uint32_t seed);

#endif
