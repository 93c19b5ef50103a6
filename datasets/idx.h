/** The IDX format of MNIST: a magic number, big-endian dimensions, then bytes. Plain or gzip. Library-private. */
#ifndef DN_DATASETS_IDX_H
#define DN_DATASETS_IDX_H

#include <stdint.h>

#include "core/status.h"

typedef struct dn__idx_images {
    int64_t n;
    int height, width;
    uint8_t *pixels; /**< [N,H,W]; free with dn_free() */
} dn__idx_images;

/** Reads a file of images (magic number 0x00000803). */
dn_status dn__idx_read_images(dn__idx_images *out, const char *path);

/** Reads a file of labels (magic number 0x00000801) that must hold `n` labels in 0..classes-1.
 *  @param labels receives [N]; free with dn_free() */
dn_status dn__idx_read_labels(int32_t **labels, const char *path, int64_t n, int classes);

#endif
