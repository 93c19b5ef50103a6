/* One element in, one element out. All but add's second input may be the same memory as the output. */
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
