/* Two dense layers. */
#include "layers/models/build.h"

dn_tensor dn__model_mlp(dn_program *p, const dn_model_options *options, dn_tensor images, const dn_forward *forward)
{
    if (!dn__check_images(p, options, images, 1, 1)) return DN_NONE;
    const double rate = dn__dropout_rate(options, 0.0);
    const dn_linear_layer first = {.units = dn__width(options, 300, 300), .bias = DN_BIAS_ZERO, .relu = true};
    const dn_linear_layer second = {.units = dn__width(options, 150, 300), .bias = DN_BIAS_ZERO, .relu = true};
    dn_tensor x = dn__tap(p, dn_layer_linear(p, "dense1", images, first), forward, "dense1");
    x = dn_layer_dropout(p, x, rate, forward);
    x = dn__features(p, dn_layer_linear(p, "dense2", x, second), forward);
    x = dn_layer_dropout(p, x, rate, forward);
    return dn_layer_linear(p, "head", x, (dn_linear_layer){.units = options->classes, .bias = DN_BIAS_ZERO});
}
