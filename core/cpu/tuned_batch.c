/* Making a batch: gather and per-image standardization, images over threads. */
#include <math.h>
#include <string.h>

#include "core/cpu/tuned.h"

DN_CLONES static void to_float(float *y, const uint8_t *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) y[i] = (float)x[i] / 255;
}

/* Row i is data row index[i]; an index outside of the data gives NaN or the label -1. */
static void gather_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context, (void)part;
    const dn_tensor_info *data = call->in_info[0];
    const int64_t rows = data->shape.dim[0], row = dn__count(data) / rows;
    const size_t size = dn_dtype_size(data->dtype);
    const int32_t *index = call->in[1]; /* [N] */
    for (int64_t i = first; i < last; i++) {
        const bool inside = index[i] >= 0 && index[i] < rows;
        float *out = (float *)call->out[0] + i * row; /* i32 has the same size */
        const char *from = (const char *)call->in[0] + (size_t)((inside ? index[i] : 0) * row) * size;
        if (inside && data->dtype == DN_U8)
            to_float(out, (const uint8_t *)from, row);
        else if (inside)
            memcpy(out, from, (size_t)row * size);
        else if (data->dtype == DN_I32)
            memset(out, 0xff, (size_t)row * size);
        else
            for (int64_t j = 0; j < row; j++) out[j] = NAN;
    }
}

void dn__tuned_gather(const dn_call *call)
{
    const int64_t rows = dn__count(call->in_info[1]);
    dn__split(call, rows, dn__count(call->out_info[0]) / rows, gather_part, NULL);
}

/* Sums in double: images are small, and a constant one must come out as zeros. */
DN_CLONES static void standardize_image(float *y, const float *x, int64_t n)
{
    double sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += x[i];
    const double mean = sum / (double)n;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    const double deviation = sqrt(squares / (double)n), least = 1 / sqrt((double)n);
    const double factor = 1 / (deviation > least ? deviation : least);
    for (int64_t i = 0; i < n; i++) y[i] = (float)((x[i] - mean) * factor);
}

/* The same for its gradient: what is left after the subtractions may be small. */
DN_CLONES static void standardize_image_grad(float *dx, const float *dy, const float *x, int64_t n)
{
    double sum = 0, squares = 0, sum_dy = 0, product = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += x[i];
    const double mean = sum / (double)n;
#pragma omp simd reduction(+ : squares, sum_dy, product)
    for (int64_t i = 0; i < n; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
        sum_dy += dy[i];
        product += dy[i] * (x[i] - mean);
    }
    const double deviation = sqrt(squares / (double)n), least = 1 / sqrt((double)n);
    const double factor = 1 / (deviation > least ? deviation : least), mean_dy = sum_dy / (double)n;
    const double slope = deviation > least ? product / (double)n * factor * factor : 0;
    for (int64_t i = 0; i < n; i++) dx[i] = (float)((dy[i] - mean_dy - (x[i] - mean) * slope) * factor);
}

static void standardize_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const int64_t n = *(const int64_t *)context;
    for (int64_t i = first; i < last; i++)
        standardize_image((float *)call->out[0] + i * n, (const float *)call->in[0] + i * n, n);
}

void dn__tuned_standardize(const dn_call *call)
{
    const int64_t images = call->in_info[0]->shape.dim[0];
    int64_t n = dn__count(call->in_info[0]) / images;
    dn__split(call, images, n, standardize_part, &n);
}

static void standardize_grad_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const int64_t n = *(const int64_t *)context;
    for (int64_t i = first; i < last; i++)
        standardize_image_grad((float *)call->out[0] + i * n, (const float *)call->in[0] + i * n,
                               (const float *)call->in[1] + i * n, n);
}

void dn__tuned_standardize_grad(const dn_call *call)
{
    const int64_t images = call->in_info[0]->shape.dim[0];
    int64_t n = dn__count(call->in_info[0]) / images;
    dn__split(call, images, n, standardize_grad_part, &n);
}
