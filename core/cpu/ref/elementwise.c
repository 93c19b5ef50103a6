/* One element in, one element out. All but add's second input may be the same memory as the output. */
#include <math.h>
#include <string.h>

#include "core/cpu/ref/ref.h"

/* Written so that a NaN stays one. */
void REF(relu)(const dn_call *call)
{
    const real *x = call->in[0]; /* [n] */
    real *y = call->out[0];      /* [n] */
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) y[i] = x[i] <= 0 ? 0 : x[i];
}

void REF(relu_grad)(const dn_call *call)
{
    const real *dy = call->in[0], *y = call->in[1]; /* [n] */
    real *dx = call->out[0];                        /* [n] */
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

void REF(clamp)(const dn_call *call)
{
    const real low = (real)call->op->args.scalar.low, high = (real)call->op->args.scalar.high;
    const real *x = call->in[0]; /* [n] */
    real *y = call->out[0];      /* [n] */
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}

void REF(clamp_grad)(const dn_call *call)
{
    const real low = (real)call->op->args.scalar.low, high = (real)call->op->args.scalar.high;
    const real *dy = call->in[0], *x = call->in[1]; /* [n] */
    real *dx = call->out[0];                        /* [n] */
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) dx[i] = low <= x[i] && x[i] <= high ? dy[i] : 0;
}

void REF(add)(const dn_call *call)
{
    const real *a = call->in[0], *b = call->in[1]; /* [n] */
    real *y = call->out[0];                        /* [n] */
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) y[i] = a[i] + b[i];
}

void REF(scale)(const dn_call *call)
{
    const real *x = call->in[0], *scalar = call->in[1]; /* [n], [1] */
    real *y = call->out[0];                             /* [n] */
    const real factor = (real)(call->op->args.scalar.factor * (scalar ? scalar[0] : 1));
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) y[i] = x[i] * factor;
}

void REF(fill)(const dn_call *call)
{
    real *y = call->out[0]; /* [n] */
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) y[i] = (real)call->op->args.scalar.factor;
}

/* bf16 is the upper half of a float, rounded to nearest, ties to even; a NaN becomes 0x7fff. */
static uint16_t to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return isnan(x) ? 0x7fff : (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static float from_bf16(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

void REF(cast)(const dn_call *call)
{
    const dn_dtype from = call->in_info[0]->dtype, to = call->out_info[0]->dtype;
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) {
        const double x = from == DN_F64   ? ((const double *)call->in[0])[i]
                         : from == DN_F32 ? ((const float *)call->in[0])[i]
                                          : from_bf16(((const uint16_t *)call->in[0])[i]);
        if (to == DN_F64)
            ((double *)call->out[0])[i] = x;
        else if (to == DN_F32)
            ((float *)call->out[0])[i] = (float)x;
        else
            ((uint16_t *)call->out[0])[i] = to_bf16((float)x);
    }
}

void REF(mask_logits)(const dn_call *call)
{
    const real *x = call->in[0];       /* [N,C] */
    const uint8_t *mask = call->in[1]; /* [C] */
    real *y = call->out[0];            /* [N,C] */
    const int64_t classes = last_of(call->in_info[0]);
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) y[i] = mask[i % classes] ? x[i] : (real)-1e30;
}

void REF(mask_logits_grad)(const dn_call *call)
{
    const real *dy = call->in[0];      /* [N,C] */
    const uint8_t *mask = call->in[1]; /* [C] */
    real *dx = call->out[0];           /* [N,C] */
    const int64_t classes = last_of(call->in_info[0]);
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) dx[i] = mask[i % classes] ? dy[i] : 0;
}
