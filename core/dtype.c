#include "core/dtype.h"

size_t dn_dtype_size(dn_dtype type)
{
    static const size_t sizes[DN_DTYPE_COUNT] = {[DN_F32] = 4, [DN_F64] = 8, [DN_BF16] = 2, [DN_U8] = 1, [DN_I32] = 4};
    return sizes[type];
}

const char *dn_dtype_name(dn_dtype type)
{
    static const char *const names[DN_DTYPE_COUNT] = {
        [DN_F32] = "f32", [DN_F64] = "f64", [DN_BF16] = "bf16", [DN_U8] = "u8", [DN_I32] = "i32"};
    return names[type];
}
