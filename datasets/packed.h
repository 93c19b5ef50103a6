/** Packed sets: images of any number in one HDF5 file, written and read in blocks.
 *
 *     /images       u8 or f32 [N,H,W,C], in chunks of whole images, each with a Fletcher-32 sum; plain, or with shuffle
 *                   and deflate
 *     /labels       i32 [N]                                          (absent: unlabelled)
 *     /class_names  u8: a name a line, each line ended               (absent: unknown)
 *     attributes    dunlin_kind "dunlin images", dunlin_version 1, classes, provenance,
 *                   fingerprint: dn_dataset_fingerprint() of the whole set (absent: found out by reading it)
 *
 * Reading: a child process opens the file and sends labels, texts and where the chunks lie; what of it makes no sense
 * is refused. Images never pass through libhdf5 in this process: chunks are read with pread(), so that several threads
 * can do so at once and no file can do harm, and are unpacked here. Nothing is read twice for safety's sake: a chunk's
 * sum is checked when its first image is asked for. Later images of an unpacked chunk are read alone.
 */
#ifndef DN_DATASETS_PACKED_H
#define DN_DATASETS_PACKED_H

#include "datasets/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_packed_options {
    int compress; /**< deflate's level, 0 (none) to 9 */
    /** After each block: `done` images are written. Another status than DN_OK ends it. NULL: nobody asks */
    dn_status (*on_block)(void *context, int64_t done);
    void *context;
} dn_packed_options;

/** Writes a set, whether its images are in memory or not; an older file of that name is replaced at the end.
 *  @param options NULL: the defaults */
dn_status dn_packed_write(const char *path, const dn_dataset *set, const dn_packed_options *options) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
