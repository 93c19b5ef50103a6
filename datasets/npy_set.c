/* Own arrays: npy:IMAGES.npy[,LABELS.npy]. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/npy.h"
#include "datasets/sets.h"

enum { MOST_CLASSES = 65536, MOST_CHANNELS = 4096 };

static dn_status set_shape(dn_dataset *d, const dn_npy *a, const char *path)
{
    if (a->rank != 3 && a->rank != 4)
        return dn_fail(DN_ERROR_SHAPE, "%s: found %d dimensions, expected images [N,H,W] or [N,H,W,C]", path, a->rank);
    const int64_t channels = a->rank == 4 ? a->dims[3] : 1;
    if (a->dims[0] < 1 || a->dims[1] < 1 || a->dims[1] > DN__LONGEST_SIDE || a->dims[2] < 1 ||
        a->dims[2] > DN__LONGEST_SIDE || channels < 1 || channels > MOST_CHANNELS)
        return dn_fail(DN_ERROR_SHAPE,
                       "%s: found %" PRId64 " images of %" PRId64 "x%" PRId64 "x%" PRId64
                       ", expected at least one, with height and width 1 to %d and 1 to %d channels in the last place",
                       path, a->dims[0], a->dims[1], a->dims[2], channels, DN__LONGEST_SIDE, MOST_CHANNELS);
    d->n = a->dims[0], d->height = (int)a->dims[1], d->width = (int)a->dims[2], d->channels = (int)channels;
    return DN_OK;
}

/* float64 becomes float32; infinities and NaN end here, before they reach a training run. */
static dn_status take_floats(dn_dataset *d, const dn_npy *a, const char *path)
{
    d->type = DN_F32;
    DN_TRY(dn__dataset_allocate(d, d->n, d->height, d->width, d->channels, 0));
    float *to = d->images;
    for (int64_t i = 0; i < a->count; i++) {
        to[i] = a->type == DN_F64 ? (float)((const double *)a->data)[i] : ((const float *)a->data)[i];
        if (!isfinite(to[i]))
            return dn_fail(DN_ERROR_NUMERIC,
                           "%s: element %" PRId64 " (of image %" PRId64 ") is %g, expected a finite float32", path, i,
                           i / (a->count / d->n), (double)to[i]);
    }
    return DN_OK;
}

dn_status dn__npy_images(dn_dataset *d, const char *path)
{
    dn_npy *a = NULL;
    DN_TRY(dn_npy_open(&a, path));
    dn_status status = set_shape(d, a, path);
    if (status == DN_OK && (a->type == DN_F32 || a->type == DN_F64)) {
        status = take_floats(d, a, path);
    } else if (status == DN_OK && a->type == DN_U8) {
        d->type = DN_U8;
        d->images = a->data;
        a->data = NULL;
    } else if (status == DN_OK) {
        status = dn_fail(DN_ERROR_UNSUPPORTED, "%s: integer images, expected uint8, float32 or float64", path);
    }
    dn_npy_close(a);
    return status;
}

static dn_status take_labels(dn_dataset *d, const dn_npy *a, const char *path)
{
    if (a->rank != 1 || a->dims[0] != d->n)
        return dn_fail(DN_ERROR_SHAPE,
                       "%s: found %d dimensions, the first of %" PRId64 ", expected labels [%" PRId64
                       "], one for each image",
                       path, a->rank, a->rank ? a->dims[0] : 1, d->n);
    if (a->type != DN_U8 && a->type != DN_I32)
        return dn_fail(DN_ERROR_UNSUPPORTED, "%s: labels of type %s, expected int32, int64 or uint8", path,
                       dn_dtype_name(a->type));
    d->labels = dn_calloc((size_t)d->n, sizeof *d->labels);
    if (!d->labels) return DN_ERROR_MEMORY;
    for (int64_t i = 0; i < d->n; i++) {
        const int32_t label = a->type == DN_U8 ? ((const uint8_t *)a->data)[i] : ((const int32_t *)a->data)[i];
        if (label < 0 || label >= MOST_CLASSES)
            return dn_fail(DN_ERROR_FORMAT, "%s: element %" PRId64 ": label %d, expected 0 to %d", path, i, (int)label,
                           MOST_CLASSES - 1);
        d->labels[i] = label;
        if (label >= d->classes) d->classes = label + 1;
    }
    return DN_OK;
}

static dn_status load_labels(dn_dataset *d, const char *path)
{
    dn_npy *a = NULL;
    DN_TRY(dn_npy_open(&a, path));
    const dn_status status = take_labels(d, a, path);
    dn_npy_close(a);
    return status;
}

dn_status dn__load_npy(dn_dataset *d, const dn__request *request)
{
    const char *paths = request->expression->split;
    if (!paths) return dn_fail(DN_ERROR_ARGUMENT, "no file is named, expected npy:IMAGES.npy[,LABELS.npy]");
    char *images = dn_strdup(paths);
    if (!images) return DN_ERROR_MEMORY;
    char *labels = strchr(images, ',');
    if (labels) *labels++ = 0;
    dn_status status = dn__npy_images(d, images);
    if (status == DN_OK && labels) status = load_labels(d, labels);
    dn_free(images);
    DN_TRY(status);
    d->provenance = dn_strdup(paths);
    return d->provenance ? DN_OK : DN_ERROR_MEMORY;
}
