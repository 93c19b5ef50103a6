/** Gradient cases: convolution, dense layers, normalisation, pooling. */
#ifndef DN_TESTS_GRADIENT_CASES_NETWORK_H
#define DN_TESTS_GRADIENT_CASES_NETWORK_H

#include "tests/gradient_check.h"

/* options: side, filter, stride, padding, bias, relu, kind of x, channels, filters */
static inline dn_tensor build_conv(probe *b, const int *o)
{
    const dn_tensor x = add_leaf(b, (leaf_kind)o[6], DN_SHAPE(2, o[0], o[0] + 1, o[7]));
    const dn_tensor w = add_leaf(b, OWN_PARAMETER, DN_SHAPE(o[8], o[1], o[1], o[7]));
    const dn_tensor bias = o[4] ? add_leaf(b, OWN_PARAMETER, DN_SHAPE(o[8])) : DN_NONE;
    return weighted_sum(b, dn_conv2d(b->p, x, w, bias, o[2], o[3], o[5] != 0));
}

/* options: bias, relu, kind of x, rank 4, weights that want no gradient */
static inline dn_tensor build_linear(probe *b, const int *o)
{
    const dn_tensor x = add_leaf(b, (leaf_kind)o[2], o[3] ? DN_SHAPE(3, 2, 1, 2) : DN_SHAPE(3, 4));
    const dn_shape weights = DN_SHAPE(5, 4);
    const dn_tensor w = o[4] ? dn_fill(b->p, weights, false, 0.5) : add_leaf(b, OWN_PARAMETER, weights);
    const dn_tensor bias = o[0] ? add_leaf(b, OWN_PARAMETER, DN_SHAPE(5)) : DN_NONE;
    return weighted_sum(b, dn_linear(b->p, x, w, bias, o[1] != 0));
}

/* options: batch statistics, relu, kind of x, rank 2, gate in percent (-1: none), unbiased */
static inline dn_tensor build_norm(probe *b, const int *o)
{
    const int64_t channels = 3;
    const dn_tensor x = add_leaf(b, (leaf_kind)o[2], o[3] ? DN_SHAPE(5, channels) : DN_SHAPE(2, 2, 3, channels));
    dn_tensor affine[2];
    for (int i = 0; i < 2; i++) {
        affine[i] = add_leaf(b, OWN_PARAMETER, DN_SHAPE(channels));
        if (o[4] < 0) continue;
        const double gate = o[4] / 100.0;
        b->leaves[b->n_leaves - 1].factor = gate;
        affine[i] = dn_gate_gradient(b->p, affine[i], dn_constant(b->p, "gate", DN_SHAPE(1), true, &gate));
    }
    const size_t count = (size_t)(channels * b->members);
    const dn_tensor mean = dn_state(b->p, "mean", DN_SHAPE(channels), 0.0);
    const dn_tensor variance = dn_state(b->p, "variance", DN_SHAPE(channels), 1.0);
    double *variances = random_values(b, count, 0.0);
    for (size_t i = 0; i < count; i++) variances[i] = 0.5 + variances[i] * variances[i];
    write_later(b, mean, random_values(b, count, 0.3), count * sizeof(double));
    write_later(b, variance, variances, count * sizeof(double));
    const dn_norm_options norm = {.epsilon = 1e-3, .decay = 0.9, .relu = o[1] != 0, .unbiased = o[5] != 0};
    return weighted_sum(
        b, (o[0] ? dn_batch_norm : dn_batch_norm_infer)(b->p, x, affine[0], affine[1], mean, variance, norm));
}

/* options: 0 max, 1 average, 2 global; kernel, stride, padding, kind of x */
static inline dn_tensor build_pool(probe *b, const int *o)
{
    const dn_tensor x = add_leaf(b, (leaf_kind)o[4], DN_SHAPE(2, 5, 6, 2));
    if (o[0] == 2) return weighted_sum(b, dn_global_average_pool(b->p, x));
    return weighted_sum(b, (o[0] ? dn_average_pool : dn_max_pool)(b->p, x, o[1], o[2], o[3]));
}

static const gradient_case network_cases[] = {
    {"conv 3x3", build_conv, {4, 3, 1, 0, 0, 0, OWN_INPUT, 2, 3}},
    {"conv 3x3 padded, bias, relu", build_conv, {4, 3, 1, 1, 1, 1, OWN_INPUT, 2, 3}},
    {"conv 3x3 stride 2 padded, bias", build_conv, {5, 3, 2, 1, 1, 0, OWN_INPUT, 2, 2}},
    {"conv 3x3 stride 3, relu", build_conv, {6, 3, 3, 0, 0, 1, OWN_INPUT, 1, 2}},
    {"conv 1x1, bias", build_conv, {3, 1, 1, 0, 1, 0, OWN_INPUT, 3, 2}},
    {"conv 1x1 stride 2", build_conv, {4, 1, 2, 0, 0, 0, OWN_INPUT, 2, 2}},
    {"conv 1x1 padded, relu", build_conv, {3, 1, 1, 1, 1, 1, OWN_INPUT, 2, 2}},
    {"conv 5x5 padded, bias, relu", build_conv, {5, 5, 1, 2, 1, 1, OWN_INPUT, 1, 2}},
    {"conv 5x5 stride 2", build_conv, {6, 5, 2, 2, 0, 0, OWN_INPUT, 1, 2}},
    {"conv of a shared image", build_conv, {4, 3, 1, 1, 1, 1, SHARED_INPUT, 2, 2}},
    {"conv of a parameter", build_conv, {4, 3, 2, 1, 0, 0, OWN_PARAMETER, 2, 2}},
    {"linear", build_linear, {0, 0, OWN_INPUT, 0}},
    {"linear, bias", build_linear, {1, 0, OWN_INPUT, 0}},
    {"linear, relu", build_linear, {0, 1, OWN_INPUT, 0}},
    {"linear of images, bias, relu", build_linear, {1, 1, OWN_INPUT, 1}},
    {"linear of a shared input, bias, relu", build_linear, {1, 1, SHARED_INPUT, 0}},
    {"linear of a shared input", build_linear, {0, 0, SHARED_INPUT, 1}},
    {"linear, bias, fixed weights", build_linear, {1, 0, OWN_INPUT, 0, 1}},
    {"batch norm", build_norm, {1, 0, OWN_INPUT, 0, -1, 0}},
    {"batch norm, relu, unbiased", build_norm, {1, 1, OWN_INPUT, 0, -1, 1}},
    {"batch norm of rows, relu", build_norm, {1, 1, OWN_INPUT, 1, -1, 0}},
    {"batch norm of a shared input", build_norm, {1, 1, SHARED_INPUT, 0, -1, 0}},
    {"batch norm, gate 0", build_norm, {1, 0, OWN_INPUT, 0, 0, 0}},
    {"batch norm, gate 1", build_norm, {1, 1, OWN_INPUT, 0, 100, 0}},
    {"batch norm, gate 1/2", build_norm, {1, 0, OWN_INPUT, 1, 50, 0}},
    {"moving norm", build_norm, {0, 0, OWN_INPUT, 0, -1, 0}},
    {"moving norm, relu", build_norm, {0, 1, OWN_INPUT, 0, -1, 0}},
    {"moving norm of a shared input, relu", build_norm, {0, 1, SHARED_INPUT, 1, -1, 0}},
    {"moving norm, gate 0", build_norm, {0, 1, OWN_INPUT, 0, 0, 0}},
    {"moving norm, gate 1/2", build_norm, {0, 0, OWN_INPUT, 0, 50, 0}},
    {"max pool 2", build_pool, {0, 2, 2, 0, OWN_INPUT}},
    {"max pool 3, stride 2, padded", build_pool, {0, 3, 2, 1, OWN_INPUT}},
    {"max pool 3, stride 1, padded, shared", build_pool, {0, 3, 1, 1, SHARED_INPUT}},
    {"average pool 2", build_pool, {1, 2, 2, 0, OWN_INPUT}},
    {"average pool 3, stride 2, padded", build_pool, {1, 3, 2, 1, OWN_INPUT}},
    {"average pool 3, stride 1, padded, shared", build_pool, {1, 3, 1, 1, SHARED_INPUT}},
    {"global average pool", build_pool, {2, 0, 0, 0, OWN_INPUT}},
};

#endif
