#include "ood/block.h"

#include <math.h>
#include <string.h>

#include "ood/widen.h"

/* The pointers lie in the workspace, as the numbers do. */
dn_status dn__block_open(dn__block *out, const dn_score_input *input, const dn__columns *columns, const char *kind,
                         dn_workspace *space)
{
    _Static_assert(sizeof(double *) <= sizeof(double), "a pointer takes the place of a double");
    const size_t pointers = columns->members * (1 + input->layers);
    *out = (dn__block){.input = input, .columns = columns, .kind = kind, .space = space};
    void *room = dn_workspace_doubles(space, pointers);
    if (!room) return DN_ERROR_MEMORY;
    memset(room, 0, pointers * sizeof(double));
    out->logits = room;
    out->features = out->logits + columns->members;
    return DN_OK;
}

void dn__block_move(dn__block *block, size_t first, size_t rows)
{
    memset(block->logits, 0, block->columns->members * (1 + block->input->layers) * sizeof *block->logits);
    block->first = first;
    block->rows = rows;
}

/* Rows of one member as they lie in the matrix. HDF5 and other sources serve one thread at a time. */
static dn_status fetch(const void **out, const dn__block *b, const dn_matrix *m, size_t e)
{
    const size_t bytes = dn_dtype_size(m->type);
    if (m->data) {
        *out = (const char *)m->data + (e * m->rows + b->first) * m->columns * bytes;
        return DN_OK;
    }
    void *to = dn_workspace_doubles(b->space, (b->rows * m->columns * bytes + sizeof(double) - 1) / sizeof(double));
    if (!to) return DN_ERROR_MEMORY;
    *out = to;
    dn_status status;
#pragma omp critical(dn_matrix_read)
    status = m->read(m->context, e, b->first, b->rows, to);
    return status;
}

/** @param column [used] which of the matrix's columns to take */
static void pick(double *to, const void *from, const dn_matrix *m, size_t rows, const int32_t *column, size_t used)
{
    for (size_t r = 0; r < rows; r++) {
        const size_t start = r * m->columns;
        for (size_t k = 0; k < used; k++) {
            const size_t i = start + (size_t)column[k];
            *to++ = m->type == DN_F32 ? (double)((const float *)from)[i] : ((const double *)from)[i];
        }
    }
}

/** @param x holds a number that is not finite */
static dn_status explain(const dn__block *b, const double *x, size_t columns, const char *name, size_t e,
                         const int32_t *column)
{
    size_t i = 0;
    while (isfinite(x[i])) i++;
    const size_t at = column ? (size_t)column[i % columns] : i % columns;
    return dn_fail(DN_ERROR_NUMERIC,
                   "%s%s: member %zu, row %zu, column %zu (all counted from 0) is %g, but every number must be finite; "
                   "drop the row or repair the model",
                   b->kind, name, e, b->first + i / columns, at, x[i]);
}

/** All columns; what is double already is not copied. */
static dn_status take_all(const double **out, const dn__block *b, const dn_matrix *m, size_t e, const char *name)
{
    const size_t count = b->rows * m->columns;
    const void *from;
    bool finite;
    DN_TRY(fetch(&from, b, m, e));
    if (m->type == DN_F64) {
        finite = dn__all_finite(from, count);
        *out = from;
    } else {
        double *to = dn_workspace_doubles(b->space, count);
        if (!to) return DN_ERROR_MEMORY;
        finite = dn__widen(to, from, count);
        *out = to;
    }
    return finite ? DN_OK : explain(b, *out, m->columns, name, e, NULL);
}

/** The columns that the member uses. */
static dn_status take_used(const double **out, const dn__block *b, size_t e)
{
    const size_t used = b->columns->used[e];
    const int32_t *column = b->columns->column + e * b->columns->columns;
    const void *from;
    double *to = dn_workspace_doubles(b->space, b->rows * used);
    if (!to) return DN_ERROR_MEMORY;
    DN_TRY(fetch(&from, b, &b->input->logits, e));
    pick(to, from, &b->input->logits, b->rows, column, used);
    *out = to;
    return dn__all_finite(to, b->rows * used) ? DN_OK : explain(b, to, used, "logits", e, column);
}

dn_status dn__block_logits(const double **out, dn__block *b, size_t e)
{
    if (!b->logits[e]) {
        const double *x;
        DN_TRY(b->columns->mapped ? take_used(&x, b, e) : take_all(&x, b, &b->input->logits, e, "logits"));
        b->logits[e] = x;
    }
    *out = b->logits[e];
    return DN_OK;
}

dn_status dn__block_features(const double **out, dn__block *b, size_t e, size_t layer)
{
    const double **place = &b->features[e * b->input->layers + layer];
    if (!*place) {
        const double *x;
        DN_TRY(take_all(&x, b, &b->input->layer[layer], e, "features"));
        *place = x;
    }
    *out = *place;
    return DN_OK;
}
