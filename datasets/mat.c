#include "datasets/mat.h"

#include <inttypes.h>
#include <matio.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/child.h"
#include "datasets/element.h"
#include "datasets/mat_private.h"
#include "datasets/npy_pipe.h"

/* Deflate packs at most 1,032 bytes into one; an element in the file takes at least a byte. */
enum { DEFLATE_MOST = 1032 };
static const uint64_t LIBRARY_BYTES = 64 << 20; /* what libmatio may take beside the arrays that are asked for */

typedef struct request {
    const char *path;
    dn__mat_array *arrays;
    int count;
    uint64_t file_bytes;
} request;

/* ---- in the child ---- */

static char complaint[200]; /* what libmatio said first; each child has its own */

static void hear(int level, char *message)
{
    (void)level;
    if (!complaint[0]) snprintf(complaint, sizeof complaint, "%.*s", (int)strcspn(message, "\n"), message);
    for (char *at = complaint; *at; at++)
        if ((unsigned char)*at < ' ') *at = '?'; /* no escape sequences in a terminal */
}

static dn_status fail(const request *r, const char *name, const char *text)
{
    return dn_fail(DN_ERROR_FORMAT, "%s: array \"%s\": %s%s%s%s", r->path, name, text, complaint[0] ? " (matio: " : "",
                   complaint, complaint[0] ? ")" : "");
}

/** @return whether the class is numbers, and which */
static bool element_of(const matvar_t *v, dn__element *e)
{
    static const dn__element known[] = {
        [MAT_C_DOUBLE] = {'f', 8, false}, [MAT_C_SINGLE] = {'f', 4, false}, [MAT_C_INT8] = {'i', 1, false},
        [MAT_C_UINT8] = {'u', 1, false},  [MAT_C_INT16] = {'i', 2, false},  [MAT_C_UINT16] = {'u', 2, false},
        [MAT_C_INT32] = {'i', 4, false},  [MAT_C_UINT32] = {'u', 4, false}, [MAT_C_INT64] = {'i', 8, false},
        [MAT_C_UINT64] = {'u', 8, false}};
    const unsigned class = (unsigned)v->class_type;
    if (class >= sizeof known / sizeof *known || !known[class].kind || v->isComplex) return false;
    *e = known[class];
    return true;
}

/** Fills rank, dims (C's order) and count; the last axis of MATLAB ends at `wanted->most`. */
static dn_status set_shape(const request *r, const dn__mat_array *wanted, const matvar_t *v, dn_npy *a)
{
    const uint64_t most = v->compression == MAT_COMPRESSION_NONE ? r->file_bytes : r->file_bytes * DEFLATE_MOST;
    if (v->rank < 1 || v->rank > DN_NPY_MOST_RANK || !v->dims) return fail(r, wanted->name, "it has no sound shape");
    uint64_t stored = 1; /* with 1 for 0: a zero hides no overflow */
    bool empty = false;
    for (int i = 0; i < v->rank; i++) {
        if (__builtin_mul_overflow(stored, v->dims[i] ? v->dims[i] : 1, &stored) || stored > INT64_MAX / 8)
            return fail(r, wanted->name, "its shape promises more than a file can hold");
        empty = empty || v->dims[i] == 0;
        a->dims[v->rank - 1 - i] = (int64_t)v->dims[i];
    }
    if (stored > most && !empty)
        return fail(r, wanted->name, "its shape promises more than the file can hold: it is cut off or damaged");
    a->rank = v->rank, a->count = 1;
    if (a->dims[0] > wanted->most) a->dims[0] = wanted->most;
    for (int i = 0; i < a->rank; i++) a->count *= a->dims[i];
    return DN_OK;
}

static dn_status read_data(const request *r, mat_t *file, matvar_t *v, const dn_npy *a, void *data)
{
    int start[DN_NPY_MOST_RANK] = {0}, stride[DN_NPY_MOST_RANK], edge[DN_NPY_MOST_RANK];
    for (int i = 0; i < a->rank; i++) {
        stride[i] = 1;
        if (a->dims[a->rank - 1 - i] > INT32_MAX) return fail(r, v->name, "an axis is longer than 2147483647");
        edge[i] = (int)a->dims[a->rank - 1 - i];
    }
    if (a->count > 0 && Mat_VarReadData(file, v, data, start, stride, edge) != 0)
        return fail(r, v->name, "its data are damaged");
    return DN_OK;
}

/** Integers of other sizes become i32. @param to [a->count] */
static dn_status convert(const request *r, const char *name, const dn__element *e, const dn_npy *a,
                         const unsigned char *stored, char *to)
{
    const size_t size = dn_dtype_size(a->type);
    for (int64_t i = 0; i < a->count; i++)
        if (!dn__element_convert(e, to + (size_t)i * size, stored + i * e->size))
            return dn_fail(DN_ERROR_UNSUPPORTED,
                           "%s: array \"%s\": element %" PRId64
                           " is an integer beyond 32 bits, expected -2147483648 to 2147483647",
                           r->path, name, i);
    return DN_OK;
}

/** @param v its description; `wanted->array` says what is sent */
static dn_status read_array(const request *r, const dn__mat_array *wanted, mat_t *file, matvar_t *v)
{
    dn__element e = {0};
    dn_npy *a = wanted->array;
    if (!element_of(v, &e))
        return dn_fail(
            DN_ERROR_UNSUPPORTED,
            "%s: array \"%s\": it holds something else than real numbers (text, cells, a structure, a sparse "
            "or a complex array), expected integers or floating point",
            r->path, wanted->name);
    DN_TRY(set_shape(r, wanted, v, a));
    a->type = dn__element_memory(&e);
    const size_t count = (size_t)a->count, size = (size_t)e.size;
    dn__child_limit_memory(LIBRARY_BYTES + count * (size + dn_dtype_size(a->type)));
    unsigned char *stored = dn_calloc(count ? count : 1, size);
    if (!stored) return DN_ERROR_MEMORY;
    dn__child_busy(count * size);
    DN_TRY(read_data(r, file, v, a, stored));
    a->data = stored;
    if (dn__element_is_plain(&e)) return DN_OK;
    a->data = dn_calloc(count ? count : 1, dn_dtype_size(a->type));
    return a->data ? convert(r, wanted->name, &e, a, stored, a->data) : DN_ERROR_MEMORY;
}

static dn_status read_arrays(const request *r, mat_t *file)
{
    for (int i = 0; i < r->count; i++) {
        complaint[0] = '\0';
        matvar_t *v = Mat_VarReadInfo(file, r->arrays[i].name);
        if (!v) return fail(r, r->arrays[i].name, "there is no such array in the file, or it is damaged");
        DN_TRY(read_array(r, &r->arrays[i], file, v));
    }
    return DN_OK;
}

/** The process ends behind this function; it gives no memory back. */
static dn_status work(void *context, int pipe)
{
    request *r = context;
    bool all = true;
    DN_TRY(dn__mat_check_frame(r->path, &r->file_bytes));
    Mat_LogInitFunc("dunlin", hear);
    dn__child_limit_memory(LIBRARY_BYTES);
    mat_t *file = Mat_Open(r->path, MAT_ACC_RDONLY);
    if (!file) return dn_fail(DN_ERROR_FORMAT, "%s: the file is damaged (matio: %s)", r->path, complaint);
    DN_TRY(read_arrays(r, file));
    for (int i = 0; i < r->count; i++) all = all && r->arrays[i].most == INT64_MAX;
    if (all) DN_TRY(dn__mat_check_packed(r->path));
    for (int i = 0; i < r->count; i++) {
        const dn_npy *a = r->arrays[i].array;
        DN_TRY(dn__child_send(pipe, a, sizeof *a));
        DN_TRY(dn__child_send(pipe, a->data, (size_t)a->count * dn_dtype_size(a->type)));
    }
    return DN_OK;
}

/* ---- here ---- */

static dn_status take(void *context, int pipe)
{
    const request *r = context;
    for (int i = 0; i < r->count; i++) DN_TRY(dn__npy_receive(r->arrays[i].array, pipe));
    return DN_OK;
}

dn_status dn__mat_read(dn__mat_array *arrays, int count, const char *path)
{
    request r = {.path = path, .arrays = arrays, .count = count};
    dn_status status = DN_OK;
    for (int i = 0; i < count; i++) {
        arrays[i].array = dn_calloc(1, sizeof *arrays[i].array);
        if (!arrays[i].array) status = DN_ERROR_MEMORY;
    }
    if (status == DN_OK) status = dn__child_run(path, work, take, &r);
    for (int i = 0; i < count && status != DN_OK; i++) {
        dn_npy_close(arrays[i].array);
        arrays[i].array = NULL;
    }
    return status;
}
