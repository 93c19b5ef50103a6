/* Two convolutions without padding, pooling, dropout, one dense layer: 34,826 parameters for MNIST. */
#include "layers/models/build.h"

dn_tensor dn__model_toy_convnet(dn_program *p, const dn_model_options *options, dn_tensor images,
                                const dn_forward *forward)
{
    static const char *const names[] = {"conv1", "conv2"};
    if (!dn__check_images(p, options, images, 10, 1)) return DN_NONE;
    dn_tensor x = images;
    for (int i = 0; i < 2; i++) {
        const dn_conv_layer conv = {
            .filters = dn__width(options, 32 << i, 32), .kernel = 3, .bias = DN_BIAS_ZERO, .relu = true};
        x = dn__tap(p, dn_layer_conv2d(p, names[i], x, conv), forward, names[i]);
        x = dn_max_pool(p, x, 2, 2, 0);
    }
    x = dn_layer_dropout(p, dn__features(p, x, forward), dn__dropout_rate(options, 0.5), forward);
    return dn_layer_linear(p, "head", x, (dn_linear_layer){.units = options->classes, .bias = DN_BIAS_ZERO});
}
