#include "apps/metric_arrays.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/array_file.h"

enum { LONGEST_SHAPE = 160 };

static dn_status fail_shape(const dn_npy *array, const char *name, const char *expected)
{
    char shape[LONGEST_SHAPE] = "";
    for (int d = 0, used = 0; d < array->rank && used < LONGEST_SHAPE; d++)
        used += snprintf(shape + used, (size_t)(LONGEST_SHAPE - used), d ? ",%lld" : "%lld", (long long)array->dims[d]);
    return dn_fail(DN_ERROR_SHAPE, "%s: the array's shape is [%s], expected %s", name, shape, expected);
}

static double value_at(const dn_npy *array, size_t i)
{
    switch (array->type) {
    case DN_U8: return ((const uint8_t *)array->data)[i];
    case DN_I32: return ((const int32_t *)array->data)[i];
    case DN_F32: return (double)((const float *)array->data)[i];
    default: return ((const double *)array->data)[i];
    }
}

static dn_status to_doubles(double **out, const dn_npy *array)
{
    *out = dn_calloc((size_t)array->count, sizeof **out);
    if (!*out) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < (size_t)array->count; i++) (*out)[i] = value_at(array, i);
    return DN_OK;
}

/** @return whether the shape is [N] or [N,1] with N >= 1 */
static int is_column(const dn_npy *array)
{
    return array->count > 0 && (array->rank == 1 || (array->rank == 2 && array->dims[1] == 1));
}

static dn_status take_scores(double **scores, const dn_npy *array, const char *name)
{
    if (!is_column(array)) return fail_shape(array, name, "one score a row, [N] or [N,1], and at least one row");
    for (size_t i = 0; i < (size_t)array->count; i++) {
        if (isfinite(value_at(array, i))) continue;
        return dn_fail(DN_ERROR_NUMERIC,
                       "%s: row %zu (counted from 0) is %g, but every score must be a finite number; drop the row or "
                       "repair the scores",
                       name, i, value_at(array, i));
    }
    return to_doubles(scores, array);
}

dn_status dn_metric_scores_open(double **scores, size_t *n, const char *name)
{
    dn_npy *array = NULL;
    *scores = NULL;
    DN_TRY(dn_array_file_open(&array, name));
    const dn_status status = take_scores(scores, array, name);
    *n = (size_t)array->count;
    dn_npy_close(array);
    return status;
}

static dn_status take_logits(double **logits, size_t shape[3], const dn_npy *array, const char *name)
{
    if (array->count == 0 || array->rank < 2 || array->rank > 3)
        return fail_shape(array, name, "logits of one model, [N,C], or of an ensemble, [E,N,C], and at least one row");
    const int64_t *last = array->dims + array->rank - 2;
    shape[0] = array->rank == 3 ? (size_t)array->dims[0] : 1;
    shape[1] = (size_t)last[0];
    shape[2] = (size_t)last[1];
    return to_doubles(logits, array);
}

dn_status dn_metric_logits_open(double **logits, size_t shape[3], const char *name)
{
    dn_npy *array = NULL;
    *logits = NULL;
    DN_TRY(dn_array_file_open(&array, name));
    const dn_status status = take_logits(logits, shape, array, name);
    dn_npy_close(array);
    return status;
}

static dn_status take_labels(int32_t **labels, const dn_npy *array, const char *name)
{
    if (!is_column(array)) return fail_shape(array, name, "one label a row, [N] or [N,1], and at least one row");
    if (array->type != DN_U8 && array->type != DN_I32)
        return dn_fail(DN_ERROR_FORMAT, "%s: the labels are floating point, expected integers, class 0, 1, ...", name);
    *labels = dn_calloc((size_t)array->count, sizeof **labels);
    if (!*labels) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < (size_t)array->count; i++)
        (*labels)[i] = array->type == DN_U8 ? ((const uint8_t *)array->data)[i] : ((const int32_t *)array->data)[i];
    return DN_OK;
}

dn_status dn_metric_labels_open(int32_t **labels, size_t *n, const char *name)
{
    dn_npy *array = NULL;
    *labels = NULL;
    DN_TRY(dn_array_file_open(&array, name));
    const dn_status status = take_labels(labels, array, name);
    *n = (size_t)array->count;
    dn_npy_close(array);
    return status;
}
