/** Stored numbers of any kind, size and byte order, and what they are in memory. Library-private. */
#ifndef DN_DATASETS_ELEMENT_H
#define DN_DATASETS_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dtype.h"

typedef struct dn__element {
    char kind; /**< 'b' bool, 'i' signed, 'u' unsigned, 'f' floating point */
    int size;  /**< bytes of one: 1, 2, 4 or 8 */
    bool big_endian;
} dn__element;

/** @return u8 for bool and uint8, i32 for the other integers, f32 for float16 and float32, f64 for float64 */
dn_dtype dn__element_memory(const dn__element *e);

/** @return whether the bytes in memory are the stored ones */
bool dn__element_is_plain(const dn__element *e);

/** Puts one stored element at `to`. @return false for an integer beyond 32 bits */
bool dn__element_convert(const dn__element *e, void *to, const unsigned char *stored);

#endif
