/* Parts of the residual and dense networks: named layers as PyTorch has them, shapes that change without
 * weights. */
#include "layers/models/build.h"

static const char *part_name(char text[64], const char *block, const char *part)
{
    snprintf(text, 64, "%s%s%s", block, *block ? "." : "", part);
    return text;
}

dn_tensor dn__block_conv(dn_program *p, const char *block, const char *part, dn_tensor x, dn_conv_layer conv)
{
    char name[64];
    return dn_layer_conv2d(p, part_name(name, block, part), x, conv);
}

dn_tensor dn__block_norm(dn_program *p, const char *block, const char *part, dn_tensor x, bool relu,
                         const dn_forward *forward)
{
    char name[64];
    const dn_norm_options norm = {.epsilon = 1e-5, .decay = 0.9, .relu = relu, .unbiased = true};
    return dn_layer_batch_norm(p, part_name(name, block, part), x, norm, forward);
}

dn_tensor dn__pooled_features(dn_program *p, dn_tensor x, const dn_forward *forward)
{
    return dn__features(p, dn_global_average_pool(p, x), forward);
}

/* Zeros of x's shape but for the last dimension, in x's type. */
static dn_tensor zero_channels(dn_program *p, dn_tensor x, int64_t channels)
{
    dn_shape shape = dn_shape_of(p, x);
    shape.dim[shape.rank - 1] = channels;
    const dn_tensor zeros = dn_fill(p, shape, true, 0.0);
    return dn_dtype_of(p, x) == dn_dtype_of(p, zeros) ? zeros : dn_cast(p, zeros, dn_dtype_of(p, x));
}

dn_tensor dn__plain_shortcut(dn_program *p, dn_tensor x, int filters, int stride)
{
    if (dn_is_none(x)) return DN_NONE;
    if (stride > 1) x = dn_average_pool(p, x, 1, stride, 0);
    const int64_t missing = filters - dn_shape_of(p, x).dim[3], before = missing / 2;
    if (missing <= 0) return x;
    const dn_tensor zeros = zero_channels(p, x, missing - before);
    if (before > 0) x = dn_concat(p, 2 * before == missing ? zeros : zero_channels(p, x, before), x);
    return dn_concat(p, x, zeros);
}

dn_tensor dn__pad_end(dn_program *p, dn_tensor x)
{
    if (dn_is_none(x)) return DN_NONE;
    const dn_shape in = dn_shape_of(p, x);
    const int64_t n = in.dim[0], h = in.dim[1], w = in.dim[2], c = in.dim[3];
    /* A row more is w c values behind each image, a column more c values behind each row. */
    x = dn_reshape(p, x, DN_SHAPE(n, h * w * c));
    x = dn_concat(p, x, zero_channels(p, x, w * c));
    x = dn_reshape(p, x, DN_SHAPE(n, h + 1, w * c));
    x = dn_concat(p, x, zero_channels(p, x, c));
    return dn_reshape(p, x, DN_SHAPE(n, h + 1, w + 1, c));
}
