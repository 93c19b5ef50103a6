/* Networks in the style of VGG (Simonyan and Zisserman, 2015), each a list of widths. Either batch norm *after* each
 * ReLU, no bias in the convolutions, and Glorot's uniform start for everything, the dense biases too; or the usual
 * order in PyTorch's way: biases, norm before ReLU, its defaults throughout. */
#include "layers/models/build.h"

enum { POOL = 0 };

typedef struct vgg_plan {
    int kernel;
    const int *widths;   /* filters, or POOL; ends with -1 */
    int dense[3];        /* units of the hidden dense layers; ends with 0 */
    int least, multiple; /* of the image sizes */
    bool usual;          /* convolution, norm, ReLU in PyTorch's way */
} vgg_plan;

static dn_tensor conv_block(dn_program *p, dn_tensor x, int number, const vgg_plan *plan, int filters,
                            const dn_forward *forward)
{
    char conv_name[16], norm_name[16];
    snprintf(conv_name, sizeof conv_name, "conv%d", number);
    snprintf(norm_name, sizeof norm_name, "norm%d", number);
    dn_conv_layer conv = {.filters = filters, .kernel = plan->kernel, .padding = plan->kernel / 2, .relu = true};
    if (plan->usual) {
        conv.relu = false;
        conv.init = DN_WEIGHTS_TORCH;
        conv.bias = DN_BIAS_TORCH;
        return dn__block_norm(p, "", norm_name, dn_layer_conv2d(p, conv_name, x, conv), true, forward);
    }
    x = dn_layer_conv2d(p, conv_name, x, conv);
    return dn_layer_batch_norm(p, norm_name, x, (dn_norm_options){.epsilon = 1e-3, .decay = 0.99}, forward);
}

static dn_tensor end_block(dn_program *p, dn_tensor x, int number, const dn_forward *forward)
{
    char name[16];
    snprintf(name, sizeof name, "block%d", number);
    return dn_max_pool(p, dn__tap(p, x, forward, name), 2, 2, 0);
}

static dn_tensor vgg(dn_program *p, const dn_model_options *options, dn_tensor x, const dn_forward *forward,
                     const vgg_plan *plan)
{
    if (!dn__check_images(p, options, x, plan->least, plan->multiple)) return DN_NONE;
    const int first = plan->widths[0];
    const double rate = dn__dropout_rate(options, 0.0);
    for (int i = 0, number = 1, block = 0; plan->widths[i] >= 0; i++) {
        if (plan->widths[i] == POOL) {
            x = end_block(p, x, ++block, forward);
        } else {
            x = conv_block(p, x, number++, plan, dn__width(options, plan->widths[i], first), forward);
        }
    }
    if (!plan->dense[0]) x = dn_layer_dropout(p, dn__features(p, x, forward), rate, forward);
    dn_linear_layer dense = {.bias = DN_BIAS_GLOROT, .relu = true};
    for (int i = 0; plan->dense[i]; i++) {
        char name[16];
        snprintf(name, sizeof name, "dense%d", i + 1);
        dense.units = dn__width(options, plan->dense[i], first);
        x = dn_layer_linear(p, name, x, dense);
        x = plan->dense[i + 1] ? dn__tap(p, x, forward, name) : dn__features(p, x, forward);
        x = dn_layer_dropout(p, x, rate, forward);
    }
    const dn_linear_layer head = {.units = options->classes,
                                  .init = plan->usual ? DN_WEIGHTS_TORCH : DN_WEIGHTS_GLOROT,
                                  .bias = plan->usual ? DN_BIAS_TORCH : DN_BIAS_GLOROT};
    return dn_layer_linear(p, "head", x, head);
}

static const int widths_of_4[] = {32, POOL, 64, POOL, -1};
static const int widths_of_small[] = {32, 32, POOL, 64, 64, POOL, 128, 128, POOL, -1};
static const int widths_of_16[] = {64,  64,  POOL, 128,  128, POOL, 256, 256,  256, POOL,
                                   512, 512, 512,  POOL, 512, 512,  512, POOL, -1};

dn_tensor dn__model_vgg16(dn_program *p, const dn_model_options *options, dn_tensor images, const dn_forward *forward)
{
    static const vgg_plan plan = {3, widths_of_16, {1024, 512}, 32, 32, false};
    return vgg(p, options, images, forward, &plan);
}

dn_tensor dn__model_vgg16_bn(dn_program *p, const dn_model_options *options, dn_tensor images,
                             const dn_forward *forward)
{
    static const vgg_plan plan = {3, widths_of_16, {0}, 32, 32, true};
    return vgg(p, options, images, forward, &plan);
}

dn_tensor dn__model_vgg_small(dn_program *p, const dn_model_options *options, dn_tensor images,
                              const dn_forward *forward)
{
    static const vgg_plan plan = {3, widths_of_small, {256}, 8, 1, false};
    return vgg(p, options, images, forward, &plan);
}

dn_tensor dn__model_vgg4(dn_program *p, const dn_model_options *options, dn_tensor images, const dn_forward *forward)
{
    static const vgg_plan plan = {5, widths_of_4, {512}, 4, 1, false};
    return vgg(p, options, images, forward, &plan);
}
