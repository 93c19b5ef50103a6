/** Gradient cases: element by element, shapes, reductions, members, probabilities and losses. */
#ifndef DN_TESTS_GRADIENT_CASES_MATH_H
#define DN_TESTS_GRADIENT_CASES_MATH_H

#include "tests/gradient_check.h"

typedef enum unary {
    RELU,
    CLAMP,
    DROPOUT,
    COPY,
    CAST,
    SLICE,
    RESHAPE,
    STOP,
    SOFTMAX,
    LOG_SOFTMAX,
    ENTROPY,
    SUM_SQUARES,
    DOUBLE_USE
} unary;

static inline dn_tensor apply(probe *b, unary which, dn_tensor x)
{
    dn_program *p = b->p;
    switch (which) {
    case RELU: return dn_relu(p, x);
    case CLAMP: return dn_clamp(p, x, -0.4, 0.7);
    case DROPOUT: return dn_dropout(p, dn_dropout(p, x, 0.2), 0.4); /* two random streams */
    case COPY: return dn_copy(p, x);
    case CAST: return dn_cast(p, x, DN_F64);
    case SLICE: return dn_slice(p, x, 1, 2);
    case RESHAPE: return dn_flatten(p, dn_reshape(p, x, DN_SHAPE(2, 2, 3, 1)));
    case STOP: return dn_add(p, x, dn_scale(p, dn_stop_gradient(p, x), -0.25, DN_NONE));
    case SOFTMAX: return dn_softmax(p, x);
    case LOG_SOFTMAX: return dn_log_softmax(p, x);
    case ENTROPY: return dn_entropy(p, x);
    case SUM_SQUARES: return dn_sum_squares(p, x);
    case DOUBLE_USE: return dn_add(p, dn_relu(p, x), dn_add(p, x, x));
    }
    return DN_NONE;
}

/* options: unary, kind of x */
static inline dn_tensor build_unary(probe *b, const int *o)
{
    const dn_tensor x = add_leaf(b, (leaf_kind)o[1], DN_SHAPE(4, 3));
    if (o[0] == STOP) b->leaves[0].factor = 1.0 / 0.75; /* the loss moves with 3/4 x, the gradient is that of x */
    return weighted_sum(b, apply(b, (unary)o[0], x));
}

/* options: kinds of a and b, concat instead of add */
static inline dn_tensor build_binary(probe *b, const int *o)
{
    const dn_tensor x = add_leaf(b, (leaf_kind)o[0], DN_SHAPE(3, 2, 2));
    const dn_tensor y = add_leaf(b, (leaf_kind)o[1], o[2] ? DN_SHAPE(3, 2, 3) : DN_SHAPE(3, 2, 2));
    return weighted_sum(b, (o[2] ? dn_concat : dn_add)(b->p, x, y));
}

/* options: 0 no scalar, 1 shared scalar, 2 a scalar for each member; kind of x */
static inline dn_tensor build_scale(probe *b, const int *o)
{
    double *values = random_values(b, (size_t)b->members, 1.0);
    const dn_tensor x = add_leaf(b, (leaf_kind)o[1], DN_SHAPE(3, 2));
    const dn_tensor scalar = o[0] ? dn_constant(b->p, "s", DN_SHAPE(1), o[0] == 1, values) : DN_NONE;
    dn_free(values);
    return weighted_sum(b, dn_scale(b->p, x, -1.7, scalar));
}

/* options: gate in percent, kind of x */
static inline dn_tensor build_gate(probe *b, const int *o)
{
    const double gate = o[0] / 100.0;
    const dn_tensor x = add_leaf(b, (leaf_kind)o[1], DN_SHAPE(3, 2));
    b->leaves[0].factor = gate;
    const dn_tensor scalar = dn_constant(b->p, "gate", DN_SHAPE(1), true, &gate);
    return weighted_sum(b, dn_relu(b->p, dn_gate_gradient(b->p, x, scalar)));
}

/* options: axis, mean, kind of x */
static inline dn_tensor build_reduce(probe *b, const int *o)
{
    const dn_tensor x = add_leaf(b, (leaf_kind)o[2], DN_SHAPE(2, 3, 2, 2));
    return weighted_sum(b, (o[1] ? dn_mean : dn_sum)(b->p, x, o[0]));
}

/* options: 0 sum, 1 mean, 2 spread */
static inline dn_tensor build_members(probe *b, const int *o)
{
    const dn_tensor x = add_leaf(b, o[0] == 2 ? SHARED_INPUT : OWN_INPUT, DN_SHAPE(3, 2));
    if (o[0] == 2) return weighted_sum(b, dn_relu(b->p, dn_spread_members(b->p, x)));
    return weighted_sum(b, dn_relu(b->p, (o[0] ? dn_mean_members : dn_sum_members)(b->p, x)));
}

/* options: kind of x, shared statistics */
static inline dn_tensor build_normalize(probe *b, const int *o)
{
    const size_t count = 3 * (size_t)(o[1] ? 1 : b->members);
    double *means = random_values(b, count, 0.0), *deviations = random_values(b, count, 0.0);
    for (size_t i = 0; i < count; i++) deviations[i] = 0.5 + deviations[i] * deviations[i];
    const dn_tensor x = add_leaf(b, (leaf_kind)o[0], DN_SHAPE(2, 2, 1, 3));
    const dn_tensor mean = dn_constant(b->p, "mean", DN_SHAPE(3), o[1] != 0, means);
    const dn_tensor deviation = dn_constant(b->p, "deviation", DN_SHAPE(3), o[1] != 0, deviations);
    dn_free(means);
    dn_free(deviations);
    return weighted_sum(b, dn_normalize(b->p, x, mean, deviation));
}

/* options: kind of x, percent that it is scaled by: small deviations are not divided by */
static inline dn_tensor build_standardize(probe *b, const int *o)
{
    const dn_tensor x = add_leaf(b, (leaf_kind)o[0], DN_SHAPE(2, 2, 2, 3));
    return weighted_sum(b, dn_standardize(b->p, dn_scale(b->p, x, o[1] / 100.0, DN_NONE)));
}

/* Each member leaves out another class. */
static inline dn_tensor masked(probe *b, dn_tensor logits)
{
    const int64_t classes = dn_shape_of(b->p, logits).dim[1];
    uint8_t *mask = dn_calloc((size_t)(classes * b->members), 1);
    for (int64_t i = 0; i < classes * b->members; i++) mask[i] = i % classes != i / classes % classes;
    const dn_tensor t = dn_input(b->p, "mask", DN_U8, DN_SHAPE(classes), false);
    write_later(b, t, mask, (size_t)(classes * b->members));
    return dn_mask_logits(b->p, logits, t);
}

/* options: kind of x; followed by 0 nothing, 1 softmax, 2 entropy, 3 mutual information, 4 cross entropy */
static inline dn_tensor build_mask(probe *b, const int *o)
{
    const dn_tensor z = masked(b, add_leaf(b, (leaf_kind)o[0], DN_SHAPE(3, 4)));
    switch (o[1]) {
    case 1: return weighted_sum(b, dn_softmax(b->p, z));
    case 2: return weighted_sum(b, dn_entropy(b->p, z));
    case 3: return weighted_sum(b, dn_mutual_information(b->p, z));
    default: return weighted_sum(b, dn_relu(b->p, z));
    }
}

/* options: kind of x, shared labels */
static inline dn_tensor build_cross_entropy(probe *b, const int *o)
{
    const int rows = 5, classes = 4, copies = o[1] ? 1 : b->members;
    const dn_tensor z = add_leaf(b, (leaf_kind)o[0], DN_SHAPE(rows, classes));
    int32_t *labels = dn_calloc((size_t)rows * (size_t)copies, sizeof *labels);
    for (int i = 0; i < rows * copies; i++) labels[i] = (i * 7 + i / rows) % classes;
    const dn_tensor t = dn_input(b->p, "labels", DN_I32, DN_SHAPE(rows), o[1] != 0);
    write_later(b, t, labels, (size_t)rows * (size_t)copies * sizeof *labels);
    return weighted_sum(b, dn_cross_entropy(b->p, z, t));
}

/* Mutual information, as it is trained: minus its mean, beside a loss of each member's own. */
static inline dn_tensor build_mutual_information(probe *b, const int *o)
{
    const dn_tensor z = add_leaf(b, OWN_PARAMETER, DN_SHAPE(4, 3));
    const dn_tensor information = dn_mutual_information(b->p, z);
    if (o[0]) return weighted_sum(b, information);
    const dn_tensor mean = dn_scale(b->p, dn_mean(b->p, information, DN_ALL_AXES), -2.0, DN_NONE);
    return dn_add(b->p, dn_mean_members(b->p, dn_sum_squares(b->p, z)), mean);
}

static const gradient_case math_cases[] = {
    {"relu", build_unary, {RELU, OWN_PARAMETER}},
    {"relu, shared", build_unary, {RELU, SHARED_INPUT}},
    {"clamp", build_unary, {CLAMP, OWN_INPUT}},
    {"clamp, shared", build_unary, {CLAMP, SHARED_INPUT}},
    {"dropout", build_unary, {DROPOUT, OWN_INPUT}},
    {"dropout, shared", build_unary, {DROPOUT, SHARED_INPUT}},
    {"copy", build_unary, {COPY, OWN_PARAMETER}},
    {"cast", build_unary, {CAST, OWN_PARAMETER}},
    {"cast, shared", build_unary, {CAST, SHARED_INPUT}},
    {"slice", build_unary, {SLICE, OWN_PARAMETER}},
    {"slice, shared", build_unary, {SLICE, SHARED_INPUT}},
    {"reshape", build_unary, {RESHAPE, OWN_PARAMETER}},
    {"stop gradient", build_unary, {STOP, OWN_INPUT}},
    {"softmax", build_unary, {SOFTMAX, OWN_INPUT}},
    {"softmax, shared", build_unary, {SOFTMAX, SHARED_INPUT}},
    {"log softmax", build_unary, {LOG_SOFTMAX, OWN_PARAMETER}},
    {"log softmax, shared", build_unary, {LOG_SOFTMAX, SHARED_INPUT}},
    {"entropy", build_unary, {ENTROPY, OWN_INPUT}},
    {"entropy, shared", build_unary, {ENTROPY, SHARED_INPUT}},
    {"sum of squares", build_unary, {SUM_SQUARES, OWN_PARAMETER}},
    {"sum of squares, shared", build_unary, {SUM_SQUARES, SHARED_INPUT}},
    {"a parameter used three times", build_unary, {DOUBLE_USE, OWN_PARAMETER}},
    {"an input used three times", build_unary, {DOUBLE_USE, SHARED_INPUT}},
    {"add", build_binary, {OWN_PARAMETER, OWN_INPUT, 0}},
    {"add, first shared", build_binary, {SHARED_INPUT, OWN_INPUT, 0}},
    {"add, second shared", build_binary, {OWN_PARAMETER, SHARED_INPUT, 0}},
    {"add, both shared", build_binary, {SHARED_INPUT, SHARED_INPUT, 0}},
    {"concat", build_binary, {OWN_INPUT, OWN_PARAMETER, 1}},
    {"concat, first shared", build_binary, {SHARED_INPUT, OWN_INPUT, 1}},
    {"concat, both shared", build_binary, {SHARED_INPUT, SHARED_INPUT, 1}},
    {"scale", build_scale, {0, OWN_PARAMETER}},
    {"scale by a shared scalar", build_scale, {1, OWN_INPUT}},
    {"scale by a scalar of each member", build_scale, {2, OWN_INPUT}},
    {"scale of a shared input by a scalar of each member", build_scale, {2, SHARED_INPUT}},
    {"gate 0", build_gate, {0, OWN_PARAMETER}},
    {"gate 1", build_gate, {100, OWN_PARAMETER}},
    {"gate 1/2, shared", build_gate, {50, SHARED_INPUT}},
    {"sum over axis 0", build_reduce, {0, 0, OWN_INPUT}},
    {"mean over axis 1", build_reduce, {1, 1, OWN_INPUT}},
    {"sum over axis 2", build_reduce, {2, 0, OWN_PARAMETER}},
    {"mean over axis 3", build_reduce, {3, 1, SHARED_INPUT}},
    {"sum of all", build_reduce, {DN_ALL_AXES, 0, OWN_PARAMETER}},
    {"mean of all, shared", build_reduce, {DN_ALL_AXES, 1, SHARED_INPUT}},
    {"sum over members", build_members, {0}},
    {"mean over members", build_members, {1}},
    {"spread to members", build_members, {2}},
    {"normalize", build_normalize, {OWN_INPUT, 1}},
    {"normalize, statistics of each member", build_normalize, {SHARED_INPUT, 0}},
    {"standardize", build_standardize, {OWN_INPUT, 100}},
    {"standardize, shared", build_standardize, {SHARED_INPUT, 100}},
    {"standardize, small deviations", build_standardize, {OWN_INPUT, 5}},
    {"mask and softmax", build_mask, {OWN_INPUT, 1}},
    {"mask and entropy", build_mask, {SHARED_INPUT, 2}},
    {"mask and mutual information", build_mask, {OWN_INPUT, 3}},
    {"cross entropy", build_cross_entropy, {OWN_INPUT, 0}},
    {"cross entropy, shared labels", build_cross_entropy, {OWN_PARAMETER, 1}},
    {"cross entropy, all shared", build_cross_entropy, {SHARED_INPUT, 1}},
    {"cross entropy of shared logits", build_cross_entropy, {SHARED_INPUT, 0}},
    {"mutual information", build_mutual_information, {1}},
    {"mutual information beside another loss", build_mutual_information, {0}},
};

#endif
