/* PNG by libspng. */
#include <inttypes.h>
#include <spng.h>

#include "core/alloc.h"
#include "datasets/image_private.h"

enum {
    MOST_CHUNK = 1 << 24, /* of texts, profiles and EXIF data, unpacked */
    RATIO = 1032          /* deflate packs at most this many bytes into one */
};

static dn_status fail(int error)
{
    return dn_fail(error == SPNG_EMEM ? DN_ERROR_MEMORY : DN_ERROR_FORMAT, "a damaged PNG: %s", spng_strerror(error));
}

/* A file must be long enough for its lines, before memory is asked for them. */
static dn_status check_length(const struct spng_ihdr *header, size_t n)
{
    static const int samples[] = {1, 0, 3, 1, 2, 0, 4};
    const uint64_t bits = (uint64_t)header->bit_depth * (uint64_t)samples[header->color_type];
    const uint64_t bytes = bits * header->width * header->height / 8;
    if (bytes / RATIO <= n) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "a damaged PNG: %" PRIu32 " x %" PRIu32 " pixels do not fit into its %zu bytes",
                   header->width, header->height, n);
}

/* [pixels,4] -> [pixels,channels], over white. */
static void lay_over_white(uint8_t *to, const uint8_t *rgba, size_t pixels, int channels)
{
    for (size_t i = 0; i < pixels; i++, rgba += 4)
        for (int c = 0; c < channels; c++) *to++ = (uint8_t)((rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
}

static dn_status decode_pixels(dn_image *out, spng_ctx *png)
{
    const size_t pixels = (size_t)out->height * (size_t)out->width;
    uint8_t *rgba = dn_calloc(pixels, 4);
    if (!rgba) return DN_ERROR_MEMORY;
    int error = spng_decode_image(png, rgba, 4 * pixels, SPNG_FMT_RGBA8, SPNG_DECODE_TRNS);
    if (error == 0) error = spng_decode_chunks(png); /* to the end: a file that stops before it is damaged */
    if (error == 0) lay_over_white(out->pixels, rgba, pixels, out->channels);
    dn_free(rgba);
    return error == 0 ? DN_OK : fail(error);
}

static dn_status decode(dn_image *out, const dn__image_source *from, spng_ctx *png)
{
    struct spng_ihdr header;
    int error = spng_set_png_buffer(png, from->bytes, from->n);
    if (error == 0) error = spng_set_chunk_limits(png, MOST_CHUNK, MOST_CHUNK);
    if (error == 0) error = spng_get_ihdr(png, &header);
    if (error) return fail(error);
    const bool gray =
        header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    DN_TRY(check_length(&header, from->n));
    DN_TRY(dn__image_allocate(out, from, header.height, header.width, gray ? 1 : 3));
    if (!from->header_only) DN_TRY(decode_pixels(out, png));
    /* Not by libspng, which knows of a chunk behind the pixels only when it has decoded them. */
    const int orientation = dn__png_orientation(from->bytes, from->n);
    if (orientation) *from->orientation = orientation;
    return DN_OK;
}

dn_status dn__png_decode(dn_image *out, const dn__image_source *from)
{
    spng_ctx *png = spng_ctx_new(0);
    if (!png) return dn_fail(DN_ERROR_MEMORY, "libspng did not start");
    const dn_status status = decode(out, from, png);
    spng_ctx_free(png);
    return status;
}
