/** Arrays in HDF5 files of any framework. Library-private. */
#ifndef DN_DATASETS_ARRAY_HDF5_H
#define DN_DATASETS_ARRAY_HDF5_H

#include "datasets/npy.h"

/** Reads an array in a child process, where a file that crashes the HDF5 library does no harm.
 *  @param name NULL: the only array of the file
 *  @param out receives it; free with dn_npy_close() @return as dn_array_file_open() */
dn_status dn__array_hdf5_open(dn_npy **out, const char *path, const char *name) DN_NODISCARD;

/** The same for arrays [n] by name, in one child process. @param out [n] all NULL after an error */
dn_status dn__array_hdf5_open_all(dn_npy **out, const char *path, const char *const *names, int n) DN_NODISCARD;

#endif
