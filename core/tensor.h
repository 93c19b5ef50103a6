/** Tensors: what a program computes with.
 *
 * A tensor has a shape *within one member* (images are [N,H,W,C]) and either one copy for each of the E members of the
 * ensemble or one copy that all members share.
 */
#ifndef DN_CORE_TENSOR_H
#define DN_CORE_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_MAX_RANK = 4 };

typedef struct dn_shape {
    int rank;
    int64_t dim[DN_MAX_RANK];
} dn_shape;

#define DN_SHAPE(...) \
    ((dn_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}}) /* DN_SHAPE(N, H, W, C) */

/** A tensor of a program, by number. Negative: no tensor (an optional one left out, or the result of a failed call). */
typedef struct dn_tensor {
    int id;
} dn_tensor;

#define DN_NONE ((dn_tensor){-1})

static inline bool dn_is_none(dn_tensor t)
{
    return t.id < 0;
}

/** @return the number of elements */
int64_t dn_shape_count(const dn_shape *shape);

bool dn_shape_equal(const dn_shape *a, const dn_shape *b);

/** Writes "[128,32,32,3]" into `text`. @return text */
const char *dn_shape_text(const dn_shape *shape, char text[64]);

#ifdef __cplusplus
}
#endif
#endif
