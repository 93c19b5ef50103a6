#include "ood/projection.h"

#include <omp.h>

#include "ood/linear_algebra.h"

/* Rows that one thread takes at a time, and numbers from which on threads pay; where methods score, every thread has
 * rows of its own already. */
enum { PIECE_ROWS = 128, WORTH_THREADS = 1 << 15 };

void dn__centre(double *to, const double *x, size_t rows, size_t dim, const double *centre, const double *scale)
{
    for (size_t r = 0; r < rows; r++) {
        double *row = to + r * dim;
        for (size_t j = 0; j < dim; j++) row[j] = x[r * dim + j] - centre[j];
        for (size_t j = 0; scale && j < dim; j++) row[j] *= scale[j];
    }
}

dn_status dn__project(double *to, const double *x, size_t rows, size_t dim, const double *centre, const double *axes,
                      size_t count, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space);
    double *centred = dn_workspace_doubles(space, rows * dim);
    if (!centred) return DN_ERROR_MEMORY;
#pragma omp parallel for schedule(dynamic) if (rows * dim > WORTH_THREADS && !omp_in_parallel())
    for (size_t r = 0; r < rows; r += PIECE_ROWS) {
        const size_t piece = rows - r < PIECE_ROWS ? rows - r : PIECE_ROWS;
        dn__centre(centred + r * dim, x + r * dim, piece, dim, centre, NULL);
        dn__multiply_transposed(to + r * count, centred + r * dim, axes, piece, count, dim, 1.0, 0.0);
    }
    dn_workspace_release(space, mark);
    return DN_OK;
}

double dn__square(const double *x, size_t n)
{
    /* Four sums at once: a single one would wait for each addition. */
    double sum[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++) sum[k] += x[i + k] * x[i + k];
    }
    for (; i < n; i++) sum[0] += x[i] * x[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}
