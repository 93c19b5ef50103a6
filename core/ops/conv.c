/* Convolution: y[n,p,q,k] = b[k] + sum over r,s,c of x[n, p stride + r - pad, q stride + s - pad, c] w[k,r,s,c]. */
#include "core/ops.h"
#include "core/ops/check.h"

static bool check_shapes(dn_program *p, dn_tensor x, dn_tensor w, int stride, int padding)
{
    if (!dn__check_rank(p, DN_OP_CONV2D, x, 4) || !dn__check_rank(p, DN_OP_CONV2D, w, 4)) return false;
    const int64_t *in = dn__info(p, x)->shape.dim, *filter = dn__info(p, w)->shape.dim;
    char one[64], other[64];
    if (stride < 1 || padding < 0) {
        dn_program_fail(p, DN_ERROR_ARGUMENT, "conv2d: stride %d, padding %d make no sense", stride, padding);
    } else if (in[3] != filter[3]) {
        dn_program_fail(p, DN_ERROR_SHAPE, "conv2d: images %s [N,H,W,C] and filters %s [K,R,S,C] differ in C",
                        dn_shape_text(&dn__info(p, x)->shape, one), dn_shape_text(&dn__info(p, w)->shape, other));
    } else if (in[1] + 2 * padding < filter[1] || in[2] + 2 * padding < filter[2]) {
        dn_program_fail(p, DN_ERROR_SHAPE, "conv2d: filters %s are larger than the images %s with padding %d",
                        dn_shape_text(&dn__info(p, w)->shape, other), dn_shape_text(&dn__info(p, x)->shape, one),
                        padding);
    } else {
        return true;
    }
    return false;
}

dn_tensor dn_conv2d(dn_program *p, dn_tensor x, dn_tensor w, dn_tensor bias, int stride, int padding, bool relu)
{
    const dn_tensor inputs[3] = {x, w, bias};
    const int count = dn_is_none(bias) ? 2 : 3;
    if (!dn__check_affine(p, DN_OP_CONV2D, inputs, count) || !check_shapes(p, x, w, stride, padding)) return DN_NONE;
    const int64_t *in = dn__info(p, x)->shape.dim, *filter = dn__info(p, w)->shape.dim;
    if (count == 3 && !dn__check_vector(p, DN_OP_CONV2D, bias, filter[0])) return DN_NONE;
    dn_op op = dn__op(DN_OP_CONV2D, inputs, count);
    op.args.conv.stride = stride;
    op.args.conv.padding = padding;
    op.args.conv.relu = relu;
    const int64_t height = (in[1] + 2 * padding - filter[1]) / stride + 1;
    const int64_t width = (in[2] + 2 * padding - filter[2]) / stride + 1;
    dn__activation(p, &op, 0, DN_SHAPE(in[0], height, width, filter[0]), dn__all_shared(p, inputs, count));
    return dn__append(p, op);
}

void dn__grad_conv2d(dn_program *p, const dn_op *op)
{
    dn__grad_affine(p, op, DN_OP_CONV2D_DATA_GRAD, DN_OP_CONV2D_WEIGHT_GRAD);
}

DN__NO_GRADIENT(conv2d_data_grad)
DN__NO_GRADIENT(conv2d_weight_grad)
