/* Softmax over the classes, its logarithm, and leaving classes out. */
#include "core/ops.h"
#include "core/ops/check.h"

static dn_tensor rowwise(dn_program *p, dn_op_kind kind, dn_tensor logits)
{
    if (!dn__check_real(p, kind, &logits, 1) || !dn__check_rank(p, kind, logits, 2)) return DN_NONE;
    return dn__map(p, dn__op(kind, &logits, 1), 0);
}

/* The gradient from (dy, y). */
static void rowwise_grad(dn_program *p, const dn_op *op, dn_op_kind kind)
{
    const dn_tensor inputs[2] = {dn__output_gradient(p, op, 0), {op->out[0]}};
    dn__accumulate(p, op->in[0], dn__map(p, dn__op(kind, inputs, 2), 0));
}

dn_tensor dn_softmax(dn_program *p, dn_tensor logits)
{
    return rowwise(p, DN_OP_SOFTMAX, logits);
}

dn_tensor dn_log_softmax(dn_program *p, dn_tensor logits)
{
    return rowwise(p, DN_OP_LOG_SOFTMAX, logits);
}

void dn__grad_softmax(dn_program *p, const dn_op *op)
{
    rowwise_grad(p, op, DN_OP_SOFTMAX_GRAD);
}

void dn__grad_log_softmax(dn_program *p, const dn_op *op)
{
    rowwise_grad(p, op, DN_OP_LOG_SOFTMAX_GRAD);
}

dn_tensor dn_mask_logits(dn_program *p, dn_tensor logits, dn_tensor mask)
{
    const dn_op_kind kind = DN_OP_MASK_LOGITS;
    const dn_tensor inputs[2] = {logits, mask};
    if (!dn__check_real(p, kind, &logits, 1) || !dn__check_rank(p, kind, logits, 2)) return DN_NONE;
    if (!dn__check_dtype(p, kind, mask, DN_U8)) return DN_NONE;
    if (!dn__check_vector(p, kind, mask, dn__channels(p, logits))) return DN_NONE;
    return dn__map(p, dn__op(kind, inputs, 2), 0);
}

void dn__grad_mask_logits(dn_program *p, const dn_op *op)
{
    const dn_tensor inputs[2] = {dn__output_gradient(p, op, 0), {op->in[1]}};
    dn__accumulate(p, op->in[0], dn__map(p, dn__op(DN_OP_MASK_LOGITS_GRAD, inputs, 2), 0));
}

DN__NO_GRADIENT(softmax_grad)
DN__NO_GRADIENT(log_softmax_grad)
DN__NO_GRADIENT(mask_logits_grad)
