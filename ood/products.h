/** Inner products of few rows with many, in single precision: the step of a neighbour search that takes its time, and
 *  the only one that another device may take over (device_bank.h): library-private.
 *
 * Any order of summation is right, fused or not: a search relies on nothing but the bound of rounding errors that all
 * orders share.
 */
#ifndef DN_OOD_PRODUCTS_H
#define DN_OOD_PRODUCTS_H

#include <stddef.h>

enum {
    DN__PRODUCT_QUERIES = 256, /**< queries at most in one call */
    DN__PRODUCT_GROUP = 12     /**< rows of a bank are a multiple of this, the last ones zeros */
};

/** @return floats that dn__products_pack() writes for n queries */
size_t dn__products_packed(size_t n, size_t dim);

/** Brings queries into the order in which dn__products() reads them, rounded to single precision.
 *  @param packed [dn__products_packed(n, dim)], 64-byte aligned @param queries [n,dim] @param n at most
 *  DN__PRODUCT_QUERIES */
void dn__products_pack(float *packed, const double *queries, size_t n, size_t dim);

/** products[j,i] = bank[j] . query[i].
 *  @param products [rows, DN__PRODUCT_QUERIES], 64-byte aligned; what stands behind a row's n products is undefined
 *  @param bank [rows,dim], rows a multiple of DN__PRODUCT_GROUP */
void dn__products(float *products, const float *bank, size_t rows, const float *packed, size_t n, size_t dim);

/** The same by single-threaded BLAS: what dn__products() does on CPUs that it has no kernel for. */
void dn__products_by_blas(float *products, const float *bank, size_t rows, const float *packed, size_t n, size_t dim);

#endif
