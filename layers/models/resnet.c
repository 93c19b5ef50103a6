/* Residual networks for small images (He et al., 2016, section 4.2): a 3x3 convolution, stages of blocks of two 3x3
 * convolutions with batch norm, each stage at half the size and twice the filters of the one before. */
#include "layers/models/build.h"

typedef struct resnet_plan {
    int filters, stages, blocks; /* of the first stage; of each stage */
    bool projection;             /* shortcuts that change the shape: 1x1 convolution and norm, else without weights */
    dn_weight_init init;
} resnet_plan;

static dn_tensor shortcut(dn_program *p, const char *block, dn_tensor x, int filters, int stride,
                          const resnet_plan *plan, const dn_forward *forward)
{
    if (stride == 1 && dn_shape_of(p, x).dim[3] == filters) return x;
    if (!plan->projection) return dn__plain_shortcut(p, x, filters, stride);
    const dn_conv_layer conv = {.filters = filters, .kernel = 1, .stride = stride, .init = plan->init};
    x = dn__block_conv(p, block, "shortcut", x, conv);
    return dn__block_norm(p, block, "shortcut_norm", x, false, forward);
}

static dn_tensor residual_block(dn_program *p, const char *block, dn_tensor x, int filters, int stride,
                                const resnet_plan *plan, const dn_forward *forward)
{
    dn_conv_layer conv = {.filters = filters, .kernel = 3, .stride = stride, .padding = 1, .init = plan->init};
    if (dn_is_none(x)) return DN_NONE;
    dn_tensor y = dn__block_conv(p, block, "conv1", x, conv);
    y = dn__block_norm(p, block, "norm1", y, true, forward);
    conv.stride = 1;
    y = dn__block_conv(p, block, "conv2", y, conv);
    y = dn__block_norm(p, block, "norm2", y, false, forward);
    y = dn_add(p, y, shortcut(p, block, x, filters, stride, plan, forward));
    return dn__tap(p, dn_relu(p, y), forward, block);
}

static dn_tensor resnet(dn_program *p, const dn_model_options *options, dn_tensor x, const dn_forward *forward,
                        const resnet_plan *plan)
{
    if (!dn__check_images(p, options, x, 8, 1)) return DN_NONE;
    int filters = dn__width(options, plan->filters, plan->filters);
    const dn_conv_layer stem = {.filters = filters, .kernel = 3, .padding = 1, .init = plan->init};
    x = dn__block_norm(p, "", "norm1", dn__block_conv(p, "", "conv1", x, stem), true, forward);
    x = dn__tap(p, x, forward, "conv1");
    for (int stage = 1; stage <= plan->stages; stage++) {
        for (int number = 1; number <= plan->blocks; number++) {
            char block[DN_TAP_NAME];
            snprintf(block, sizeof block, "stage%d_block%d", stage, number);
            x = residual_block(p, block, x, filters, stage > 1 && number == 1 ? 2 : 1, plan, forward);
        }
        filters *= 2;
    }
    x = dn__pooled_features(p, x, forward);
    const dn_linear_layer head = {.units = options->classes, .init = plan->init, .bias = DN_BIAS_TORCH};
    return dn_layer_linear(p, "head", dn_layer_dropout(p, x, dn__dropout_rate(options, 0.0), forward), head);
}

/* Depth 6 n + 2, identity shortcuts throughout (option A), He's start. */
dn_tensor dn__model_resnet(dn_program *p, const dn_model_options *options, dn_tensor images, const dn_forward *forward)
{
    const resnet_plan plan = {.filters = 16, .stages = 3, .blocks = (options->depth - 2) / 6, .init = DN_WEIGHTS_HE};
    return resnet(p, options, images, forward, &plan);
}

/* Depth 8 n + 2, projections (option B), PyTorch's start: ResNet18_32x32 of OpenOOD. */
dn_tensor dn__model_resnet18(dn_program *p, const dn_model_options *options, dn_tensor images,
                             const dn_forward *forward)
{
    const resnet_plan plan = {
        .filters = 64, .stages = 4, .blocks = (options->depth - 2) / 8, .projection = true, .init = DN_WEIGHTS_TORCH};
    return resnet(p, options, images, forward, &plan);
}
