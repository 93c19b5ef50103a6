#include "ood/score_plan.h"

#include <math.h>
#include <omp.h>

#include "core/alloc.h"

/* A block's logits of all members should stay in the second-level cache: at most this many doubles, if it can be. */
enum { BLOCK_DOUBLES = 1 << 16, BLOCK_ROWS_MAX = 256 };

size_t dn_score_input_classes(const dn_score_input *input)
{
    return input->class_map ? input->classes : input->columns;
}

static dn_status check_classes(const dn_score_input *input)
{
    if (!input->class_map && input->classes != 0 && input->classes != input->columns) {
        return dn_fail(DN_ERROR_SHAPE,
                       "logits: %zu columns for %zu classes; give a class map, or one column for each class",
                       input->columns, input->classes);
    }
    if (input->class_map && (input->classes < 2 || input->classes > INT32_MAX)) {
        return dn_fail(DN_ERROR_SHAPE, "class map: %zu classes, but 2 to %d are possible", input->classes, INT32_MAX);
    }
    return DN_OK;
}

dn_status dn__score_input_check(const dn_score_input *input)
{
    const size_t members = input->members, rows = input->rows, columns = input->columns;
    if (members == 0 || rows == 0 || columns < 2 || !input->logits) {
        return dn_fail(DN_ERROR_SHAPE,
                       "logits: [%zu members, %zu rows, %zu columns], but scores need at least 1 member, 1 row and 2 "
                       "columns",
                       members, rows, columns);
    }
    if (columns > INT32_MAX || rows > SIZE_MAX / columns || rows * columns > SIZE_MAX / sizeof(double) / members) {
        return dn_fail(DN_ERROR_SHAPE, "logits: [%zu, %zu, %zu] is larger than memory can be", members, rows, columns);
    }
    if (input->type != DN_F32 && input->type != DN_F64) {
        return dn_fail(DN_ERROR_SHAPE, "logits: elements are %s, but f32 or f64 is needed; convert them",
                       dn_dtype_name(input->type));
    }
    return check_classes(input);
}

/** Notes member e's used columns in class order. @param column_of [classes] is filled with -1 and used */
static dn_status plan_member(dn__score_plan *plan, size_t e, int32_t *column_of)
{
    const size_t columns = plan->input->columns;
    const int32_t *map = plan->input->class_map ? plan->input->class_map + e * columns : NULL;
    for (size_t c = 0; c < plan->classes; c++) column_of[c] = -1;
    for (size_t k = 0; k < columns; k++) {
        const int32_t label = map ? map[k] : (int32_t)k;
        if (label == -1) continue;
        if (label < 0 || (size_t)label >= plan->classes) {
            return dn_fail(DN_ERROR_SHAPE,
                           "class map: member %zu, column %zu is class %d, but classes are 0..%zu, or -1 for "
                           "an unused column",
                           e, k, label, plan->classes - 1);
        }
        if (column_of[label] != -1) {
            return dn_fail(DN_ERROR_SHAPE,
                           "class map: member %zu has class %d in columns %d and %zu; a class may stand in "
                           "one column only",
                           e, label, column_of[label], k);
        }
        column_of[label] = (int32_t)k;
    }
    for (size_t c = 0; c < plan->classes; c++) {
        if (column_of[c] == -1) continue;
        const size_t at = e * columns + plan->used[e]++;
        plan->column[at] = column_of[c];
        plan->class_of[at] = (int32_t)c;
    }
    if (plan->used[e] < 2) {
        return dn_fail(DN_ERROR_SHAPE, "class map: member %zu uses %zu columns, but a softmax needs at least 2", e,
                       plan->used[e]);
    }
    return DN_OK;
}

static double logit(const dn_score_input *input, size_t index)
{
    return input->type == DN_F32 ? (double)((const float *)input->logits)[index]
                                 : ((const double *)input->logits)[index];
}

static dn_status check_finite(const dn__score_plan *plan)
{
    const dn_score_input *input = plan->input;
    for (size_t e = 0; e < input->members; e++) {
        const int32_t *column = plan->column + e * input->columns;
        for (size_t r = 0; r < input->rows; r++) {
            const size_t start = (e * input->rows + r) * input->columns;
            for (size_t k = 0; k < plan->used[e]; k++) {
                const double z = logit(input, start + (size_t)column[k]);
                if (isfinite(z)) continue;
                return dn_fail(
                    DN_ERROR_NUMERIC,
                    "logits: member %zu, row %zu, column %d (all counted from 0) is %g, but every logit must "
                    "be a finite number; drop the row or repair the model",
                    e, r, column[k], z);
            }
        }
    }
    return DN_OK;
}

dn_status dn__score_plan_open(dn__score_plan *plan, const dn_score_input *input)
{
    *plan = (dn__score_plan){.input = input};
    DN_TRY(dn__score_input_check(input));
    const size_t members = input->members;
    plan->classes = dn_score_input_classes(input);
    plan->block_rows = BLOCK_DOUBLES / members / input->columns;
    if (plan->block_rows < 1) plan->block_rows = 1;
    if (plan->block_rows > BLOCK_ROWS_MAX) plan->block_rows = BLOCK_ROWS_MAX;
    if (plan->block_rows > input->rows) plan->block_rows = input->rows;
    plan->blocks = (input->rows - 1) / plan->block_rows + 1;
    plan->used = dn_calloc(members, sizeof *plan->used);
    plan->column = dn_calloc(members * input->columns, sizeof *plan->column);
    plan->class_of = dn_calloc(members * input->columns, sizeof *plan->class_of);
    int32_t *column_of = dn_calloc(plan->classes, sizeof *column_of);
    dn_status status = plan->used && plan->column && plan->class_of && column_of ? DN_OK : DN_ERROR_MEMORY;
    for (size_t e = 0; e < members && status == DN_OK; e++) status = plan_member(plan, e, column_of);
    dn_free(column_of);
    return status == DN_OK ? check_finite(plan) : status;
}

void dn__score_plan_close(dn__score_plan *plan)
{
    dn_free(plan->used);
    dn_free(plan->column);
    dn_free(plan->class_of);
}

/** Copies a block's logits. @param member [E], `logits` of each already set */
static void load_block(const dn__score_plan *plan, size_t first_row, size_t rows, dn_score_rows *member, double *logits)
{
    const dn_score_input *input = plan->input;
    for (size_t e = 0; e < input->members; e++) {
        const int32_t *column = plan->column + e * input->columns;
        const size_t used = plan->used[e];
        member[e] = (dn_score_rows){rows, used, logits, plan->class_of + e * input->columns};
        for (size_t r = 0; r < rows; r++) {
            const size_t start = (e * input->rows + first_row + r) * input->columns;
            for (size_t k = 0; k < used; k++) *logits++ = logit(input, start + (size_t)column[k]);
        }
    }
}

dn_status dn__score_plan_run(const dn__score_plan *plan, dn__score_block_fn *function, void *context,
                             size_t scratch_doubles)
{
    const dn_score_input *input = plan->input;
    const size_t block_doubles = input->members * plan->block_rows * input->columns;
    const size_t most = (size_t)omp_get_max_threads(), threads = most < plan->blocks ? most : plan->blocks;
    const size_t each = block_doubles + scratch_doubles;
    double *room = dn_calloc(threads, each * sizeof *room);
    dn_score_rows *member = dn_calloc(threads, input->members * sizeof *member);
    const dn_status status = room && member ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) {
#pragma omp parallel for schedule(static) num_threads((int)threads)
        for (size_t b = 0; b < plan->blocks; b++) {
            const size_t thread = (size_t)omp_get_thread_num(), first = b * plan->block_rows;
            const size_t left = input->rows - first, rows = left < plan->block_rows ? left : plan->block_rows;
            double *logits = room + thread * each;
            const dn_score_block block = {input->members, rows, plan->classes, member + thread * input->members};
            load_block(plan, first, rows, member + thread * input->members, logits);
            function(context, &block, first, logits + block_doubles);
        }
    }
    dn_free(room);
    dn_free(member);
    return status;
}
