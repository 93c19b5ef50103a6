/** Checks of HDF5 arrays from anywhere, before memory is asked for. Library-private. */
#ifndef DN_CORE_HDF5_STORAGE_H
#define DN_CORE_HDF5_STORAGE_H

#include <hdf5.h>
#include <stdint.h>

#include "core/status.h"

typedef struct dn__hdf5_extent {
    hid_t id; /**< the open array */
    int rank;
    const int64_t *dims; /**< [rank] */
    int64_t count;       /**< product of the dims; its bytes fit int64_t */
    size_t element_size; /**< in the file */
    uint64_t file_bytes;
    int64_t whole; /**< receives the bytes of all that is stored, unpacked */
    int64_t chunk; /**< receives the bytes of one chunk, unpacked; 0 if there are none */
} dn__hdf5_extent;

/** Checks that all elements are in this file and are no more than it can hold, and that they are packed with deflate,
 *  shuffle and fletcher32 at most: other filters may be plug-ins, code that a file would choose.
 *  @return the texts start with "it" or "its", for dn_fail_context() to name the array */
dn_status dn__hdf5_check_storage(dn__hdf5_extent *a) DN_NODISCARD;

#endif
