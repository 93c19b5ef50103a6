/* Densely connected networks with bottlenecks and compression (DenseNet-BC, Huang et al., 2017): each layer sees the
 * maps of all layers before it in its block and adds as many as the growth rate says. Depth 6 n + 4: three blocks of n
 * layers of two convolutions; between blocks half the maps and half the size. */
#include "layers/models/build.h"

enum { BLOCKS = 3 };

/* Norm, ReLU, convolution, dropout. */
static dn_tensor unit(dn_program *p, const char *block, int number, dn_tensor x, int filters, int kernel, double rate,
                      const dn_forward *forward)
{
    char norm_name[16], conv_name[16];
    snprintf(norm_name, sizeof norm_name, "norm%d", number);
    snprintf(conv_name, sizeof conv_name, "conv%d", number);
    const dn_conv_layer conv = {
        .filters = filters, .kernel = kernel, .padding = kernel / 2, .init = DN_WEIGHTS_FAN_OUT};
    x = dn__block_norm(p, block, norm_name, x, true, forward);
    return dn_layer_dropout(p, dn__block_conv(p, block, conv_name, x, conv), rate, forward);
}

static dn_tensor dense_block(dn_program *p, int block, dn_tensor x, int layers, int growth, double rate,
                             const dn_forward *forward)
{
    char name[DN_TAP_NAME];
    for (int i = 1; i <= layers; i++) {
        snprintf(name, sizeof name, "block%d_layer%d", block, i);
        dn_tensor y = unit(p, name, 1, x, 4 * growth, 1, rate, forward);
        y = unit(p, name, 2, y, growth, 3, rate, forward);
        x = dn_concat(p, x, y);
    }
    snprintf(name, sizeof name, "block%d", block);
    return dn__tap(p, x, forward, name);
}

static dn_tensor transition(dn_program *p, int number, dn_tensor x, double rate, const dn_forward *forward)
{
    char name[DN_TAP_NAME];
    if (dn_is_none(x)) return DN_NONE;
    snprintf(name, sizeof name, "transition%d", number);
    const int half = (int)(dn_shape_of(p, x).dim[3] / 2);
    return dn_average_pool(p, unit(p, name, 1, x, half, 1, rate, forward), 2, 2, 0);
}

dn_tensor dn__model_densenet_bc(dn_program *p, const dn_model_options *options, dn_tensor images,
                                const dn_forward *forward)
{
    if (!dn__check_images(p, options, images, 8, 1)) return DN_NONE;
    const double rate = dn__dropout_rate(options, 0.0);
    const int growth = dn__width(options, 12, 12), layers = (options->depth - 4) / 6;
    const dn_conv_layer stem = {.filters = 2 * growth, .kernel = 3, .padding = 1, .init = DN_WEIGHTS_FAN_OUT};
    dn_tensor x = dn__tap(p, dn__block_conv(p, "", "conv1", images, stem), forward, "conv1");
    for (int block = 1; block <= BLOCKS; block++) {
        x = dense_block(p, block, x, layers, growth, rate, forward);
        if (block < BLOCKS) x = transition(p, block, x, rate, forward);
    }
    x = dn__tap(p, dn__block_norm(p, "", "norm1", x, true, forward), forward, "norm1");
    x = dn__pooled_features(p, x, forward);
    return dn_layer_linear(
        p, "head", x, (dn_linear_layer){.units = options->classes, .init = DN_WEIGHTS_TORCH, .bias = DN_BIAS_ZERO});
}
