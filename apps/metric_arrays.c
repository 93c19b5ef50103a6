#include "apps/metric_arrays.h"

#include <math.h>

#include "apps/array_values.h"
#include "datasets/array_file.h"

static dn_status take_scores(double **scores, const dn_npy *array, const char *name)
{
    if (!dn_array_is_column(array))
        return dn_array_wrong_shape(array, name, "one score a row, [N] or [N,1], and at least one row");
    for (size_t i = 0; i < (size_t)array->count; i++) {
        if (isfinite(dn_array_number(array, i))) continue;
        return dn_fail(DN_ERROR_NUMERIC,
                       "%s: row %zu (counted from 0) is %g, but every score must be a finite number; drop the row or "
                       "repair the scores",
                       name, i, dn_array_number(array, i));
    }
    return dn_array_doubles(scores, array);
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
        return dn_array_wrong_shape(array, name,
                                    "logits of one model, [N,C], or of an ensemble, [E,N,C], and at least one row");
    const int64_t *last = array->dims + array->rank - 2;
    shape[0] = array->rank == 3 ? (size_t)array->dims[0] : 1;
    shape[1] = (size_t)last[0];
    shape[2] = (size_t)last[1];
    return dn_array_doubles(logits, array);
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
    if (!dn_array_is_column(array))
        return dn_array_wrong_shape(array, name, "one label a row, [N] or [N,1], and at least one row");
    return dn_array_classes(labels, array, name);
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
