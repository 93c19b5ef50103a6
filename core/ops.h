/** The functions that record ops: one for each op that a model, a loss or a data pipeline is written with.
 *
 * All of them return DN_NONE once the program has failed (see core/program.h). Shapes are within one member; where
 * inputs are shared by the members and others are not, the result has one copy for each member.
 */
#ifndef DN_CORE_OPS_H
#define DN_CORE_OPS_H

#include "core/op.h"
#include "core/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- networks: core/ops/{conv,linear,norm,pool}.c ---- */

/** Cross-correlation. x [N,H,W,C], w [K,R,S,C], bias [K] or DN_NONE -> [N,P,Q,K], P = (H + 2 padding - R) / stride + 1.
 *  @param relu y = max(0, .) within the same kernel */
dn_tensor dn_conv2d(dn_program *p, dn_tensor x, dn_tensor w, dn_tensor bias, int stride, int padding, bool relu);

/** x [N,C] (or [N,H,W,C], flattened), w [K,C], bias [K] or DN_NONE -> [N,K] */
dn_tensor dn_linear(dn_program *p, dn_tensor x, dn_tensor w, dn_tensor bias, bool relu);

typedef struct dn_norm_options {
    double epsilon; /**< added to the variance */
    double decay;   /**< moving = decay * moving + (1 - decay) * batch */
    bool relu;      /**< y = max(0, .) within the same kernel */
    bool unbiased;  /**< the moving variance takes in the unbiased one (PyTorch), else the biased one (TensorFlow) */
} dn_norm_options;

/** Batch normalisation over all dimensions but the last, by the statistics of this batch; updates the moving ones.
 *  x [...,C]; scale, shift, moving mean and variance [C] -> [...,C] */
dn_tensor dn_batch_norm(dn_program *p, dn_tensor x, dn_tensor scale, dn_tensor shift, dn_tensor mean,
                        dn_tensor variance, dn_norm_options options);

/** The same by the moving statistics, which stay as they are. */
dn_tensor dn_batch_norm_infer(dn_program *p, dn_tensor x, dn_tensor scale, dn_tensor shift, dn_tensor mean,
                              dn_tensor variance, dn_norm_options options);

/** x [N,H,W,C] -> [N,P,Q,C]; padding never wins. Windows of at most 255 taps. */
dn_tensor dn_max_pool(dn_program *p, dn_tensor x, int kernel, int stride, int padding);

/** The mean over the pixels of each window that lie inside the image. */
dn_tensor dn_average_pool(dn_program *p, dn_tensor x, int kernel, int stride, int padding);

/** [N,H,W,C] -> [N,C], the mean over all pixels. */
dn_tensor dn_global_average_pool(dn_program *p, dn_tensor x);

/** Each element is 0 with probability `rate`, else divided by 1 - rate. New zeros at every step, no memory for them:
 *  the backward pass draws the same ones again. `rate` is rounded to a multiple of 2^-16. */
dn_tensor dn_dropout(dn_program *p, dn_tensor x, double rate);

/* ---- element by element, shapes: core/ops/{elementwise,shape}.c ---- */

dn_tensor dn_relu(dn_program *p, dn_tensor x);
dn_tensor dn_clamp(dn_program *p, dn_tensor x, double low, double high); /**< gradient 1 at the borders */
dn_tensor dn_add(dn_program *p, dn_tensor a, dn_tensor b);               /**< of equal shape */

/** The same numbers as `dtype`: program precision or bf16 (to nearest), on a device that has it. Networks do this by
 *  themselves, see dn_program_options. The gradient comes back in x's type. */
dn_tensor dn_cast(dn_program *p, dn_tensor x, dn_dtype dtype);

/** x * factor * scalar; scalar is a tensor [1] through which no gradient flows, or DN_NONE. */
dn_tensor dn_scale(dn_program *p, dn_tensor x, double factor, dn_tensor scalar);

/** Joins by channel: [...,C1] and [...,C2] -> [...,C1+C2] */
dn_tensor dn_concat(dn_program *p, dn_tensor a, dn_tensor b);

/** Channels first..first+count-1 of x. */
dn_tensor dn_slice(dn_program *p, dn_tensor x, int64_t first, int64_t count);

dn_tensor dn_reshape(dn_program *p, dn_tensor x, dn_shape shape); /**< the same elements in order; costs nothing */
dn_tensor dn_flatten(dn_program *p, dn_tensor x);                 /**< [N,...] -> [N,product]; costs nothing */
dn_tensor dn_stop_gradient(dn_program *p, dn_tensor x);           /**< x, but no gradient passes; costs nothing */

/** x, but the gradient that passes is multiplied by the tensor `gate` [1] (0: blocked, 1: let through). */
dn_tensor dn_gate_gradient(dn_program *p, dn_tensor x, dn_tensor gate);

dn_tensor dn_copy(dn_program *p, dn_tensor x);
dn_tensor dn_fill(dn_program *p, dn_shape shape, bool members_share, double value);

/* ---- reductions: core/ops/{reduce,gram}.c ---- */

enum { DN_ALL_AXES = -1 };

dn_tensor dn_sum(dn_program *p, dn_tensor x, int axis);  /**< over one dimension, or all of them -> [1] */
dn_tensor dn_mean(dn_program *p, dn_tensor x, int axis); /**< the same, divided by the number of terms */

dn_tensor dn_sum_members(dn_program *p, dn_tensor x);    /**< over the members -> shared */
dn_tensor dn_mean_members(dn_program *p, dn_tensor x);   /**< over the members -> shared */
dn_tensor dn_spread_members(dn_program *p, dn_tensor x); /**< shared -> a copy for each member */

/** All columns' inner products: x [N,D] -> x' x [D,D]. Both are DN_F64, whatever the program's precision, and sums are
 *  double: covariances are fitted by it. No gradient. */
dn_tensor dn_gram(dn_program *p, dn_tensor x);

/* ---- probabilities and losses: core/ops/{softmax,losses}.c. Natural logarithms. ---- */

dn_tensor dn_softmax(dn_program *p, dn_tensor logits);     /**< over the last dimension of [N,C] */
dn_tensor dn_log_softmax(dn_program *p, dn_tensor logits); /**< over the last dimension of [N,C] */

/** Takes classes out: logits [N,C] where mask (u8 [C], of each member) is 0 become -1e30, probability 0. */
dn_tensor dn_mask_logits(dn_program *p, dn_tensor logits, dn_tensor mask);

/** Mean over rows of -ln softmax(logits)[label] -> [1]. labels i32 [N] in 0..C-1: others make the loss NaN. */
dn_tensor dn_cross_entropy(dn_program *p, dn_tensor logits, dn_tensor labels);

/** Share of rows whose largest logit (the first of equals) is the label's -> [1]; no gradient */
dn_tensor dn_accuracy(dn_program *p, dn_tensor logits, dn_tensor labels);

/** Entropy of softmax(logits) row by row: [N,C] -> [N] */
dn_tensor dn_entropy(dn_program *p, dn_tensor logits);

/** Mutual information between class and member, row by row: H(mean_e p_e) - mean_e H(p_e), p_e = softmax of member e's
 *  logits [N,C] -> [N], shared. With the scores' sign: 0 where all members agree, at most ln min(C,E). */
dn_tensor dn_mutual_information(dn_program *p, dn_tensor logits);

dn_tensor dn_sum_squares(dn_program *p, dn_tensor x); /**< -> [1] */

/* ---- data: core/ops/data.c. Gradients pass through dn_standardize and dn_normalize only. ---- */

typedef struct dn_indices_options {
    int64_t batch;       /**< N */
    int64_t count;       /**< how many items there are; unused with a pool */
    dn_tensor pool;      /**< i32 [L]: the items to choose from, per member or shared; DN_NONE: 0..count-1 */
    dn_tensor pool_size; /**< i32 [1]: how many of the L are filled */
    bool replace;        /**< draw with replacement; else one random permutation after the other */
    bool members_share;  /**< all members get the same items */
} dn_indices_options;

/** The items of this step's batch -> i32 [N] */
dn_tensor dn_indices(dn_program *p, dn_tensor step, const dn_indices_options *options);

/** What a program's dn_indices() gives for one member at a step, found by the host: for those who fetch items ahead.
 *  @param indices what dn_indices() gave @param member 0 if members share it
 *  @param pool [pool_size] what is in the member's pool; NULL without one @param items receives [N] */
void dn_indices_ahead(const dn_program *p, dn_tensor indices, int64_t step, int member, const int32_t *pool,
                      int32_t pool_size, int64_t *items);

/** Rows of data [M,...] -> [N,...]; u8 elements become value / 255, i32 stay. */
dn_tensor dn_gather(dn_program *p, dn_tensor data, dn_tensor indices);

/** Pads every side with `padding` zeros and cuts the old size out at a random place, offsets 0..choices-1 each way. */
dn_tensor dn_random_crop(dn_program *p, dn_tensor x, dn_tensor step, int padding, int choices);
dn_tensor dn_random_flip(dn_program *p, dn_tensor x, dn_tensor step); /**< left to right, each image with p = 1/2 */

/** Each image minus its mean, divided by max(its standard deviation, 1 / sqrt(number of elements)). */
dn_tensor dn_standardize(dn_program *p, dn_tensor x);
dn_tensor dn_normalize(dn_program *p, dn_tensor x, dn_tensor mean, dn_tensor deviation); /**< by channel: both [C] */

/** Cuts each image in size x size patches and puts them in a random order of its own. */
dn_tensor dn_patch_shuffle(dn_program *p, dn_tensor x, dn_tensor step, int size);

/** Uniform in [a, b), or normal with mean a and standard deviation b. */
dn_tensor dn_noise(dn_program *p, dn_tensor step, dn_shape shape, bool members_share, dn_noise_kind kind, double a,
                   double b);

/** The step number rounded down to a multiple of `every`: what draws by it changes every so many steps only. */
dn_tensor dn_hold(dn_program *p, dn_tensor step, int every);

/** a where choice [1] is at most 1/2, else b. */
dn_tensor dn_select(dn_program *p, dn_tensor choice, dn_tensor a, dn_tensor b);

/** The value at this step of a table [S,3] of (start, value, kind): from `start` on hold `value` (kind 0) or go to the
 *  next row's value linearly (1) or along half a cosine (2) -> [1], shared. See optim/schedule.h. */
dn_tensor dn_schedule(dn_program *p, dn_tensor step, dn_tensor table);

/* ---- update: core/ops/update.c ---- */

/** 1 if all losses [1] and the whole gradient block are finite, else 0 -> i32 [1], shared. With it the updates and the
 *  step counter stand still from the first bad step on, so that the host can look for the cause later. */
dn_tensor dn_finite(dn_program *p, dn_tensor loss);

typedef struct dn_update_options {
    double beta1, beta2, epsilon; /**< Adam */
    double momentum;              /**< SGD; 0: none */
    bool nesterov;                /**< SGD */
    double weight_decay;          /**< times w, added to the gradient, on all parameters */
} dn_update_options;

/** @param rate [1], of each member or shared. @param ok from dn_finite(), or DN_NONE */
void dn_adam(dn_program *p, dn_tensor rate, dn_tensor step, dn_tensor ok, const dn_update_options *options);
void dn_sgd(dn_program *p, dn_tensor rate, dn_tensor ok, const dn_update_options *options);

/** Writes x [1] to place step % length of a history [length] that the host reads now and then. @return the history */
dn_tensor dn_record(dn_program *p, const char *name, dn_tensor x, dn_tensor step, int length);

/** Counts the step on; the last op of a training program. */
void dn_advance(dn_program *p, dn_tensor step, dn_tensor ok);

#ifdef __cplusplus
}
#endif
#endif
