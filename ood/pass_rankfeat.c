/* The last feature map without its first singular component (Song, Sebe and Wang, RankFeat, NeurIPS 2022): the first
 * stage computes the map, the second the rest of the network from the changed one. */
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/failure.h"
#include "ood/linear_algebra.h"
#include "ood/pass_private.h"
#include "ood/planes.h"

static dn_status check_map(const dn_pass *pass)
{
    const char *name = pass->network.name;
    if (pass->map < 0)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "rankfeat changes the last feature map, '%s' has none: it needs a network "
                       "with convolutions",
                       name);
    if (pass->options.layers & (((uint64_t)1 << pass->map) - 1))
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "rankfeat gives the layers from the last feature map on, '%s'; those "
                       "before it are as in a plain pass",
                       pass->layers.layer[pass->map].name);
    const int height = pass->layers.layer[pass->map].height, width = pass->layers.layer[pass->map].width;
    const size_t channels = pass->layers.layer[pass->map].dim;
    if (height * width > 1 && channels > 1) return DN_OK;
    return dn_fail(DN_ERROR_UNSUPPORTED,
                   "rankfeat leaves nothing of the last feature map of '%s', %dx%dx%zu: its rank "
                   "is 1",
                   name, height, width, channels);
}

dn_status dn__pass_open_rankfeat(dn_pass *pass)
{
    pass->map = -1;
    for (size_t l = 0; l < pass->layers.count; l++)
        if (pass->layers.layer[l].height > 0) pass->map = (int)l;
    DN_TRY(check_map(pass));
    const dn__stage_plan map = {.name = "inference up to the last map", .map = pass->map, .replaced = -1};
    const dn__stage_plan rest = {.name = "inference from the last map on",
                                 .logits = true,
                                 .layers = pass->options.layers,
                                 .map = -1,
                                 .replaced = pass->map};
    DN_TRY(dn__stage_open(&pass->first, pass, &map));
    return dn__stage_open(&pass->second, pass, &rest);
}

/* x -= x v v', v [columns] the right singular vector of the largest singular value: the first eigenvector of x' x. */
static void remove_right(double *x, const double *v, size_t rows, size_t columns)
{
    for (size_t i = 0; i < rows; i++) {
        double *row = x + i * columns, product = 0.0;
        for (size_t k = 0; k < columns; k++) product += row[k] * v[k];
        for (size_t k = 0; k < columns; k++) row[k] -= product * v[k];
    }
}

/* The eigenvectors are those of the smaller of x' x and x x'. Whatever v a map of zeros gets, it stays zero. */
dn_status dn__remove_first_component(double *x, size_t rows, size_t columns)
{
    const bool turned = rows < columns;
    const size_t d = turned ? rows : columns, height = turned ? columns : rows, count = rows * columns;
    double *values = dn_calloc(d + d * d + (turned ? count : 0), sizeof *values);
    if (!values) return DN_ERROR_MEMORY;
    double *gram = values + d, *other = gram + d * d; /* [d,d]; [columns,rows] */
    if (turned) dn__transpose(other, x, rows, columns);
    double *tall = turned ? other : x;
    dn__add_gram(gram, tall, height, d);
    const dn_status status = dn__eigen_symmetric(values, gram, d);
    if (status == DN_OK) remove_right(tall, gram, height, d);
    if (status == DN_OK && turned) dn__transpose(x, other, columns, rows);
    dn_free(values);
    return status;
}

/* All maps of the batch are in pass->read, [E,N,pixels,channels]. */
static dn_status check_maps(const dn_pass *pass, size_t rows, size_t each)
{
    for (size_t e = 0; e < pass->members; e++)
        for (size_t i = 0; i < rows * each; i++)
            if (!isfinite(dn__real_get(&pass->read, e * pass->batch * each + i)))
                return dn_fail(DN_ERROR_NUMERIC,
                               "the last feature map of member %zu has a NaN or infinite number in image %zu of the "
                               "batch",
                               e, i / each);
    return DN_OK;
}

/* @param x [pixels,channels] scratch */
static dn_status change(dn_pass *pass, size_t map, size_t pixels, size_t channels, double *x)
{
    const size_t each = pixels * channels;
    for (size_t i = 0; i < each; i++) x[i] = dn__real_get(&pass->read, map * each + i);
    DN_TRY(dn__remove_first_component(x, pixels, channels));
    for (size_t i = 0; i < each; i++) dn__real_set(&pass->read, map * each + i, x[i]);
    return DN_OK;
}

/* Image by image, on all cores. */
static dn_status change_maps(dn_pass *pass, size_t rows, size_t pixels, size_t channels)
{
    const int64_t count = (int64_t)(pass->members * rows);
    dn__failure failure = {0};
    dn__blas_threads(1);
#pragma omp parallel
    {
        double *x = dn_calloc(pixels * channels, sizeof *x);
        dn_status own = x ? DN_OK : DN_ERROR_MEMORY;
#pragma omp for schedule(dynamic, 4)
        for (int64_t i = 0; i < count; i++) {
            const size_t map = (size_t)i / rows * pass->batch + (size_t)i % rows;
            if (own == DN_OK) own = change(pass, map, pixels, channels, x);
            if (own != DN_OK) dn__failure_keep(&failure, (size_t)i, own);
        }
        dn_free(x);
    }
    dn__blas_threads(0);
    const dn_status status = dn__failure_status(&failure);
    if (status == DN_OK) return DN_OK;
    return dn_fail_context(status, "a last feature map of '%s', %zux%zu, could not be decomposed", pass->network.name,
                           pixels, channels);
}

dn_status dn__pass_run_rankfeat(dn_pass *pass, const dn_pass_out *out, const void *images, size_t rows)
{
    const size_t channels = pass->layers.layer[pass->map].dim;
    const size_t pixels = (size_t)pass->layers.layer[pass->map].height * (size_t)pass->layers.layer[pass->map].width;
    DN_TRY(dn__stage_write_images(pass, &pass->first, images, rows));
    DN_TRY(dn_executor_run(pass->first.executor, 1));
    DN_TRY(dn__stage_read(pass, &pass->first, pass->first.map));
    DN_TRY(check_maps(pass, rows, pixels * channels));
    DN_TRY(change_maps(pass, rows, pixels, channels));
    DN_TRY(dn__stage_write(&pass->second, pass->second.by, pass->read.data));
    DN_TRY(dn_executor_run(pass->second.executor, 1));
    return dn__stage_results(pass, &pass->second, out, rows, 1, 0);
}
