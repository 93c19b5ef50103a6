/** Images that stay in a file: which of its rows are a set's items, and what size they become. Library-private. */
#ifndef DN_DATASETS_ROWS_H
#define DN_DATASETS_ROWS_H

#include "core/hash.h"
#include "datasets/resize.h"

/** Filled by a loader that leaves dn_dataset.images NULL; the set's own sizes are those of the file then. */
typedef struct dn__rows {
    /** Reads rows, in this order, of the file's own size; by several threads at once. @param to [n,H,W,C] */
    dn_status (*read)(const void *context, const int64_t *rows, int64_t n, void *to);
    void (*close)(void *context);
    void *context;
    const char *origin; /**< of a file that was made of another set: that set's provenance; NULL: none */
    size_t named;       /**< with it: how much of dn_dataset.provenance names this file and the origin */

    /* What the set's expression made of it. */
    int height, width, channels; /**< in the file, where `size` is another */
    int64_t *chosen;             /**< [N] item i is row chosen[i]; NULL: row i */
    dn_size size;                /**< height 0: as they are */
    bool has_print;              /**< the file knows the fingerprint of all its items as they are */
    uint64_t print;
} dn__rows;

/** NULL is allowed. */
void dn__rows_close(dn__rows *rows);

/** Keeps the items with number[label] >= 0, at most `most` of them, and gives them these numbers as labels.
 *  @param number by old label; NULL: all are kept as they are */
dn_status dn__rows_keep(dn_dataset *d, const int *number, int64_t most) DN_NODISCARD;

/** Has images brought to a size whenever they are read. Finds out now whether that can be done. */
dn_status dn__rows_resize(dn_dataset *d, const dn_size *size) DN_NODISCARD;

/** Reads all images into memory, unless they may stay where they are. */
dn_status dn__rows_settle(dn_dataset *d, const dn_dataset_options *options) DN_NODISCARD;

/** dn_dataset_fingerprint() in parts: all images in order are added to the hash in between. */
void dn__fingerprint_begin(dn_hash *hash, const dn_dataset *d);
uint64_t dn__fingerprint_end(dn_hash *hash, const dn_dataset *d);

#endif
