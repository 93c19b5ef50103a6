#include "layers/private.h"

dn_tensor dn_layer_conv2d(dn_program *p, const char *name, dn_tensor x, dn_conv_layer options)
{
    const dn_shape in = dn_shape_of(p, x);
    char text[64];
    if (dn_is_none(x)) return DN_NONE;
    if (in.rank != 4)
        return dn_program_fail(p, DN_ERROR_SHAPE, "layer '%s': images are [N,H,W,C], the input has shape %s", name,
                               dn_shape_text(&in, text));
    if (options.filters < 1 || options.kernel < 1)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "layer '%s': %d filters of size %d make no sense", name,
                               options.filters, options.kernel);
    const dn_shape shape = DN_SHAPE(options.filters, options.kernel, options.kernel, in.dim[3]);
    const dn_tensor weight = dn__weight_like(p, dn__layer_weight(p, name, shape, options.init), x);
    const dn_tensor bias = dn__layer_bias(p, name, &shape, options.bias);
    return dn_conv2d(p, x, weight, bias, options.stride ? options.stride : 1, options.padding, options.relu);
}
