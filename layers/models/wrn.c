/* Wide residual networks (Zagoruyko and Komodakis, 2016) as the leave-out classifiers' source has them: norm and ReLU
 * before each convolution, dropout between the two of a block. Depth 6 n + 4. */
#include "layers/models/build.h"

enum { STAGES = 3, STEM = 16 };

static dn_tensor wide_block(dn_program *p, const char *block, dn_tensor x, int filters, int stride, double rate,
                            const dn_forward *forward)
{
    if (dn_is_none(x)) return DN_NONE;
    dn_conv_layer conv = {.filters = filters, .kernel = 3, .stride = stride, .padding = 1, .init = DN_WEIGHTS_FAN_OUT};
    const dn_conv_layer projection = {.filters = filters, .kernel = 1, .stride = stride, .init = DN_WEIGHTS_FAN_OUT};
    const bool same = dn_shape_of(p, x).dim[3] == filters;
    dn_tensor y = dn__block_norm(p, block, "norm1", x, true, forward);
    /* Where the number of filters changes, the shortcut starts behind the norm too. */
    if (!same) x = dn__block_conv(p, block, "shortcut", y, projection);
    y = dn__block_conv(p, block, "conv1", y, conv);
    y = dn_layer_dropout(p, dn__block_norm(p, block, "norm2", y, true, forward), rate, forward);
    conv.stride = 1;
    y = dn__block_conv(p, block, "conv2", y, conv);
    return dn__tap(p, dn_add(p, x, y), forward, block);
}

dn_tensor dn__model_wrn(dn_program *p, const dn_model_options *options, dn_tensor images, const dn_forward *forward)
{
    if (!dn__check_images(p, options, images, 8, 1)) return DN_NONE;
    const double rate = dn__dropout_rate(options, 0.3);
    /* The width is the first stage's, 16 times the widening factor; the convolution before it is never widened. */
    int filters = dn__width(options, 160, 160);
    const dn_conv_layer stem = {
        .filters = filters < STEM ? filters : STEM, .kernel = 3, .padding = 1, .init = DN_WEIGHTS_FAN_OUT};
    dn_tensor x = dn__tap(p, dn__block_conv(p, "", "conv1", images, stem), forward, "conv1");
    for (int stage = 1; stage <= STAGES; stage++) {
        for (int number = 1; number <= (options->depth - 4) / 6; number++) {
            char block[DN_TAP_NAME];
            snprintf(block, sizeof block, "stage%d_block%d", stage, number);
            x = wide_block(p, block, x, filters, stage > 1 && number == 1 ? 2 : 1, rate, forward);
        }
        filters *= 2;
    }
    x = dn__tap(p, dn__block_norm(p, "", "norm1", x, true, forward), forward, "norm1");
    x = dn__pooled_features(p, x, forward);
    return dn_layer_linear(
        p, "head", x, (dn_linear_layer){.units = options->classes, .init = DN_WEIGHTS_TORCH, .bias = DN_BIAS_ZERO});
}
