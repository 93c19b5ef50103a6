/** Coordinates along given axes: library-private. */
#ifndef DN_OOD_PROJECTION_H
#define DN_OOD_PROJECTION_H

#include <stddef.h>

#include "core/status.h"
#include "ood/workspace.h"

/** to = (x - centre) scale. @param to [rows,dim], may be x @param x [rows,dim] @param centre [dim]
 *  @param scale [dim], NULL: ones */
void dn__centre(double *to, const double *x, size_t rows, size_t dim, const double *centre, const double *scale);

/** to = (x - centre) axes'. Centring comes first, so that features far from 0 lose no digits.
 *  @param to [rows,count] @param x [rows,dim] @param centre [dim] @param axes [count,dim] */
dn_status dn__project(double *to, const double *x, size_t rows, size_t dim, const double *centre, const double *axes,
                      size_t count, dn_workspace *space) DN_NODISCARD;

/** @return the squared length of x [n] */
double dn__square(const double *x, size_t n);

#endif
