#include "datasets/idx.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "datasets/stream.h"

/* Larger promises are refused before memory is asked for; the largest known IDX file (EMNIST) has 0.6 GB. */
#define MOST_BYTES (UINT64_C(4) << 30)

enum { MAGIC_LABELS = 0x801, MAGIC_IMAGES = 0x803, LONGEST_SIDE = 4096 };

static dn_status read_be32(dn__stream *s, uint32_t *value, const char *what)
{
    unsigned char b[4];
    DN_TRY(dn__stream_read(s, b, 4, what));
    *value = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return DN_OK;
}

static dn_status read_magic(dn__stream *s, uint32_t expected, const char *what)
{
    uint32_t magic = 0;
    DN_TRY(read_be32(s, &magic, "magic number"));
    if (magic == expected) return DN_OK;
    return dn__stream_fail(s, 0, "magic number 0x%08" PRIx32 ", expected 0x%08" PRIx32 " (%s)", magic, expected, what);
}

static dn_status read_dimension(dn__stream *s, uint32_t *value, uint32_t most, const char *what)
{
    const uint64_t at = dn__stream_at(s);
    DN_TRY(read_be32(s, value, what));
    if (*value >= 1 && *value <= most) return DN_OK;
    return dn__stream_fail(s, at, "%s %" PRIu32 ", expected 1 to %" PRIu32, what, *value, most);
}

static dn_status read_images(dn__stream *s, dn__idx_images *out)
{
    uint32_t n = 0, height = 0, width = 0;
    DN_TRY(read_magic(s, MAGIC_IMAGES, "images"));
    DN_TRY(read_dimension(s, &n, INT32_MAX, "number of images"));
    DN_TRY(read_dimension(s, &height, LONGEST_SIDE, "image height"));
    DN_TRY(read_dimension(s, &width, LONGEST_SIDE, "image width"));
    const uint64_t bytes = (uint64_t)n * height * width; /* below 2^31 * 2^24 */
    if (bytes > MOST_BYTES)
        return dn__stream_fail(s, 4,
                               "%" PRIu32 " images of %" PRIu32 "x%" PRIu32 ", expected at most %" PRIu64 " bytes", n,
                               height, width, MOST_BYTES);
    DN_TRY(dn__stream_expect(s, bytes, "image data"));
    out->pixels = dn_calloc((size_t)bytes, 1);
    if (!out->pixels) return DN_ERROR_MEMORY;
    out->n = n, out->height = (int)height, out->width = (int)width;
    DN_TRY(dn__stream_read(s, out->pixels, (size_t)bytes, "image data"));
    return dn__stream_end(s);
}

dn_status dn__idx_read_images(dn__idx_images *out, const char *path)
{
    dn__stream *s = NULL;
    *out = (dn__idx_images){0};
    DN_TRY(dn__stream_open(&s, path));
    const dn_status status = read_images(s, out);
    dn__stream_close(s);
    if (status != DN_OK) {
        dn_free(out->pixels);
        *out = (dn__idx_images){0};
    }
    return status;
}

static dn_status read_labels(dn__stream *s, int32_t *labels, int64_t expected, int classes)
{
    enum { HEADER = 8, PIECE = 4096 };
    unsigned char piece[PIECE];
    uint32_t n = 0;
    DN_TRY(read_magic(s, MAGIC_LABELS, "labels"));
    DN_TRY(read_dimension(s, &n, INT32_MAX, "number of labels"));
    if (n != expected)
        return dn__stream_fail(s, 4, "%" PRIu32 " labels, expected %" PRId64 ", as many as there are images", n,
                               expected);
    for (int64_t at = 0; at < expected; at += PIECE) {
        const size_t count = expected - at < PIECE ? (size_t)(expected - at) : PIECE;
        DN_TRY(dn__stream_read(s, piece, count, "labels"));
        for (size_t i = 0; i < count; i++) {
            if (piece[i] >= classes)
                return dn__stream_fail(s, HEADER + (uint64_t)at + i, "label %d, expected 0 to %d", piece[i],
                                       classes - 1);
            labels[at + (int64_t)i] = piece[i];
        }
    }
    return dn__stream_end(s);
}

dn_status dn__idx_read_labels(int32_t **labels, const char *path, int64_t n, int classes)
{
    dn__stream *s = NULL;
    *labels = NULL;
    DN_TRY(dn__stream_open(&s, path));
    int32_t *read = dn_calloc((size_t)n, sizeof *read);
    const dn_status status = read ? read_labels(s, read, n, classes) : DN_ERROR_MEMORY;
    dn__stream_close(s);
    if (status == DN_OK)
        *labels = read;
    else
        dn_free(read);
    return status;
}
