/** A store of parameters that several programs share: training, evaluation and feature extraction are programs over
 *  one store.
 *
 * The values are member-major and flat: [E,P], where a member's P elements hold its parameters one after the other,
 * each starting on a multiple of 64 bytes. A member is one slice. Beside the values stand the *states* [E,S] that are
 * kept but not trained (batch norm's moving statistics) and the optimizer's *slots*, laid out like the values.
 */
#ifndef DN_CORE_PARAMS_H
#define DN_CORE_PARAMS_H

#include "core/device.h"
#include "core/status.h"
#include "core/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_params dn_params;

typedef struct dn_params_options {
    int members;      /**< E, at least 1 */
    dn_dtype dtype;   /**< DN_F32, or DN_F64 to check gradients */
    uint64_t seed;    /**< of the initial values */
    int first_member; /**< the number of member 0 in a larger ensemble: it alone decides a member's random numbers */
} dn_params_options;

/** How a parameter starts. Fans of a shape [K,R,S,C] or [K,C]: in = R S C, out = R S K. */
typedef enum dn_init_kind {
    DN_INIT_CONSTANT,       /**< value */
    DN_INIT_GLOROT_UNIFORM, /**< U(-a, a), a = sqrt(6 / (in + out)); of a vector [K]: in = 1, out = K */
    DN_INIT_HE_NORMAL,      /**< N(0, sqrt(2 / in)) */
    DN_INIT_FAN_OUT_NORMAL, /**< N(0, sqrt(2 / (R S K))): DenseNet and WRN */
    DN_INIT_UNIFORM         /**< U(-value, value); PyTorch's default is value = 1 / sqrt(in) */
} dn_init_kind;

typedef struct dn_init {
    dn_init_kind kind;
    double value;
} dn_init;

/** @param out receives the store; free with dn_params_close() when no program uses it any more */
dn_status dn_params_new(dn_params **out, const dn_params_options *options);
void dn_params_close(dn_params *params);

/** Finds the parameter `name`, or adds it with this shape and initial values. An existing one must have the same shape;
 *  a frozen store (see dn_params_freeze) takes no new one. @param index receives its number */
dn_status dn_params_value(dn_params *params, const char *name, const dn_shape *shape, dn_init init, int *index);

/** The same for a state. */
dn_status dn_params_state(dn_params *params, const char *name, const dn_shape *shape, double initial, int *index);

/** The same for a slot: a zeroed copy of the whole value block [E,P] (Adam's moments). */
dn_status dn_params_slot(dn_params *params, const char *name, int *index);

/** Fixes the layout; called by the first program that is sealed. */
void dn_params_freeze(dn_params *params);

/** Allocates the blocks on the device and writes the initial values. Does nothing if they are there already; a store
 *  lives on one device. */
dn_status dn_params_place(dn_params *params, dn_device *device);

int dn_params_members(const dn_params *params);
int dn_params_first_member(const dn_params *params);
uint64_t dn_params_seed(const dn_params *params);
dn_dtype dn_params_dtype(const dn_params *params);

/** The three kinds of block of a store. */
typedef enum dn_params_block { DN_BLOCK_VALUES, DN_BLOCK_STATES, DN_BLOCK_SLOTS } dn_params_block;

typedef struct dn_params_entry {
    char *name;
    dn_shape shape;
    dn_init init;
    size_t offset; /**< in elements, within one member */
} dn_params_entry;

/** @return how many entries a block has (values, states) or how many slots there are */
int dn_params_count(const dn_params *params, dn_params_block block);

/** @return entry `index` of the values or states; of the slots only the name means anything */
const dn_params_entry *dn_params_at(const dn_params *params, dn_params_block block, int index);

/** @return elements of one member's slice of the block: P or S */
int64_t dn_params_slice(const dn_params *params, dn_params_block block);

/** @return bytes of all blocks together, for the memory plan */
size_t dn_params_bytes(const dn_params *params);

/** @return the device buffer [E, slice] of the values, states, or slot number `slot`; NULL before dn_params_place() */
dn_buffer *dn_params_buffer(const dn_params *params, dn_params_block block, int slot);

#ifdef __cplusplus
}
#endif
#endif
