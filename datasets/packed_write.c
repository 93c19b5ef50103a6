#include "datasets/packed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/store.h"
#include "datasets/expression.h"
#include "datasets/packed_private.h"
#include "datasets/rows.h"

/* A chunk is what has to be read for the first image of it; a compressed one, for each. */
enum { CHUNK_BYTES = 1 << 20, COMPRESSED_CHUNK_BYTES = 1 << 16, BLOCK_BYTES = 8 << 20 };

static dn_status write_names(dn_store *to, const dn_dataset *set)
{
    size_t bytes = 0, used = 0;
    if (!set->class_names) return DN_OK;
    for (int c = 0; c < set->classes; c++) {
        if (strchr(set->class_names[c], '\n'))
            return dn_fail(DN_ERROR_ARGUMENT, "the name of class %d holds a line break", c);
        bytes += strlen(set->class_names[c]) + 1;
    }
    char *text = dn_calloc(bytes + 1, 1);
    if (!text) return DN_ERROR_MEMORY;
    for (int c = 0; c < set->classes; c++)
        used += (size_t)snprintf(text + used, bytes + 1 - used, "%s\n", set->class_names[c]);
    const int64_t dim = (int64_t)bytes;
    const dn_status status = dn_store_write(to, "class_names", DN_U8, 1, &dim, text);
    dn_free(text);
    return status;
}

/* Of a packed set, where its images came from and which of them these are: not the names of all the files that they
 * went through. */
static dn_status write_provenance(dn_store *to, const dn_dataset *set)
{
    const char *whole = set->provenance ? set->provenance : "";
    if (!set->rows || !set->rows->origin) return dn_store_set_text(to, "/", "provenance", whole);
    const char *origin = set->rows->origin, *done = whole + set->rows->named;
    const size_t length = strlen(origin), added = strlen(done);
    const bool known = length >= added && strcmp(origin + length - added, done) == 0;
    char *text = dn_format("%s%s", origin, known ? "" : done);
    const dn_status status = text ? dn_store_set_text(to, "/", "provenance", text) : DN_ERROR_MEMORY;
    dn_free(text);
    return status;
}

static dn_status write_facts(dn_store *to, const dn_dataset *set)
{
    DN_TRY(dn_store_set_kind(to, DN__PACKED_KIND, DN__PACKED_VERSION));
    DN_TRY(dn_store_set_int(to, "/", "classes", set->labels ? set->classes : 0));
    DN_TRY(write_provenance(to, set));
    if (!set->labels) return DN_OK;
    DN_TRY(dn_store_write(to, "labels", DN_I32, 1, &set->n, set->labels));
    return write_names(to, set);
}

/* ---- images ---- */

/* A set that is read while it is written: its fingerprint comes out on the way. */
typedef struct writing {
    dn_store *store;
    const dn_dataset *set;
    const dn_packed_options *options;
    int64_t rows; /* of a block: whole chunks */
    void *block;  /* [rows,H,W,C] */
    dn_hash hash;
} writing;

static dn_status create_images(writing *w)
{
    const dn_dataset *s = w->set;
    const int64_t dim[4] = {s->n, s->height, s->width, s->channels};
    const int64_t image = (int64_t)dn_dataset_image_bytes(s);
    int64_t chunk = w->options && w->options->compress ? COMPRESSED_CHUNK_BYTES : CHUNK_BYTES;
    if (chunk < image) chunk = image;
    const int64_t chunk_rows = chunk / image;
    w->rows = BLOCK_BYTES / (chunk_rows * image) * chunk_rows;
    if (w->rows < chunk_rows) w->rows = chunk_rows;
    DN_TRY(dn_store_set_chunk(w->store, chunk));
    DN_TRY(dn_store_set_deflate(w->store, w->options ? w->options->compress : 0));
    DN_TRY(dn_store_create_array(w->store, "images", s->type, 4, dim));
    w->block = dn_calloc((size_t)w->rows, (size_t)image);
    return w->block ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status write_images(writing *w)
{
    const dn_dataset *s = w->set;
    for (int64_t first = 0; first < s->n; first += w->rows) {
        const int64_t n = s->n - first < w->rows ? s->n - first : w->rows;
        DN_TRY(dn_dataset_read(s, first, n, w->block));
        dn_hash_add(&w->hash, w->block, (size_t)n * dn_dataset_image_bytes(s));
        DN_TRY(dn_store_write_rows(w->store, "images", s->type, 0, first, n, w->block));
        if (w->options && w->options->on_block) DN_TRY(w->options->on_block(w->options->context, first + n));
    }
    return DN_OK;
}

static dn_status write_all(writing *w)
{
    DN_TRY(write_facts(w->store, w->set));
    DN_TRY(create_images(w));
    dn__fingerprint_begin(&w->hash, w->set);
    DN_TRY(write_images(w));
    DN_TRY(dn_store_set_int(w->store, "/", "fingerprint", (int64_t)dn__fingerprint_end(&w->hash, w->set)));
    return dn_store_commit(w->store);
}

/* What could not be read again is not written. */
static dn_status check_shape(const dn_dataset *set)
{
    if (set->height <= DN__LONGEST_SIDE && set->width <= DN__LONGEST_SIDE && set->channels <= DN__PACKED_MOST_CHANNELS)
        return DN_OK;
    return dn_fail(DN_ERROR_SHAPE,
                   "data set '%s' has images of %dx%dx%d, a packed set at most %d on a side and %d channels; ask for a "
                   "smaller size, such as @64x64x3 at the end of the name",
                   set->name, set->height, set->width, set->channels, DN__LONGEST_SIDE, DN__PACKED_MOST_CHANNELS);
}

dn_status dn_packed_write(const char *path, const dn_dataset *set, const dn_packed_options *options)
{
    writing w = {.set = set, .options = options};
    if (set->n < 1) return dn_fail(DN_ERROR_ARGUMENT, "data set '%s' is empty", set->name);
    DN_TRY(check_shape(set));
    DN_TRY(dn_store_create(&w.store, path));
    const dn_status status = write_all(&w);
    dn_free(w.block);
    dn_store_close(w.store);
    return status;
}
