/** Arrays named on the command line: `FILE.npy`, or `FILE.h5:NAME` for the array NAME of an HDF5 file of any framework.
 */
#ifndef DN_DATASETS_ARRAY_FILE_H
#define DN_DATASETS_ARRAY_FILE_H

#include "datasets/npy.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Reads an array whole. What is no .npy file by its first bytes is opened as HDF5; there, NAME may be left out if the
 *  file holds one array only. Integers, bool and floating point of any size and byte order are converted as in
 *  dn_npy_open(). NaN and infinity are kept.
 *
 *  HDF5 files are read in a child process (fork): one that crashes libhdf5 is an error. Data packed with other filters
 *  than deflate, shuffle and fletcher32, data in other files, and arrays with missing parts are refused.
 *  @param out receives it; free with dn_npy_close()
 *  @return as dn_npy_open(); DN_ERROR_ARGUMENT if the file is HDF5 and has no array of that name (the text lists some),
 *          DN_ERROR_UNSUPPORTED for texts, records and other things that are not numbers */
dn_status dn_array_file_open(dn_npy **out, const char *name) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
