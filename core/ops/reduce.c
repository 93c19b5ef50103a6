/* Sums and means over dimensions and over members. */
#include "core/ops.h"
#include "core/ops/check.h"

static dn_tensor reduce(dn_program *p, dn_tensor x, int axis, bool mean)
{
    if (!dn__check_real(p, DN_OP_REDUCE, &x, 1)) return DN_NONE;
    const dn_shape *from = &dn__info(p, x)->shape;
    if (axis < DN_ALL_AXES || axis >= from->rank)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "reduce: axis %d of a tensor with %d dimensions", axis,
                               from->rank);
    dn_shape shape = {.rank = 0};
    for (int i = 0; i < from->rank && axis != DN_ALL_AXES; i++)
        if (i != axis) shape.dim[shape.rank++] = from->dim[i];
    if (shape.rank == 0) shape = DN_SHAPE(1);
    dn_op op = dn__op(DN_OP_REDUCE, &x, 1);
    op.args.reduce.axis = axis;
    op.args.reduce.factor = !mean ? 1.0 : 1.0 / (double)(axis == DN_ALL_AXES ? dn_shape_count(from) : from->dim[axis]);
    dn__output(p, &op, 0, shape, dn__info(p, x)->shared);
    return dn__append(p, op);
}

dn_tensor dn_sum(dn_program *p, dn_tensor x, int axis)
{
    return reduce(p, x, axis, false);
}

dn_tensor dn_mean(dn_program *p, dn_tensor x, int axis)
{
    return reduce(p, x, axis, true);
}

void dn__grad_reduce(dn_program *p, const dn_op *op)
{
    const dn_tensor dy = dn__output_gradient(p, op, 0);
    dn_op grad = dn__op(DN_OP_BROADCAST, &dy, 1);
    grad.args = op->args;
    dn__output(p, &grad, 0, p->tensors[op->in[0]].shape, dn__info(p, dy)->shared);
    dn__accumulate(p, op->in[0], dn__append(p, grad));
}

static dn_tensor across_members(dn_program *p, dn_op_kind kind, dn_tensor x, double factor)
{
    if (!dn__check_real(p, kind, &x, 1)) return DN_NONE;
    const bool to_shared = kind == DN_OP_SUM_MEMBERS;
    if (dn__info(p, x)->shared == to_shared)
        return dn_program_fail(p, DN_ERROR_SHAPE, "%s: its input %s", dn_op_name(kind),
                               to_shared ? "is shared by the members already" : "has a copy for each member already");
    dn_op op = dn__op(kind, &x, 1);
    op.args.scalar.factor = factor;
    dn__output(p, &op, 0, dn__info(p, x)->shape, to_shared);
    return dn__append(p, op);
}

dn_tensor dn_sum_members(dn_program *p, dn_tensor x)
{
    return across_members(p, DN_OP_SUM_MEMBERS, x, 1.0);
}

dn_tensor dn_mean_members(dn_program *p, dn_tensor x)
{
    return p ? across_members(p, DN_OP_SUM_MEMBERS, x, 1.0 / p->members) : DN_NONE;
}

dn_tensor dn_spread_members(dn_program *p, dn_tensor x)
{
    return across_members(p, DN_OP_SPREAD_MEMBERS, x, 1.0);
}

void dn__grad_sum_members(dn_program *p, const dn_op *op)
{
    const dn_tensor dy = dn__output_gradient(p, op, 0);
    dn__accumulate(p, op->in[0], across_members(p, DN_OP_SPREAD_MEMBERS, dy, op->args.scalar.factor));
}

void dn__grad_spread_members(dn_program *p, const dn_op *op)
{
    const dn_tensor dy = dn__output_gradient(p, op, 0);
    dn__accumulate(p, op->in[0], across_members(p, DN_OP_SUM_MEMBERS, dy, op->args.scalar.factor));
}

DN__NO_GRADIENT(broadcast)
