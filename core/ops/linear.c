/* The dense layer: y[n,k] = b[k] + sum over c of x[n,c] w[k,c]. */
#include "core/ops.h"
#include "core/ops/check.h"

bool dn__check_affine(dn_program *p, dn_op_kind kind, const dn_tensor *inputs, int count)
{
    return dn__check_activations(p, kind, inputs, 2) && (count < 3 || dn__check_real(p, kind, inputs + 2, 1));
}

dn_tensor dn_linear(dn_program *p, dn_tensor x, dn_tensor w, dn_tensor bias, bool relu)
{
    if (!dn__ready(p, &x, 1)) return DN_NONE;
    if (dn__info(p, x)->shape.rank > 2) x = dn_flatten(p, x);
    const dn_tensor inputs[3] = {x, w, bias};
    const int count = dn_is_none(bias) ? 2 : 3;
    if (!dn__check_affine(p, DN_OP_LINEAR, inputs, count)) return DN_NONE;
    if (!dn__check_rank(p, DN_OP_LINEAR, x, 2) || !dn__check_rank(p, DN_OP_LINEAR, w, 2)) return DN_NONE;
    const int64_t *in = dn__info(p, x)->shape.dim, *weight = dn__info(p, w)->shape.dim;
    char one[64], other[64];
    if (in[1] != weight[1])
        return dn_program_fail(p, DN_ERROR_SHAPE, "linear: rows %s [N,C] and weights %s [K,C] differ in C",
                               dn_shape_text(&dn__info(p, x)->shape, one),
                               dn_shape_text(&dn__info(p, w)->shape, other));
    if (count == 3 && !dn__check_vector(p, DN_OP_LINEAR, bias, weight[0])) return DN_NONE;
    dn_op op = dn__op(DN_OP_LINEAR, inputs, count);
    op.args.conv.relu = relu;
    dn__activation(p, &op, 0, DN_SHAPE(in[0], weight[0]), dn__all_shared(p, inputs, count));
    return dn__append(p, op);
}

/* dx from (dy, w); dw and db from (x, dy): for convolutions and dense layers alike. */
void dn__grad_affine(dn_program *p, const dn_op *op, dn_op_kind data_grad, dn_op_kind weight_grad)
{
    const dn_tensor x = {op->in[0]}, w = {op->in[1]}, y = {op->out[0]};
    dn_tensor dy = dn__output_gradient(p, op, 0);
    if (op->args.conv.relu) dy = dn__relu_grad(p, dy, y);
    if (dn_is_none(dy)) return;
    const bool one = dn__info(p, dy)->shared;
    const bool wants_bias = dn__input_wants(p, op, 2);
    if (dn__input_wants(p, op, 1) || wants_bias) { /* one kernel makes both */
        const dn_tensor inputs[2] = {x, dy};
        dn_op grad = dn__op(weight_grad, inputs, 2);
        grad.args = op->args;
        dn__output(p, &grad, 0, dn__info(p, w)->shape, one);
        if (wants_bias) dn__output(p, &grad, 1, p->tensors[op->in[2]].shape, one);
        dn__append(p, grad);
        if (dn__input_wants(p, op, 1)) dn__accumulate(p, op->in[1], (dn_tensor){grad.out[0]});
        if (wants_bias) dn__accumulate(p, op->in[2], (dn_tensor){grad.out[1]});
    }
    if (dn__input_wants(p, op, 0)) {
        const dn_tensor inputs[2] = {dy, w};
        dn_op grad = dn__op(data_grad, inputs, 2);
        grad.args = op->args;
        dn__activation(p, &grad, 0, dn__info(p, x)->shape, one && dn__info(p, w)->shared);
        dn__accumulate(p, op->in[0], dn__append(p, grad));
    }
}

void dn__grad_linear(dn_program *p, const dn_op *op)
{
    dn__grad_affine(p, op, DN_OP_LINEAR_DATA_GRAD, DN_OP_LINEAR_WEIGHT_GRAD);
}

DN__NO_GRADIENT(linear_data_grad)
DN__NO_GRADIENT(linear_weight_grad)
