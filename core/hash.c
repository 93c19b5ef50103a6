#include "core/hash.h"

#include <string.h>

/* One step for 8 bytes. For a given state it is a bijection of the word, and for a given word one of the state: a
 * change of one word always shows. */
static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * 0x9e3779b97f4a7c15u;
    return state ^ state >> 29;
}

void dn_hash_begin(dn_hash *h, uint64_t seed, uint64_t bytes)
{
    *h = (dn_hash){.state = mix(seed, bytes)};
}

/* Fills up the word that is kept. @return how many bytes that took */
static size_t fill_word(dn_hash *h, const unsigned char *at, size_t bytes)
{
    const size_t missing = sizeof h->kept - h->n_kept, taken = bytes < missing ? bytes : missing;
    memcpy(h->kept + h->n_kept, at, taken);
    h->n_kept += taken;
    if (h->n_kept < sizeof h->kept) return taken;
    uint64_t word;
    memcpy(&word, h->kept, sizeof word);
    h->state = mix(h->state, word);
    h->n_kept = 0;
    return taken;
}

void dn_hash_add(dn_hash *h, const void *data, size_t bytes)
{
    if (bytes == 0) return;
    const unsigned char *at = data;
    if (h->n_kept > 0) {
        const size_t taken = fill_word(h, at, bytes);
        at += taken, bytes -= taken;
    }
    uint64_t state = h->state;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        state = mix(state, word);
    }
    h->state = state;
    if (bytes > 0) (void)fill_word(h, at, bytes);
}

uint64_t dn_hash_end(dn_hash *h)
{
    uint64_t rest = 0;
    memcpy(&rest, h->kept, h->n_kept);
    return mix(mix(h->state, rest), 0x5851f42d4c957f2du);
}

uint64_t dn_hash_of(uint64_t seed, const void *data, size_t bytes)
{
    dn_hash h;
    dn_hash_begin(&h, seed, bytes);
    dn_hash_add(&h, data, bytes);
    return dn_hash_end(&h);
}
