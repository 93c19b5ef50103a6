/** Single images: PNG (by libspng) and JPEG (by libjpeg-turbo) become bytes, gray or RGB; bytes become PNG.
 *
 *     PNG   every colour type and depth, interlaced or not. 16-bit samples keep their high byte, palettes become RGB,
 *           transparency (an alpha channel or tRNS) is laid over white. Gamma and colour profiles are not applied.
 *     JPEG  baseline and progressive, gray or YCbCr or RGB. CMYK and 12 bits are errors.
 *     Both  are turned the right way up if their EXIF data say so. What a file is, its first bytes say, not its name.
 *
 * A damaged image is an error, also where the libraries would only warn. Sizes are checked before memory is asked for.
 */
#ifndef DN_DATASETS_IMAGE_H
#define DN_DATASETS_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    DN_IMAGE_MOST_PIXELS = 1 << 26, /**< 8192 x 8192 */
    DN_IMAGE_LONGEST_SIDE = 1 << 16,
    DN_IMAGE_MOST_BYTES = 1 << 28 /**< of a file */
};

typedef struct dn_image {
    int height, width, channels; /**< 1: gray, 3: RGB */
    uint8_t *pixels;             /**< [H,W,C] */
} dn_image;

typedef enum dn_image_format { DN_IMAGE_OTHER, DN_IMAGE_PNG, DN_IMAGE_JPEG } dn_image_format;

enum { DN_IMAGE_SIGNATURE = 8 }; /**< bytes that dn_image_format_of() looks at */

/** @param n at least DN_IMAGE_SIGNATURE, if there are as many */
dn_image_format dn_image_format_of(const uint8_t *bytes, size_t n);

/** Decodes. @param out clear with dn_image_clear(), also after an error
 *  @return DN_ERROR_FORMAT for what is no image or a damaged one, DN_ERROR_UNSUPPORTED for one that is not read */
dn_status dn_image_decode(dn_image *out, const uint8_t *bytes, size_t n) DN_NODISCARD;

/** As dn_image_decode(), but only the header: the pixels stay NULL. */
dn_status dn_image_measure(dn_image *out, const uint8_t *bytes, size_t n) DN_NODISCARD;

/** Both for a file. Errors name it. */
dn_status dn_image_read(dn_image *out, const char *path) DN_NODISCARD;
dn_status dn_image_measure_file(dn_image *out, const char *path) DN_NODISCARD;

void dn_image_clear(dn_image *image);

/** Packs an image as PNG. @param bytes receives [*n]; free with dn_free() */
dn_status dn_image_encode_png(uint8_t **bytes, size_t *n, const dn_image *image) DN_NODISCARD;

/** Writes a PNG file, which appears whole or not at all. */
dn_status dn_image_write_png(const char *path, const dn_image *image) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
