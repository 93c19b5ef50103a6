#include "datasets/keras_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/child.h"
#include "datasets/array_hdf5.h"
#include "datasets/keras_names.h"

/* ---- what is sent ---- */

static dn_status add(dn_keras_weight *to, const dn__keras_name *name)
{
    if (!memchr(name->layer, 0, sizeof name->layer) || !memchr(name->weight, 0, sizeof name->weight))
        return dn_fail(DN_ERROR_FORMAT, "a name without an end");
    to->layer = dn_strdup(name->layer);
    to->name = dn_strdup(name->weight);
    return to->layer && to->name ? DN_OK : DN_ERROR_MEMORY;
}

typedef struct listing {
    const char *path;
    dn_keras_file *file;
    bool below; /* in the group "model_weights" */
} listing;

static dn_status work(void *context, int pipe)
{
    return dn__keras_send_names(((listing *)context)->path, pipe);
}

/** The child may be what a hostile file made of it: nothing it sends is trusted. */
static dn_status take(void *context, int pipe)
{
    listing *l = context;
    dn__keras_head head;
    dn__keras_name name;
    DN_TRY(dn__child_receive(pipe, &head, sizeof head));
    if (head.n < 1 || head.n > DN__KERAS_MOST) return dn_fail(DN_ERROR_FORMAT, "%d weights", head.n);
    l->below = head.below != 0;
    l->file->weights = dn_calloc((size_t)head.n, sizeof *l->file->weights);
    if (!l->file->weights) return DN_ERROR_MEMORY;
    for (l->file->n = 0; l->file->n < head.n; l->file->n++) {
        DN_TRY(dn__child_receive(pipe, &name, sizeof name));
        const dn_status status = add(&l->file->weights[l->file->n], &name);
        if (status != DN_OK) {
            l->file->n++; /* what is there is freed */
            return status;
        }
    }
    return DN_OK;
}

/* ---- the arrays ---- */

/** @param paths, arrays [n] zeroed */
static dn_status read_arrays(const listing *l, char **paths, dn_npy **arrays)
{
    const dn_keras_file *f = l->file;
    for (int i = 0; i < f->n; i++) {
        paths[i] = dn_format("%s%s/%s", l->below ? DN__KERAS_GROUP "/" : "", f->weights[i].layer, f->weights[i].name);
        if (!paths[i]) return DN_ERROR_MEMORY;
    }
    DN_TRY(dn__array_hdf5_open_all(arrays, l->path, (const char *const *)paths, f->n));
    for (int i = 0; i < f->n; i++) f->weights[i].array = arrays[i];
    return DN_OK;
}

static dn_status read_weights(const listing *l)
{
    const size_t n = (size_t)l->file->n;
    char **paths = dn_calloc(n, sizeof *paths);
    dn_npy **arrays = dn_calloc(n, sizeof *arrays);
    const dn_status status = paths && arrays ? read_arrays(l, paths, arrays) : DN_ERROR_MEMORY;
    for (size_t i = 0; paths && i < n; i++) dn_free(paths[i]);
    dn_free(paths);
    dn_free(arrays);
    return status;
}

/* ---- here ---- */

/** Errors that are likelier than a damaged file. */
static dn_status check_file(const char *path)
{
    struct stat facts;
    char magic[4] = {0};
    if (stat(path, &facts) != 0) return dn_fail(DN_ERROR_FILE, "%s: cannot open: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode)) return dn_fail(DN_ERROR_FILE, "%s: not a regular file", path);
    FILE *file = fopen(path, "rb");
    if (!file) return dn_fail(DN_ERROR_FILE, "%s: cannot open: %s", path, strerror(errno));
    const size_t got = fread(magic, 1, sizeof magic, file);
    fclose(file);
    if (got == sizeof magic && memcmp(magic, "PK\x03\x04", sizeof magic) == 0)
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: a zip archive (.keras files are such), expected HDF5: in Keras 3, load it and save it with "
                       "model.save('NAME.h5')",
                       path);
    return DN_OK;
}

dn_status dn_keras_open(dn_keras_file **out, const char *path)
{
    *out = NULL;
    DN_TRY(check_file(path));
    dn_keras_file *f = dn_calloc(1, sizeof *f);
    listing l = {.path = path, .file = f};
    dn_status status = f && (f->path = dn_strdup(path)) ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn__child_run(path, work, take, &l);
    if (status == DN_OK) status = read_weights(&l);
    if (status == DN_OK)
        *out = f;
    else
        dn_keras_close(f);
    return status;
}

void dn_keras_close(dn_keras_file *f)
{
    if (!f) return;
    for (int i = 0; i < f->n; i++) {
        dn_free(f->weights[i].layer);
        dn_free(f->weights[i].name);
        dn_npy_close(f->weights[i].array);
    }
    dn_free(f->weights);
    dn_free(f->path);
    dn_free(f);
}
