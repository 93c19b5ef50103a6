/** Arithmetic on one row of features, in double: library-private. */
#ifndef DN_OOD_ROW_H
#define DN_OOD_ROW_H

#include <stddef.h>

/** The least norm that divides. */
#define DN__LEAST_NORM 1e-10

/** @param a, b [n] @return sum of a_i b_i */
double dn__dot(const double *a, const double *b, size_t n);

/** @param x [n] @return sum of abs(x_i) */
double dn__sum_abs(const double *x, size_t n);

/** The length of a - b, whatever the size of its entries. @param a [n] @param b [n] or NULL for zeros */
double dn__distance(const double *a, const double *b, size_t n);

#endif
