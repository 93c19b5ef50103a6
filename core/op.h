/** The ops: everything that a program can do, on any backend.
 *
 * DN_OPS is the one list. From it come the enum, the names, the gradient rules (dn__grad_NAME in core/ops/) and the
 * table of reference kernels (core/cpu/ref/): an op that lacks one of them does not link. See docs/add_an_op.md.
 */
#ifndef DN_CORE_OP_H
#define DN_CORE_OP_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What holds for an op, beside its name. */
enum {
    DN_OP_PLAIN = 0,
    DN_OP_INPLACE = 1, /**< the first output may take the place of the first input */
    DN_OP_JOINS = 2,   /**< the kernel sees all members at once: it runs once, not once per member */
    DN_OP_VIEW = 4     /**< the output is the first input under another name; there is no kernel */
};

/*         enum                     name                  flags          inputs -> outputs (? = may be left out) */
#define DN_OPS(X)                                                                                                      \
    X(DN_OP_INDICES, indices, DN_OP_PLAIN)                       /* step, pool?, pool_size? -> i32 [N] */              \
    X(DN_OP_GATHER, gather, DN_OP_PLAIN)                         /* data [M,...], i32 [N] -> [N,...] */                \
    X(DN_OP_CROP, crop, DN_OP_PLAIN)                             /* x [N,H,W,C], step -> [N,H,W,C] */                  \
    X(DN_OP_FLIP, flip, DN_OP_PLAIN)                             /* x [N,H,W,C], step -> [N,H,W,C] */                  \
    X(DN_OP_STANDARDIZE, standardize, DN_OP_PLAIN)               /* x [N,...] -> [N,...] */                            \
    X(DN_OP_STANDARDIZE_GRAD, standardize_grad, DN_OP_INPLACE)   /* dy, x -> dx */                                     \
    X(DN_OP_NORMALIZE, normalize, DN_OP_INPLACE)                 /* x [...,C], mean [C], std [C] -> [...,C] */         \
    X(DN_OP_NORMALIZE_GRAD, normalize_grad, DN_OP_INPLACE)       /* dy [...,C], std [C] -> dx */                       \
    X(DN_OP_PATCH_SHUFFLE, patch_shuffle, DN_OP_PLAIN)           /* x [N,H,W,C], step -> [N,H,W,C] */                  \
    X(DN_OP_NOISE, noise, DN_OP_PLAIN)                           /* step -> any shape */                               \
    X(DN_OP_HOLD, hold, DN_OP_PLAIN)                             /* step i32 [1] -> i32 [1] */                         \
    X(DN_OP_SCHEDULE, schedule, DN_OP_PLAIN)                     /* step, table [S,3] -> [1] */                        \
    X(DN_OP_SELECT, select, DN_OP_PLAIN)                         /* choice [1], a, b -> like a */                      \
    X(DN_OP_CONV2D, conv2d, DN_OP_PLAIN)                         /* x [N,H,W,C], w [K,R,S,C], b [K]? -> [N,P,Q,K] */   \
    X(DN_OP_CONV2D_DATA_GRAD, conv2d_data_grad, DN_OP_PLAIN)     /* dy [N,P,Q,K], w -> dx [N,H,W,C] */                 \
    X(DN_OP_CONV2D_WEIGHT_GRAD, conv2d_weight_grad, DN_OP_PLAIN) /* x, dy -> dw, db? */                                \
    X(DN_OP_LINEAR, linear, DN_OP_PLAIN)                         /* x [N,C], w [K,C], b [K]? -> [N,K] */               \
    X(DN_OP_LINEAR_DATA_GRAD, linear_data_grad, DN_OP_PLAIN)     /* dy [N,K], w -> dx [N,C] */                         \
    X(DN_OP_LINEAR_WEIGHT_GRAD, linear_weight_grad, DN_OP_PLAIN) /* x, dy -> dw, db? */                                \
    X(DN_OP_BATCH_NORM, batch_norm, DN_OP_PLAIN)                 /* x, gamma, beta, mm, mv -> y, mean, rstd, mm, mv */ \
    X(DN_OP_BATCH_NORM_GRAD, batch_norm_grad, DN_OP_INPLACE) /* dy, x, gamma, beta, mean, rstd -> dx, dgamma, dbeta */ \
    X(DN_OP_BATCH_NORM_INFER, batch_norm_infer, DN_OP_PLAIN) /* x, gamma, beta, mm, mv -> y */                         \
    X(DN_OP_BATCH_NORM_INFER_GRAD, batch_norm_infer_grad, DN_OP_INPLACE) /* dy, x, gamma, beta, mm, mv -> dx, .. */    \
    X(DN_OP_MAX_POOL, max_pool, DN_OP_PLAIN)                   /* x [N,H,W,C] -> y [N,P,Q,C], tap u8 [N,P,Q,C] */      \
    X(DN_OP_MAX_POOL_GRAD, max_pool_grad, DN_OP_PLAIN)         /* dy, tap -> dx */                                     \
    X(DN_OP_AVERAGE_POOL, average_pool, DN_OP_PLAIN)           /* x [N,H,W,C] -> y [N,P,Q,C] */                        \
    X(DN_OP_AVERAGE_POOL_GRAD, average_pool_grad, DN_OP_PLAIN) /* dy -> dx */                                          \
    X(DN_OP_DROPOUT, dropout, DN_OP_INPLACE)                   /* x, step -> y; its own gradient */                    \
    X(DN_OP_RELU, relu, DN_OP_INPLACE)                         /* x -> y */                                            \
    X(DN_OP_RELU_GRAD, relu_grad, DN_OP_INPLACE)               /* dy, y -> dx */                                       \
    X(DN_OP_CLAMP, clamp, DN_OP_INPLACE)                       /* x -> y */                                            \
    X(DN_OP_CLAMP_GRAD, clamp_grad, DN_OP_INPLACE)             /* dy, x -> dx */                                       \
    X(DN_OP_ADD, add, DN_OP_INPLACE)                           /* a, b -> a + b */                                     \
    X(DN_OP_SCALE, scale, DN_OP_INPLACE)                       /* x, scalar [1]? -> x * factor * scalar */             \
    X(DN_OP_CONCAT, concat, DN_OP_PLAIN)                       /* a [...,C1], b [...,C2] -> [...,C1+C2] */             \
    X(DN_OP_SLICE, slice, DN_OP_PLAIN)                         /* x [...,C] -> [...,count] */                          \
    X(DN_OP_EMBED, embed, DN_OP_PLAIN)                         /* dy [...,count] -> [...,C], zero elsewhere */         \
    X(DN_OP_RESHAPE, reshape, DN_OP_VIEW)                      /* x -> x */                                            \
    X(DN_OP_GATE, gate, DN_OP_VIEW)                      /* x, scalar [1]? -> x; gradient times scalar, or none */     \
    X(DN_OP_FILL, fill, DN_OP_PLAIN)                     /* -> any shape */                                            \
    X(DN_OP_COPY, copy, DN_OP_PLAIN)                     /* x -> x */                                                  \
    X(DN_OP_CAST, cast, DN_OP_PLAIN)                     /* x -> x in another type: f32, f64, bf16 */                  \
    X(DN_OP_REDUCE, reduce, DN_OP_PLAIN)                 /* x [outer,axis,inner] -> [outer,inner] */                   \
    X(DN_OP_BROADCAST, broadcast, DN_OP_PLAIN)           /* dy [outer,inner] -> [outer,axis,inner] */                  \
    X(DN_OP_SUM_MEMBERS, sum_members, DN_OP_JOINS)       /* x of E members -> shared */                                \
    X(DN_OP_SPREAD_MEMBERS, spread_members, DN_OP_PLAIN) /* shared -> E members */                                     \
    X(DN_OP_SOFTMAX, softmax, DN_OP_INPLACE)             /* logits [N,C] -> p [N,C] */                                 \
    X(DN_OP_SOFTMAX_GRAD, softmax_grad, DN_OP_INPLACE)   /* dp, p -> dlogits */                                        \
    X(DN_OP_LOG_SOFTMAX, log_softmax, DN_OP_INPLACE)     /* logits [N,C] -> ln p [N,C] */                              \
    X(DN_OP_LOG_SOFTMAX_GRAD, log_softmax_grad, DN_OP_INPLACE)   /* dy, ln p -> dlogits */                             \
    X(DN_OP_MASK_LOGITS, mask_logits, DN_OP_INPLACE)             /* logits [N,C], mask u8 [C] -> [N,C] */              \
    X(DN_OP_MASK_LOGITS_GRAD, mask_logits_grad, DN_OP_INPLACE)   /* dy, mask -> dlogits */                             \
    X(DN_OP_CROSS_ENTROPY, cross_entropy, DN_OP_PLAIN)           /* logits [N,C], labels i32 [N] -> [1] */             \
    X(DN_OP_CROSS_ENTROPY_GRAD, cross_entropy_grad, DN_OP_PLAIN) /* dloss [1], logits, labels -> dlogits */            \
    X(DN_OP_ACCURACY, accuracy, DN_OP_PLAIN)                     /* logits [N,C], labels i32 [N] -> [1] */             \
    X(DN_OP_ENTROPY, entropy, DN_OP_PLAIN)                       /* logits [N,C] -> H [N] */                           \
    X(DN_OP_ENTROPY_GRAD, entropy_grad, DN_OP_PLAIN)             /* dH [N], logits -> dlogits */                       \
    X(DN_OP_MUTUAL_INFORMATION, mutual_information, DN_OP_JOINS) /* logits [N,C] of E members -> MI [N] shared */      \
    X(DN_OP_MUTUAL_INFORMATION_GRAD, mutual_information_grad, DN_OP_JOINS) /* dMI [N] shared, logits -> dlogits */     \
    X(DN_OP_SUM_SQUARES, sum_squares, DN_OP_PLAIN)                         /* x -> [1] */                              \
    X(DN_OP_GRAM, gram, DN_OP_PLAIN)                                       /* x f64 [N,D] -> x' x f64 [D,D] */         \
    X(DN_OP_FINITE, finite, DN_OP_JOINS)   /* loss [1], gradients [P] -> i32 [1] shared */                             \
    X(DN_OP_ADAM, adam, DN_OP_PLAIN)       /* w, g, m, v, lr [1], step, ok -> w, m, v */                               \
    X(DN_OP_SGD, sgd, DN_OP_PLAIN)         /* w, g, velocity, lr [1], ok -> w, velocity */                             \
    X(DN_OP_RECORD, record, DN_OP_PLAIN)   /* history [R], x [1], step -> history */                                   \
    X(DN_OP_ADVANCE, advance, DN_OP_PLAIN) /* step, ok -> step */

typedef enum dn_op_kind {
#define DN_OP_ENUM(kind, name, flags) kind,
    DN_OPS(DN_OP_ENUM)
#undef DN_OP_ENUM
        DN_OP_COUNT
} dn_op_kind;

enum { DN_OP_MAX_IN = 7, DN_OP_MAX_OUT = 5 };

typedef enum dn_noise_kind { DN_NOISE_UNIFORM, DN_NOISE_NORMAL } dn_noise_kind;

/** What an op needs beside its tensors. */
typedef union dn_op_args {
    struct {
        int stride, padding;
        bool relu; /**< y = max(0, .) at the end */
    } conv;        /**< conv2d and its gradients; linear uses relu only */
    struct {
        int kernel[2], stride, padding; /**< kernel height and width */
    } pool;
    struct {
        double epsilon, decay; /**< moving = decay * moving + (1 - decay) * batch */
        bool relu;             /**< y = max(0, .) at the end */
        bool unbiased;         /**< the moving variance takes the batch variance times n / (n - 1), as PyTorch does */
    } norm;
    struct {
        uint32_t stream; /**< the random stream of this op: Philox's purpose */
        float rate;      /**< dropout: the probability of 0 */
        int64_t count;   /**< indices: how many items there are to choose from, without a pool */
        bool replace;    /**< indices: with replacement; else one permutation after another */
        int size;        /**< crop: padding; patch_shuffle: the patch's side */
        int choices;     /**< crop: offsets are drawn from 0..choices-1 */
        dn_noise_kind noise;
        double low, high; /**< noise: bounds, or mean and standard deviation */
    } random;
    struct {
        double factor;    /**< scale, fill (the value), reduce, broadcast, sum_members, spread_members */
        double low, high; /**< clamp */
    } scalar;
    struct {
        int axis;
        double factor;
    } reduce;
    struct {
        int64_t first, count;
    } slice;
    struct {
        double beta1, beta2, epsilon, decay; /**< decay: weight decay, added to the gradient */
        double momentum;
        bool nesterov;
    } update;
    struct {
        int every;
    } hold;
} dn_op_args;

typedef struct dn_op {
    dn_op_kind kind;
    int in[DN_OP_MAX_IN];   /**< tensor ids, -1 where left out */
    int out[DN_OP_MAX_OUT]; /**< tensor ids, -1 where there is none */
    dn_op_args args;
} dn_op;

/** @return "conv2d" and so on */
const char *dn_op_name(dn_op_kind kind);

/** @return the flags DN_OP_INPLACE, DN_OP_JOINS, DN_OP_VIEW */
int dn_op_flags(dn_op_kind kind);

#ifdef __cplusplus
}
#endif
#endif
