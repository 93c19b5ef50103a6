/* What losses are made of. All work on logits, in log space, so that saturated rows stay finite. */
#include "core/ops.h"
#include "core/ops/check.h"

static bool check_logits(dn_program *p, dn_op_kind kind, dn_tensor logits)
{
    return dn__check_real(p, kind, &logits, 1) && dn__check_rank(p, kind, logits, 2);
}

static dn_tensor with_labels(dn_program *p, dn_op_kind kind, dn_tensor logits, dn_tensor labels)
{
    if (!check_logits(p, kind, logits) || !dn__check_dtype(p, kind, labels, DN_I32)) return DN_NONE;
    if (!dn__check_vector(p, kind, labels, dn__info(p, logits)->shape.dim[0])) return DN_NONE;
    const dn_tensor inputs[2] = {logits, labels};
    dn_op op = dn__op(kind, inputs, 2);
    dn__output(p, &op, 0, DN_SHAPE(1), dn__all_shared(p, inputs, 2));
    return dn__append(p, op);
}

dn_tensor dn_cross_entropy(dn_program *p, dn_tensor logits, dn_tensor labels)
{
    return with_labels(p, DN_OP_CROSS_ENTROPY, logits, labels);
}

void dn__grad_cross_entropy(dn_program *p, const dn_op *op)
{
    const dn_tensor inputs[3] = {dn__output_gradient(p, op, 0), {op->in[0]}, {op->in[1]}};
    dn__accumulate(p, op->in[0], dn__map(p, dn__op(DN_OP_CROSS_ENTROPY_GRAD, inputs, 3), 1));
}

dn_tensor dn_accuracy(dn_program *p, dn_tensor logits, dn_tensor labels)
{
    const dn_tensor t = with_labels(p, DN_OP_ACCURACY, logits, labels);
    if (!dn_is_none(t)) dn__info(p, t)->wants_gradient = false;
    return t;
}

dn_tensor dn_entropy(dn_program *p, dn_tensor logits)
{
    if (!check_logits(p, DN_OP_ENTROPY, logits)) return DN_NONE;
    dn_op op = dn__op(DN_OP_ENTROPY, &logits, 1);
    dn__output(p, &op, 0, DN_SHAPE(dn__info(p, logits)->shape.dim[0]), dn__info(p, logits)->shared);
    return dn__append(p, op);
}

void dn__grad_entropy(dn_program *p, const dn_op *op)
{
    const dn_tensor inputs[2] = {dn__output_gradient(p, op, 0), {op->in[0]}};
    dn__accumulate(p, op->in[0], dn__map(p, dn__op(DN_OP_ENTROPY_GRAD, inputs, 2), 1));
}

dn_tensor dn_mutual_information(dn_program *p, dn_tensor logits)
{
    if (!check_logits(p, DN_OP_MUTUAL_INFORMATION, logits)) return DN_NONE;
    if (dn__info(p, logits)->shared)
        return dn_program_fail(p, DN_ERROR_SHAPE,
                               "mutual_information: the logits are shared, every member must have its own");
    dn_op op = dn__op(DN_OP_MUTUAL_INFORMATION, &logits, 1);
    dn__output(p, &op, 0, DN_SHAPE(dn__info(p, logits)->shape.dim[0]), true);
    return dn__append(p, op);
}

void dn__grad_mutual_information(dn_program *p, const dn_op *op)
{
    const dn_tensor inputs[2] = {dn__output_gradient(p, op, 0), {op->in[0]}};
    dn__accumulate(p, op->in[0], dn__map(p, dn__op(DN_OP_MUTUAL_INFORMATION_GRAD, inputs, 2), 1));
}

dn_tensor dn_sum_squares(dn_program *p, dn_tensor x)
{
    if (!dn__check_real(p, DN_OP_SUM_SQUARES, &x, 1)) return DN_NONE;
    dn_op op = dn__op(DN_OP_SUM_SQUARES, &x, 1);
    dn__output(p, &op, 0, DN_SHAPE(1), dn__info(p, x)->shared);
    return dn__append(p, op);
}

void dn__grad_sum_squares(dn_program *p, const dn_op *op)
{
    dn__accumulate(p, op->in[0], dn_scale(p, (dn_tensor){op->in[0]}, 2.0, dn__output_gradient(p, op, 0)));
}

DN__NO_GRADIENT(cross_entropy_grad)
DN__NO_GRADIENT(accuracy)
DN__NO_GRADIENT(entropy_grad)
DN__NO_GRADIENT(mutual_information_grad)
