#include "layers/private.h"

dn_tensor dn_layer_linear(dn_program *p, const char *name, dn_tensor x, dn_linear_layer options)
{
    if (dn_is_none(x)) return DN_NONE;
    if (options.units < 1)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "layer '%s': %d units make no sense", name, options.units);
    const dn_shape in = dn_shape_of(p, x);
    const dn_shape shape = DN_SHAPE(options.units, dn_shape_count(&in) / in.dim[0]);
    const dn_tensor weight = dn__weight_like(p, dn__layer_weight(p, name, shape, options.init), x);
    const dn_tensor bias = dn__layer_bias(p, name, &shape, options.bias);
    return dn_linear(p, x, weight, bias, options.relu);
}
