/* Three convolutions with pooling and dropout, one dense layer: a plain network for CIFAR-sized images. */
#include "layers/models/build.h"

dn_tensor dn__model_cnn3(dn_program *p, const dn_model_options *options, dn_tensor images, const dn_forward *forward)
{
    static const char *const names[] = {"conv1", "conv2", "conv3"};
    if (!dn__check_images(p, options, images, 8, 8)) return DN_NONE;
    const double rate = dn__dropout_rate(options, 0.3);
    dn_tensor x = images;
    for (int i = 0; i < 3; i++) {
        const dn_conv_layer conv = {.filters = dn__width(options, 32 << i, 32),
                                    .kernel = 3,
                                    .padding = 1,
                                    .init = DN_WEIGHTS_TORCH,
                                    .bias = DN_BIAS_TORCH,
                                    .relu = true};
        x = dn__tap(p, dn_layer_conv2d(p, names[i], x, conv), forward, names[i]);
        x = dn_max_pool(p, x, 2, 2, 0);
        x = dn_layer_dropout(p, x, rate, forward);
    }
    const dn_linear_layer dense = {
        .units = dn__width(options, 256, 32), .init = DN_WEIGHTS_TORCH, .bias = DN_BIAS_TORCH, .relu = true};
    const dn_linear_layer head = {.units = options->classes, .init = DN_WEIGHTS_TORCH, .bias = DN_BIAS_TORCH};
    x = dn__features(p, dn_layer_linear(p, "dense1", x, dense), forward);
    return dn_layer_linear(p, "head", dn_layer_dropout(p, x, rate, forward), head);
}
