/** Numbers of files and callers become doubles: library-private. */
#ifndef DN_OOD_WIDEN_H
#define DN_OOD_WIDEN_H

#include <stdbool.h>
#include <stddef.h>

/** Copies numbers as doubles. @param to, from [count] @return false if one of them is a NaN or infinite */
bool dn__widen(double *to, const float *from, size_t count);

/** @param x [count] @return false if one of them is a NaN or infinite */
bool dn__all_finite(const double *x, size_t count);

#endif
