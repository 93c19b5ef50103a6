/** What the networks share. */
#ifndef DN_LAYERS_MODELS_BUILD_H
#define DN_LAYERS_MODELS_BUILD_H

#include "layers/models/models.h"

dn_model_function dn__model_cnn3, dn__model_toy_convnet, dn__model_mlp, dn__model_vgg16, dn__model_vgg_small,
    dn__model_vgg4, dn__model_glyph_net, dn__model_vgg16_bn, dn__model_resnet, dn__model_resnet18,
    dn__model_keras_resnet, dn__model_densenet_bc, dn__model_wrn;

/** @return `own` filters of a model whose first layer has `first`, scaled to the width that the options ask for */
int dn__width(const dn_model_options *options, int own, int first);

/** @return the rate that the options ask for, or the model's own */
double dn__dropout_rate(const dn_model_options *options, double own);

/** Fails the program unless the images [N,H,W,C] are at least `least` pixels high and wide and both sizes are multiples
 *  of `multiple`. @return whether all is well */
bool dn__check_images(dn_program *p, const dn_model_options *options, dn_tensor images, int least, int multiple);

/** Names the output of a block "<prefix><name>" and adds it to the pass's taps, see dn_taps. Every model has one for
 *  each of its blocks, and dn__features() last. @return x, or what the pass replaces it by */
dn_tensor dn__tap(dn_program *p, dn_tensor x, const dn_forward *forward, const char *name);

/** Flattens to [N,D]: the tap "features". */
dn_tensor dn__features(dn_program *p, dn_tensor x, const dn_forward *forward);

/** [N,H,W,C] -> [N,C], the mean over all pixels: the tap "features". */
dn_tensor dn__pooled_features(dn_program *p, dn_tensor x, const dn_forward *forward);

/** dn_layer_conv2d() with the name "<block>.<part>", or "<part>" in no block (""). */
dn_tensor dn__block_conv(dn_program *p, const char *block, const char *part, dn_tensor x, dn_conv_layer conv);

/** Batch norm by PyTorch's defaults, then ReLU if wanted, with the name "<block>.<part>". */
dn_tensor dn__block_norm(dn_program *p, const char *block, const char *part, dn_tensor x, bool relu,
                         const dn_forward *forward);

/** A shortcut without weights (option A of He et al., 2016): every stride-th pixel, and zeros for the channels that
 *  are missing, half of them before the others.  [N,H,W,C] -> [N,P,Q,filters] */
dn_tensor dn__plain_shortcut(dn_program *p, dn_tensor x, int filters, int stride);

/** Adds a row and a column of zeros at the end. [N,H,W,C] -> [N,H+1,W+1,C] */
dn_tensor dn__pad_end(dn_program *p, dn_tensor x);

#endif
