#include "datasets/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "datasets/image_private.h"

dn_image_format dn_image_format_of(const uint8_t *bytes, size_t n)
{
    if (n >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) return DN_IMAGE_PNG;
    return n >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0 ? DN_IMAGE_JPEG : DN_IMAGE_OTHER;
}

dn_status dn__image_allocate(dn_image *out, const dn__image_source *from, uint32_t height, uint32_t width, int channels)
{
    const uint64_t pixels = (uint64_t)height * width;
    if (height > DN_IMAGE_LONGEST_SIDE || width > DN_IMAGE_LONGEST_SIDE)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "an image of %" PRIu32 " x %" PRIu32 " pixels, expected sides of at most %d; make it smaller",
                       height, width, DN_IMAGE_LONGEST_SIDE);
    if (height < 1 || width < 1 || pixels > (uint64_t)from->most_pixels)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "an image of %" PRIu32 " x %" PRIu32 " pixels, expected 1 to %" PRId64
                       " of them in all; make it smaller",
                       height, width, from->most_pixels);
    out->height = (int)height, out->width = (int)width, out->channels = channels;
    if (from->header_only) return DN_OK;
    out->pixels = dn_calloc(pixels, (size_t)channels);
    return out->pixels ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status decode(dn_image *out, const uint8_t *bytes, size_t n, int64_t most_pixels, bool header_only)
{
    int orientation = 1;
    const dn__image_source from = {bytes, n, most_pixels, header_only, &orientation};
    *out = (dn_image){0};
    switch (dn_image_format_of(bytes, n)) {
    case DN_IMAGE_PNG: DN_TRY(dn__png_decode(out, &from)); break;
    case DN_IMAGE_JPEG: DN_TRY(dn__jpeg_decode(out, &from)); break;
    case DN_IMAGE_OTHER: return dn_fail(DN_ERROR_FORMAT, "neither PNG nor JPEG, or damaged at its beginning");
    }
    return dn__image_orient(out, orientation);
}

dn_status dn__image_decode(dn_image *out, const uint8_t *bytes, size_t n, int64_t most_pixels)
{
    return decode(out, bytes, n, most_pixels, false);
}

dn_status dn_image_decode(dn_image *out, const uint8_t *bytes, size_t n)
{
    return decode(out, bytes, n, DN_IMAGE_MOST_PIXELS, false);
}

dn_status dn_image_measure(dn_image *out, const uint8_t *bytes, size_t n)
{
    return decode(out, bytes, n, DN_IMAGE_MOST_PIXELS, true);
}

void dn_image_clear(dn_image *image)
{
    dn_free(image->pixels);
    *image = (dn_image){0};
}

/* ---- files ---- */

static dn_status read_all(uint8_t *bytes, size_t n, int file)
{
    for (size_t at = 0; at < n;) {
        const ssize_t got = read(file, bytes + at, n - at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return dn_fail(DN_ERROR_FILE, "cannot read: %s", strerror(errno));
        if (got == 0) return dn_fail(DN_ERROR_FILE, "the file became shorter while it was read");
        at += (size_t)got;
    }
    return DN_OK;
}

static dn_status read_file(uint8_t **bytes, size_t *n, const char *path)
{
    struct stat info;
    *bytes = NULL;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* no waiting for the other end of a pipe */
    if (file < 0) return dn_fail(DN_ERROR_FILE, "cannot open: %s", strerror(errno));
    dn_status status = DN_OK;
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))
        status = dn_fail(DN_ERROR_FILE, "no regular file");
    else if (info.st_size > DN_IMAGE_MOST_BYTES)
        status = dn_fail(DN_ERROR_UNSUPPORTED, "%lld bytes, expected an image of at most %d", (long long)info.st_size,
                         DN_IMAGE_MOST_BYTES);
    if (status == DN_OK) {
        *n = (size_t)info.st_size;
        *bytes = dn_calloc(*n + 1, 1); /* an empty file is no failure here */
        status = *bytes ? read_all(*bytes, *n, file) : DN_ERROR_MEMORY;
    }
    close(file);
    return status;
}

static dn_status from_file(dn_image *out, const char *path, bool header_only)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    *out = (dn_image){0};
    dn_status status = read_file(&bytes, &n, path);
    if (status == DN_OK) status = decode(out, bytes, n, DN_IMAGE_MOST_PIXELS, header_only);
    dn_free(bytes);
    return status == DN_OK ? DN_OK : dn_fail_context(status, "%s", path);
}

dn_status dn_image_read(dn_image *out, const char *path)
{
    return from_file(out, path, false);
}

dn_status dn_image_measure_file(dn_image *out, const char *path)
{
    return from_file(out, path, true);
}
