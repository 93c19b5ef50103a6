/* Convolution, linear layers, and their gradients. */
#include "tests/op_cases_list.h"

enum { MANY_PRODUCTS = 300000 };

typedef struct conv_row {
    int n, h, w, c, k, r, s, stride, padding;
    bool bias, relu, heavy;
} conv_row;

/* As matrix products, with M rows, N columns and sums over L: forward M = NPQ, N = K, L = RSC; data gradient M = NHW,
 * N = C, L = RSK; weight gradient M = K, N = RSC, L = NPQ. */
static const conv_row conv_rows[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 0, true, false, false},
    {2, 5, 7, 3, 5, 3, 3, 1, 1, true, true, false},
    {3, 8, 8, 1, 16, 5, 5, 1, 2, false, true, false},
    {1, 9, 9, 17, 33, 3, 3, 2, 1, true, false, false},
    {5, 7, 5, 16, 32, 1, 1, 1, 0, false, false, false},
    {2, 8, 8, 32, 64, 1, 1, 2, 0, true, false, false},
    {2, 6, 6, 8, 4, 3, 3, 1, 0, false, false, false},
    {1, 7, 10, 2, 3, 2, 4, 3, 2, true, true, false},
    {2, 4, 3, 8, 8, 5, 3, 2, 2, true, true, false},
    /* Over the edges of tiles of 128 x 128 x 32, with and without rows of whole 16-byte vectors. */
    {1, 12, 12, 5, 132, 3, 3, 1, 1, true, true, false},
    {1, 12, 12, 132, 5, 3, 3, 1, 1, true, false, false},
    {3, 7, 7, 67, 70, 1, 1, 1, 0, true, false, false},
    {2, 9, 9, 72, 136, 1, 1, 1, 0, false, true, false},
    {2, 6, 6, 16, 24, 3, 3, 1, 1, true, true, false},
    {3, 13, 13, 16, 16, 3, 3, 2, 1, true, false, false},
    {2, 17, 32, 3, 8, 3, 3, 1, 1, true, true, false}, /* a long sum for the weight gradient */
    /* Layers of real networks. */
    {4, 32, 32, 3, 32, 3, 3, 1, 1, true, true, true},
    {4, 16, 16, 32, 64, 3, 3, 1, 1, true, true, true},
    {4, 8, 8, 64, 128, 3, 3, 1, 1, false, false, true},
    {3, 4, 4, 64, 64, 3, 3, 1, 1, true, true, true},
    {2, 2, 2, 64, 64, 3, 3, 1, 1, true, false, true},
    {3, 11, 6, 48, 64, 3, 3, 1, 1, true, true, true},
    {2, 28, 28, 1, 6, 5, 5, 1, 0, true, true, false},
};

/* The convolution and its gradients: which = 0, 1 (data), 2 (weights). */
static void add_conv(op_list *to, const conv_row *v, int which)
{
    static const dn_op_kind kinds[] = {DN_OP_CONV2D, DN_OP_CONV2D_DATA_GRAD, DN_OP_CONV2D_WEIGHT_GRAD};
    const int p = (v->h + 2 * v->padding - v->r) / v->stride + 1, q = (v->w + 2 * v->padding - v->s) / v->stride + 1;
    const dn_shape x = DN_SHAPE(v->n, v->h, v->w, v->c), w = DN_SHAPE(v->k, v->r, v->s, v->c);
    const dn_shape y = DN_SHAPE(v->n, p, q, v->k);
    const double positions = (double)v->n * p * q, taps = (double)v->r * v->s;
    op_base b = op_start(kinds[which]);
    b.products = true;
    b.c.heavy = v->heavy;
    b.few = positions * taps * v->c * v->k > MANY_PRODUCTS;
    b.c.op.args.conv.stride = v->stride;
    b.c.op.args.conv.padding = v->padding;
    b.c.op.args.conv.relu = v->relu && which == 0;
    op_activation_in(&b, 0, which == 1 ? y : x);
    op_activation_in(&b, 1, which == 2 ? y : w);
    if (which == 0 && v->bias) op_input(&b, 2, DN_F32, DN_SHAPE(v->k));
    if (which == 0) op_activation_out(&b, 0, y, taps * v->c);
    if (which == 1) op_activation_out(&b, 0, x, taps * v->k);
    if (which == 2) op_output(&b, 0, DN_F32, w, positions);
    if (which == 2 && v->bias) op_output(&b, 1, DN_F32, DN_SHAPE(v->k), positions);
    op_add(to, &b, "[%d,%d,%d,%d] x [%d,%d,%d] /%d+%d", v->n, v->h, v->w, v->c, v->k, v->r, v->s, v->stride,
           v->padding);
}

typedef struct linear_row {
    int n, inputs, outputs;
    bool bias, heavy;
} linear_row;

static const linear_row linear_rows[] = {
    {1, 1, 1, true, false},      {7, 33, 10, true, false},     {5, 64, 1, true, false},      {1, 200, 65, false, false},
    {135, 37, 131, true, false}, {130, 136, 40, true, false},  {33, 144, 128, false, false}, {300, 8, 10, true, false},
    {128, 256, 10, true, true},  {32, 2048, 256, false, true},
};

static void add_linear(op_list *to, const linear_row *v, int which)
{
    static const dn_op_kind kinds[] = {DN_OP_LINEAR, DN_OP_LINEAR_DATA_GRAD, DN_OP_LINEAR_WEIGHT_GRAD};
    const dn_shape x = DN_SHAPE(v->n, v->inputs), w = DN_SHAPE(v->outputs, v->inputs), y = DN_SHAPE(v->n, v->outputs);
    op_base b = op_start(kinds[which]);
    b.products = true;
    b.c.heavy = v->heavy;
    b.few = (double)v->n * v->inputs * v->outputs > MANY_PRODUCTS;
    b.c.op.args.conv.relu = v->bias && which == 0;
    op_activation_in(&b, 0, which == 1 ? y : x);
    op_activation_in(&b, 1, which == 2 ? y : w);
    if (which == 0 && v->bias) op_input(&b, 2, DN_F32, DN_SHAPE(v->outputs));
    if (which == 0) op_activation_out(&b, 0, y, v->inputs);
    if (which == 1) op_activation_out(&b, 0, x, v->outputs);
    if (which == 2) op_output(&b, 0, DN_F32, w, v->n);
    if (which == 2 && v->bias) op_output(&b, 1, DN_F32, DN_SHAPE(v->outputs), v->n);
    op_add(to, &b, "[%d,%d] -> %d", v->n, v->inputs, v->outputs);
}

void op_cases_conv(op_list *to)
{
    for (int which = 0; which < 3; which++) {
        for (size_t i = 0; i < sizeof conv_rows / sizeof *conv_rows; i++) add_conv(to, &conv_rows[i], which);
        for (size_t i = 0; i < sizeof linear_rows / sizeof *linear_rows; i++) add_linear(to, &linear_rows[i], which);
    }
}
