#include "core/ops/check.h"

#include <inttypes.h>

bool dn__check_real(dn_program *p, dn_op_kind kind, const dn_tensor *inputs, int count)
{
    if (!dn__ready(p, inputs, count)) return false;
    for (int i = 0; i < count; i++)
        if (!dn__check_dtype(p, kind, inputs[i], p->real)) return false;
    return true;
}

bool dn__check_activations(dn_program *p, dn_op_kind kind, const dn_tensor *inputs, int count)
{
    if (!dn__ready(p, inputs, count)) return false;
    const dn_dtype dtype = dn__info(p, inputs[0])->dtype == DN_BF16 ? DN_BF16 : p->real;
    for (int i = 0; i < count; i++)
        if (!dn__check_dtype(p, kind, inputs[i], dtype)) return false;
    return true;
}

bool dn__check_rank(dn_program *p, dn_op_kind kind, dn_tensor x, int rank)
{
    char text[64];
    const dn_shape *shape = &dn__info(p, x)->shape;
    if (shape->rank == rank) return true;
    dn_program_fail(p, DN_ERROR_SHAPE, "%s: an input has shape %s, it needs %d dimensions", dn_op_name(kind),
                    dn_shape_text(shape, text), rank);
    return false;
}

bool dn__check_dtype(dn_program *p, dn_op_kind kind, dn_tensor x, dn_dtype dtype)
{
    if (!dn__ready(p, &x, 1)) return false;
    const dn_dtype have = dn__info(p, x)->dtype;
    if (have == dtype) return true;
    dn_program_fail(p, DN_ERROR_SHAPE, "%s: an input has %s elements, it needs %s", dn_op_name(kind),
                    dn_dtype_name(have), dn_dtype_name(dtype));
    return false;
}

bool dn__check_same_shape(dn_program *p, dn_op_kind kind, dn_tensor a, dn_tensor b)
{
    char one[64], other[64];
    const dn_shape *x = &dn__info(p, a)->shape, *y = &dn__info(p, b)->shape;
    if (dn_shape_equal(x, y)) return true;
    dn_program_fail(p, DN_ERROR_SHAPE, "%s: shapes %s and %s must be the same", dn_op_name(kind), dn_shape_text(x, one),
                    dn_shape_text(y, other));
    return false;
}

bool dn__check_vector(dn_program *p, dn_op_kind kind, dn_tensor x, int64_t length)
{
    char text[64];
    const dn_shape *shape = &dn__info(p, x)->shape;
    if (shape->rank == 1 && shape->dim[0] == length) return true;
    dn_program_fail(p, DN_ERROR_SHAPE, "%s: an input has shape %s, it must be [%" PRId64 "]", dn_op_name(kind),
                    dn_shape_text(shape, text), length);
    return false;
}

bool dn__all_shared(const dn_program *p, const dn_tensor *inputs, int count)
{
    for (int i = 0; i < count; i++)
        if (!dn_is_none(inputs[i]) && !dn__info(p, inputs[i])->shared) return false;
    return true;
}

void dn__output(dn_program *p, dn_op *op, int k, dn_shape shape, bool shared)
{
    op->out[k] = dn__temporary(p, p->real, shape, shared).id;
}

void dn__activation(dn_program *p, dn_op *op, int k, dn_shape shape, bool shared)
{
    op->out[k] = dn__temporary(p, p->tensors[op->in[0]].dtype, shape, shared).id;
}

dn_tensor dn__map(dn_program *p, dn_op op, int like)
{
    bool shared = true;
    for (int i = 0; i < DN_OP_MAX_IN; i++) shared &= op.in[i] < 0 || p->tensors[op.in[i]].shared;
    const dn_tensor_info *x = &p->tensors[op.in[like]];
    op.out[0] = dn__temporary(p, x->dtype, x->shape, shared).id;
    return dn__append(p, op);
}

int64_t dn__channels(const dn_program *p, dn_tensor x)
{
    const dn_shape *shape = &dn__info(p, x)->shape;
    return shape->dim[shape->rank - 1];
}
