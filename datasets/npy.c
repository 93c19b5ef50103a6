#include "datasets/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/whole_file.h"
#include "datasets/npy_header.h"

/* Elements are converted through a buffer of this many bytes. */
enum { PIECE = 1 << 16 };

/* Where the elements of a file in Fortran order go: the first index runs fastest there, the last one here. */
typedef struct walk {
    int rank;
    int64_t dims[DN_NPY_MOST_RANK], strides[DN_NPY_MOST_RANK], index[DN_NPY_MOST_RANK];
    int64_t at;
} walk;

static void walk_start(walk *w, const dn__npy_header *h)
{
    int64_t stride = 1;
    *w = (walk){.rank = h->rank};
    for (int i = h->rank - 1; i >= 0; i--) {
        w->dims[i] = h->dims[i];
        w->strides[i] = stride;
        stride *= h->dims[i];
    }
}

static void walk_next(walk *w)
{
    for (int i = 0; i < w->rank; i++) {
        w->at += w->strides[i];
        if (++w->index[i] < w->dims[i]) return;
        w->at -= w->strides[i] * w->dims[i];
        w->index[i] = 0;
    }
}

/* Reads and converts piece by piece. */
static dn_status read_converted(dn_npy *a, dn__stream *s, const dn__npy_header *h)
{
    unsigned char piece[PIECE];
    const size_t size = dn_dtype_size(a->type);
    const int stored = h->element.size;
    walk w;
    walk_start(&w, h);
    for (int64_t done = 0; done < a->count;) {
        const int64_t room = PIECE / stored, rest = a->count - done, n = rest < room ? rest : room;
        const uint64_t offset = dn__stream_at(s);
        DN_TRY(dn__stream_read(s, piece, (size_t)(n * stored), "array data"));
        for (int64_t i = 0; i < n; i++, walk_next(&w)) {
            const int64_t target = h->fortran_order ? w.at : done + i;
            if (dn__element_convert(&h->element, (char *)a->data + (size_t)target * size, piece + i * stored)) continue;
            dn__stream_fail(s, offset + (uint64_t)(i * stored),
                            "element %" PRId64 " is an integer beyond 32 bits, expected -2147483648 to 2147483647",
                            target);
            return DN_ERROR_UNSUPPORTED;
        }
        done += n;
    }
    return DN_OK;
}

static dn_status read_array(dn_npy *a, dn__stream *s)
{
    dn__npy_header h;
    DN_TRY(dn__npy_header_read(&h, s));
    const uint64_t bytes = (uint64_t)h.count * (uint64_t)h.element.size;
    DN_TRY(dn__stream_expect(s, bytes, "array data"));
    a->type = dn__element_memory(&h.element), a->rank = h.rank, a->count = h.count;
    memcpy(a->dims, h.dims, sizeof a->dims);
    a->data = dn_calloc((size_t)h.count, dn_dtype_size(a->type));
    if (!a->data) return DN_ERROR_MEMORY;
    /* Data that need no conversion are read straight into place: arrays of logits can be large. */
    if (dn__element_is_plain(&h.element) && !(h.fortran_order && h.rank > 1))
        DN_TRY(dn__stream_read(s, a->data, (size_t)bytes, "array data"));
    else
        DN_TRY(read_converted(a, s, &h));
    return dn__stream_end(s);
}

dn_status dn_npy_open(dn_npy **out, const char *path)
{
    dn__stream *s = NULL;
    *out = NULL;
    DN_TRY(dn__stream_open_plain(&s, path));
    dn_npy *a = dn_calloc(1, sizeof *a);
    const dn_status status = a ? read_array(a, s) : DN_ERROR_MEMORY;
    dn__stream_close(s);
    if (status == DN_OK)
        *out = a;
    else
        dn_npy_close(a);
    return status;
}

void dn_npy_close(dn_npy *array)
{
    if (!array) return;
    dn_free(array->data);
    dn_free(array);
}

static bool host_is_big_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

/* Makes the header; its length is a multiple of 64, so that mapped data are aligned. @return its length */
static size_t make_header(char header[512], dn_dtype type, int rank, const int64_t *dims)
{
    enum { BEFORE = 10, ALIGNMENT = 64, SIZE = 512 };
    const char *kind = type == DN_U8 ? "|u1" : type == DN_I32 ? "i4" : type == DN_F32 ? "f4" : "f8";
    const char *order = type == DN_U8 ? "" : host_is_big_endian() ? ">" : "<";
    size_t used = BEFORE;
    used += (size_t)snprintf(header + used, SIZE - used, "{'descr': '%s%s', 'fortran_order': False, 'shape': (", order,
                             kind);
    for (int i = 0; i < rank; i++)
        used += (size_t)snprintf(header + used, SIZE - used, i + 1 < rank ? "%" PRId64 ", " : "%" PRId64, dims[i]);
    used += (size_t)snprintf(header + used, SIZE - used, "%s), }", rank == 1 ? "," : "");
    const size_t length = (used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    memset(header + used, ' ', length - used);
    header[length - 1] = '\n';
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)((length - BEFORE) & 0xff);
    header[9] = (char)((length - BEFORE) >> 8);
    return length;
}

dn_status dn_npy_write(const char *path, dn_dtype type, int rank, const int64_t *dims, const void *data)
{
    char header[512]; /* 8 dimensions of at most 19 digits fit */
    size_t count = 1;
    if (type != DN_U8 && type != DN_I32 && type != DN_F32 && type != DN_F64)
        return dn_fail(DN_ERROR_UNSUPPORTED, "%s: elements of type %s, expected u8, i32, f32 or f64", path,
                       dn_dtype_name(type));
    if (rank < 0 || rank > DN_NPY_MOST_RANK)
        return dn_fail(DN_ERROR_SHAPE, "%s: %d dimensions, expected 0 to %d", path, rank, DN_NPY_MOST_RANK);
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0) return dn_fail(DN_ERROR_SHAPE, "%s: dimension %" PRId64 ", expected 0 or more", path, dims[i]);
        count *= (size_t)dims[i];
    }
    const size_t length = make_header(header, type, rank, dims);
    dn_whole_file file;
    dn_status status = dn_whole_file_open(&file, path);
    if (status == DN_OK) {
        (void)fwrite(header, 1, length, file.file); /* what goes wrong shows in the end */
        (void)fwrite(data, dn_dtype_size(type), count, file.file);
        status = dn_whole_file_commit(&file);
    }
    dn_whole_file_close(&file);
    return status;
}
