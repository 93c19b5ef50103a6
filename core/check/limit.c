/* How far two correct kernels may be apart, from the op and its shapes. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/call.h"
#include "core/check/check.h"

/* How many rounded numbers add up to one element. */
typedef enum terms_rule {
    ONE,       /* 1: an element by itself */
    FEW,       /* 4: some operations one after the other */
    FILTER,    /* R S C of w [K,R,S,C], which is input 1 */
    ROWS_0,    /* all but the last dimension of input 0 */
    ROWS_1,    /* of input 1: K R S of w, N P Q of dy [N,P,Q,K] */
    WINDOW,    /* pixels of a pooling window */
    CLASSES_0, /* of logits, which are input 0; of all members where the op joins them */
    CLASSES_1, /* of logits, which are input 1 */
    ELEMENTS   /* of input 0 for one of output 0; of all members where the op joins them */
} terms_rule;

/* The size of the terms, where they may cancel in the output: the product of the rms of some inputs, times sqrt(terms)
 * or not. */
enum { IN_0 = 1, IN_1 = 2, SQRT = 4, LOGITS_1 = 8 /* times 1 + rms of the logits that are input 1 */ };

typedef struct rule {
    terms_rule terms;
    int scale;
} rule;

/* Zeros (ONE, no scale) for the ops that are not here. */
static const rule rules[DN_OP_COUNT] = {
    [DN_OP_STANDARDIZE] = {FEW, 0},
    [DN_OP_STANDARDIZE_GRAD] = {FEW, IN_0},
    [DN_OP_SCHEDULE] = {FEW, 0},
    [DN_OP_CONV2D] = {FILTER, IN_0 | IN_1 | SQRT},
    [DN_OP_CONV2D_DATA_GRAD] = {ROWS_1, IN_0 | IN_1 | SQRT},
    [DN_OP_CONV2D_WEIGHT_GRAD] = {ROWS_1, IN_0 | IN_1 | SQRT},
    [DN_OP_LINEAR] = {FILTER, IN_0 | IN_1 | SQRT},
    [DN_OP_LINEAR_DATA_GRAD] = {ROWS_1, IN_0 | IN_1 | SQRT},
    [DN_OP_LINEAR_WEIGHT_GRAD] = {ROWS_1, IN_0 | IN_1 | SQRT},
    [DN_OP_BATCH_NORM] = {ROWS_0, IN_0},
    [DN_OP_BATCH_NORM_GRAD] = {ROWS_0, IN_0 | SQRT},
    [DN_OP_BATCH_NORM_INFER] = {FEW, 0},
    [DN_OP_BATCH_NORM_INFER_GRAD] = {ROWS_0, IN_0 | SQRT},
    [DN_OP_MAX_POOL_GRAD] = {WINDOW, IN_0},
    [DN_OP_AVERAGE_POOL] = {WINDOW, IN_0},
    [DN_OP_AVERAGE_POOL_GRAD] = {WINDOW, IN_0},
    [DN_OP_REDUCE] = {ELEMENTS, IN_0 | SQRT},
    [DN_OP_SUM_MEMBERS] = {ELEMENTS, IN_0 | SQRT},
    [DN_OP_SOFTMAX] = {CLASSES_0, 0},
    [DN_OP_SOFTMAX_GRAD] = {CLASSES_0, IN_0},
    [DN_OP_LOG_SOFTMAX] = {CLASSES_0, IN_0},
    [DN_OP_LOG_SOFTMAX_GRAD] = {CLASSES_0, IN_0 | SQRT},
    [DN_OP_CROSS_ENTROPY] = {CLASSES_0, IN_0},
    [DN_OP_CROSS_ENTROPY_GRAD] = {CLASSES_1, IN_0 | LOGITS_1},
    [DN_OP_ENTROPY] = {CLASSES_0, IN_0},
    [DN_OP_ENTROPY_GRAD] = {CLASSES_1, IN_0 | LOGITS_1},
    [DN_OP_MUTUAL_INFORMATION] = {CLASSES_0, IN_0},
    [DN_OP_MUTUAL_INFORMATION_GRAD] = {CLASSES_1, IN_0 | LOGITS_1},
    [DN_OP_SUM_SQUARES] = {ELEMENTS, 0},
    [DN_OP_GRAM] = {ROWS_0, 0}, /* the diagonal does not cancel */
    [DN_OP_ADAM] = {FEW, 0},
    [DN_OP_SGD] = {FEW, 0},
};

static double terms_of(const dn_program *p, const dn_op *op)
{
    /* No rule asks for an input that its op may leave out. */
    const dn_tensor_info *in0 = &p->tensors[op->in[0] < 0 ? 0 : op->in[0]];
    const dn_tensor_info *in1 = &p->tensors[op->in[1] < 0 ? 0 : op->in[1]];
    const bool joins = dn_op_flags(op->kind) & DN_OP_JOINS;
    switch (rules[op->kind].terms) {
    case ONE: return 1;
    case FEW: return 4;
    case FILTER: return (double)dn__count(in1) / (double)in1->shape.dim[0];
    case ROWS_0: return (double)dn__rows(in0);
    case ROWS_1: return (double)dn__rows(in1);
    case WINDOW: return (double)op->args.pool.kernel[0] * op->args.pool.kernel[1];
    case CLASSES_0: return (double)dn__last(in0) * (joins ? p->members : 1);
    case CLASSES_1: return (double)dn__last(in1);
    case ELEMENTS: break;
    }
    return (double)dn__count(in0) / (double)dn__count(&p->tensors[op->out[0]]) * (joins ? p->members : 1);
}

unsigned dn__check_measured(dn_op_kind kind)
{
    const int scale = rules[kind].scale;
    return (scale & IN_0 ? 1u : 0u) | (scale & (IN_1 | LOGITS_1) ? 2u : 0u);
}

/* What the table does not say: outputs of one op that are not alike, and constant factors. */
static double adjusted(const dn_program *p, const dn_op *op, int output, double scale, const double rms[DN_OP_MAX_IN])
{
    switch (op->kind) {
    case DN_OP_CONV2D_WEIGHT_GRAD:
    case DN_OP_LINEAR_WEIGHT_GRAD: return output == 1 ? sqrt(terms_of(p, op)) * rms[1] : scale; /* db = sum of dy */
    case DN_OP_BATCH_NORM: return output == 1 || output == 3 ? scale : 0; /* the means, which may be near 0 */
    case DN_OP_BATCH_NORM_GRAD:
    case DN_OP_BATCH_NORM_INFER_GRAD: return output == 0 ? 0 : scale; /* dgamma, dbeta: sums over rows */
    case DN_OP_REDUCE: return scale * fabs(op->args.reduce.factor);
    case DN_OP_SUM_MEMBERS: return scale * fabs(op->args.scalar.factor);
    case DN_OP_CROSS_ENTROPY_GRAD: return scale / (double)dn__rows(&p->tensors[op->in[1]]);
    default: return scale;
    }
}

dn_check_limit dn__check_limit(const dn_program *p, const dn_op *op, int output, const double rms[DN_OP_MAX_IN],
                               double factor)
{
    const int by = rules[op->kind].scale;
    const dn_dtype dtype = p->tensors[op->out[output]].dtype;
    const double terms = terms_of(p, op), half_step = 0x1p-8;
    dn_check_limit limit = {.scale = by ? 1 : 0};
    if (by & IN_0) limit.scale *= rms[0];
    if (by & IN_1) limit.scale *= rms[1];
    if (by & LOGITS_1) limit.scale *= 1 + rms[1];
    if (by & SQRT) limit.scale *= sqrt(terms);
    limit.scale = adjusted(p, op, output, limit.scale, rms);
    limit.relative = 4 * (dtype == DN_F64 ? DBL_EPSILON : (double)FLT_EPSILON) * sqrt(terms) * factor;
    if (dtype == DN_BF16) limit.relative += 2 * half_step; /* both round what they have computed in f32 */
    return limit;
}

double dn__check_factor(const char *kernel)
{
    if (strstr(kernel, "tf32")) return 0x1p-10 / (double)FLT_EPSILON;
    return strstr(kernel, "wino") ? 8 : 1;
}
