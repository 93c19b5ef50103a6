/** Arrays in the .npy files of NumPy, to and from other frameworks.
 *
 * Read are bool, int8/16/32/64, uint8/16/32/64, float16/32/64, in either byte order, in C or Fortran order. In memory
 * they are one of u8 (bool, uint8), i32 (the other integers), f32 (float16, float32) and f64 (float64), in C order.
 */
#ifndef DN_DATASETS_NPY_H
#define DN_DATASETS_NPY_H

#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_NPY_MOST_RANK = 8 };

typedef struct dn_npy {
    dn_dtype type; /**< DN_U8, DN_I32, DN_F32 or DN_F64 */
    int rank;      /**< 0 for a single number */
    int64_t dims[DN_NPY_MOST_RANK];
    int64_t count; /**< product of the dims */
    void *data;    /**< [dims[0],...,dims[rank-1]], C order */
} dn_npy;

/** Reads an array. NaN and infinity are kept. @param out receives it; free with dn_npy_close()
 *  @return DN_ERROR_FILE if the file cannot be opened, DN_ERROR_FORMAT for one that is no .npy file, is cut off or goes
 *  on after the data, DN_ERROR_UNSUPPORTED for an element type that is not in the list above, a rank above
 *  DN_NPY_MOST_RANK or an integer that does not fit into 32 bits */
dn_status dn_npy_open(dn_npy **out, const char *path) DN_NODISCARD;

/** NULL is allowed. */
void dn_npy_close(dn_npy *array);

/** Writes an array of type DN_U8, DN_I32, DN_F32 or DN_F64 in C order, replacing the file.
 *  @param dims [rank]; @param data [dims[0],...,dims[rank-1]] */
dn_status dn_npy_write(const char *path, dn_dtype type, int rank, const int64_t *dims, const void *data) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
