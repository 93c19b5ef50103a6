/** Rows of numbers for each member, in memory or in a file that is too large for it. */
#ifndef DN_OOD_MATRIX_H
#define DN_OOD_MATRIX_H

#include <stddef.h>

#include "core/dtype.h"
#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Reads rows first .. first + rows - 1 of one member. Called by one thread at a time.
 *  @param to [rows, columns] of the matrix's type */
typedef dn_status dn_matrix_read_fn(void *context, size_t member, size_t first, size_t rows, void *to);

/** [E,N,D], borrowed. All zero: there is none. */
typedef struct dn_matrix {
    size_t members, rows, columns; /**< E, N, D */
    dn_dtype type;                 /**< DN_F32 or DN_F64 */
    const void *data;              /**< [E,N,D], row-major; NULL: `read` gives it */
    dn_matrix_read_fn *read;
    void *context;
} dn_matrix;

#ifdef __cplusplus
}
#endif
#endif
