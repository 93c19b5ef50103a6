/** The table of known data sets and the loaders behind them. Library-private. */
#ifndef DN_DATASETS_SETS_H
#define DN_DATASETS_SETS_H

#include "datasets/dataset.h"
#include "datasets/expression.h"

enum { DN__MOST_FILES = 6 };

typedef struct dn__set dn__set;

/** What a loader is asked for. */
typedef struct dn__request {
    const dn__set *set;
    const dn__expression *expression;
    const char *directory; /**< the data directory */
    uint64_t seed;
    int64_t most;  /**< no more items than this are needed; readers may give more */
    int64_t limit; /**< of all items after the choice of classes; 0: none */
} dn__request;

/** One split of a known set; the splits of a set stand together, the default first. */
struct dn__set {
    const char *name, *split, *about;
    int64_t n;
    int height, width, channels, classes;
    const char *files[DN__MOST_FILES + 1]; /**< below the data directory; ends with NULL */
    const char *names_file;                /**< class names, one a line; may be absent on disk */
    const char *const *class_names;        /**< [classes], where they are known without a file */
    /** Fills everything but `name`; what it leaves in `d` after an error is freed by the caller. */
    dn_status (*load)(dn_dataset *d, const dn__request *request);
};

/** Whether a loader chooses classes, keeps the limit and resizes on its own, item by item. */
bool dn__set_chooses(const dn__set *set);

/** Finds the set and split of an expression. */
dn_status dn__set_find(const dn__set **out, const dn__expression *e);

/** Sets *path to the file below the data directory in the spelling that is there: a packed file may be unpacked, "-idx"
 *  may be ".idx", and what stands in the table without an ending is a folder or a .npy file.
 *  @return DN_ERROR_FILE with a cure if there is none; free with dn_free() */
dn_status dn__set_file(char **path, const char *directory, const char *file);

/** @return the data directory by the rule of dn_dataset_options, or NULL with an error; free with dn_free() */
char *dn__data_directory(const dn_dataset_options *options);

/** Sets d's size and type and allocates its images and, if `labelled`, its labels. */
dn_status dn__dataset_allocate(dn_dataset *d, int64_t n, int height, int width, int channels, int labelled);

/** Copies class names into d; d->classes says how many. */
dn_status dn__dataset_copy_names(dn_dataset *d, const char *const *names);

/** Fills size, type and images of `d` from an array [N,H,W] or [N,H,W,C]. */
dn_status dn__npy_images(dn_dataset *d, const char *path);

dn_status dn__load_idx(dn_dataset *d, const dn__request *request);
dn_status dn__load_cifar(dn_dataset *d, const dn__request *request);
dn_status dn__load_svhn(dn_dataset *d, const dn__request *request);
dn_status dn__load_odin(dn_dataset *d, const dn__request *request);
dn_status dn__load_folder(dn_dataset *d, const dn__request *request);
dn_status dn__load_npy(dn_dataset *d, const dn__request *request);
dn_status dn__load_packed(dn_dataset *d, const dn__request *request);
dn_status dn__load_digits(dn_dataset *d, const dn__request *request);
dn_status dn__load_letters(dn_dataset *d, const dn__request *request);
dn_status dn__load_textures(dn_dataset *d, const dn__request *request);
dn_status dn__load_patches(dn_dataset *d, const dn__request *request);
dn_status dn__load_noise(dn_dataset *d, const dn__request *request);

#endif
