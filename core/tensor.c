#include "core/tensor.h"

#include <inttypes.h>
#include <stdio.h>

int64_t dn_shape_count(const dn_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++) count *= shape->dim[i];
    return count;
}

bool dn_shape_equal(const dn_shape *a, const dn_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

const char *dn_shape_text(const dn_shape *shape, char text[64])
{
    int used = snprintf(text, 64, "[");
    for (int i = 0; i < shape->rank && used < 48; i++)
        used += snprintf(text + used, 64 - (size_t)used, "%s%" PRId64, i ? "," : "", shape->dim[i]);
    snprintf(text + used, 64 - (size_t)used, "]");
    return text;
}
