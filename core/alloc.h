/** The only door to the heap outside third-party libraries: sizes are checked for overflow, failure leaves a text. */
#ifndef DN_CORE_ALLOC_H
#define DN_CORE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @return `count` zeroed elements of `size` bytes, or NULL with an error text; free with dn_free() */
void *dn_calloc(size_t count, size_t size);

/** @return zeroed memory aligned to 64 bytes (one cache line, one AVX-512 vector), or NULL; free with dn_free() */
void *dn_calloc_aligned(size_t bytes);

/** @return a copy of the text, or NULL with an error text; free with dn_free() */
char *dn_strdup(const char *text);

/** @return formatted text on the heap, or NULL with an error text; free with dn_free() */
char *dn_format(const char *format, ...) DN_PRINTF(1, 2);

/** Makes room for one element more in a growing array: `*items` holds `count` of `*capacity` elements of `size` bytes.
 *  New room is zeroed. @return DN_OK or DN_ERROR_MEMORY, the array is then untouched */
dn_status dn_grow(void **items, size_t *capacity, size_t count, size_t size);

/** Gives back all but the first `bytes`. @return the memory, which may have moved; never NULL */
void *dn_shrink(void *memory, size_t bytes);

/** Frees what the functions above gave; NULL is allowed. */
void dn_free(void *memory);

#ifdef __cplusplus
}
#endif
#endif
