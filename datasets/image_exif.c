/* Which way up an image is: tag 0x0112 of EXIF 2.3, section 4.6.4. */
#include <string.h>

#include "core/alloc.h"
#include "datasets/image_private.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };

/* Bytes of either order, none behind the end: there it reads zeros. */
typedef struct reader {
    const uint8_t *bytes;
    size_t n;
    bool big;
} reader;

static uint32_t number(const reader *r, size_t at, size_t size)
{
    uint32_t value = 0;
    if (at > r->n || r->n - at < size) return 0;
    for (size_t i = 0; i < size; i++) value = value << 8 | r->bytes[at + (r->big ? i : size - 1 - i)];
    return value;
}

int dn__exif_orientation(const uint8_t *bytes, size_t n)
{
    if (n < 8 || (memcmp(bytes, "II*", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0)) return 0;
    const reader r = {bytes, n, bytes[0] == 'M'};
    const size_t directory = number(&r, 4, 4);
    const uint32_t entries = number(&r, directory, 2);
    for (uint32_t i = 0; i < entries; i++) {
        const size_t entry = directory + 2 + (size_t)i * ENTRY;
        if (entry > n) return 0;
        if (number(&r, entry, 2) != TAG_ORIENTATION || number(&r, entry + 2, 2) != TYPE_SHORT) continue;
        const uint32_t value = number(&r, entry + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 0;
    }
    return 0;
}

int dn__jpeg_orientation(const uint8_t *bytes, size_t n)
{
    enum { APP1 = 0xe1, START_OF_SCAN = 0xda, EXIF = 6 };
    const reader r = {bytes, n, true};
    for (size_t at = 2; at + 4 <= n && bytes[at] == 0xff;) {
        const int marker = bytes[at + 1];
        const size_t length = number(&r, at + 2, 2); /* with its own two bytes */
        if (marker == 0xff) {                        /* a filling byte */
            at++;
            continue;
        }
        if (marker == START_OF_SCAN || length < 2 || length > n - at - 2) return 0;
        if (marker == APP1 && length >= 2 + EXIF && memcmp(bytes + at + 4, "Exif\0", EXIF) == 0)
            return dn__exif_orientation(bytes + at + 4 + EXIF, length - 2 - EXIF);
        at += 2 + length;
    }
    return 0;
}

int dn__png_orientation(const uint8_t *bytes, size_t n)
{
    enum { SIGNATURE = 8, HEAD = 8, SUM = 4 };
    const reader r = {bytes, n, true};
    for (size_t at = SIGNATURE; at <= n && n - at >= HEAD + SUM;) {
        const size_t length = number(&r, at, 4);
        if (length > n - at - HEAD - SUM) return 0;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0) return dn__exif_orientation(bytes + at + HEAD, length);
        at += HEAD + length + SUM;
    }
    return 0;
}

/* Copies the pixels of `from` [height,width] to `to` in the order in which they are shown. */
static void turn(uint8_t *to, const uint8_t *from, const dn_image *shown, int height, int width, int orientation)
{
    const bool sideways = orientation >= 5;
    /* Whether the stored lines, and the pixels in them, run against that order. */
    const bool up = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool back = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const size_t pixel = (size_t)shown->channels;
    for (int y = 0; y < shown->height; y++)
        for (int x = 0; x < shown->width; x++, to += pixel) {
            const int line = sideways ? x : y, place = sideways ? y : x;
            const int from_y = up ? height - 1 - line : line, from_x = back ? width - 1 - place : place;
            memcpy(to, from + ((size_t)from_y * (size_t)width + (size_t)from_x) * pixel, pixel);
        }
}

dn_status dn__image_orient(dn_image *image, int orientation)
{
    const int height = image->height, width = image->width;
    if (orientation <= 1) return DN_OK;
    image->height = orientation >= 5 ? width : height;
    image->width = orientation >= 5 ? height : width;
    if (!image->pixels) return DN_OK;
    uint8_t *turned = dn_calloc((size_t)height * (size_t)width, (size_t)image->channels);
    if (!turned) return DN_ERROR_MEMORY;
    turn(turned, image->pixels, image, height, width, orientation);
    dn_free(image->pixels);
    image->pixels = turned;
    return DN_OK;
}
