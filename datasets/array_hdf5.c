#include "datasets/array_hdf5.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/child.h"
#include "datasets/array_hdf5_private.h"
#include "datasets/npy_pipe.h"

/* Bytes read at once, and times a byte grows at most in memory: int8 becomes i32. */
enum { PIECE = 8 << 20, GROWTH = 4 };

/* ---- in the child ---- */

/** A block of places along one axis with all that is behind it is a run of at most about PIECE bytes. */
typedef struct blocks {
    int axis;
    int64_t outer; /* product of the dims before the axis */
    int64_t inner; /* product of the dims behind the axis */
    int64_t most;  /* places of one block */
} blocks;

static blocks choose_blocks(const dn__foreign *f)
{
    blocks b = {.outer = 1, .inner = 1};
    int axis = f->rank - 1;
    for (; axis > 0 && b.inner * f->dims[axis] * f->element.size <= PIECE; axis--) b.inner *= f->dims[axis];
    b.axis = axis;
    for (int i = 0; i < axis; i++) b.outer *= f->dims[i];
    b.most = PIECE / (b.inner * f->element.size);
    return b;
}

/** Selects `places` from place `first` along the axis, at the outer-th index before it. */
static bool select_block(hid_t space, const dn__foreign *f, const blocks *b, int64_t outer, int64_t first,
                         int64_t places)
{
    hsize_t start[DN_NPY_MOST_RANK] = {0}, size[DN_NPY_MOST_RANK];
    for (int i = 0; i < f->rank; i++) size[i] = i < b->axis ? 1 : (hsize_t)f->dims[i];
    for (int i = b->axis - 1; i >= 0; i--) {
        start[i] = (hsize_t)(outer % f->dims[i]);
        outer /= f->dims[i];
    }
    start[b->axis] = (hsize_t)first;
    size[b->axis] = (hsize_t)places;
    return H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) >= 0;
}

/** @param first number of the first element, for an error's text */
static dn_status send_converted(const dn__foreign *f, int pipe, const unsigned char *stored, char *converted,
                                int64_t first, int64_t n)
{
    const size_t size = dn_dtype_size(dn__element_memory(&f->element));
    if (dn__element_is_plain(&f->element)) return dn__child_send(pipe, stored, (size_t)n * size);
    for (int64_t i = 0; i < n; i++) {
        if (dn__element_convert(&f->element, converted + (size_t)i * size, stored + i * f->element.size)) continue;
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "%s: array \"%s\": element %" PRId64
                       " is an integer beyond 32 bits, expected -2147483648 to 2147483647",
                       f->path, f->name, first + i);
    }
    return dn__child_send(pipe, converted, (size_t)n * size);
}

static dn_status send_block(const dn__foreign *f, int pipe, hid_t in_file, unsigned char *stored, char *converted,
                            int64_t first, int64_t n)
{
    DN__ID in_memory = H5Screate_simple(1, (hsize_t[]){(hsize_t)n}, NULL);
    dn__child_alive();
    if (H5Dread(f->dataset, f->type, in_memory, in_file, H5P_DEFAULT, stored) < 0)
        return dn__foreign_fail(f, "the array's data are damaged");
    return send_converted(f, pipe, stored, converted, first, n);
}

static dn_status send_blocks(const dn__foreign *f, int pipe, unsigned char *stored, char *converted)
{
    DN__ID in_file = H5Dget_space(f->dataset);
    if (f->rank == 0) return send_block(f, pipe, in_file, stored, converted, 0, 1);
    const blocks b = choose_blocks(f);
    const int64_t places = f->dims[b.axis];
    for (int64_t outer = 0; outer < b.outer; outer++)
        for (int64_t first = 0; first < places; first += b.most) {
            const int64_t n = places - first < b.most ? places - first : b.most;
            if (!select_block(in_file, f, &b, outer, first, n))
                return dn__foreign_fail(f, "a part of the array cannot be selected");
            DN_TRY(send_block(f, pipe, in_file, stored, converted, (outer * places + first) * b.inner, n * b.inner));
        }
    return DN_OK;
}

static dn_status send_array(dn__foreign *f, int pipe)
{
    dn_npy array = {.type = dn__element_memory(&f->element), .rank = f->rank, .count = f->count};
    memcpy(array.dims, f->dims, sizeof array.dims);
    DN_TRY(dn__child_send(pipe, &array, sizeof array));
    if (f->count == 0) return DN_OK;
    const int64_t bytes = f->count * f->element.size;
    const size_t room = bytes < PIECE ? (size_t)bytes : PIECE;
    unsigned char *stored = dn_calloc(room, 1);
    char *converted = dn_calloc(room, GROWTH);
    const dn_status status = stored && converted ? send_blocks(f, pipe, stored, converted) : DN_ERROR_MEMORY;
    dn_free(stored);
    dn_free(converted);
    return status;
}

typedef struct reading {
    const char *path, *const *names; /**< names: [n], one NULL for the only array of the file */
    int n;
    dn_npy **arrays; /**< [n] */
} reading;

/** The process ends behind this function; it gives no memory back. */
static dn_status work(void *context, int pipe)
{
    const reading *r = context;
    dn__foreign f = {.path = r->path};
    DN_TRY(dn__foreign_open_file(&f));
    for (int i = 0; i < r->n; i++) {
        f.wanted = r->names[i];
        DN_TRY(dn__foreign_open_array(&f));
        DN_TRY(dn__foreign_check_type(&f));
        DN_TRY(dn__foreign_check_storage(&f));
        DN_TRY(send_array(&f, pipe));
        H5Dclose(f.dataset);
        H5Tclose(f.type);
    }
    return DN_OK;
}

/* ---- here ---- */

static dn_status take(void *context, int pipe)
{
    const reading *r = context;
    for (int i = 0; i < r->n; i++) DN_TRY(dn__npy_receive(r->arrays[i], pipe));
    return DN_OK;
}

dn_status dn__array_hdf5_open_all(dn_npy **out, const char *path, const char *const *names, int n)
{
    reading r = {.path = path, .names = names, .n = n, .arrays = out};
    dn_status status = DN_OK;
    for (int i = 0; i < n; i++) {
        out[i] = dn_calloc(1, sizeof *out[i]);
        if (!out[i]) status = DN_ERROR_MEMORY;
    }
    if (status == DN_OK) status = dn__child_run(path, work, take, &r);
    for (int i = 0; i < n && status != DN_OK; i++) {
        dn_npy_close(out[i]);
        out[i] = NULL;
    }
    return status;
}

dn_status dn__array_hdf5_open(dn_npy **out, const char *path, const char *name)
{
    return dn__array_hdf5_open_all(out, path, &name, 1);
}
