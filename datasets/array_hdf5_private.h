/** One array of a foreign HDF5 file, as a child process sees it. Shared by the files of array_hdf5.h. */
#ifndef DN_DATASETS_ARRAY_HDF5_PRIVATE_H
#define DN_DATASETS_ARRAY_HDF5_PRIVATE_H

#include "core/store_private.h"
#include "datasets/element.h"
#include "datasets/npy.h"

enum { DN__LONGEST_NAME = 511 };

typedef struct dn__foreign {
    const char *path, *wanted; /**< `wanted`: the array's name, NULL: the only one */
    char name[DN__LONGEST_NAME + 1];
    uint64_t file_bytes;
    hid_t file, dataset, type;
    dn__element element;
    int rank;
    int64_t dims[DN_NPY_MOST_RANK], count;
} dn__foreign;

/** Opens the file. What could lead out of it, links and plug-ins for filters, is switched off in this process. */
dn_status dn__foreign_open_file(dn__foreign *f) DN_NODISCARD;

/** Finds and opens the array. Fills `name`, `dataset`. */
dn_status dn__foreign_open_array(dn__foreign *f) DN_NODISCARD;

/** Fills `type`, `element`, `rank`, `dims`, `count`. @return DN_ERROR_UNSUPPORTED for what is not numbers */
dn_status dn__foreign_check_type(dn__foreign *f) DN_NODISCARD;

/** Checks that all elements are in this file, are no more than it can hold, and are packed in a known way. Opens the
 *  array again with a cache that fits. */
dn_status dn__foreign_check_storage(dn__foreign *f) DN_NODISCARD;

/** @return DN_ERROR_FORMAT with file, array, the text (printf style) and HDF5's message */
dn_status dn__foreign_fail(const dn__foreign *f, const char *format, ...) DN_PRINTF(2, 3);

#endif
