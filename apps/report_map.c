/* The map of the penultimate features: the two axes along which the known set spreads most. */
#include <math.h>
#include <string.h>

#include "apps/report_private.h"
#include "core/alloc.h"
#include "core/random.h"
#include "ood/linear_algebra.h"

enum {
    PURPOSE = 0x6d617073,
    MOST_FITTED = 4000, /* rows that the axes are fitted on */
    MOST_SHOWN = 500,   /* dots of a set */
    BLOCK = 256,
    MOST_COVARIANCE = 768 /* above it the rows' products are decomposed, not the columns' */
};

/* ---- axes ---- */

static double *centre(const dn__report_map *map, const double *features, size_t rows)
{
    double *centred = dn_calloc(rows * map->dims, sizeof *centred);
    for (size_t i = 0; centred && i < rows * map->dims; i++) centred[i] = features[i] - map->mean[i % map->dims];
    return centred;
}

/* The sign of an eigenvector means nothing: the largest entry is positive, so that pictures can be compared. */
static void orient(double *axis, size_t dims)
{
    size_t largest = 0;
    for (size_t i = 1; i < dims; i++)
        if (fabs(axis[i]) > fabs(axis[largest])) largest = i;
    if (axis[largest] >= 0.0) return;
    for (size_t i = 0; i < dims; i++) axis[i] = -axis[i];
}

/* Eigenvectors of x'x. @param square [dims,dims] room */
static dn_status decompose_columns(dn__report_map *map, double *values, double *square, const double *x, size_t rows)
{
    dn__add_gram(square, x, rows, map->dims);
    DN_TRY(dn__eigen_symmetric(values, square, map->dims));
    memcpy(map->axes, square, 2 * map->dims * sizeof *square);
    return DN_OK;
}

/* The same from those of xx': axis = x'u / sqrt(value). @param square [rows,rows] room */
static dn_status decompose_rows(dn__report_map *map, double *values, double *square, const double *x, size_t rows)
{
    dn__multiply_transposed(square, x, x, rows, rows, map->dims, 1.0, 0.0);
    DN_TRY(dn__eigen_symmetric(values, square, rows));
    dn__multiply(map->axes, square, x, 2, map->dims, rows, 1.0, 0.0);
    for (size_t a = 0; a < 2; a++)
        for (size_t i = 0; i < map->dims; i++)
            map->axes[a * map->dims + i] *= values[a] > 0.0 ? 1.0 / sqrt(values[a]) : 0.0;
    return DN_OK;
}

static dn_status fit(dn__report_map *map, const double *features, size_t rows)
{
    const size_t dims = map->dims, side = dims <= MOST_COVARIANCE || dims <= rows ? dims : rows;
    double *x = centre(map, features, rows), total = 0.0;
    double *square = dn_calloc(side * side, sizeof *square), *values = dn_calloc(side, sizeof *values);
    dn_status status = x && square && values ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK)
        status = side == dims ? decompose_columns(map, values, square, x, rows)
                              : decompose_rows(map, values, square, x, rows);
    for (size_t i = 0; i < side && status == DN_OK; i++) total += values[i] > 0.0 ? values[i] : 0.0;
    for (size_t a = 0; a < 2 && status == DN_OK; a++) {
        map->share[a] = total > 0.0 && values[a] > 0.0 ? values[a] / total : 0.0;
        orient(map->axes + a * dims, dims);
    }
    dn_free(values);
    dn_free(square);
    dn_free(x);
    return status;
}

dn_status dn__report_map_fit(dn__report_map *out, const double *features, size_t rows, size_t dims)
{
    *out = (dn__report_map){.fitted = rows, .dims = dims};
    if (rows < 2 || dims < 2)
        return dn_fail(DN_ERROR_ARGUMENT, "a map needs 2 rows and 2 features, found %zu and %zu", rows, dims);
    out->mean = dn_calloc(dims, sizeof *out->mean);
    out->axes = dn_calloc(2 * dims, sizeof *out->axes);
    if (!out->mean || !out->axes) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < rows * dims; i++) out->mean[i % dims] += features[i] / (double)rows;
    return fit(out, features, rows);
}

void dn__report_map_close(dn__report_map *map)
{
    dn_free(map->mean);
    dn_free(map->axes);
    *map = (dn__report_map){0};
}

void dn__report_map_place(const dn__report_map *map, const double *features, double *x, double *y)
{
    *x = *y = 0.0;
    for (size_t i = 0; i < map->dims; i++) {
        const double from_mean = features[i] - map->mean[i];
        *x += from_mean * map->axes[i];
        *y += from_mean * map->axes[map->dims + i];
    }
}

/* ---- rows ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Reads a block and keeps those of its rows that are drawn, each in its drawn place. */
static dn_status read_block(const dn_matrix *m, double *all, size_t *rows, size_t n, size_t begin, float *block)
{
    const size_t columns = m->columns, count = least(m->rows - begin, BLOCK);
    DN_TRY(m->read(m->context, 0, begin, count, block));
    for (size_t r = 0; r < count; r++) {
        const size_t place = dn_random_permute((uint32_t)(begin + r), (uint32_t)m->rows, 0, PURPOSE, 0, 0);
        if (place >= n) continue;
        rows[place] = begin + r;
        for (size_t d = 0; d < columns; d++) all[place * columns + d] = (double)block[r * columns + d];
    }
    return DN_OK;
}

/* Reads rows of the first member, drawn without replacement. @param rows [n] receives which
 * @return [n,D]; NULL with an error text */
static double *read_rows(const dn_matrix *m, size_t *rows, size_t n)
{
    double *all = dn_calloc(n * m->columns, sizeof *all);
    float *block = dn_calloc(BLOCK * m->columns, sizeof *block);
    dn_status status = all && block ? DN_OK : DN_ERROR_MEMORY;
    for (size_t begin = 0; begin < m->rows && status == DN_OK; begin += BLOCK)
        status = read_block(m, all, rows, n, begin, block);
    dn_free(block);
    if (status == DN_OK) return all;
    dn_free(all);
    return NULL;
}

static dn_status allocate(dn__report_cloud *out, size_t n, bool coloured)
{
    *out = (dn__report_cloud){.n = n};
    out->x = dn_calloc(n, sizeof *out->x);
    out->y = dn_calloc(n, sizeof *out->y);
    out->colour = coloured ? dn_calloc(n, sizeof *out->colour) : NULL;
    return out->x && out->y && (out->colour || !coloured) ? DN_OK : DN_ERROR_MEMORY;
}

dn_status dn__report_cloud_take(dn__report_cloud *out, dn__report_map *map, const dn_outputs *outputs)
{
    const dn_matrix *m = &outputs->layer[outputs->layers - 1];
    const bool first = map->dims == 0;
    const size_t n = least(m->rows, first ? MOST_FITTED : MOST_SHOWN), shown = least(n, MOST_SHOWN);
    size_t *rows = dn_calloc(n, sizeof *rows);
    double *features = rows ? read_rows(m, rows, n) : NULL;
    dn_status status = features ? allocate(out, shown, outputs->labels != NULL) : DN_ERROR_MEMORY;
    if (status == DN_OK && first) status = dn__report_map_fit(map, features, n, m->columns);
    for (size_t i = 0; i < shown && status == DN_OK; i++) {
        dn__report_map_place(map, features + i * m->columns, &out->x[i], &out->y[i]);
        if (out->colour) out->colour[i] = outputs->labels[rows[i]];
    }
    dn_free(features);
    dn_free(rows);
    return status;
}

void dn__report_cloud_close(dn__report_cloud *cloud)
{
    dn_free(cloud->x);
    dn_free(cloud->y);
    dn_free(cloud->colour);
    *cloud = (dn__report_cloud){0};
}
