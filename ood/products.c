/** Two ways: a kernel for AVX-512, and single-threaded BLAS everywhere else. The BLAS of a distribution knows the CPUs
 *  of its release only, and takes a newer one for an old one.
 *
 * Queries lie in panels of PANEL side by side, element by element: [panels][dim][PANEL]. A step of the kernel loads two
 * vectors of 16 queries, multiplies them by one element of each of 12 bank rows and adds to 24 sums in registers: 14
 * loads for 24 fused multiply-adds, where the machine can do as many loads as multiply-adds. A group of 12 bank rows
 * stays in L1 while it meets all panels, which stay in L2; the bank itself is read once for 256 queries.
 */
#include "ood/products.h"

#include <string.h>

#include <cblas.h>

enum { VECTOR = 16, PANEL = 2 * VECTOR };

static size_t padded(size_t n)
{
    return (n + PANEL - 1) / PANEL * PANEL;
}

size_t dn__products_packed(size_t n, size_t dim)
{
    return padded(n) * dim;
}

void dn__products_pack(float *packed, const double *queries, size_t n, size_t dim)
{
    memset(packed, 0, dn__products_packed(n, dim) * sizeof *packed);
    for (size_t i = 0; i < n; i++) {
        float *to = packed + i / PANEL * PANEL * dim + i % PANEL;
        for (size_t d = 0; d < dim; d++) to[d * PANEL] = (float)queries[i * dim + d];
    }
}

void dn__products_by_blas(float *products, const float *bank, size_t rows, const float *packed, size_t n, size_t dim)
{
    for (size_t first = 0; first < n; first += PANEL) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, PANEL, (int)dim, 1.0F, bank, (int)dim,
                    packed + first * dim, PANEL, 0.0F, products + first, DN__PRODUCT_QUERIES);
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/** One group of bank rows and one panel. @param sums [DN__PRODUCT_GROUP, DN__PRODUCT_QUERIES] */
__attribute__((target("avx512f"))) static void group_by_panel(float *sums, const float *bank, const float *panel,
                                                              size_t dim)
{
    __m512 low[DN__PRODUCT_GROUP], high[DN__PRODUCT_GROUP];
#pragma GCC unroll 12
    for (size_t j = 0; j < DN__PRODUCT_GROUP; j++) low[j] = high[j] = _mm512_setzero_ps();
    for (size_t d = 0; d < dim; d++) {
        const __m512 first = _mm512_load_ps(panel + d * PANEL), second = _mm512_load_ps(panel + d * PANEL + VECTOR);
#pragma GCC unroll 12
        for (size_t j = 0; j < DN__PRODUCT_GROUP; j++) {
            const __m512 element = _mm512_set1_ps(bank[j * dim + d]);
            low[j] = _mm512_fmadd_ps(element, first, low[j]);
            high[j] = _mm512_fmadd_ps(element, second, high[j]);
        }
    }
#pragma GCC unroll 12
    for (size_t j = 0; j < DN__PRODUCT_GROUP; j++) {
        _mm512_store_ps(sums + j * DN__PRODUCT_QUERIES, low[j]);
        _mm512_store_ps(sums + j * DN__PRODUCT_QUERIES + VECTOR, high[j]);
    }
}

static void with_avx512(float *products, const float *bank, size_t rows, const float *packed, size_t n, size_t dim)
{
    for (size_t j = 0; j < rows; j += DN__PRODUCT_GROUP) {
        for (size_t first = 0; first < n; first += PANEL) {
            group_by_panel(products + j * DN__PRODUCT_QUERIES + first, bank + j * dim, packed + first * dim, dim);
        }
    }
}

void dn__products(float *products, const float *bank, size_t rows, const float *packed, size_t n, size_t dim)
{
    if (__builtin_cpu_supports("avx512f")) {
        with_avx512(products, bank, rows, packed, n, dim);
    } else {
        dn__products_by_blas(products, bank, rows, packed, n, dim);
    }
}
#else
void dn__products(float *products, const float *bank, size_t rows, const float *packed, size_t n, size_t dim)
{
    dn__products_by_blas(products, bank, rows, packed, n, dim);
}
#endif
