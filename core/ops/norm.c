/* Batch normalisation: y = scale (x - mean) / sqrt(variance + epsilon) + shift, by channel (the last dimension).
 * Source: Ioffe and Szegedy, ICML 2015. */
#include "core/ops.h"
#include "core/ops/check.h"

static dn_tensor normalise(dn_program *p, dn_op_kind kind, const dn_tensor inputs[5], dn_norm_options options)
{
    if (!dn__check_activations(p, kind, inputs, 1) || !dn__check_real(p, kind, inputs + 1, 4)) return DN_NONE;
    for (int i = 1; i < 5; i++)
        if (!dn__check_vector(p, kind, inputs[i], dn__channels(p, inputs[0]))) return DN_NONE;
    dn_op op = dn__op(kind, inputs, 5);
    op.args.norm.epsilon = options.epsilon;
    op.args.norm.decay = options.decay;
    op.args.norm.relu = options.relu;
    op.args.norm.unbiased = options.unbiased;
    const dn_shape channels = DN_SHAPE(dn__channels(p, inputs[0]));
    dn__activation(p, &op, 0, dn__info(p, inputs[0])->shape, false);
    if (kind == DN_OP_BATCH_NORM) {
        dn__output(p, &op, 1, channels, false); /* the batch's mean */
        dn__output(p, &op, 2, channels, false); /* 1 / sqrt(variance + epsilon) */
        op.out[3] = inputs[3].id;               /* the moving statistics, in place */
        op.out[4] = inputs[4].id;
    }
    return dn__append(p, op);
}

dn_tensor dn_batch_norm(dn_program *p, dn_tensor x, dn_tensor scale, dn_tensor shift, dn_tensor mean,
                        dn_tensor variance, dn_norm_options options)
{
    const dn_tensor inputs[5] = {x, scale, shift, mean, variance};
    return normalise(p, DN_OP_BATCH_NORM, inputs, options);
}

dn_tensor dn_batch_norm_infer(dn_program *p, dn_tensor x, dn_tensor scale, dn_tensor shift, dn_tensor mean,
                              dn_tensor variance, dn_norm_options options)
{
    const dn_tensor inputs[5] = {x, scale, shift, mean, variance};
    return normalise(p, DN_OP_BATCH_NORM_INFER, inputs, options);
}

/* (dy, x, scale, shift, mean, statistic) -> dx?, dscale?, dshift? */
static void norm_grad(dn_program *p, const dn_op *op, dn_op_kind kind, int mean, int statistic)
{
    const dn_tensor inputs[6] = {
        dn__output_gradient(p, op, 0), {op->in[0]}, {op->in[1]}, {op->in[2]}, {mean}, {statistic}};
    dn_op grad = dn__op(kind, inputs, 6);
    grad.args = op->args;
    if (dn__input_wants(p, op, 0)) dn__activation(p, &grad, 0, p->tensors[op->in[0]].shape, false);
    for (int i = 1; i < 3; i++)
        if (dn__input_wants(p, op, i)) dn__output(p, &grad, i, p->tensors[op->in[i]].shape, false);
    dn__append(p, grad);
    for (int i = 0; i < 3; i++)
        if (grad.out[i] >= 0) dn__accumulate(p, op->in[i], (dn_tensor){grad.out[i]});
}

void dn__grad_batch_norm(dn_program *p, const dn_op *op)
{
    norm_grad(p, op, DN_OP_BATCH_NORM_GRAD, op->out[1], op->out[2]);
}

void dn__grad_batch_norm_infer(dn_program *p, const dn_op *op)
{
    norm_grad(p, op, DN_OP_BATCH_NORM_INFER_GRAD, op->in[3], op->in[4]);
}

DN__NO_GRADIENT(batch_norm_grad)
DN__NO_GRADIENT(batch_norm_infer_grad)
