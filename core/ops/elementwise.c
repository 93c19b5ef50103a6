/* Ops that work on each element by itself. */
#include "core/ops.h"
#include "core/ops/check.h"

dn_tensor dn_relu(dn_program *p, dn_tensor x)
{
    if (!dn__check_activations(p, DN_OP_RELU, &x, 1)) return DN_NONE;
    return dn__map(p, dn__op(DN_OP_RELU, &x, 1), 0);
}

dn_tensor dn__relu_grad(dn_program *p, dn_tensor dy, dn_tensor y)
{
    const dn_tensor inputs[2] = {dy, y};
    return dn__ready(p, inputs, 2) ? dn__map(p, dn__op(DN_OP_RELU_GRAD, inputs, 2), 0) : DN_NONE;
}

void dn__grad_relu(dn_program *p, const dn_op *op)
{
    dn__accumulate(p, op->in[0], dn__relu_grad(p, dn__output_gradient(p, op, 0), (dn_tensor){op->out[0]}));
}

dn_tensor dn_clamp(dn_program *p, dn_tensor x, double low, double high)
{
    if (!dn__check_activations(p, DN_OP_CLAMP, &x, 1)) return DN_NONE;
    if (!(low <= high)) return dn_program_fail(p, DN_ERROR_ARGUMENT, "clamp: bounds %g and %g", low, high);
    dn_op op = dn__op(DN_OP_CLAMP, &x, 1);
    op.args.scalar.low = low;
    op.args.scalar.high = high;
    return dn__map(p, op, 0);
}

void dn__grad_clamp(dn_program *p, const dn_op *op)
{
    const dn_tensor inputs[2] = {dn__output_gradient(p, op, 0), {op->in[0]}};
    dn_op grad = dn__op(DN_OP_CLAMP_GRAD, inputs, 2);
    grad.args = op->args;
    dn__accumulate(p, op->in[0], dn__map(p, grad, 0));
}

dn_tensor dn_add(dn_program *p, dn_tensor a, dn_tensor b)
{
    /* The in-place input must be one with a copy for each member if the result has one. */
    const bool swap = dn__ready(p, (const dn_tensor[2]){a, b}, 2) && dn__info(p, a)->shared && !dn__info(p, b)->shared;
    const dn_tensor inputs[2] = {swap ? b : a, swap ? a : b};
    if (!dn__check_activations(p, DN_OP_ADD, inputs, 2) || !dn__check_same_shape(p, DN_OP_ADD, a, b)) return DN_NONE;
    return dn__map(p, dn__op(DN_OP_ADD, inputs, 2), 0);
}

void dn__grad_add(dn_program *p, const dn_op *op)
{
    for (int i = 0; i < 2; i++)
        if (dn__input_wants(p, op, i)) dn__accumulate(p, op->in[i], dn__output_gradient(p, op, 0));
}

dn_tensor dn_scale(dn_program *p, dn_tensor x, double factor, dn_tensor scalar)
{
    const dn_tensor inputs[2] = {x, scalar};
    const int count = dn_is_none(scalar) ? 1 : 2;
    if (!dn__check_activations(p, DN_OP_SCALE, inputs, 1)) return DN_NONE;
    if (count == 2 && !dn__check_real(p, DN_OP_SCALE, &scalar, 1)) return DN_NONE;
    if (count == 2 && !dn__check_vector(p, DN_OP_SCALE, scalar, 1)) return DN_NONE;
    dn_op op = dn__op(DN_OP_SCALE, inputs, count);
    op.args.scalar.factor = factor;
    return dn__map(p, op, 0);
}

void dn__grad_scale(dn_program *p, const dn_op *op)
{
    if (dn__input_wants(p, op, 1)) {
        dn_program_fail(p, DN_ERROR_UNSUPPORTED,
                        "scale: no gradient flows to the scalar; stop it with dn_stop_gradient");
        return;
    }
    const dn_tensor dy = dn__output_gradient(p, op, 0);
    dn__accumulate(p, op->in[0], dn_scale(p, dy, op->args.scalar.factor, (dn_tensor){op->in[1]}));
}

dn_tensor dn_cast(dn_program *p, dn_tensor x, dn_dtype dtype)
{
    if (!dn__check_activations(p, DN_OP_CAST, &x, 1)) return DN_NONE;
    if (dtype != p->real && dtype != DN_BF16)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "cast: to %s, but the program computes in %s and bf16",
                               dn_dtype_name(dtype), dn_dtype_name(p->real));
    dn_op op = dn__op(DN_OP_CAST, &x, 1);
    op.out[0] = dn__temporary(p, dtype, dn__info(p, x)->shape, dn__info(p, x)->shared).id;
    return dn__append(p, op);
}

/* The gradient of bf16 weights comes in program precision already. */
void dn__grad_cast(dn_program *p, const dn_op *op)
{
    const dn_tensor dy = dn__output_gradient(p, op, 0);
    const dn_dtype wanted = p->tensors[op->in[0]].dtype;
    dn__accumulate(p, op->in[0], dn__info(p, dy)->dtype == wanted ? dy : dn_cast(p, dy, wanted));
}

dn_tensor dn_dropout(dn_program *p, dn_tensor x, double rate)
{
    if (!dn__check_activations(p, DN_OP_DROPOUT, &x, 1)) return DN_NONE;
    if (!(rate >= 0.0 && rate < 1.0))
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "dropout: rate %g, it must be at least 0 and below 1", rate);
    if (rate == 0.0) return x;
    dn_op op = dn__op(DN_OP_DROPOUT, (const dn_tensor[2]){x, dn_step(p)}, 2);
    op.args.random.stream = p->next_stream++;
    op.args.random.rate = (float)rate;
    return dn__map(p, op, 0);
}

/* The same zeros, drawn again. */
void dn__grad_dropout(dn_program *p, const dn_op *op)
{
    const dn_tensor inputs[2] = {dn__output_gradient(p, op, 0), {op->in[1]}};
    dn_op grad = dn__op(DN_OP_DROPOUT, inputs, 2);
    grad.args = op->args;
    dn__accumulate(p, op->in[0], dn__map(p, grad, 0));
}

DN__NO_GRADIENT(relu_grad)
DN__NO_GRADIENT(clamp_grad)
