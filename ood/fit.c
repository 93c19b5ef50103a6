#include "ood/fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/model.h"

/* A block of a walk holds about this many numbers: 8 MiB. */
enum { WALK_DOUBLES = 1 << 20, WALK_ROWS_MIN = 64, WALK_ROWS_MAX = 4096 };

typedef struct kept_part {
    const dn_fit_part *kind;
    void *part;
} kept_part;

struct dn_fit {
    dn__model *model;
    size_t layer, rows, dim;
    dn_dtype type;
    dn__fit_source *source;
    kept_part *parts;
    size_t n_parts, parts_capacity;
};

size_t dn__input_rows(const dn_score_input *input)
{
    return input->logits.rows ? input->logits.rows : input->layers ? input->layer[input->layers - 1].rows : 0;
}

/** @return the column of the row's class, or -1 if this model leaves the class out and with it the row */
static int32_t column_of(const dn_fit *fit, size_t row)
{
    const dn__model *model = fit->model;
    const int32_t label = fit->source->from->set->labels[row];
    return model->of ? label : model->all->column_of[model->member * model->all->classes + (size_t)label];
}

/** @return whether some rows may not be this model's: a member that leaves classes out, where the rows' are known */
static bool is_partial(const dn_fit *fit)
{
    return fit->model->all->mapped && !fit->model->of && fit->source->from->set->labels;
}

dn_status dn__fit_open(dn_fit **out, dn__model *model, size_t layer, dn__fit_source *source)
{
    const dn_score_input *set = source->from ? source->from->set : NULL;
    dn_fit *fit = dn_calloc(1, sizeof *fit);
    *out = fit;
    if (!fit) return DN_ERROR_MEMORY;
    *fit = (dn_fit){.model = model, .layer = layer, .source = source, .dim = model->head_dim};
    if (!set) return DN_OK; /* a shaping that looks at the head only, or at nothing */
    if (set->layers) fit->dim = set->layer[layer].columns;
    fit->type = set->layers && !model->parent ? set->layer[layer].type : DN_F64;
    fit->rows = dn__input_rows(set);
    if (!is_partial(fit)) return DN_OK;
    const size_t all = fit->rows;
    fit->rows = 0;
    for (size_t r = 0; r < all; r++) fit->rows += column_of(fit, r) >= 0;
    if (fit->rows > 0) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "the fit set has no row of the classes of member %zu", model->member);
}

void dn__fit_close(dn_fit *fit)
{
    if (!fit) return;
    for (size_t i = fit->n_parts; i-- > 0;) fit->parts[i].kind->close(fit->parts[i].part);
    dn_free(fit->parts);
    dn_free(fit);
}

size_t dn_fit_rows(const dn_fit *fit)
{
    return fit->rows;
}

size_t dn_fit_columns(const dn_fit *fit)
{
    return fit->model->columns;
}

size_t dn_fit_dim(const dn_fit *fit)
{
    return fit->dim;
}

dn_dtype dn_fit_type(const dn_fit *fit)
{
    return fit->type;
}

const double *dn_fit_weight(const dn_fit *fit)
{
    return fit->model->weight;
}

const double *dn_fit_bias(const dn_fit *fit)
{
    return fit->model->bias;
}

dn_device *dn_fit_device(const dn_fit *fit)
{
    dn_device *device = fit->source->from ? fit->source->from->device : NULL;
    return device && !dn_device_is_host(device) ? device : NULL;
}

/* ---- walking ---- */

typedef struct walk {
    dn_fit *fit;
    unsigned needs; /* DN_NEEDS_FIT_... */
    dn_fit_visit_fn *visit;
    void *context;
    size_t visited;        /* rows given to the visitor */
    int32_t *labels, *row; /* [block rows] columns of the classes; places in the block of the rows that are taken */
} walk;

static const double *compact(const double *x, const int32_t *row, size_t rows, size_t columns, dn_workspace *space)
{
    double *to = x ? dn_workspace_doubles(space, rows * columns) : NULL;
    for (size_t r = 0; to && r < rows; r++)
        memcpy(to + r * columns, x + (size_t)row[r] * columns, columns * sizeof *to);
    return to;
}

/** Drops the rows of classes that the model leaves out, and puts labels to the others. */
static dn_status label_rows(walk *w, dn_score_rows *rows, const dn__block *block)
{
    const double *logits = rows->logits, *features = rows->features;
    size_t taken = 0;
    for (size_t r = 0; r < block->rows; r++) {
        const int32_t column = column_of(w->fit, block->first + r);
        if (column < 0) continue;
        w->labels[taken] = column;
        w->row[taken++] = (int32_t)r;
    }
    if (w->needs & DN_NEEDS_FIT_LABELS) rows->labels = w->labels;
    if (taken == rows->rows) return DN_OK;
    rows->rows = taken;
    rows->logits = compact(logits, w->row, taken, rows->columns, block->space);
    rows->features = compact(features, w->row, taken, rows->dim, block->space);
    return (logits && !rows->logits) || (features && !rows->features) ? DN_ERROR_MEMORY : DN_OK;
}

static dn_status visit_block(walk *w, dn__block *block)
{
    const unsigned fit_bits = DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES;
    dn_score_rows rows;
    _Static_assert(DN_NEEDS_FIT_LOGITS == DN_NEEDS_LOGITS << 3 && DN_NEEDS_FIT_FEATURES == DN_NEEDS_FEATURES << 3, "");
    DN_TRY(dn__model_rows(&rows, w->fit->model, block, w->fit->layer, (w->needs & fit_bits) >> 3));
    if (w->labels) DN_TRY(label_rows(w, &rows, block));
    if (rows.rows == 0) return DN_OK;
    DN_TRY(w->visit(w->context, &rows, w->visited));
    w->visited += rows.rows;
    return DN_OK;
}

static size_t block_rows(const dn_fit *fit, const dn_score_input *set)
{
    size_t numbers = fit->dim + fit->model->columns;
    if (fit->model->of) numbers *= set->logits.members ? set->logits.members : set->layer[0].members;
    const size_t rows = WALK_DOUBLES / numbers;
    return rows < WALK_ROWS_MIN ? WALK_ROWS_MIN : rows > WALK_ROWS_MAX ? WALK_ROWS_MAX : rows;
}

static dn_status walk_rows(walk *w, dn__block *block)
{
    const dn_score_input *set = block->input;
    const size_t all = dn__input_rows(set), step = block_rows(w->fit, set);
    /* Where there are no labels, rows->labels stays NULL, whoever asks. */
    if (is_partial(w->fit) || (set->labels && (w->needs & DN_NEEDS_FIT_LABELS))) {
        w->labels = dn_calloc(step, sizeof *w->labels);
        w->row = dn_calloc(step, sizeof *w->row);
        if (!w->labels || !w->row) return DN_ERROR_MEMORY;
    }
    const size_t mark = dn_workspace_mark(block->space);
    for (size_t first = 0; first < all; first += step) {
        dn__block_move(block, first, all - first < step ? all - first : step);
        DN_TRY(visit_block(w, block));
        dn_workspace_release(block->space, mark);
    }
    return DN_OK;
}

dn_status dn_fit_walk(dn_fit *fit, unsigned needs, dn_fit_visit_fn *visit, void *context)
{
    const dn_score_fit *from = fit->source->from;
    if (!from || !from->set) return dn_fail(DN_ERROR_INTERNAL, "there is no fit set to walk through");
    walk w = {.fit = fit, .needs = needs, .visit = visit, .context = context};
    dn_workspace *space = fit->source->space;
    const size_t mark = dn_workspace_mark(space);
    dn__block block;
    dn_status status = dn__block_open(&block, from->set, fit->model->all, "fit ", space);
    if (status == DN_OK) status = walk_rows(&w, &block);
    dn_workspace_release(space, mark);
    dn_free(w.labels);
    dn_free(w.row);
    return status;
}

/* ---- parts and notes ---- */

dn_status dn_fit_get(const void **out, dn_fit *fit, const dn_fit_part *kind)
{
    for (size_t i = 0; i < fit->n_parts; i++) {
        if (fit->parts[i].kind != kind) continue;
        *out = fit->parts[i].part;
        return DN_OK;
    }
    void *part = NULL;
    DN_TRY(kind->make(&part, fit));
    const dn_status status = dn_grow((void **)&fit->parts, &fit->parts_capacity, fit->n_parts, sizeof *fit->parts);
    if (status != DN_OK) {
        kind->close(part);
        return status;
    }
    fit->parts[fit->n_parts++] = (kept_part){kind, part};
    *out = part;
    return DN_OK;
}

void dn_fit_note(dn_fit *fit, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *known = fit->source->notes ? fit->source->notes : "";
    if (length < 0 || strstr(known, text)) return;
    char *notes = dn_format("%s%s\n", known, text);
    if (!notes) return; /* a note is not worth an error */
    dn_free(fit->source->notes);
    fit->source->notes = notes;
}
