/* A chunk of a packed set, from the file's bytes to images. Undoes what libhdf5 does when it writes. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/alloc.h"
#include "datasets/packed_private.h"

size_t dn__packed_image_bytes(const dn__packed *p)
{
    const int64_t *dim = p->facts.dim;
    return (size_t)dim[1] * (size_t)dim[2] * (size_t)dim[3] * dn_dtype_size(p->facts.type);
}

size_t dn__packed_chunk_bytes(const dn__packed *p)
{
    return (size_t)p->facts.chunk_rows * dn__packed_image_bytes(p);
}

bool dn__packed_is_plain(const dn__packed *p)
{
    return p->facts.filters == 1;
}

dn_status dn__packed_pread(const dn__packed *p, void *to, size_t bytes, uint64_t address)
{
    for (char *at = to; bytes > 0;) {
        const ssize_t got = pread(p->descriptor, at, bytes, (off_t)address);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return dn_fail(DN_ERROR_FILE, "%s: cannot read: %s", p->path, strerror(errno));
        if (got == 0)
            return dn_fail(DN_ERROR_FILE, "%s: the file ends at byte %" PRIu64 ": it was cut off while it was in use",
                           p->path, address);
        at += got, address += (uint64_t)got, bytes -= (size_t)got;
    }
    return DN_OK;
}

/* Fletcher's sum of 16-bit words, high byte first, as HDF5 takes it: both sums modulo 65535, whose 0 may be written as
 * 65535. Folding after 360 words keeps them below 2^32. */
static uint32_t fletcher32(const unsigned char *data, size_t bytes)
{
    uint32_t first = 0, second = 0;
    for (size_t i = 0; i < bytes;) {
        const size_t end = bytes - i > 720 ? i + 720 : bytes;
        for (; i < end; i += 2) {
            first += (uint32_t)data[i] << 8U | (i + 1 < bytes ? data[i + 1] : 0U);
            second += first;
        }
        first = (first & 0xffffU) + (first >> 16U);
        second = (second & 0xffffU) + (second >> 16U);
    }
    first = (first & 0xffffU) + (first >> 16U);
    second = (second & 0xffffU) + (second >> 16U);
    return second << 16U | first;
}

static dn_status damaged(const dn__packed *p, int64_t number, const char *how)
{
    const int64_t first = number * p->facts.chunk_rows, left = p->facts.dim[0] - first;
    return dn_fail(DN_ERROR_FORMAT,
                   "%s: images %" PRId64 " to %" PRId64 ": %s; the file is damaged, copy or make it again", p->path,
                   first, first + (left < p->facts.chunk_rows ? left : p->facts.chunk_rows) - 1, how);
}

/* @param bytes those before the sum */
static dn_status check_sum(const dn__packed *p, int64_t number, const unsigned char *data, size_t bytes)
{
    const unsigned char *at = data + bytes;
    const uint32_t stored = at[0] | (uint32_t)at[1] << 8U | (uint32_t)at[2] << 16U | (uint32_t)at[3] << 24U;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    return DN_OK; /* what is behind the sum is tried too */
#endif
    return fletcher32(data, bytes) == stored ? DN_OK : damaged(p, number, "the sum of their bytes is wrong");
}

/* HDF5 stores the first bytes of all elements, then the second ones, and so on. */
static void unshuffle(const unsigned char *from, unsigned char *to, size_t count, size_t size)
{
    for (size_t b = 0; b < size; b++)
        for (size_t i = 0; i < count; i++) to[i * size + b] = from[b * count + i];
}

/* @param packed [bytes] without the sum @param spare [chunk bytes] @param to [chunk bytes] */
static dn_status unpack(const dn__packed *p, int64_t number, const unsigned char *packed, size_t bytes,
                        unsigned char *spare, unsigned char *to)
{
    const dn__packed_facts *f = &p->facts;
    const size_t whole = dn__packed_chunk_bytes(p), size = dn_dtype_size(f->type);
    const unsigned char *now = packed;
    for (int i = f->filters - 2; i >= 0; i--) {
        unsigned char *next = now == spare ? to : spare;
        if (p->chunk[number].skipped >> i & 1) continue;
        if (f->filter[i] == DN__FILTER_SHUFFLE && bytes == whole && size > 1) {
            unshuffle(now, next, whole / size, size);
            now = next;
        } else if (f->filter[i] == DN__FILTER_DEFLATE) {
            uLongf made = whole;
            if (uncompress(next, &made, now, bytes) != Z_OK || made != whole)
                return damaged(p, number, "they do not unpack");
            now = next, bytes = whole;
        }
    }
    if (bytes != whole) return damaged(p, number, "they are of another size");
    if (now != to) memcpy(to, now, whole);
    return DN_OK;
}

dn_status dn__packed_chunk(const dn__packed *p, int64_t number, void *to)
{
    const dn__chunk *c = &p->chunk[number];
    const size_t bytes = c->bytes - 4, spare = dn__packed_is_plain(p) ? 0 : dn__packed_chunk_bytes(p);
    unsigned char *packed = dn_calloc(c->bytes + spare, 1);
    if (!packed) return DN_ERROR_MEMORY;
    dn_status status = dn__packed_pread(p, packed, c->bytes, c->address);
    if (status == DN_OK) status = check_sum(p, number, packed, bytes);
    if (status == DN_OK) status = unpack(p, number, packed, bytes, packed + c->bytes, to);
    dn_free(packed);
    return status;
}
