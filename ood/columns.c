#include "ood/columns.h"

#include "core/alloc.h"

/** Notes member e's used columns in class order. */
static dn_status take_member(dn__columns *out, size_t e, const int32_t *map)
{
    int32_t *column_of = out->column_of + e * out->classes;
    for (size_t c = 0; c < out->classes; c++) column_of[c] = -1;
    for (size_t k = 0; k < out->columns; k++) {
        const int32_t label = map ? map[k] : (int32_t)k;
        if (label == -1) continue;
        if (label < 0 || (size_t)label >= out->classes) {
            return dn_fail(DN_ERROR_SHAPE,
                           "class map: member %zu, column %zu is class %d, but classes are 0..%zu, or -1 for "
                           "an unused column",
                           e, k, label, out->classes - 1);
        }
        if (column_of[label] != -1) {
            return dn_fail(DN_ERROR_SHAPE,
                           "class map: member %zu has class %d in columns %d and %zu; a class may stand in "
                           "one column only",
                           e, label, column_of[label], k);
        }
        column_of[label] = (int32_t)k;
    }
    size_t used = 0;
    for (size_t c = 0; c < out->classes; c++) {
        if (column_of[c] == -1) continue;
        out->column[e * out->columns + used] = column_of[c];
        out->class_of[e * out->columns + used] = (int32_t)c;
        column_of[c] = (int32_t)used++;
    }
    out->used[e] = used;
    if (used >= 2 || !map) return DN_OK; /* without a map: as many as there are logits, if any */
    return dn_fail(DN_ERROR_SHAPE, "class map: member %zu uses %zu columns, but a softmax needs at least 2", e, used);
}

dn_status dn__columns_open(dn__columns *out, size_t members, size_t columns, const int32_t *class_map, size_t classes)
{
    *out = (dn__columns){
        .members = members, .columns = columns, .classes = class_map ? classes : columns, .mapped = class_map != NULL};
    if (!class_map && classes != 0 && classes != columns) {
        return dn_fail(DN_ERROR_SHAPE,
                       "logits: %zu columns for %zu classes; give a class map, or one column for each class", columns,
                       classes);
    }
    if (class_map && (classes < 2 || classes > INT32_MAX)) {
        return dn_fail(DN_ERROR_SHAPE, "class map: %zu classes, but 2 to %d are possible", classes, INT32_MAX);
    }
    out->used = dn_calloc(members, sizeof *out->used);
    out->column = dn_calloc(members * columns, sizeof *out->column);
    out->class_of = dn_calloc(members * columns, sizeof *out->class_of);
    out->column_of = dn_calloc(members * out->classes, sizeof *out->column_of);
    if (!out->used || !out->column || !out->class_of || !out->column_of) return DN_ERROR_MEMORY;
    for (size_t e = 0; e < members; e++) DN_TRY(take_member(out, e, class_map ? class_map + e * columns : NULL));
    return DN_OK;
}

void dn__columns_close(dn__columns *columns)
{
    dn_free(columns->used);
    dn_free(columns->column);
    dn_free(columns->class_of);
    dn_free(columns->column_of);
}
