#include "datasets/mt19937.h"

void dn__mt19937_seed(dn__mt19937 *mt, uint32_t seed)
{
    mt->words[0] = seed;
    for (uint32_t i = 1; i < DN__MT_WORDS; i++) {
        const uint32_t before = mt->words[i - 1];
        mt->words[i] = 1812433253u * (before ^ before >> 30) + i;
    }
    mt->next = DN__MT_WORDS;
}

static void refill(dn__mt19937 *mt)
{
    enum { MIDDLE = 397 };
    for (int i = 0; i < DN__MT_WORDS; i++) {
        const uint32_t y = (mt->words[i] & 0x80000000u) | (mt->words[(i + 1) % DN__MT_WORDS] & 0x7fffffffu);
        mt->words[i] = mt->words[(i + MIDDLE) % DN__MT_WORDS] ^ y >> 1 ^ (y & 1u ? 0x9908b0dfu : 0u);
    }
    mt->next = 0;
}

uint32_t dn__mt19937_next(dn__mt19937 *mt)
{
    if (mt->next == DN__MT_WORDS) refill(mt);
    uint32_t y = mt->words[mt->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

/* An integer in 0..most: draws of as many bits as `most` has, until one is not above it. */
static uint32_t draw_up_to(dn__mt19937 *mt, uint32_t most)
{
    uint32_t mask = most, value;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    do value = dn__mt19937_next(mt) & mask;
    while (value > most);
    return value;
}

void dn__mt19937_permutation(int *items, int n, uint32_t seed)
{
    dn__mt19937 mt;
    dn__mt19937_seed(&mt, seed);
    for (int i = 0; i < n; i++) items[i] = i;
    for (int i = n - 1; i > 0; i--) { /* Fisher and Yates, from the end */
        const uint32_t j = draw_up_to(&mt, (uint32_t)i);
        const int item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}
