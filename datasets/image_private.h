/** Shared by the files of image.h. */
#ifndef DN_DATASETS_IMAGE_PRIVATE_H
#define DN_DATASETS_IMAGE_PRIVATE_H

#include <stdbool.h>

#include "datasets/image.h"

/** What is to be decoded. */
typedef struct dn__image_source {
    const uint8_t *bytes; /**< [n] */
    size_t n;
    int64_t most_pixels; /**< more are an error */
    bool header_only;
    int *orientation; /**< receives the EXIF orientation 1..8; stays as it is where the file has none */
} dn__image_source;

dn_status dn__png_decode(dn_image *out, const dn__image_source *from) DN_NODISCARD;
dn_status dn__jpeg_decode(dn_image *out, const dn__image_source *from) DN_NODISCARD;

/** As dn_image_decode(), with another limit. */
dn_status dn__image_decode(dn_image *out, const uint8_t *bytes, size_t n, int64_t most_pixels) DN_NODISCARD;

/** Checks the sides and, unless only the header is wanted, asks for the pixels. */
dn_status dn__image_allocate(dn_image *out, const dn__image_source *from, uint32_t height, uint32_t width,
                             int channels) DN_NODISCARD;

/** Looks for the orientation in EXIF data (a TIFF header and its first directory). What is damaged there says nothing:
 *  pixels do not depend on it. @return 1..8, 0: none */
int dn__exif_orientation(const uint8_t *bytes, size_t n);

/** The same in the segments of a JPEG file, and in the chunks of a PNG file, before or behind its pixels. */
int dn__jpeg_orientation(const uint8_t *bytes, size_t n);
int dn__png_orientation(const uint8_t *bytes, size_t n);

/** Turns an image as its EXIF orientation says. */
dn_status dn__image_orient(dn_image *image, int orientation) DN_NODISCARD;

#endif
