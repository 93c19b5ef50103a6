/** A hash of bytes that come in pieces: 64 bits against accidents, not against forgers. */
#ifndef DN_CORE_HASH_H
#define DN_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_hash {
    uint64_t state;
    unsigned char kept[8]; /**< bytes that do not make a word yet */
    size_t n_kept;
} dn_hash;

/** @param seed the hash of what came before, 0 at first @param bytes how many will be added in all */
void dn_hash_begin(dn_hash *hash, uint64_t seed, uint64_t bytes);

/** The pieces may be cut anywhere. */
void dn_hash_add(dn_hash *hash, const void *data, size_t bytes);

uint64_t dn_hash_end(dn_hash *hash);

/** @return the hash of one piece */
uint64_t dn_hash_of(uint64_t seed, const void *data, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
