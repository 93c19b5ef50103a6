/* Making a batch: which examples, and their values. */
#include <math.h>
#include <string.h>

#include "core/cpu/ref/ref.h"
#include "core/random.h"

void REF(indices)(const dn_call *call)
{
    const int64_t step = *(const int32_t *)call->in[0], n = count_of(call->out_info[0]);
    const int32_t *pool = call->in[1], *pool_size = call->in[2]; /* pool: [capacity], pool_size: [1] */
    const int64_t all = pool ? pool_size ? pool_size[0] : count_of(call->in_info[1]) : call->op->args.random.count;
    const int64_t choices = all > 0 ? all : 1;
    const uint32_t stream = call->op->args.random.stream, member = (uint32_t)call->member;
    int32_t *out = call->out[0]; /* [n] */
    for (int64_t i = 0; i < n; i++) {
        const uint32_t index =
            dn_random_item(i, n, step, (uint32_t)choices, call->op->args.random.replace, call->seed, stream, member);
        out[i] = pool ? pool[index] : (int32_t)index;
    }
}

/* An index outside of the data gives NaN or the label -1: seen by the loss, never read. */
void REF(gather)(const dn_call *call)
{
    const dn_tensor_info *data = call->in_info[0];
    const int64_t n = count_of(call->in_info[1]), rows = data->shape.dim[0], row = count_of(data) / rows;
    const int32_t *index = call->in[1]; /* [n] */
    const uint8_t *bytes = call->in[0]; /* [rows, row], one of the three types */
    const int32_t *integers = call->in[0];
    const float *floats = call->in[0];
    int32_t *integers_out = call->out[0];
    real *out = call->out[0]; /* [n, row] */
    for (int64_t i = 0; i < n; i++) {
        const bool inside = index[i] >= 0 && index[i] < rows;
        const int64_t from = inside ? index[i] * row : 0;
        for (int64_t j = 0; j < row; j++) {
            const int64_t to = i * row + j;
            if (data->dtype == DN_I32)
                integers_out[to] = inside ? integers[from + j] : -1;
            else if (!inside)
                out[to] = (real)NAN;
            else if (data->dtype == DN_U8)
                out[to] = (real)bytes[from + j] / 255;
            else
                out[to] =
                    data->dtype == DN_F64 ? (real)((const double *)call->in[0])[from + j] : (real)floats[from + j];
        }
    }
}

void REF(standardize)(const dn_call *call)
{
    const int64_t images = call->in_info[0]->shape.dim[0], n = count_of(call->in_info[0]) / images;
    for (int64_t i = 0; i < images; i++) {
        const real *x = (const real *)call->in[0] + i * n; /* [n] */
        real *y = (real *)call->out[0] + i * n;            /* [n] */
        double sum = 0, squares = 0;
        for (int64_t j = 0; j < n; j++) sum += x[j];
        const double mean = sum / (double)n;
        for (int64_t j = 0; j < n; j++) squares += (x[j] - mean) * (x[j] - mean);
        const double deviation = sqrt(squares / (double)n), least = 1 / sqrt((double)n);
        for (int64_t j = 0; j < n; j++) y[j] = (real)((x[j] - mean) / (deviation > least ? deviation : least));
    }
}

/* With y = (x - mean) / s: dx = (dy - mean(dy) - y mean(dy y)) / s, without the last term where s is the constant. */
void REF(standardize_grad)(const dn_call *call)
{
    const int64_t images = call->in_info[0]->shape.dim[0], n = count_of(call->in_info[0]) / images;
    for (int64_t i = 0; i < images; i++) {
        const real *dy = (const real *)call->in[0] + i * n, *x = (const real *)call->in[1] + i * n; /* [n] */
        real *dx = (real *)call->out[0] + i * n;                                                    /* [n] */
        double sum = 0, squares = 0, sum_dy = 0, product = 0;
        for (int64_t j = 0; j < n; j++) sum += x[j];
        const double mean = sum / (double)n;
        for (int64_t j = 0; j < n; j++) {
            squares += (x[j] - mean) * (x[j] - mean);
            sum_dy += dy[j];
            product += dy[j] * (x[j] - mean);
        }
        const double deviation = sqrt(squares / (double)n), least = 1 / sqrt((double)n);
        const double s = deviation > least ? deviation : least;
        const double slope = deviation > least ? product / (double)n / (s * s) : 0;
        for (int64_t j = 0; j < n; j++) dx[j] = (real)((dy[j] - sum_dy / (double)n - (x[j] - mean) * slope) / s);
    }
}

void REF(normalize)(const dn_call *call)
{
    const real *x = call->in[0], *mean = call->in[1], *deviation = call->in[2]; /* [rows,C], [C], [C] */
    real *y = call->out[0];                                                     /* [rows,C] */
    const int64_t channels = last_of(call->in_info[0]), n = count_of(call->in_info[0]);
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean[i % channels]) / deviation[i % channels];
}

void REF(normalize_grad)(const dn_call *call)
{
    const real *dy = call->in[0], *deviation = call->in[1]; /* [rows,C], [C] */
    real *dx = call->out[0];                                /* [rows,C] */
    const int64_t channels = last_of(call->in_info[0]), n = count_of(call->in_info[0]);
    for (int64_t i = 0; i < n; i++) dx[i] = dy[i] / deviation[i % channels];
}
