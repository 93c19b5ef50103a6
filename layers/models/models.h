/** The networks. Each is a row of one table: `dunlin` lists them, recipes name them. */
#ifndef DN_LAYERS_MODELS_MODELS_H
#define DN_LAYERS_MODELS_MODELS_H

#include "layers/layers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_model_options {
    const char *name; /**< a row of the table */
    int classes;
    double dropout; /**< rate; below 0: the model's own */
    int width; /**< filters (mlp: units) of the first layer, the others in proportion (wrn_28_10: of the first stage;
                         densenet_bc: the growth rate); 0: the model's own */
    int depth; /**< one that the model has, see dn_model_has_depth(); 0: the model's own */
} dn_model_options;

/** Records one pass. The outputs of its blocks are taps (see dn_taps); the last of them, "features", are the
 *  penultimate activations [N,D] before dropout, which the last layer "head" (weight [classes,D], bias [classes]) is
 *  applied to.
 *  @param images [N,H,W,C]  @return logits [N,classes] */
typedef dn_tensor dn_model_function(dn_program *p, const dn_model_options *options, dn_tensor images,
                                    const dn_forward *forward);

typedef struct dn_model {
    const char *name, *description; /**< one line */
    dn_model_function *build;
    int depth;                               /**< its own; 0: there is no other */
    int depth_least, depth_step, depth_most; /**< those it has: least, least + step and so on */
} dn_model;

/** Builds the model `options->name`. An unknown name fails the program with the nearest known one. */
dn_model_function dn_model_build;

/** @return the number of models; *rows points to the static table */
int dn_model_list(const dn_model **rows);

/** @return the row of this name, or NULL */
const dn_model *dn_model_find(const char *name);

/** @return whether the model can be built with this depth (layers with weights on the way, as papers count them) */
bool dn_model_has_depth(const dn_model *model, int depth);

/** Writes which depths there are, for messages: "the depths 8, 14, 20 and so on up to 110", or "no depth to choose".
 *  @return text */
const char *dn_model_depths(const dn_model *model, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
