/** Layers: functions that add parameters and ops to a program.
 *
 * A layer finds its parameters by name, so calling a model twice in one program (a second batch, other statistics) or
 * in two programs over one store uses the same weights. Layers do not check what the ops check; an error anywhere makes
 * them return DN_NONE and is reported by dn_program_seal().
 */
#ifndef DN_LAYERS_LAYERS_H
#define DN_LAYERS_LAYERS_H

#include "core/ops.h"
#include "core/program.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_TAPS_MAX = 64, DN_TAP_NAME = 32 };

/** The outputs of a model's blocks in one program, in order: of each block of convolutions the map [N,H,W,C] behind
 *  activation and normalisation, before pooling; of each hidden dense layer the activations [N,D]; last "features",
 *  what the last layer is applied to [N,D]. All before dropout. */
typedef struct dn_taps {
    int count;
    struct {
        char name[DN_TAP_NAME];
        dn_tensor tensor;
    } at[DN_TAPS_MAX];
} dn_taps;

/** How one pass through a model is meant. Start from one of the two constants below: a zeroed `norm_gate` would be
 *  tensor number 0. */
typedef struct dn_forward {
    bool batch_statistics; /**< batch norm by the batch's statistics, which move the moving ones; else by those */
    bool dropout;          /**< on */
    dn_tensor norm_gate;   /**< DN_NONE, or [1]: multiplies the gradient that reaches batch norm's scale and shift
                                through this pass */
    const char *prefix;    /**< before the names of taps: "features" is named "<prefix>features"; NULL: nothing */
    dn_taps *taps;         /**< receives them; NULL: they only get their names. dn_keep() what shall be read */
    const char *replaced;  /**< the tap of this name is replaced by the tensor `by` of the same shape, and dn_prune()
                                can drop what led to it; NULL: none is */
    dn_tensor by;
} dn_forward;

extern const dn_forward dn_forward_train; /**< batch statistics, dropout */
extern const dn_forward dn_forward_infer; /**< moving statistics, no dropout */

/** How weights [K,R,S,C] or [K,C] start; in = R S C. */
typedef enum dn_weight_init {
    DN_WEIGHTS_GLOROT,  /**< U(-a, a), a = sqrt(6 / (in + R S K)) (Glorot and Bengio, 2010) */
    DN_WEIGHTS_HE,      /**< N(0, sqrt(2 / in)) (He et al., 2015) */
    DN_WEIGHTS_TORCH,   /**< U(-1 / sqrt(in), 1 / sqrt(in)), PyTorch's default */
    DN_WEIGHTS_FAN_OUT, /**< N(0, sqrt(2 / (R S K))), as in DenseNet and wide residual networks */
    DN_WEIGHTS_ZERO
} dn_weight_init;

/** Whether there is a bias [K], and how it starts. */
typedef enum dn_bias {
    DN_BIAS_NONE,
    DN_BIAS_ZERO,
    DN_BIAS_GLOROT, /**< U(-a, a), a = sqrt(6 / (1 + K)), as TensorFlow 1 draws a bias [1,K] */
    DN_BIAS_TORCH   /**< U(-1 / sqrt(in), 1 / sqrt(in)) with the weights' in, PyTorch's default */
} dn_bias;

typedef struct dn_conv_layer {
    int filters; /**< K */
    int kernel;  /**< R = S */
    int stride;  /**< 0: 1 */
    int padding;
    dn_weight_init init;
    dn_bias bias;
    bool relu; /**< y = max(0, .) */
} dn_conv_layer;

/** x [N,H,W,C] -> [N,P,Q,K]. Parameters "<name>.weight" [K,R,S,C] and "<name>.bias" [K]. */
dn_tensor dn_layer_conv2d(dn_program *p, const char *name, dn_tensor x, dn_conv_layer options);

typedef struct dn_linear_layer {
    int units; /**< K */
    dn_weight_init init;
    dn_bias bias;
    bool relu; /**< y = max(0, .) */
} dn_linear_layer;

/** x [N,...], flattened to [N,C] -> [N,K]. Parameters "<name>.weight" [K,C] and "<name>.bias" [K]. */
dn_tensor dn_layer_linear(dn_program *p, const char *name, dn_tensor x, dn_linear_layer options);

/** x [...,C] -> [...,C]. Parameters "<name>.scale" (1 at first) and "<name>.shift" (0), states "<name>.mean" (0) and
 *  "<name>.variance" (1), all [C]. */
dn_tensor dn_layer_batch_norm(dn_program *p, const char *name, dn_tensor x, dn_norm_options options,
                              const dn_forward *forward);

/** dn_dropout() where the pass has it on, else x. */
dn_tensor dn_layer_dropout(dn_program *p, dn_tensor x, double rate, const dn_forward *forward);

#ifdef __cplusplus
}
#endif
#endif
