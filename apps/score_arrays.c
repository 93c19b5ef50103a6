#include "apps/score_arrays.h"

#include "apps/array_values.h"
#include "core/alloc.h"
#include "datasets/array_file.h"

/* Integers become doubles; floating point stays as it is, so that large arrays are not copied. */
static dn_status make_real(dn_npy *a)
{
    if (a->type == DN_F32 || a->type == DN_F64) return DN_OK;
    double *real;
    DN_TRY(dn_array_doubles(&real, a));
    dn_free(a->data);
    a->data = real;
    a->type = DN_F64;
    return DN_OK;
}

static dn_status open_file(dn_npy **a, dn_score_arrays *out, const char *name)
{
    DN_TRY(dn_array_file_open(a, name));
    out->file[out->files++] = *a;
    return DN_OK;
}

/* ---- matrices: [N,C] or [E,N,C] ---- */

static dn_status open_matrix(dn_matrix *m, dn_score_arrays *out, const char *name, const char *what)
{
    dn_npy *a;
    if (!name) return DN_OK;
    DN_TRY(open_file(&a, out, name));
    if (a->rank != 2 && a->rank != 3)
        return dn_array_wrong_shape(a, name, "%s, [rows,columns] or [members,rows,columns]", what);
    if (a->count == 0) return dn_array_wrong_shape(a, name, "%s, with at least one row and column", what);
    DN_TRY(make_real(a));
    const int64_t *dims = a->dims + (a->rank - 2);
    *m = (dn_matrix){.members = a->rank == 3 ? (size_t)a->dims[0] : 1,
                     .rows = (size_t)dims[0],
                     .columns = (size_t)dims[1],
                     .type = a->type,
                     .data = a->data};
    return DN_OK;
}

static dn_status open_layers(dn_matrix *layer, dn_score_arrays *out, const char *const *names, size_t count,
                             const char *what)
{
    for (size_t l = 0; l < count; l++) DN_TRY(open_matrix(&layer[l], out, names[l], what));
    return DN_OK;
}

/* ---- integers ---- */

static size_t rows_of(const dn_score_input *input)
{
    return input->logits.rows ? input->logits.rows : input->layers ? input->layer[0].rows : 0;
}

static dn_status open_labels(dn_score_arrays *out, const char *name)
{
    dn_npy *a;
    if (!name) return DN_OK;
    DN_TRY(open_file(&a, out, name));
    if (!dn_array_is_column(a)) return dn_array_wrong_shape(a, name, "fit labels, [rows], the same for all members");
    const size_t rows = rows_of(&out->fit_set);
    if (rows && (size_t)a->count != rows) {
        return dn_fail(DN_ERROR_SHAPE, "'%s' has %lld labels for %zu fit rows; there must be one for each", name,
                       (long long)a->count, rows);
    }
    DN_TRY(dn_array_classes(&out->labels, a, name));
    out->fit_set.labels = rows ? out->labels : NULL;
    return DN_OK;
}

static void take_class_map(dn_score_arrays *out, size_t classes)
{
    out->input.class_map = out->fit_set.class_map = out->class_map;
    out->input.classes = out->fit_set.classes = classes;
}

static dn_status open_class_map(dn_score_arrays *out, const dn_score_files *files)
{
    dn_npy *a;
    const char *name = files->class_map;
    const dn_matrix *z = &out->input.logits;
    size_t classes = 0;
    if (!name && files->logits) {
        const size_t shape[2] = {z->members, z->columns};
        DN_TRY(dn_array_class_map_beside(&out->class_map, &classes, files->logits, shape));
        if (out->class_map) take_class_map(out, files->classes ? files->classes : classes);
    }
    if (!name) return DN_OK;
    DN_TRY(open_file(&a, out, name));
    if (a->rank != 2 || (size_t)a->dims[0] != z->members || (size_t)a->dims[1] != z->columns)
        return dn_array_wrong_shape(a, name, "a class map, [members,columns] of the logits");
    DN_TRY(dn_array_classes(&out->class_map, a, name));
    classes = dn_array_classes_of_map(out->class_map, (size_t)a->count);
    take_class_map(out, files->classes ? files->classes : classes);
    return DN_OK;
}

/* ---- the last layer ---- */

/* @param last D; 0 for a bias [E,C] */
static dn_status open_head_part(double **to, dn_score_arrays *out, const char *name, const char *what, size_t last)
{
    dn_npy *a;
    DN_TRY(open_file(&a, out, name));
    const size_t members = out->input.logits.rows ? out->input.logits.members : out->input.layer[0].members;
    const int rank = last ? 2 : 1;
    size_t expected[3], n = 0;
    if (a->rank == rank + 1) expected[n++] = members;
    expected[n++] = out->input.logits.rows ? out->input.logits.columns : (size_t)a->dims[a->rank > rank];
    if (last) expected[n++] = last;
    bool fits = (a->rank == rank && members == 1) || a->rank == rank + 1;
    for (size_t i = 0; fits && i < n; i++) fits = (size_t)a->dims[i] == expected[i];
    if (!fits) {
        return dn_array_wrong_shape(
            a, name, "%s, %s", what,
            last ? "[classes,features] or [members,classes,features], as the logits and features are"
                 : "[classes] or [members,classes], as the logits are");
    }
    return dn_array_doubles(to, a);
}

static dn_status check_head(const double *x, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (x[i] - x[i] == 0.0) continue;
        return dn_fail(DN_ERROR_NUMERIC, "'%s': element %zu (counted from 0) is %g, but every weight must be finite",
                       name, i, x[i]);
    }
    return DN_OK;
}

static dn_status open_head(dn_score_arrays *out, const dn_score_files *files)
{
    if (!files->head_weight && !files->head_bias) return DN_OK;
    if (!files->head_weight || !files->head_bias)
        return dn_fail(DN_ERROR_ARGUMENT, "--head-weight and --head-bias belong together: give both");
    if (out->input.layers == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "--head-weight is of use with --features only: give them too");
    const size_t dim = out->layer[out->input.layers - 1].columns;
    DN_TRY(open_head_part(&out->weight, out, files->head_weight, "the last layer's weights", dim));
    DN_TRY(check_head(out->weight, (size_t)out->file[out->files - 1]->count, files->head_weight));
    const size_t weights = (size_t)out->file[out->files - 1]->count;
    DN_TRY(open_head_part(&out->bias, out, files->head_bias, "the last layer's biases", 0));
    DN_TRY(check_head(out->bias, (size_t)out->file[out->files - 1]->count, files->head_bias));
    if (weights != (size_t)out->file[out->files - 1]->count * dim) {
        return dn_fail(DN_ERROR_SHAPE, "'%s' and '%s' have different numbers of classes", files->head_weight,
                       files->head_bias);
    }
    if (out->input.logits.rows == 0) out->input.classes = out->fit_set.classes = weights / dim / out->layer[0].members;
    out->fit.weight = out->weight;
    out->fit.bias = out->bias;
    return DN_OK;
}

dn_status dn_score_arrays_open(dn_score_arrays *out, const dn_score_files *files)
{
    *out = (dn_score_arrays){0};
    DN_TRY(open_matrix(&out->input.logits, out, files->logits, "logits"));
    DN_TRY(open_layers(out->layer, out, files->features, files->n_features, "features"));
    DN_TRY(open_matrix(&out->fit_set.logits, out, files->fit_logits, "fit logits"));
    DN_TRY(open_layers(out->fit_layer, out, files->fit_features, files->n_fit_features, "fit features"));
    out->input.layer = out->layer;
    out->input.layers = files->n_features;
    out->fit_set.layer = out->fit_layer;
    out->fit_set.layers = files->n_fit_features;
    if (rows_of(&out->input) == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "there is nothing to score: give --logits, --features or both");
    DN_TRY(open_labels(out, files->fit_labels));
    DN_TRY(open_class_map(out, files));
    DN_TRY(open_head(out, files));
    if (rows_of(&out->fit_set)) out->fit.set = &out->fit_set;
    return DN_OK;
}

void dn_score_arrays_close(dn_score_arrays *arrays)
{
    for (size_t i = 0; i < arrays->files; i++) dn_npy_close(arrays->file[i]);
    dn_free(arrays->weight);
    dn_free(arrays->bias);
    dn_free(arrays->labels);
    dn_free(arrays->class_map);
    *arrays = (dn_score_arrays){0};
}

size_t dn_score_arrays_rows(const dn_score_arrays *arrays)
{
    return rows_of(&arrays->input);
}
