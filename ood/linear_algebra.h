/** Dense linear algebra in double, on OpenBLAS and LAPACKE: library-private. All matrices are row-major.
 *
 * Inside a parallel region of OpenMP every thread computes its own product alone; outside of it, products are shared
 * out to OpenMP's threads, and large decompositions to those of BLAS; both may round otherwise with another number.
 * Row lengths (n, k, d) fit an int, the number of rows may be larger.
 */
#ifndef DN_OOD_LINEAR_ALGEBRA_H
#define DN_OOD_LINEAR_ALGEBRA_H

#include <stddef.h>

#include "core/status.h"

/** Sets how many threads are used from now on outside of parallel regions, and one for BLAS within them.
 *  @param threads 0: as many as OpenMP */
void dn__blas_threads(int threads);

/** c = alpha a b' + beta c. @param a [m,k] @param b [n,k] @param c [m,n] */
void dn__multiply_transposed(double *c, const double *a, const double *b, size_t m, size_t n, size_t k, double alpha,
                             double beta);

/** c = alpha a b + beta c. @param a [m,k] @param b [k,n] @param c [m,n] */
void dn__multiply(double *c, const double *a, const double *b, size_t m, size_t n, size_t k, double alpha, double beta);

/** Adds x' x to the upper triangle of sum. @param sum [d,d] @param x [rows,d] */
void dn__add_gram(double *sum, const double *x, size_t rows, size_t d);

/** Eigenvalues in descending order, eigenvectors as rows. @param a [d,d] symmetric, its upper triangle is read;
 *  receives the eigenvectors: row i belongs to values[i] @param values [d] */
dn_status dn__eigen_symmetric(double *values, double *a, size_t d) DN_NODISCARD;

/** The factor L [r,d] of the pseudo-inverse of a symmetric positive semidefinite matrix, pinv(a) = L' L: row i is
 *  eigenvector i / sqrt(eigenvalue i), for the r eigenvalues > d * 2^-52 * largest.
 *  @param a [d,d], its upper triangle is read; receives L in its first r rows @param rank receives r */
dn_status dn__pseudo_inverse_factor(size_t *rank, double *a, size_t d) DN_NODISCARD;

/** x = pinv(w) b, singular values <= max(c,d) * 2^-52 * largest dropped. @param x [d] @param w [c,d] @param b [c] */
dn_status dn__least_squares(double *x, const double *w, const double *b, size_t c, size_t d) DN_NODISCARD;

#endif
