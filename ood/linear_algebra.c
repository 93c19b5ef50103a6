#include "ood/linear_algebra.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include <cblas.h>
#include <lapacke.h>
#include <omp.h>

#include "core/alloc.h"
#include "ood/widen.h"

/* BLAS counts in int. Rows may be more than that and are taken in pieces; a single row of so many numbers has no square
 * matrix in any memory. */
static const size_t PIECE = (size_t)1 << 30;

enum {
    TILE = 128,                        /* rows of a Gram matrix that one thread computes at a time */
    PIECE_LEAST = 32,                  /* rows of a product that are worth a thread */
    WORTH_THREADS = 1 << 20,           /* multiplications that are */
    DECOMPOSITION_WORTH_THREADS = 1024 /* rows of a matrix; half of the work waits for memory */
};

/* Products are shared out here, to OpenMP's threads: those of BLAS would wait in a spin while OpenMP's work, and the
 * other way round. Only decompositions use BLAS's own threads. */
static atomic_int wanted_threads;

void dn__blas_threads(int threads)
{
    wanted_threads = threads;
    openblas_set_num_threads(1);
}

/** @return threads for so many multiplications, of OpenMP and not of BLAS */
static int threads_for(double multiplications)
{
    if (omp_in_parallel()) return 1;
    openblas_set_num_threads(1);
    if (multiplications < WORTH_THREADS) return 1;
    return wanted_threads > 0 ? wanted_threads : omp_get_max_threads();
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/** c = beta c, as BLAS would: nothing is read for beta = 0. @param c [n] */
static void scale(double *c, size_t n, double beta)
{
    for (size_t i = 0; i < n; i++) c[i] = beta == 0.0 ? 0.0 : beta * c[i];
}

static void multiply(double *c, const double *a, const double *b, CBLAS_TRANSPOSE transpose, size_t m, size_t n,
                     size_t k, double alpha, double beta)
{
    if (m == 0 || n == 0) return;
    if (k == 0) {
        scale(c, m * n, beta);
        return;
    }
    const int threads = threads_for((double)m * (double)n * (double)k);
    size_t piece = (m + (size_t)threads - 1) / (size_t)threads;
    piece = smaller(piece < PIECE_LEAST ? PIECE_LEAST : piece, PIECE);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (size_t i = 0; i < m; i += piece) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, transpose, (int)smaller(m - i, piece), (int)n, (int)k, alpha,
                    a + i * k, (int)k, b, (int)(transpose == CblasTrans ? k : n), beta, c + i * n, (int)n);
    }
}

void dn__multiply_transposed(double *c, const double *a, const double *b, size_t m, size_t n, size_t k, double alpha,
                             double beta)
{
    multiply(c, a, b, CblasTrans, m, n, k, alpha, beta);
}

void dn__multiply(double *c, const double *a, const double *b, size_t m, size_t n, size_t k, double alpha, double beta)
{
    multiply(c, a, b, CblasNoTrans, m, n, k, alpha, beta);
}

/** Adds to rows i .. i + TILE - 1 of the upper triangle. @param x [rows,d], at most PIECE rows */
static void add_gram_tile(double *sum, const double *x, size_t rows, size_t d, size_t i)
{
    const int height = (int)smaller(TILE, d - i), right = (int)(d - i) - height, stride = (int)d;
    double *to = sum + i * d + i;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, height, (int)rows, 1.0, x + i, stride, 1.0, to, stride);
    if (right == 0) return;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, height, right, (int)rows, 1.0, x + i, stride, x + i + height,
                stride, 1.0, to + height, stride);
}

void dn__add_gram(double *sum, const double *x, size_t rows, size_t d)
{
    const int threads = threads_for((double)rows * (double)d * (double)d);
    for (size_t r = 0; r < rows; r += PIECE) {
#pragma omp parallel for num_threads(threads) schedule(dynamic) if (threads > 1)
        for (size_t i = 0; i < d; i += TILE) add_gram_tile(sum, x + r * d, smaller(rows - r, PIECE), d, i);
    }
}

static dn_status check_size(size_t rows, size_t columns)
{
    if (rows <= INT_MAX && columns <= INT_MAX) return DN_OK;
    return dn_fail(DN_ERROR_UNSUPPORTED, "a matrix of %zu x %zu: at most %d rows and columns can be decomposed", rows,
                   columns, INT_MAX);
}

/* LAPACK may loop without end, or answer nonsense, where a number is not finite. */
static dn_status check_finite_upper(const double *a, size_t d)
{
    for (size_t i = 0; i < d; i++) {
        if (dn__all_finite(a + i * d + i, d - i)) continue;
        return dn_fail(DN_ERROR_NUMERIC,
                       "row %zu of a %zu x %zu matrix to decompose is beyond the range of double: scale the features "
                       "down",
                       i, d, d);
    }
    return DN_OK;
}

static dn_status lapack_failed(const char *routine, lapack_int info)
{
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR) {
        return dn_fail(DN_ERROR_MEMORY, "LAPACK's %s: not enough memory", routine);
    }
    if (info > 0) return dn_fail(DN_ERROR_NUMERIC, "LAPACK's %s did not converge (info %d)", routine, (int)info);
    return dn_fail(DN_ERROR_INTERNAL, "LAPACK's %s refuses argument %d", routine, -(int)info);
}

static void swap_rows(double *a, double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double swapped = a[i];
        a[i] = b[i];
        b[i] = swapped;
    }
}

dn_status dn__eigen_symmetric(double *values, double *a, size_t d)
{
    if (d == 0) return DN_OK;
    DN_TRY(check_size(d, d));
    DN_TRY(check_finite_upper(a, d));
    const int threads = d < DECOMPOSITION_WORTH_THREADS ? 1 : threads_for(INFINITY);
    if (threads > 1) openblas_set_num_threads(threads);
    /* By columns, the upper triangle is the lower one, and the eigenvectors, columns then, are our rows. */
    const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (int)d, a, (int)d, values);
    if (threads > 1) openblas_set_num_threads(1);
    if (info != 0) return lapack_failed("dsyevd", info);
    for (size_t i = 0, j = d - 1; i < j; i++, j--) {
        swap_rows(values + i, values + j, 1);
        swap_rows(a + i * d, a + j * d, d);
    }
    return DN_OK;
}

dn_status dn__pseudo_inverse_factor(size_t *rank, double *a, size_t d)
{
    *rank = 0;
    if (d == 0) return DN_OK;
    double *values = dn_calloc(d, sizeof *values);
    if (!values) return DN_ERROR_MEMORY;
    const dn_status status = dn__eigen_symmetric(values, a, d);
    const double least = (double)d * DBL_EPSILON * values[0];
    size_t r = 0;
    for (; status == DN_OK && r < d && values[r] > 0.0 && values[r] > least; r++) {
        const double root = sqrt(values[r]);
        for (size_t j = 0; j < d; j++) a[r * d + j] /= root;
    }
    *rank = r;
    dn_free(values);
    return status;
}

dn_status dn__least_squares(double *x, const double *w, const double *b, size_t c, size_t d)
{
    if (d == 0) return DN_OK;
    memset(x, 0, d * sizeof *x);
    if (c == 0) return DN_OK;
    DN_TRY(check_size(c, d));
    if (!dn__all_finite(w, c * d) || !dn__all_finite(b, c)) {
        return dn_fail(DN_ERROR_NUMERIC, "the weights or biases of the head hold a NaN or infinite number");
    }
    const size_t longer = c > d ? c : d, shorter = c > d ? d : c;
    double *by_columns = dn_calloc(c, d * sizeof *by_columns), *values = dn_calloc(shorter, sizeof *values);
    double *solution = dn_calloc(longer, sizeof *solution); /* b going in, x coming out */
    dn_status status = by_columns && values && solution ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) {
        for (size_t i = 0; i < c; i++) {
            for (size_t j = 0; j < d; j++) by_columns[j * c + i] = w[i * d + j];
        }
        memcpy(solution, b, c * sizeof *b);
        lapack_int rank = 0;
        const lapack_int info = LAPACKE_dgelsd(LAPACK_COL_MAJOR, (int)c, (int)d, 1, by_columns, (int)c, solution,
                                               (int)longer, values, (double)longer * DBL_EPSILON, &rank);
        if (info != 0) status = lapack_failed("dgelsd", info);
    }
    if (status == DN_OK) memcpy(x, solution, d * sizeof *x);
    dn_free(by_columns);
    dn_free(values);
    dn_free(solution);
    return status;
}
