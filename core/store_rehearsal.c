#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/child.h"
#include "core/store_private.h"

enum { DEEPEST = 32, MOST_OBJECTS = 100000, LONGEST_PATH = 2048 };
static const int64_t MOST_DATA = 256 << 20, PIECE = 16 << 20; /* bytes */

/** Where the walk through a file is. */
typedef struct walk {
    dn_store *store;
    char path[LONGEST_PATH]; /**< of the object that is looked at */
    int depth, objects;
    int64_t data; /**< bytes read so far */
} walk;

/** All ways to read an attribute. What fails is the caller's to find. */
static herr_t read_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    const walk *w = context;
    (void)object, (void)info;
    int64_t integer;
    double number;
    char *text = NULL;
    dn__child_alive();
    (void)!dn_store_get_int(w->store, w->path, name, &integer);
    (void)!dn_store_get_double(w->store, w->path, name, &number);
    (void)!dn_store_get_text(w->store, w->path, name, &text);
    dn_free(text);
    return 0;
}

/** A list that cannot be read to its end is an error: by its name, a caller would reach what was not tried here. */
static dn_status read_attributes(walk *w)
{
    DN__ID object = H5Oopen(w->store->file, w->path, H5P_DEFAULT);
    if (object < 0) return dn__store_fail(w->store, DN_ERROR_FORMAT, "\"%s\" is damaged", w->path);
    if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, read_attribute, w) >= 0) return DN_OK;
    return dn__store_fail(w->store, DN_ERROR_FORMAT, "the attributes of \"%s\" are damaged", w->path);
}

static void read_array(walk *w)
{
    dn_store_info info;
    if (dn_store_array_info(w->store, w->path, &info) != DN_OK || info.count == 0) return;
    const int64_t row = info.count / info.dim[0] * (int64_t)dn_dtype_size(info.dtype);
    const int64_t most = row < PIECE ? PIECE / row : 1;
    if (row > MOST_DATA - w->data) return;
    void *room = dn_calloc((size_t)most, (size_t)row);
    for (int64_t first = 0; room && first < info.dim[0] && w->data < MOST_DATA; first += most) {
        const int64_t rows = info.dim[0] - first < most ? info.dim[0] - first : most;
        dn__child_alive();
        w->data += rows * row;
        if (dn_store_read_rows(w->store, w->path, info.dtype, 0, first, rows, room) != DN_OK) break;
    }
    dn_free(room);
    (void)dn__store_close_arrays(w->store);
}

static dn_status visit(void *context, const char *name, bool is_group)
{
    walk *w = context;
    const size_t length = strlen(w->path), more = strlen(name);
    if (++w->objects > MOST_OBJECTS || w->depth >= DEEPEST || length + more + 2 > sizeof w->path)
        return dn_fail(
            DN_ERROR_FORMAT,
            "%s: more than %d objects, or more than %d groups within each other: they lead in circles, or the "
            "file is not one of Dunlin's",
            w->store->path, MOST_OBJECTS, DEEPEST);
    snprintf(w->path + length, sizeof w->path - length, "%s%s", length > 1 ? "/" : "", name);
    dn__child_alive();
    DN_TRY(read_attributes(w));
    if (!is_group) read_array(w);
    w->depth++;
    if (is_group) DN_TRY(dn_store_list(w->store, w->path, visit, w));
    w->depth--;
    w->path[length] = '\0';
    return DN_OK;
}

/** The process ends behind this function; after an error nothing is closed. */
static dn_status rehearse(void *context, int pipe)
{
    walk w = {.store = context, .path = "/"};
    (void)pipe;
    DN_TRY(dn__store_open_hdf5(w.store));
    DN_TRY(read_attributes(&w));
    return dn_store_list(w.store, "/", visit, &w);
}

dn_status dn__store_rehearse(dn_store *store)
{
    return dn__child_run(store->path, rehearse, NULL, store);
}
