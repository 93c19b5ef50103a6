/** What the layers share. */
#ifndef DN_LAYERS_PRIVATE_H
#define DN_LAYERS_PRIVATE_H

#include "layers/layers.h"

/** The parameter "<name>.<part>". */
dn_tensor dn__layer_parameter(dn_program *p, const char *name, const char *part, dn_shape shape, dn_init init);

/** "<name>.weight" of this shape, [K,R,S,C] or [K,C]. */
dn_tensor dn__layer_weight(dn_program *p, const char *name, dn_shape shape, dn_weight_init init);

/** The weight as products with x take it: in x's type. */
dn_tensor dn__weight_like(dn_program *p, dn_tensor weight, dn_tensor x);

/** "<name>.bias" of a layer with weights of this shape, or DN_NONE for DN_BIAS_NONE. */
dn_tensor dn__layer_bias(dn_program *p, const char *name, const dn_shape *weight, dn_bias bias);

/** Writes "<name>.<part>". @return false if it is too long; the program has then failed */
bool dn__layer_name(dn_program *p, char *text, size_t size, const char *name, const char *part);

#endif
