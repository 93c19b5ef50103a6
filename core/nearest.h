/** "Did you mean ...?": the known name nearest to one that a user wrote. */
#ifndef DN_CORE_NEAREST_H
#define DN_CORE_NEAREST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @param candidates [n] known names
 *  @return the candidate that is near enough to be meant (borrowed; the first of equals), or NULL: at most one edit for
 *  every three letters, where an insertion, a removal, a replacement and a swap of neighbours are one edit each, and a
 *  beginning of a candidate ("eval") is as near as one edit. Case counts for nothing. */
const char *dn_nearest(const char *name, const char *const *candidates, size_t n);

#ifdef __cplusplus
}
#endif
#endif
