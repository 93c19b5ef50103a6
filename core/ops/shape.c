/* Ops that move elements or only rename them. */
#include <inttypes.h>

#include "core/ops.h"
#include "core/ops/check.h"

static dn_tensor view(dn_program *p, dn_op op, dn_shape shape)
{
    const dn_tensor_info *x = &p->tensors[op.in[0]];
    const dn_dtype dtype = x->dtype;
    const bool shared = x->shared;
    op.out[0] = dn__temporary(p, dtype, shape, shared).id;
    return dn__append(p, op);
}

dn_tensor dn_reshape(dn_program *p, dn_tensor x, dn_shape shape)
{
    if (!dn__ready(p, &x, 1)) return DN_NONE;
    char one[64], other[64];
    const dn_shape *from = &dn__info(p, x)->shape;
    if (dn_shape_count(from) != dn_shape_count(&shape))
        return dn_program_fail(p, DN_ERROR_SHAPE, "reshape: %s and %s have different numbers of elements",
                               dn_shape_text(from, one), dn_shape_text(&shape, other));
    return view(p, dn__op(DN_OP_RESHAPE, &x, 1), shape);
}

dn_tensor dn_flatten(dn_program *p, dn_tensor x)
{
    if (!dn__ready(p, &x, 1)) return DN_NONE;
    const dn_shape *from = &dn__info(p, x)->shape;
    return dn_reshape(p, x, DN_SHAPE(from->dim[0], dn_shape_count(from) / from->dim[0]));
}

void dn__grad_reshape(dn_program *p, const dn_op *op)
{
    dn__accumulate(p, op->in[0], dn_reshape(p, dn__output_gradient(p, op, 0), p->tensors[op->in[0]].shape));
}

dn_tensor dn_stop_gradient(dn_program *p, dn_tensor x)
{
    if (!dn__ready(p, &x, 1)) return DN_NONE;
    const dn_tensor y = view(p, dn__op(DN_OP_GATE, &x, 1), dn__info(p, x)->shape);
    if (!dn_is_none(y)) dn__info(p, y)->wants_gradient = false;
    return y;
}

dn_tensor dn_gate_gradient(dn_program *p, dn_tensor x, dn_tensor gate)
{
    const dn_tensor inputs[2] = {x, gate};
    if (!dn__check_real(p, DN_OP_GATE, inputs, 2) || !dn__check_vector(p, DN_OP_GATE, gate, 1)) return DN_NONE;
    return view(p, dn__op(DN_OP_GATE, inputs, 2), dn__info(p, x)->shape);
}

/* Only a gate with a scalar gets here: nothing downstream of a stopped one wants a gradient. */
void dn__grad_gate(dn_program *p, const dn_op *op)
{
    if (op->in[1] < 0) return;
    dn__accumulate(p, op->in[0], dn_scale(p, dn__output_gradient(p, op, 0), 1.0, (dn_tensor){op->in[1]}));
}

dn_tensor dn_copy(dn_program *p, dn_tensor x)
{
    if (!dn__check_activations(p, DN_OP_COPY, &x, 1)) return DN_NONE;
    return dn__map(p, dn__op(DN_OP_COPY, &x, 1), 0);
}

void dn__grad_copy(dn_program *p, const dn_op *op)
{
    dn__accumulate(p, op->in[0], dn__output_gradient(p, op, 0));
}

dn_tensor dn_fill(dn_program *p, dn_shape shape, bool members_share, double value)
{
    if (!dn__ready(p, NULL, 0)) return DN_NONE;
    dn_op op = dn__op(DN_OP_FILL, NULL, 0);
    op.args.scalar.factor = value;
    dn__output(p, &op, 0, shape, members_share);
    return dn__append(p, op);
}

/* ---- channels ---- */

dn_tensor dn_concat(dn_program *p, dn_tensor a, dn_tensor b)
{
    const dn_tensor inputs[2] = {a, b};
    if (!dn__check_activations(p, DN_OP_CONCAT, inputs, 2)) return DN_NONE;
    dn_shape shape = dn__info(p, a)->shape, other = dn__info(p, b)->shape;
    char one[64], two[64];
    const int last = shape.rank - 1;
    const int64_t channels = shape.dim[last];
    if (shape.rank == other.rank) shape.dim[last] = other.dim[last];
    if (!dn_shape_equal(&shape, &other))
        return dn_program_fail(p, DN_ERROR_SHAPE, "concat: shapes %s and %s may differ in the last dimension only",
                               dn_shape_text(&dn__info(p, a)->shape, one), dn_shape_text(&other, two));
    shape.dim[last] += channels;
    dn_op op = dn__op(DN_OP_CONCAT, inputs, 2);
    dn__activation(p, &op, 0, shape, dn__all_shared(p, inputs, 2));
    return dn__append(p, op);
}

void dn__grad_concat(dn_program *p, const dn_op *op)
{
    const dn_tensor dy = dn__output_gradient(p, op, 0);
    int64_t first = 0;
    for (int i = 0; i < 2; i++) {
        const int64_t count = dn__channels(p, (dn_tensor){op->in[i]});
        if (dn__input_wants(p, op, i)) dn__accumulate(p, op->in[i], dn_slice(p, dy, first, count));
        first += count;
    }
}

dn_tensor dn_slice(dn_program *p, dn_tensor x, int64_t first, int64_t count)
{
    if (!dn__check_activations(p, DN_OP_SLICE, &x, 1)) return DN_NONE;
    dn_shape shape = dn__info(p, x)->shape;
    int64_t *channels = &shape.dim[shape.rank - 1];
    if (first < 0 || count < 1 || first > *channels - count)
        return dn_program_fail(p, DN_ERROR_SHAPE, "slice: %" PRId64 " channels from %" PRId64 " of %" PRId64, count,
                               first, *channels);
    *channels = count;
    dn_op op = dn__op(DN_OP_SLICE, &x, 1);
    op.args.slice.first = first;
    op.args.slice.count = count;
    dn__activation(p, &op, 0, shape, dn__info(p, x)->shared);
    return dn__append(p, op);
}

void dn__grad_slice(dn_program *p, const dn_op *op)
{
    const dn_tensor dy = dn__output_gradient(p, op, 0);
    dn_op grad = dn__op(DN_OP_EMBED, &dy, 1);
    grad.args = op->args;
    dn__activation(p, &grad, 0, p->tensors[op->in[0]].shape, dn__info(p, dy)->shared);
    dn__accumulate(p, op->in[0], dn__append(p, grad));
}

DN__NO_GRADIENT(embed)
DN__NO_GRADIENT(fill)
