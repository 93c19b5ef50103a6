#include "ood/calibration.h"

#include <math.h>
#include <omp.h>

#include "core/alloc.h"
#include "ood/probability.h"

/** What the sums are made of, one entry a row. */
typedef struct terms {
    double *nll, *brier, *top; /* [N]; top = max pm */
    uint8_t *right;            /* [N] */
    double *msp;               /* [N] or NULL */
} terms;

static size_t classes_of(const dn_calibration_input *in)
{
    return in->class_map ? in->classes : in->columns;
}

/* ---- checks ---- */

static dn_status check_class_map(const dn_calibration_input *in)
{
    for (size_t e = 0; e < in->members; e++) {
        size_t used = 0;
        for (size_t k = 0; k < in->columns; k++) {
            const int32_t class = in->class_map[e * in->columns + k];
            if (class < -1 || (class >= 0 && (size_t) class >= in->classes)) {
                return dn_fail(DN_ERROR_SHAPE, "class map: member %zu, column %zu is %d, expected -1 to %zu", e, k,
                               class, in->classes - 1);
            }
            for (size_t other = 0; class >= 0 && other < k; other++) {
                if (in->class_map[e * in->columns + other] != class) continue;
                return dn_fail(DN_ERROR_SHAPE, "class map: member %zu has class %d in columns %zu and %zu", e, class,
                               other, k);
            }
            used += class >= 0;
        }
        if (used == 0) return dn_fail(DN_ERROR_SHAPE, "class map: member %zu uses no column", e);
    }
    return DN_OK;
}

static dn_status check_sizes(const dn_calibration_input *in)
{
    if (in->members == 0 || in->rows == 0 || in->columns < 2) {
        return dn_fail(DN_ERROR_SHAPE,
                       "logits: %zu members, %zu rows and %zu classes, but at least 1, 1 and 2 are needed", in->members,
                       in->rows, in->columns);
    }
    if (in->class_map) return check_class_map(in);
    if (in->classes == 0 || in->classes == in->columns) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE, "logits: %zu columns for %zu classes need a class map", in->columns, in->classes);
}

static dn_status check_logits(const dn_calibration_input *in)
{
    for (size_t i = 0; i < in->members * in->rows * in->columns; i++) {
        if (isfinite(in->logits[i])) continue;
        const size_t column = i % in->columns, row = i / in->columns % in->rows, e = i / in->columns / in->rows;
        if (in->class_map && in->class_map[e * in->columns + column] < 0) continue;
        return dn_fail(DN_ERROR_NUMERIC,
                       "logits: member %zu, row %zu, column %zu (all counted from 0) is %g, but every logit must be a "
                       "finite number; drop the row or repair the model",
                       e, row, column, in->logits[i]);
    }
    return DN_OK;
}

/** @param known [classes], zero */
static dn_status check_labels(const dn_calibration_input *in, uint8_t *known)
{
    const size_t classes = classes_of(in), columns = in->members * in->columns;
    for (size_t i = 0; in->class_map && i < columns; i++)
        if (in->class_map[i] >= 0) known[in->class_map[i]] = 1;
    for (size_t i = 0; i < in->rows; i++) {
        const int32_t label = in->labels[i];
        if (label < 0 || (size_t)label >= classes) {
            return dn_fail(DN_ERROR_ARGUMENT, "labels: row %zu (counted from 0) is %d, expected a class from 0 to %zu",
                           i, label, classes - 1);
        }
        if (!in->class_map || known[label]) continue;
        return dn_fail(DN_ERROR_ARGUMENT, "labels: row %zu (counted from 0) is class %d, which no member knows", i,
                       label);
    }
    return DN_OK;
}

static dn_status check(const dn_calibration_input *in)
{
    DN_TRY(check_sizes(in));
    DN_TRY(check_logits(in));
    uint8_t *known = dn_calloc(classes_of(in), 1);
    const dn_status status = known ? check_labels(in, known) : DN_ERROR_MEMORY;
    dn_free(known);
    return status;
}

/* ---- figures ---- */

/** One member's logits in the columns that it uses. @param z [C] @param class_of [C] @return their number */
static size_t used_logits(double *z, int32_t *class_of, const dn_calibration_input *in, size_t e, size_t row)
{
    const double *from = in->logits + (e * in->rows + row) * in->columns;
    size_t used = 0;
    for (size_t k = 0; k < in->columns; k++) {
        const int32_t class = in->class_map ? in->class_map[e * in->columns + k] : (int32_t)k;
        if (class < 0) continue;
        z[used] = from[k];
        class_of[used++] = class;
    }
    return used;
}

/** Adds a member's probabilities to `mean`, and joins its ln p_y to `*log_sum` = ln of the sum of p_y so far. */
static void add_member(double *mean, double *log_sum, double *z, const int32_t *class_of, size_t used, int32_t label)
{
    double log_p = -INFINITY;
    const double log_all = dn__log_sum_exp(z, used, 1.0);
    for (size_t k = 0; k < used; k++)
        if (class_of[k] == label) log_p = z[k] - log_all;
    dn__softmax(z, z, used, 1.0);
    for (size_t k = 0; k < used; k++) mean[class_of[k]] += z[k];
    if (log_p == -INFINITY) return;
    const double high = fmax(*log_sum, log_p), low = fmin(*log_sum, log_p);
    *log_sum = high + log1p(exp(low - high));
}

/** @param room [classes + C] @param class_of [C] */
static void take_row(terms *t, const dn_calibration_input *in, size_t row, double *room, int32_t *class_of)
{
    const size_t classes = classes_of(in), label = (size_t)in->labels[row];
    double *mean = room, *z = room + classes, log_sum = -INFINITY, brier = 0.0;
    for (size_t c = 0; c < classes; c++) mean[c] = 0.0;
    for (size_t e = 0; e < in->members; e++) {
        const size_t used = used_logits(z, class_of, in, e, row);
        add_member(mean, &log_sum, z, class_of, used, in->labels[row]);
    }
    for (size_t c = 0; c < classes; c++) mean[c] /= (double)in->members;
    const size_t top = dn__argmax(mean, classes);
    const double missing = dn__sum_of_others(mean, classes, label); /* 1 - p_y, without cancellation */
    for (size_t c = 0; c < classes; c++) brier += c == label ? missing * missing : mean[c] * mean[c];
    t->nll[row] = log((double)in->members) - log_sum;
    t->brier[row] = brier;
    t->top[row] = mean[top];
    t->right[row] = top == label;
    if (t->msp) t->msp[row] = dn__sum_of_others(mean, classes, top);
}

static dn_status take_rows(terms *t, const dn_calibration_input *in)
{
    const size_t threads = (size_t)omp_get_max_threads(), each = classes_of(in) + in->columns;
    double *room = dn_calloc(threads, each * sizeof *room);
    int32_t *class_of = dn_calloc(threads, in->columns * sizeof *class_of);
    const dn_status status = room && class_of ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) {
#pragma omp parallel for schedule(static) num_threads((int)threads)
        for (size_t row = 0; row < in->rows; row++) {
            const size_t thread = (size_t)omp_get_thread_num();
            take_row(t, in, row, room + thread * each, class_of + thread * in->columns);
        }
    }
    dn_free(room);
    dn_free(class_of);
    return status;
}

/** @return the bin ((i / bins), ((i + 1) / bins)] that holds `top`; the product may round across an edge, hence the
 *  comparison with the edges themselves */
static size_t bin_of(double top)
{
    size_t bin = (size_t)(top * DN_ECE_BINS);
    if (bin >= DN_ECE_BINS) bin = DN_ECE_BINS - 1;
    while (bin > 0 && top <= (double)bin / DN_ECE_BINS) bin--;
    while (bin + 1 < DN_ECE_BINS && top > (double)(bin + 1) / DN_ECE_BINS) bin++;
    return bin;
}

static dn_status sum_up(dn_calibration *out, const terms *t, size_t rows)
{
    double nll = 0.0, brier = 0.0, ece = 0.0, top[DN_ECE_BINS] = {0};
    size_t all_right = 0, right[DN_ECE_BINS] = {0};
    for (size_t i = 0; i < rows; i++) {
        const size_t bin = bin_of(t->top[i]);
        if (!isfinite(t->nll[i])) {
            return dn_fail(DN_ERROR_NUMERIC,
                           "logits: row %zu (counted from 0) spans more than double arithmetic does; scale the logits "
                           "down",
                           i);
        }
        nll += t->nll[i];
        brier += t->brier[i];
        top[bin] += t->top[i];
        right[bin] += t->right[i];
        all_right += t->right[i];
    }
    /* abs(right/n - top/n) n/rows = abs(right - top)/rows */
    for (size_t b = 0; b < DN_ECE_BINS; b++) ece += fabs((double)right[b] - top[b]);
    const double n = (double)rows;
    *out = (dn_calibration){
        .rows = rows, .accuracy = (double)all_right / n, .nll = nll / n, .brier = brier / n, .ece = ece / n};
    return DN_OK;
}

dn_status dn_calibration_compute(dn_calibration *out, const dn_calibration_rows *rows,
                                 const dn_calibration_input *input)
{
    DN_TRY(check(input));
    const size_t n = input->rows;
    double *room = dn_calloc(n, 3 * sizeof *room);
    uint8_t *right = rows && rows->right ? NULL : dn_calloc(n, 1);
    dn_status status = DN_ERROR_MEMORY;
    if (room && (right || (rows && rows->right))) {
        terms t = {room, room + n, room + 2 * n, right ? right : rows->right, rows ? rows->msp : NULL};
        status = take_rows(&t, input);
        if (status == DN_OK) status = sum_up(out, &t, n);
    }
    dn_free(room);
    dn_free(right);
    return status;
}
