/* Images as PNG files. */
#include <errno.h>
#include <spng.h>
#include <string.h>

#include "core/alloc.h"
#include "core/whole_file.h"
#include "datasets/image.h"

/* What libspng wrote so far. */
typedef struct packed {
    uint8_t *bytes;
    size_t n, room;
} packed;

static int append(spng_ctx *png, void *user, void *data, size_t n)
{
    packed *p = user;
    (void)png;
    if (n > p->room - p->n) {
        const size_t room = 2 * (p->n + n);
        uint8_t *larger = dn_calloc(room, 1);
        if (!larger) return SPNG_IO_ERROR;
        if (p->n > 0) memcpy(larger, p->bytes, p->n);
        dn_free(p->bytes);
        p->bytes = larger, p->room = room;
    }
    memcpy(p->bytes + p->n, data, n);
    p->n += n;
    return 0;
}

static dn_status encode(packed *to, const dn_image *image, spng_ctx *png)
{
    struct spng_ihdr header = {
        .width = (uint32_t)image->width,
        .height = (uint32_t)image->height,
        .bit_depth = 8,
        .color_type = image->channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR,
    };
    const size_t n = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
    int error = spng_set_png_stream(png, append, to);
    if (error == 0) error = spng_set_ihdr(png, &header);
    if (error == 0) error = spng_encode_image(png, image->pixels, n, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    if (error == 0) return DN_OK;
    return dn_fail(error == SPNG_IO_ERROR ? DN_ERROR_MEMORY : DN_ERROR_ARGUMENT,
                   "cannot pack an image of %dx%dx%d as PNG: %s", image->height, image->width, image->channels,
                   spng_strerror(error));
}

dn_status dn_image_encode_png(uint8_t **bytes, size_t *n, const dn_image *image)
{
    packed p = {0};
    *bytes = NULL, *n = 0;
    if (image->channels != 1 && image->channels != 3)
        return dn_fail(DN_ERROR_SHAPE, "an image of %d channels, expected 1 or 3 for PNG", image->channels);
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
    if (!png) return dn_fail(DN_ERROR_MEMORY, "libspng did not start");
    const dn_status status = encode(&p, image, png);
    spng_ctx_free(png);
    if (status == DN_OK)
        *bytes = p.bytes, *n = p.n;
    else
        dn_free(p.bytes);
    return status;
}

dn_status dn_image_write_png(const char *path, const dn_image *image)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    dn_whole_file file = {0};
    DN_TRY(dn_image_encode_png(&bytes, &n, image));
    dn_status status = dn_whole_file_open(&file, path);
    if (status == DN_OK && fwrite(bytes, 1, n, file.file) != n)
        status = dn_fail(DN_ERROR_FILE, "%s: cannot write: %s", path, strerror(errno));
    if (status == DN_OK) status = dn_whole_file_commit(&file);
    dn_whole_file_close(&file);
    dn_free(bytes);
    return status;
}
