/* Street View House Numbers, cropped digits: X [32,32,3,N] of uint8 and y [N,1], where 10 is the digit 0. */
#include <inttypes.h>
#include <math.h>

#include "core/alloc.h"
#include "datasets/mat.h"
#include "datasets/sets.h"

enum { SIDE = 32, CHANNELS = 3, IMAGE = SIDE * SIDE * CHANNELS, CLASSES = 10 };

/** @param x [N,C,W,H], as libmatio's [H,W,C,N] stand in memory */
static dn_status take_images(dn_dataset *d, const dn_npy *x, const char *path)
{
    if (x->type != DN_U8 || x->rank != 4 || x->dims[0] < 1 || x->dims[1] != CHANNELS || x->dims[2] != SIDE ||
        x->dims[3] != SIDE)
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: array \"X\": found %s of %d dimensions, %" PRId64 " values, expected uint8 "
                       "[%d,%d,%d,N] with N at least 1",
                       path, dn_dtype_name(x->type), x->rank, x->count, SIDE, SIDE, CHANNELS);
    d->type = DN_U8;
    DN_TRY(dn__dataset_allocate(d, x->dims[0], SIDE, SIDE, CHANNELS, 1));
    const uint8_t *from = x->data;
    uint8_t *to = d->images;
    for (int64_t i = 0; i < d->n; i++, from += IMAGE, to += IMAGE)
        for (int c = 0; c < CHANNELS; c++)
            for (int w = 0; w < SIDE; w++)
                for (int h = 0; h < SIDE; h++) to[(h * SIDE + w) * CHANNELS + c] = from[(c * SIDE + w) * SIDE + h];
    return DN_OK;
}

static double label_of(const dn_npy *y, int64_t i)
{
    switch (y->type) {
    case DN_U8: return ((const uint8_t *)y->data)[i];
    case DN_I32: return ((const int32_t *)y->data)[i];
    case DN_F32: return (double)((const float *)y->data)[i];
    default: return ((const double *)y->data)[i];
    }
}

/** @param y one axis of labels 1..10, the others of length 1; fewer images may have been wanted than it has */
static dn_status take_labels(dn_dataset *d, const dn_npy *y, bool all, const char *path)
{
    int64_t longest = 0;
    for (int i = 0; i < y->rank; i++) longest = y->dims[i] > longest ? y->dims[i] : longest;
    if (longest != y->count || y->count < d->n || (all && y->count != d->n))
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: array \"y\": found %" PRId64 " values in %d dimensions, expected [%" PRId64
                       ",1], one for each image",
                       path, y->count, y->rank, d->n);
    for (int64_t i = 0; i < d->n; i++) {
        const double label = label_of(y, i);
        if (!(label >= 1 && label <= CLASSES) || floor(label) != label)
            return dn_fail(DN_ERROR_FORMAT,
                           "%s: array \"y\": element %" PRId64 ": label %g, expected 1 to %d (10 is the "
                           "digit 0)",
                           path, i, label, CLASSES);
        d->labels[i] = (int32_t)label % CLASSES;
    }
    d->classes = CLASSES;
    return DN_OK;
}

dn_status dn__load_svhn(dn_dataset *d, const dn__request *request)
{
    dn__mat_array arrays[2] = {{.name = "X", .most = request->most}, {.name = "y", .most = INT64_MAX}};
    DN_TRY(dn__set_file(&d->provenance, request->directory, request->set->files[0]));
    const char *path = d->provenance;
    DN_TRY(dn__mat_read(arrays, 2, path));
    dn_status status = take_images(d, arrays[0].array, path);
    if (status == DN_OK) status = take_labels(d, arrays[1].array, request->most == INT64_MAX, path);
    for (int i = 0; i < 2; i++) dn_npy_close(arrays[i].array);
    return status == DN_OK ? dn__dataset_copy_names(d, request->set->class_names) : status;
}
