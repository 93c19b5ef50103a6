/** What the networks share. */
#ifndef DN_LAYERS_MODELS_BUILD_H
#define DN_LAYERS_MODELS_BUILD_H

#include "layers/models/models.h"

dn_model_function dn__model_cnn3, dn__model_toy_convnet, dn__model_mlp, dn__model_vgg16, dn__model_vgg_small,
    dn__model_vgg4, dn__model_glyph_net;

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

#endif
