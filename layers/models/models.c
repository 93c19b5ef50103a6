#include "layers/models/models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/nearest.h"
#include "layers/models/build.h"

#define ONE_DEPTH 0, 0, 0, 0

static const dn_model models[] = {
    {"glyph_net", "3 convolutions 16-32-64 with batch norm, dense 64: for 32x32 glyphs, trains on a laptop",
     dn__model_glyph_net, ONE_DEPTH},
    {"mlp", "dense 300-150", dn__model_mlp, ONE_DEPTH},
    {"toy_convnet", "2 convolutions 32-64, dropout: the small MNIST network of many tutorials", dn__model_toy_convnet,
     ONE_DEPTH},
    {"cnn3", "3 convolutions 32-64-128, dense 256, dropout .3 throughout", dn__model_cnn3, ONE_DEPTH},
    {"vgg4", "2 convolutions 5x5 32-64 with batch norm, dense 512: for MNIST", dn__model_vgg4, ONE_DEPTH},
    {"vgg_small", "6 convolutions 32-32-64-64-128-128 with batch norm, dense 256: VGG16's style on a laptop",
     dn__model_vgg_small, ONE_DEPTH},
    {"vgg16", "13 convolutions with batch norm after each ReLU, dense 1024-512", dn__model_vgg16, ONE_DEPTH},
    {"vgg16_bn", "13 convolutions with batch norm before each ReLU, no hidden dense layer: the usual one for CIFAR",
     dn__model_vgg16_bn, ONE_DEPTH},
    {"resnet20", "residual network for CIFAR, depth 20", dn__model_resnet, 20, 8, 6, 110},
    {"resnet32", "residual network for CIFAR, depth 32", dn__model_resnet, 32, 8, 6, 110},
    {"resnet56", "residual network for CIFAR, depth 56", dn__model_resnet, 56, 8, 6, 110},
    {"resnet18", "residual network of 4 stages 64-512 for 32x32 images, the one of OpenOOD", dn__model_resnet18, 18, 10,
     8, 18},
    {"keras_resnet", "residual network of the Keras examples (version 1, depth 56), for its weight files",
     dn__model_keras_resnet, 56, 8, 6, 56},
    {"densenet_bc", "DenseNet-BC, depth 100, growth rate 12", dn__model_densenet_bc, 100, 10, 6, 250},
    {"wrn_28_10", "wide residual network, depth 28, 10 times as wide, dropout .3", dn__model_wrn, 28, 10, 6, 124},
};
enum { MODELS = sizeof models / sizeof *models };

int dn_model_list(const dn_model **rows)
{
    *rows = models;
    return MODELS;
}

const dn_model *dn_model_find(const char *name)
{
    for (int i = 0; i < MODELS; i++)
        if (strcmp(models[i].name, name) == 0) return &models[i];
    return NULL;
}

bool dn_model_has_depth(const dn_model *model, int depth)
{
    return model->depth > 0 && depth >= model->depth_least && depth <= model->depth_most &&
           (depth - model->depth_least) % model->depth_step == 0;
}

const char *dn_model_depths(const dn_model *model, char *text, size_t size)
{
    const int least = model->depth_least, step = model->depth_step, most = model->depth_most;
    if (model->depth == 0)
        snprintf(text, size, "no depth to choose");
    else if (least + step >= most)
        snprintf(text, size, "the depths %d and %d", least, most);
    else
        snprintf(text, size, "the depths %d, %d, %d and so on up to %d", least, least + step, least + 2 * step, most);
    return text;
}

static dn_tensor fail_unknown(dn_program *p, const char *name)
{
    const char *names[MODELS];
    for (int i = 0; i < MODELS; i++) names[i] = models[i].name;
    const char *nearest = dn_nearest(name, names, MODELS);
    return dn_program_fail(p, DN_ERROR_ARGUMENT, "model '%.60s' is not known%s%s%s", name,
                           nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static dn_tensor fail_depth(dn_program *p, const dn_model *model, int depth)
{
    char text[96];
    return dn_program_fail(p, DN_ERROR_ARGUMENT, "model '%s' has %s, not %d", model->name,
                           dn_model_depths(model, text, sizeof text), depth);
}

dn_tensor dn_model_build(dn_program *p, const dn_model_options *options, dn_tensor images, const dn_forward *forward)
{
    const dn_model *model = dn_model_find(options->name);
    if (!model) return fail_unknown(p, options->name);
    if (options->classes < 1 || options->width < 0)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "model '%s': %d classes and width %d make no sense", model->name,
                               options->classes, options->width);
    dn_model_options known = *options;
    if (known.depth == 0) known.depth = model->depth;
    if (options->depth != 0 && !dn_model_has_depth(model, options->depth)) return fail_depth(p, model, options->depth);
    if (dn_program_precision(p) == DN_PRECISION_BF16) images = dn_cast(p, images, DN_BF16);
    const dn_tensor logits = model->build(p, &known, images, forward);
    /* Softmax, losses and scores never run below f32. */
    return dn_dtype_of(p, logits) == DN_BF16 ? dn_cast(p, logits, DN_F32) : logits;
}

/* ---- what the networks share ---- */

int dn__width(const dn_model_options *options, int own, int first)
{
    if (options->width == 0) return own;
    const double scaled = round((double)own * options->width / first);
    return scaled < 1.0 ? 1 : scaled > 1e6 ? 1000000 : (int)scaled;
}

double dn__dropout_rate(const dn_model_options *options, double own)
{
    return options->dropout < 0.0 ? own : options->dropout;
}

bool dn__check_images(dn_program *p, const dn_model_options *options, dn_tensor images, int least, int multiple)
{
    if (dn_is_none(images)) return false;
    const dn_shape shape = dn_shape_of(p, images);
    char text[64], multiples[32] = "";
    const bool fits = shape.rank == 4 && shape.dim[1] >= least && shape.dim[2] >= least &&
                      shape.dim[1] % multiple == 0 && shape.dim[2] % multiple == 0;
    if (multiple > 1) snprintf(multiples, sizeof multiples, "multiples of %d and ", multiple);
    if (!fits)
        dn_program_fail(p, DN_ERROR_SHAPE, "model '%s' takes images [N,H,W,C] with H and W %sat least %d, not %s",
                        options->name, multiples, least, dn_shape_text(&shape, text));
    return fits;
}

/* The tensor that stands for x from here on. */
static dn_tensor replacement(dn_program *p, dn_tensor x, dn_tensor by, const char *name)
{
    char one[64], other[64];
    const dn_shape shape = dn_shape_of(p, x), given = dn_shape_of(p, by);
    if (dn_is_none(x) || dn_shape_equal(&shape, &given)) return by;
    return dn_program_fail(p, DN_ERROR_SHAPE, "'%s' has shape %s, it cannot be replaced by %s", name,
                           dn_shape_text(&shape, one), dn_shape_text(&given, other));
}

dn_tensor dn__tap(dn_program *p, dn_tensor x, const dn_forward *forward, const char *name)
{
    if (forward->replaced && strcmp(forward->replaced, name) == 0) x = replacement(p, x, forward->by, name);
    x = dn_name(p, x, "%s%s", forward->prefix ? forward->prefix : "", name);
    dn_taps *taps = forward->taps;
    if (!taps || dn_is_none(x)) return x;
    if (taps->count == DN_TAPS_MAX || strlen(name) >= DN_TAP_NAME)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "tap '%s': names are shorter than %d characters, a model has %d",
                               name, DN_TAP_NAME, DN_TAPS_MAX);
    taps->at[taps->count].tensor = x;
    snprintf(taps->at[taps->count++].name, DN_TAP_NAME, "%s", name);
    return x;
}

dn_tensor dn__features(dn_program *p, dn_tensor x, const dn_forward *forward)
{
    return dn__tap(p, dn_flatten(p, x), forward, "features");
}
