#include "apps/array_values.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/array_file.h"

double dn_array_number(const dn_npy *array, size_t i)
{
    switch (array->type) {
    case DN_U8: return ((const uint8_t *)array->data)[i];
    case DN_I32: return ((const int32_t *)array->data)[i];
    case DN_F32: return (double)((const float *)array->data)[i];
    default: return ((const double *)array->data)[i];
    }
}

dn_status dn_array_doubles(double **out, const dn_npy *array)
{
    const size_t count = (size_t)array->count;
    *out = dn_calloc(count + 1, sizeof **out);
    if (!*out) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) (*out)[i] = dn_array_number(array, i);
    return DN_OK;
}

dn_status dn_array_classes(int32_t **out, const dn_npy *array, const char *name)
{
    const size_t count = (size_t)array->count;
    int32_t *to = *out = dn_calloc(count + 1, sizeof *to);
    if (!to) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const double x = dn_array_number(array, i);
        if (x >= INT32_MIN && x <= INT32_MAX && x == (double)(int32_t)x) {
            to[i] = (int32_t)x;
            continue;
        }
        dn_free(to);
        *out = NULL;
        return dn_fail(DN_ERROR_FORMAT, "%s: element %zu (counted from 0) is %g, expected integers: classes 0, 1, ...",
                       name, i, x);
    }
    return DN_OK;
}

bool dn_array_is_column(const dn_npy *array)
{
    return array->count > 0 && (array->rank == 1 || (array->rank == 2 && array->dims[1] == 1));
}

dn_status dn_array_wrong_shape(const dn_npy *array, const char *name, const char *expected, ...)
{
    char shape[DN_NPY_MOST_RANK * 24] = "", text[256];
    size_t used = 0;
    for (int d = 0; d < array->rank; d++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, d ? ",%lld" : "%lld", (long long)array->dims[d]);
    va_list arguments;
    va_start(arguments, expected);
    vsnprintf(text, sizeof text, expected, arguments);
    va_end(arguments);
    return dn_fail(DN_ERROR_SHAPE, "%s: the array's shape is [%s], expected %s", name, shape, text);
}

size_t dn_array_classes_of_map(const int32_t *map, size_t count)
{
    int32_t most = 0;
    for (size_t i = 0; i < count; i++)
        if (map[i] > most) most = map[i];
    return (size_t)most + 1;
}

dn_status dn_array_class_map_beside(int32_t **map, size_t *classes, const char *logits, const size_t shape[2])
{
    static const char end[] = ":logits";
    const size_t length = strlen(logits), file = length >= sizeof end ? length - (sizeof end - 1) : 0;
    *map = NULL;
    *classes = 0;
    if (file == 0 || strcmp(logits + file, end) != 0) return DN_OK;
    char *name = dn_format("%.*s:class_map", (int)file, logits);
    if (!name) return DN_ERROR_MEMORY;
    dn_npy *a = NULL;
    dn_status status = DN_OK;
    const bool found = dn_array_file_open(&a, name) == DN_OK; /* a file without one is as good */
    if (found && a->rank == 2 && (size_t)a->dims[0] == shape[0] && (size_t)a->dims[1] == shape[1]) {
        status = dn_array_classes(map, a, name);
        if (status == DN_OK) *classes = dn_array_classes_of_map(*map, shape[0] * shape[1]);
    }
    if (found) dn_npy_close(a);
    dn_free(name);
    return status;
}
