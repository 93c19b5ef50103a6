/** Numbers of files and callers become doubles: library-private. */
#ifndef DN_OOD_WIDEN_H
#define DN_OOD_WIDEN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/dtype.h"

/** Copies numbers as doubles. @param to [count] @param from [count] of DN_F32 or DN_F64
 *  @return false if one of them is a NaN or infinite */
bool dn__widen(double *to, const void *from, dn_dtype type, size_t count);

/** @param x [count] @return false if one of them is a NaN or infinite */
bool dn__all_finite(const double *x, size_t count);

#endif
