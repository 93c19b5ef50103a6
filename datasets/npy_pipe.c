#include "datasets/npy_pipe.h"

#include <stdbool.h>

#include "core/alloc.h"
#include "core/child.h"

static bool is_sound(const dn_npy *a)
{
    int64_t bytes = 8;
    if (a->rank < 0 || a->rank > DN_NPY_MOST_RANK || a->count < 0) return false;
    if (a->type != DN_U8 && a->type != DN_I32 && a->type != DN_F32 && a->type != DN_F64) return false;
    int64_t count = 1;
    for (int i = 0; i < a->rank; i++) {
        if (a->dims[i] < 0 || __builtin_mul_overflow(bytes, a->dims[i] ? a->dims[i] : 1, &bytes)) return false;
        count *= a->dims[i];
    }
    return count == a->count;
}

dn_status dn__npy_receive(dn_npy *a, int pipe)
{
    const dn_status status = dn__child_receive(pipe, a, sizeof *a);
    a->data = NULL;
    DN_TRY(status);
    if (!is_sound(a)) return dn_fail(DN_ERROR_FORMAT, "the shape makes no sense");
    const size_t size = dn_dtype_size(a->type);
    a->data = dn_calloc((size_t)a->count, size);
    if (!a->data) return DN_ERROR_MEMORY;
    return dn__child_receive(pipe, a->data, (size_t)a->count * size);
}
