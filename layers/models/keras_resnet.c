/* ResNet version 1 of the Keras examples (cifar10_resnet), so that its weight files can be used. Differences to
 * resnet.c: biases in the convolutions, 1x1 projections with bias and without norm, Keras' batch norm, and padding
 * "same": where the stride is 2, the zeros stand at the end only. Layers, and so parameters and taps, have Keras' names
 * in Keras' order of creation: conv2d, conv2d_1..., batch_normalization..., activation.... */
#include "layers/models/build.h"

/* Where the network has got to: the numbers of the next layers. */
typedef struct keras_names {
    int conv, norm, activation;
} keras_names;

static const char *next_name(char text[DN_TAP_NAME], const char *kind, int *number)
{
    if (*number == 0)
        snprintf(text, DN_TAP_NAME, "%s", kind);
    else
        snprintf(text, DN_TAP_NAME, "%s_%d", kind, *number);
    ++*number;
    return text;
}

static dn_tensor convolution(dn_program *p, keras_names *names, dn_tensor x, int filters, int kernel, int stride)
{
    char name[DN_TAP_NAME];
    const bool at_end = kernel > 1 && stride > 1;
    const dn_conv_layer conv = {.filters = filters,
                                .kernel = kernel,
                                .stride = stride,
                                .padding = at_end ? 0 : kernel / 2,
                                .init = DN_WEIGHTS_HE,
                                .bias = DN_BIAS_ZERO};
    return dn_layer_conv2d(p, next_name(name, "conv2d", &names->conv), at_end ? dn__pad_end(p, x) : x, conv);
}

/* Keras' defaults; its fused kernel corrects the moving variance for bias. */
static dn_tensor norm(dn_program *p, keras_names *names, dn_tensor x, bool relu, const dn_forward *forward)
{
    char name[DN_TAP_NAME];
    const dn_norm_options options = {.epsilon = 1e-3, .decay = 0.99, .relu = relu, .unbiased = true};
    return dn_layer_batch_norm(p, next_name(name, "batch_normalization", &names->norm), x, options, forward);
}

static dn_tensor activation(dn_program *p, keras_names *names, dn_tensor x, const dn_forward *forward)
{
    char name[DN_TAP_NAME];
    return dn__tap(p, x, forward, next_name(name, "activation", &names->activation));
}

/* @param last the stage's last block, whose second convolution is a tap too */
static dn_tensor residual_block(dn_program *p, keras_names *names, dn_tensor x, int filters, int stride, bool last,
                                const dn_forward *forward)
{
    char name[DN_TAP_NAME];
    dn_tensor y = convolution(p, names, x, filters, 3, stride);
    y = activation(p, names, norm(p, names, y, true, forward), forward);
    int number = names->conv;
    y = convolution(p, names, y, filters, 3, 1);
    if (last) y = dn__tap(p, y, forward, next_name(name, "conv2d", &number));
    y = norm(p, names, y, false, forward);
    if (stride > 1) x = convolution(p, names, x, filters, 1, stride);
    return activation(p, names, dn_relu(p, dn_add(p, x, y)), forward);
}

dn_tensor dn__model_keras_resnet(dn_program *p, const dn_model_options *options, dn_tensor images,
                                 const dn_forward *forward)
{
    if (!dn__check_images(p, options, images, 8, 4)) return DN_NONE;
    keras_names names = {0};
    const int blocks = (options->depth - 2) / 6;
    int filters = dn__width(options, 16, 16);
    dn_tensor x = norm(p, &names, convolution(p, &names, images, filters, 3, 1), true, forward);
    x = activation(p, &names, x, forward);
    for (int stage = 1; stage <= 3; stage++) {
        for (int number = 1; number <= blocks; number++) {
            const int stride = stage > 1 && number == 1 ? 2 : 1;
            x = residual_block(p, &names, x, filters, stride, number == blocks, forward);
        }
        filters *= 2;
    }
    x = dn__pooled_features(p, x, forward);
    const dn_linear_layer head = {.units = options->classes, .init = DN_WEIGHTS_HE, .bias = DN_BIAS_ZERO};
    return dn_layer_linear(p, "head", dn_layer_dropout(p, x, dn__dropout_rate(options, 0.0), forward), head);
}
