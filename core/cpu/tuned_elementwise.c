/* Elementwise kernels: bound by memory, one pass over the operands. `omp simd` because input and output may be the same
 * memory, which the compiler would otherwise test for and then do one element at a time. */
#include <string.h>

#include "core/cpu/tuned.h"

DN_CLONES static void relu_loop(float *y, const float *x, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = x[i] <= 0 ? 0 : x[i];
}

static void relu_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context, (void)part;
    relu_loop((float *)call->out[0] + first, (const float *)call->in[0] + first, last - first);
}

void dn__tuned_relu(const dn_call *call)
{
    dn__split(call, dn__count(call->out_info[0]), 1, relu_part, NULL);
}

DN_CLONES static void relu_grad_loop(float *dx, const float *dy, const float *y, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

static void relu_grad_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context, (void)part;
    relu_grad_loop((float *)call->out[0] + first, (const float *)call->in[0] + first,
                   (const float *)call->in[1] + first, last - first);
}

void dn__tuned_relu_grad(const dn_call *call)
{
    dn__split(call, dn__count(call->out_info[0]), 1, relu_grad_part, NULL);
}

DN_CLONES static void add_loop(float *y, const float *a, const float *b, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

static void add_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context, (void)part;
    add_loop((float *)call->out[0] + first, (const float *)call->in[0] + first, (const float *)call->in[1] + first,
             last - first);
}

void dn__tuned_add(const dn_call *call)
{
    dn__split(call, dn__count(call->out_info[0]), 1, add_part, NULL);
}

DN_CLONES static void scale_loop(float *y, const float *x, float factor, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = x[i] * factor;
}

static void scale_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context, (void)part;
    const float *scalar = call->in[1]; /* [1] */
    const float factor = (float)(call->op->args.scalar.factor * (scalar ? scalar[0] : 1));
    scale_loop((float *)call->out[0] + first, (const float *)call->in[0] + first, factor, last - first);
}

void dn__tuned_scale(const dn_call *call)
{
    dn__split(call, dn__count(call->out_info[0]), 1, scale_part, NULL);
}

static void copy_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context, (void)part;
    memmove((char *)call->out[0] + first, (const char *)call->in[0] + first, (size_t)(last - first));
}

void dn__tuned_copy(const dn_call *call)
{
    dn__split(call, (int64_t)dn__bytes(call->out_info[0]), 1, copy_part, NULL);
}
