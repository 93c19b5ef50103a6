/** Element types of tensors, data sets and stored arrays. */
#ifndef DN_CORE_DTYPE_H
#define DN_CORE_DTYPE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dn_dtype {
    DN_F32,
    DN_F64,
    DN_BF16, /**< on devices that have it */
    DN_U8,
    DN_I32,
    DN_DTYPE_COUNT
} dn_dtype;

/** @return bytes of one element */
size_t dn_dtype_size(dn_dtype type);

/** @return "f32", "f64", "bf16", "u8" or "i32" */
const char *dn_dtype_name(dn_dtype type);

#ifdef __cplusplus
}
#endif
#endif
