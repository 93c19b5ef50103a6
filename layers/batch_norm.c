#include "layers/private.h"

static dn_tensor norm_state(dn_program *p, const char *name, const char *part, dn_shape shape, double initial)
{
    char full[128];
    return dn__layer_name(p, full, sizeof full, name, part) ? dn_state(p, full, shape, initial) : DN_NONE;
}

dn_tensor dn_layer_batch_norm(dn_program *p, const char *name, dn_tensor x, dn_norm_options options,
                              const dn_forward *forward)
{
    if (dn_is_none(x)) return DN_NONE;
    const dn_shape in = dn_shape_of(p, x), channels = DN_SHAPE(in.dim[in.rank - 1]);
    const dn_init one = {.kind = DN_INIT_CONSTANT, .value = 1.0}, zero = {.kind = DN_INIT_CONSTANT, .value = 0.0};
    dn_tensor scale = dn__layer_parameter(p, name, "scale", channels, one);
    dn_tensor shift = dn__layer_parameter(p, name, "shift", channels, zero);
    const dn_tensor mean = norm_state(p, name, "mean", channels, 0.0);
    const dn_tensor variance = norm_state(p, name, "variance", channels, 1.0);
    if (!dn_is_none(forward->norm_gate)) {
        scale = dn_gate_gradient(p, scale, forward->norm_gate);
        shift = dn_gate_gradient(p, shift, forward->norm_gate);
    }
    return (forward->batch_statistics ? dn_batch_norm : dn_batch_norm_infer)(p, x, scale, shift, mean, variance,
                                                                             options);
}
