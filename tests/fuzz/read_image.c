/* PNG and JPEG, decoded in memory. A PNG's checksums are made right, so that what is behind them is tried too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/alloc.h"
#include "datasets/image_private.h"
#include "fuzz.h"

enum { MOST_PIXELS = 1 << 16 };

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* A chunk: length, four letters, that many bytes, and the checksum of the letters and the bytes. */
static void repair(uint8_t *png, size_t n)
{
    for (size_t at = 8; at + 12 <= n;) {
        const size_t length = big_endian(png + at);
        if (length > n - at - 12) return;
        const uint32_t sum = (uint32_t)crc32(0, png + at + 4, (uInt)(length + 4));
        for (int i = 0; i < 4; i++) png[at + 8 + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + length;
    }
}

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static void decode(const uint8_t *bytes, size_t n)
{
    dn_image image, size;
    const dn_status status = dn__image_decode(&image, bytes, n, MOST_PIXELS);
    const dn_status measured = dn_image_measure(&size, bytes, n);
    if (status != DN_OK && !dn_error_last()[0]) fail("an error without a text");
    if (status == DN_OK) {
        unsigned sum = 0; /* touches all that is there */
        const size_t count = (size_t)image.height * (size_t)image.width * (size_t)image.channels;
        for (size_t i = 0; i < count; i++) sum += image.pixels[i];
        if (sum > 255 * count) fail("never");
        if (measured != DN_OK || size.height != image.height || size.width != image.width ||
            size.channels != image.channels)
            fail("an image of another size than its header says");
    }
    dn_image_clear(&image);
}

void fuzz_image(const uint8_t *bytes, size_t n)
{
    decode(bytes, n);
    if (dn_image_format_of(bytes, n) != DN_IMAGE_PNG) return;
    uint8_t *copy = dn_calloc(n, 1);
    memcpy(copy, bytes, n);
    repair(copy, n);
    decode(copy, n);
    dn_free(copy);
}
