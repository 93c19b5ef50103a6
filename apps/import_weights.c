#include "apps/import_weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"

enum { SHAPE_TEXT = 128 };

/* One array on its way into an entry. */
typedef struct transfer {
    const char *path, *model;
    const dn_import_layer *from, *to;
    dn_import_part part;
    const dn_npy *array; /* NULL: absent in the file */
    const dn_params_entry *entry;
} transfer;

static const char *shape_text(int rank, const int64_t *dims, char text[SHAPE_TEXT])
{
    size_t used = (size_t)snprintf(text, SHAPE_TEXT, "[");
    for (int i = 0; i < rank && used < SHAPE_TEXT; i++)
        used += (size_t)snprintf(text + used, SHAPE_TEXT - used, "%s%" PRId64, i ? "," : "", dims[i]);
    if (used < SHAPE_TEXT) snprintf(text + used, SHAPE_TEXT - used, "]");
    return text;
}

/* Keras' kernels are [R,S,C,K] and [C,K], ours [K,R,S,C] and [K,C]: the first axis goes to the end. */
static dn_status check_shape(const transfer *t)
{
    const dn_npy *a = t->array;
    const dn_shape *own = &t->entry->shape;
    int64_t wanted[DN_NPY_MOST_RANK] = {0};
    char one[SHAPE_TEXT], other[SHAPE_TEXT];
    for (int i = 0; i < own->rank; i++) wanted[i] = own->dim[(i + 1) % own->rank];
    bool same = a->rank == own->rank;
    for (int i = 0; same && i < a->rank; i++) same = a->dims[i] == wanted[i];
    if (!same)
        return dn_fail(DN_ERROR_SHAPE, "%s: layer '%s': found %s %s, expected %s for '%s' of %s", t->path,
                       t->from->name, dn__import_names[t->part].keras, shape_text(a->rank, a->dims, one),
                       shape_text(own->rank, wanted, other), t->to->name, t->model);
    if (a->type == DN_F32 || a->type == DN_F64) return DN_OK;
    return dn_fail(DN_ERROR_UNSUPPORTED, "%s: layer '%s': %s holds integers, expected floating point", t->path,
                   t->from->name, dn__import_names[t->part].keras);
}

/* @param to [count] in our order */
static dn_status convert(const transfer *t, float *to)
{
    const dn_npy *a = t->array;
    const int64_t units = t->entry->shape.dim[0], inner = a->count / units;
    for (int64_t i = 0; i < a->count; i++) {
        const double value = a->type == DN_F64 ? ((const double *)a->data)[i] : (double)((const float *)a->data)[i];
        if (!isfinite((float)value) || (t->part == DN_IMPORT_VARIANCE && value < 0.0))
            return dn_fail(DN_ERROR_NUMERIC, "%s: layer '%s': %s has %g at place %" PRId64 ", expected a finite %s",
                           t->path, t->from->name, dn__import_names[t->part].keras, value, i,
                           t->part == DN_IMPORT_VARIANCE ? "number of at least 0" : "float32");
        to[i % units * inner + i / units] = (float)value;
    }
    return DN_OK;
}

static dn_status upload(const transfer *t, dn_buffer *buffer)
{
    const size_t count = (size_t)dn_shape_count(&t->entry->shape);
    float *values = dn_calloc(count, sizeof *values);
    if (!values) return DN_ERROR_MEMORY;
    dn_status status = t->array ? convert(t, values) : DN_OK;
    for (size_t i = 0; !t->array && i < count; i++) values[i] = (float)dn__import_names[t->part].absent;
    if (status == DN_OK)
        status = dn_buffer_upload(buffer, t->entry->offset * sizeof *values, values, count * sizeof *values);
    dn_free(values);
    return status;
}

static dn_status put(transfer *t, const dn_params *params)
{
    const int index = t->to->entries[t->part];
    const dn_params_block block = dn__import_names[t->part].block;
    t->array = t->from->arrays[t->part];
    if (index < 0 && t->array)
        return dn_fail(DN_ERROR_SHAPE, "%s: layer '%s' has a %s, but '%s' of %s has none", t->path, t->from->name,
                       dn__import_names[t->part].keras, t->to->name, t->model);
    if (index < 0) return DN_OK;
    t->entry = dn_params_at(params, block, index);
    if (t->array) DN_TRY(check_shape(t));
    return upload(t, dn_params_buffer(params, block, 0));
}

static dn_status put_all(const dn_import_layers *own, const dn_import_layers *file, const dn_network *n,
                         const char *path)
{
    /* The counts agreed for the model's own width; overrides may have made another network of it. */
    if (memcmp(own->count, file->count, sizeof own->count) != 0)
        return dn_fail(DN_ERROR_SHAPE, "%s: the overrides ask for a network with other layers than the file has", path);
    for (int i = 0; i < own->n; i++) {
        transfer t = {.path = path, .model = n->recipe->model.name, .from = &file->layers[i], .to = &own->layers[i]};
        for (int part = 0; part < DN_IMPORT_PARTS; part++) {
            t.part = (dn_import_part)part;
            DN_TRY(put(&t, n->params));
        }
    }
    return DN_OK;
}

dn_status dn_import_weights(dn_network *n, const dn_import_layers *file, const char *path)
{
    dn_import_layers own;
    dn_status status = dn_import_network_layers(&own, n->params);
    if (status == DN_OK) status = put_all(&own, file, n, path);
    dn_import_layers_clear(&own);
    return status;
}
