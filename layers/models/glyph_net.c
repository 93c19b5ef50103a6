/* Three convolutions with batch norm and one dense layer: 5 MFLOP for a 32x32 image, learns glyphs in a few hundred
 * steps. */
#include "layers/models/build.h"

dn_tensor dn__model_glyph_net(dn_program *p, const dn_model_options *options, dn_tensor images,
                              const dn_forward *forward)
{
    static const char *const convs[] = {"conv1", "conv2", "conv3"}, *const norms[] = {"norm1", "norm2", "norm3"};
    if (!dn__check_images(p, options, images, 8, 1)) return DN_NONE;
    /* The moving statistics must have caught up after the few steps that a demonstration takes: decay 0.9. */
    const dn_norm_options norm = {.epsilon = 1e-5, .decay = 0.9, .relu = true};
    dn_tensor x = images;
    for (int i = 0; i < 3; i++) {
        const dn_conv_layer conv = {
            .filters = dn__width(options, 16 << i, 16), .kernel = 3, .padding = 1, .init = DN_WEIGHTS_HE};
        x = dn_layer_batch_norm(p, norms[i], dn_layer_conv2d(p, convs[i], x, conv), norm, forward);
        x = dn_max_pool(p, dn__tap(p, x, forward, convs[i]), 2, 2, 0);
    }
    const dn_linear_layer dense = {
        .units = dn__width(options, 64, 16), .init = DN_WEIGHTS_HE, .bias = DN_BIAS_ZERO, .relu = true};
    x = dn__features(p, dn_layer_linear(p, "dense1", x, dense), forward);
    x = dn_layer_dropout(p, x, dn__dropout_rate(options, 0.0), forward);
    return dn_layer_linear(p, "head", x, (dn_linear_layer){.units = options->classes, .bias = DN_BIAS_ZERO});
}
