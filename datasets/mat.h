/** Numeric arrays in .mat files of MATLAB 5 to 7 (`save`, `save -v7`, scipy.io.savemat). Library-private. */
#ifndef DN_DATASETS_MAT_H
#define DN_DATASETS_MAT_H

#include "datasets/npy.h"

/** One array of a file. */
typedef struct dn__mat_array {
    const char *name;
    int64_t most; /**< no more than so many places of MATLAB's last axis are needed; INT64_MAX: all of them */
    /** Receives the array; free with dn_npy_close(). MATLAB's first axis changes fastest in memory, C's last: its
     *  [32,32,3,N] stands here, byte for byte, as [N,3,32,32]. */
    dn_npy *array;
} dn__mat_array;

/** Reads arrays through libmatio, in a child process, where a file that crashes the library does no harm. The types in
 *  memory are those of npy.h. The sizes that the file promises are checked against its length before memory is asked
 *  for; the checksums of packed arrays are looked at if all arrays are read whole.
 *  @param path @param arrays [count] NULL arrays after an error
 *  @return DN_ERROR_FILE if the file cannot be opened; DN_ERROR_UNSUPPORTED for MATLAB 4 and 7.3 and for what is not an
 *          array of real numbers; DN_ERROR_FORMAT for other files, damaged ones, and arrays that are not there */
dn_status dn__mat_read(dn__mat_array *arrays, int count, const char *path) DN_NODISCARD;

#endif
