/* Pooling over windows of [N,H,W,C]. */
#include "core/ops.h"
#include "core/ops/check.h"

static bool check_window(dn_program *p, dn_op_kind kind, dn_tensor x, const int kernel[2], int stride, int padding)
{
    if (!dn__check_activations(p, kind, &x, 1) || !dn__check_rank(p, kind, x, 4)) return false;
    const int64_t *in = dn__info(p, x)->shape.dim;
    char text[64];
    const bool fits = kernel[0] >= 1 && kernel[1] >= 1 && stride >= 1 && padding >= 0 && padding < kernel[0] &&
                      padding < kernel[1] && kernel[0] <= in[1] + 2 * padding && kernel[1] <= in[2] + 2 * padding;
    if (!fits || (kind == DN_OP_MAX_POOL && kernel[0] * kernel[1] > 255)) {
        dn_program_fail(p, DN_ERROR_SHAPE, "%s: a window %dx%d with stride %d, padding %d does not fit images %s",
                        dn_op_name(kind), kernel[0], kernel[1], stride, padding,
                        dn_shape_text(&dn__info(p, x)->shape, text));
        return false;
    }
    return true;
}

static dn_tensor pool(dn_program *p, dn_op_kind kind, dn_tensor x, const int kernel[2], int stride, int padding)
{
    if (!check_window(p, kind, x, kernel, stride, padding)) return DN_NONE;
    const int64_t *in = dn__info(p, x)->shape.dim;
    dn_op op = dn__op(kind, &x, 1);
    op.args.pool.kernel[0] = kernel[0];
    op.args.pool.kernel[1] = kernel[1];
    op.args.pool.stride = stride;
    op.args.pool.padding = padding;
    const dn_shape out = DN_SHAPE(in[0], (in[1] + 2 * padding - kernel[0]) / stride + 1,
                                  (in[2] + 2 * padding - kernel[1]) / stride + 1, in[3]);
    const bool shared = dn__info(p, x)->shared;
    dn__activation(p, &op, 0, out, shared);
    if (kind == DN_OP_MAX_POOL) op.out[1] = dn__temporary(p, DN_U8, out, shared).id;
    return dn__append(p, op);
}

dn_tensor dn_max_pool(dn_program *p, dn_tensor x, int kernel, int stride, int padding)
{
    return pool(p, DN_OP_MAX_POOL, x, (const int[2]){kernel, kernel}, stride, padding);
}

dn_tensor dn_average_pool(dn_program *p, dn_tensor x, int kernel, int stride, int padding)
{
    return pool(p, DN_OP_AVERAGE_POOL, x, (const int[2]){kernel, kernel}, stride, padding);
}

dn_tensor dn_global_average_pool(dn_program *p, dn_tensor x)
{
    if (!dn__ready(p, &x, 1) || !dn__check_rank(p, DN_OP_AVERAGE_POOL, x, 4)) return DN_NONE;
    const int64_t *in = dn__info(p, x)->shape.dim;
    return dn_flatten(p, pool(p, DN_OP_AVERAGE_POOL, x, (const int[2]){(int)in[1], (int)in[2]}, 1, 0));
}

static void pool_grad(dn_program *p, const dn_op *op, dn_op_kind kind)
{
    const dn_tensor dy = dn__output_gradient(p, op, 0);
    const dn_tensor inputs[2] = {dy, {op->out[1]}};
    dn_op grad = dn__op(kind, inputs, op->out[1] >= 0 ? 2 : 1);
    grad.args = op->args;
    dn__activation(p, &grad, 0, p->tensors[op->in[0]].shape, dn__info(p, dy)->shared);
    dn__accumulate(p, op->in[0], dn__append(p, grad));
}

void dn__grad_max_pool(dn_program *p, const dn_op *op)
{
    pool_grad(p, op, DN_OP_MAX_POOL_GRAD);
}

void dn__grad_average_pool(dn_program *p, const dn_op *op)
{
    pool_grad(p, op, DN_OP_AVERAGE_POOL_GRAD);
}

DN__NO_GRADIENT(max_pool_grad)
DN__NO_GRADIENT(average_pool_grad)
