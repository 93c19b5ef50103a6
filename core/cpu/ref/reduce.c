/* Sums over an axis, over all elements and over members, and their gradients. */
#include "core/cpu/ref/ref.h"

typedef struct axis_split { /* a shape seen as [outer,axis,inner] */
    int64_t outer, axis, inner;
} axis_split;

static axis_split split_of(const dn_shape *shape, int axis)
{
    axis_split s = {1, 1, 1};
    for (int i = 0; i < shape->rank; i++) {
        if (axis < 0 || i == axis)
            s.axis *= shape->dim[i];
        else if (i < axis)
            s.outer *= shape->dim[i];
        else
            s.inner *= shape->dim[i];
    }
    return s;
}

void REF(reduce)(const dn_call *call)
{
    const axis_split s = split_of(&call->in_info[0]->shape, call->op->args.reduce.axis);
    const real *x = call->in[0]; /* [outer,axis,inner] */
    real *y = call->out[0];      /* [outer,inner] */
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
            double sum = 0;
            for (int64_t a = 0; a < s.axis; a++) sum += x[(o * s.axis + a) * s.inner + i];
            y[o * s.inner + i] = (real)(sum * call->op->args.reduce.factor);
        }
}

void REF(broadcast)(const dn_call *call)
{
    const axis_split s = split_of(&call->out_info[0]->shape, call->op->args.reduce.axis);
    const real *dy = call->in[0]; /* [outer,inner] */
    real *dx = call->out[0];      /* [outer,axis,inner] */
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t a = 0; a < s.axis; a++)
            for (int64_t i = 0; i < s.inner; i++)
                dx[(o * s.axis + a) * s.inner + i] = (real)(dy[o * s.inner + i] * call->op->args.reduce.factor);
}

void REF(sum_members)(const dn_call *call)
{
    real *y = call->out[0]; /* [n], shared */
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) {
        double sum = 0;
        for (int e = 0; e < call->members; e++) sum += ((const real *)member_in(call, 0, e))[i];
        y[i] = (real)(sum * call->op->args.scalar.factor);
    }
}

void REF(spread_members)(const dn_call *call)
{
    const real *x = call->in[0]; /* [n], shared */
    real *y = call->out[0];      /* [n] of this member */
    for (int64_t i = 0; i < count_of(call->out_info[0]); i++) y[i] = (real)(x[i] * call->op->args.scalar.factor);
}

void REF(sum_squares)(const dn_call *call)
{
    const real *x = call->in[0]; /* [n] */
    double sum = 0;
    for (int64_t i = 0; i < count_of(call->in_info[0]); i++) sum += (double)x[i] * x[i];
    *(real *)call->out[0] = (real)sum;
}
