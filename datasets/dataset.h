/** Data sets in host memory, named by an expression: name[classes][:split][@HxWxC].
 *
 *     mnist[0-4]:train        the training digits 0..4, numbered 0..4
 *     mnist[7,2]:test@32x32x3 7 becomes class 0, 2 becomes class 1; resized and replicated to three channels
 *     cifar10[dog,cat]        classes may be named; a plain name means its first split (train where there is one)
 *     glyphs:letters          drawn on the spot, needs no file
 *     npy:images.npy,y.npy    own arrays
 *     folder:photos           own PNG and JPEG files, a class for each sub-folder; folder:photos:train is a part of it
 *     file:images.h5          a packed set, as `dunlin data convert` writes one
 *
 * docs/datasets.md lists the sets and the files they need.
 */
#ifndef DN_DATASETS_DATASET_H
#define DN_DATASETS_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_dataset {
    char *name;       /**< the expression it was opened by */
    char *provenance; /**< where the items come from and what was done to them, one line */
    int64_t n;
    int height, width, channels;
    dn_dtype type;         /**< DN_U8 in 0..255, or DN_F32 as stored (own arrays only) */
    void *images;          /**< [N,H,W,C]; NULL if they stay in their file, see dn_dataset_options */
    int32_t *labels;       /**< [N] in 0..classes-1; NULL if unlabelled */
    int classes;           /**< 0 if unlabelled */
    char **class_names;    /**< [classes]; NULL if unknown */
    char **item_names;     /**< [N] what items are called, such as their files; NULL if they have no names */
    struct dn__rows *rows; /**< the file behind images that are not in memory */
} dn_dataset;

typedef struct dn_dataset_options {
    const char *data_dir; /**< NULL: $DUNLIN_DATA, else ~/.cache/dunlin */
    uint64_t seed;        /**< for drawn sets (glyphs, noise) */
    int64_t limit;  /**< 0: all; else the first `limit` items, after the choice of classes; evenly spaced ones of a
                               folder */
    bool stream;    /**< the caller takes images by dn_dataset_read() and dn_dataset_gather() alone: sets of kinds
                               that can stay in their files (`file:`) do so if they are larger than `memory` */
    int64_t memory; /**< bytes of images; 0: $DUNLIN_MEMORY, else 2 GiB or a quarter of the computer's memory */
} dn_dataset_options;

/** Reads or draws the set that the expression names. @param out receives it; free with dn_dataset_close()
 *  @param options NULL for the defaults
 *  @return DN_ERROR_ARGUMENT for an expression that means nothing (the text names what comes nearest),
 *  DN_ERROR_FILE for a file that is missing or unreadable, DN_ERROR_FORMAT for one that holds something else,
 *  DN_ERROR_SHAPE for images that cannot become the wanted HxWxC, DN_ERROR_NUMERIC for NaN or infinity in images */
dn_status dn_dataset_open(dn_dataset **out, const char *expression, const dn_dataset_options *options);

/** NULL is allowed. */
void dn_dataset_close(dn_dataset *dataset);

/** Drops items, in memory: images, labels and names; the order stays. @param wanted [N] not 0: the item is kept
 *  @return DN_ERROR_ARGUMENT if the images are not in memory */
dn_status dn_dataset_keep(dn_dataset *dataset, const uint8_t *wanted) DN_NODISCARD;

/* ---- images, wherever they are: for several threads at once ---- */

/** @return the bytes of one image */
size_t dn_dataset_image_bytes(const dn_dataset *dataset);

/** Copies images first .. first+n-1. @param to [n,H,W,C]
 *  @return DN_ERROR_FILE or DN_ERROR_FORMAT for a file that is damaged or was cut off since it was opened */
dn_status dn_dataset_read(const dn_dataset *dataset, int64_t first, int64_t n, void *to) DN_NODISCARD;

/** Copies the images of these items, in this order. @param items [n] @param to [n,H,W,C] */
dn_status dn_dataset_gather(const dn_dataset *dataset, const int64_t *items, int64_t n, void *to) DN_NODISCARD;

/** A hash of sizes, images and labels, the same whether they are in memory or not. */
dn_status dn_dataset_fingerprint(const dn_dataset *dataset, uint64_t *print) DN_NODISCARD;

/** One row of `dunlin data list`: a split of a known set. All texts are static, nothing is to be freed. */
typedef struct dn_dataset_info {
    const char *name, *split; /**< "mnist", "train"; the expression is name:split */
    const char *about;        /**< one line */
    int64_t n;                /**< usual number of items, 0 if it depends on the files */
    int height, width, channels, classes;
    const char *const *files; /**< what it needs below the data directory, NULL at the end; empty for drawn sets */
    const char *missing;      /**< the first of `files` that is not there, NULL if all are (in any accepted spelling) */
} dn_dataset_info;

/** @return the number of rows */
int dn_dataset_info_count(void);

/** Fills row `index` in 0..dn_dataset_info_count()-1 and looks whether the files are there; only options->data_dir
 *  matters. @return DN_ERROR_ARGUMENT for an index out of range */
dn_status dn_dataset_info_get(dn_dataset_info *info, int index, const dn_dataset_options *options);

#ifdef __cplusplus
}
#endif
#endif
