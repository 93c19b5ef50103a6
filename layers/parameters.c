/* Names and initial values of the layers' parameters. */
#include <math.h>

#include "layers/private.h"

const dn_forward dn_forward_train = {.batch_statistics = true, .dropout = true, .norm_gate = {-1}, .by = {-1}};
const dn_forward dn_forward_infer = {.norm_gate = {-1}, .by = {-1}};

bool dn__layer_name(dn_program *p, char *text, size_t size, const char *name, const char *part)
{
    const int length = snprintf(text, size, "%s.%s", name, part);
    if (length > 0 && (size_t)length < size) return true;
    dn_program_fail(p, DN_ERROR_ARGUMENT, "the layer name '%.60s...' is longer than %zu characters", name,
                    size - sizeof ".variance");
    return false;
}

dn_tensor dn__layer_parameter(dn_program *p, const char *name, const char *part, dn_shape shape, dn_init init)
{
    char full[128];
    return dn__layer_name(p, full, sizeof full, name, part) ? dn_parameter(p, full, shape, init) : DN_NONE;
}

/* The bound of PyTorch's default, from the number of inputs of one output. */
static dn_init torch_init(const dn_shape *weight)
{
    const double inputs = (double)dn_shape_count(weight) / (double)weight->dim[0];
    return (dn_init){.kind = DN_INIT_UNIFORM, .value = 1.0 / sqrt(inputs)};
}

dn_tensor dn__layer_weight(dn_program *p, const char *name, dn_shape shape, dn_weight_init init)
{
    dn_init start = {.kind = DN_INIT_CONSTANT};
    switch (init) {
    case DN_WEIGHTS_GLOROT: start.kind = DN_INIT_GLOROT_UNIFORM; break;
    case DN_WEIGHTS_HE: start.kind = DN_INIT_HE_NORMAL; break;
    case DN_WEIGHTS_TORCH: start = torch_init(&shape); break;
    case DN_WEIGHTS_FAN_OUT: start.kind = DN_INIT_FAN_OUT_NORMAL; break;
    case DN_WEIGHTS_ZERO: break;
    }
    return dn__layer_parameter(p, name, "weight", shape, start);
}

dn_tensor dn__weight_like(dn_program *p, dn_tensor weight, dn_tensor x)
{
    if (dn_is_none(weight) || dn_dtype_of(p, x) == dn_dtype_of(p, weight)) return weight;
    return dn_cast(p, weight, dn_dtype_of(p, x));
}

dn_tensor dn__layer_bias(dn_program *p, const char *name, const dn_shape *weight, dn_bias bias)
{
    dn_init start = {.kind = DN_INIT_CONSTANT};
    switch (bias) {
    case DN_BIAS_NONE: return DN_NONE;
    case DN_BIAS_ZERO: break;
    case DN_BIAS_GLOROT: start.kind = DN_INIT_GLOROT_UNIFORM; break;
    case DN_BIAS_TORCH: start = torch_init(weight); break;
    }
    return dn__layer_parameter(p, name, "bias", DN_SHAPE(weight->dim[0]), start);
}
