/** Inner products of columns in double on another device: what dn__add_gram() computes on this CPU: library-private. */
#ifndef DN_OOD_DEVICE_GRAM_H
#define DN_OOD_DEVICE_GRAM_H

#include <stddef.h>

#include "core/device.h"

typedef struct dn__device_gram dn__device_gram;

/** @param rows at most so many at a time @param device must outlive it @param out free with dn__device_gram_close()
 *  @return DN_ERROR_MEMORY if the device has no room for rows and result; the device's errors */
dn_status dn__device_gram_open(dn__device_gram **out, dn_device *device, size_t rows, size_t dim) DN_NODISCARD;
void dn__device_gram_close(dn__device_gram *gram); /**< NULL is allowed */

/** Adds x' x to the upper triangle of sum. It differs from the CPU's by rounding errors alone: each element of x' x by
 *  at most 2 n u / (1 - n u) times the sum of its products' sizes, n = rows, u = 2^-53.
 *  @param sum [dim,dim] @param x [all rows that there may be, dim], of which those from `rows` on are overwritten */
dn_status dn__device_gram_add(double *sum, dn__device_gram *gram, double *x, size_t rows) DN_NODISCARD;

#endif
