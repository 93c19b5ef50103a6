/** Fingerprints: what was computed of a network and a data set is used again only as long as both are the same.
 *
 * 64 bits against accidents (retraining, another file of the same name), not against forgers.
 */
#ifndef DN_APPS_FINGERPRINT_H
#define DN_APPS_FINGERPRINT_H

#include "apps/network.h"

/** @param seed the fingerprint of what came before, 0 at first @return that of both together */
uint64_t dn_fingerprint(uint64_t seed, const void *data, size_t bytes);
uint64_t dn_fingerprint_text(uint64_t seed, const char *text);

/** Of the recipe, the class map, and every parameter and state: all that decides what the network says. */
dn_status dn_fingerprint_network(uint64_t *out, const dn_network *network) DN_NODISCARD;

#endif
