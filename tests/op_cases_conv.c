/* Convolution, linear layers, and their gradients. */
#include <stdio.h>

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
    /* Phases of the stride that no tap reads; filters larger than the image; filters that see nothing but padding. */
    {2, 7, 8, 3, 5, 1, 1, 3, 0, true, false, false},
    {2, 7, 8, 8, 8, 1, 1, 3, 0, true, true, false},
    {1, 3, 2, 4, 6, 5, 5, 1, 2, true, true, false},
    {1, 2, 3, 8, 16, 7, 5, 1, 3, true, false, false},
    {1, 2, 2, 8, 8, 1, 1, 3, 1, true, false, false},
    {2, 2, 9, 8, 8, 2, 3, 3, 2, false, true, false},
    /* Many images that are mostly padding: tensor cores leave that out. */
    {40, 2, 2, 32, 32, 3, 3, 1, 1, true, true, false},
    {64, 1, 3, 32, 32, 3, 3, 1, 1, true, true, false},
};

/* The convolution and its gradients: which = 0, 1 (data), 2 (weights). */
static op_base start_conv(const conv_row *v, int which)
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
    return b;
}

static void add_conv(op_list *to, const conv_row *v, int which)
{
    const op_base b = start_conv(v, which);
    op_add(to, &b, "[%d,%d,%d,%d] x [%d,%d,%d] /%d+%d", v->n, v->h, v->w, v->c, v->k, v->r, v->s, v->stride,
           v->padding);
}

/* Shapes for tiles that plans give to large layers only: for each kind of product two, a little more than 128 lines one
 * way and fewer the other way, and sums over 66 to 77 terms, so that all of them end in the middle of something. */
typedef struct tile_row {
    int which;
    bool single; /* for tiles that take numbers one by one */
    conv_row v;
} tile_row;

static const tile_row tile_rows[] = {
    {0, false, {1, 7, 9, 24, 132, 1, 3, 1, 0, true, true, false}},
    {0, false, {3, 7, 9, 24, 37, 3, 1, 1, 1, true, true, false}},
    {1, false, {1, 7, 7, 136, 24, 1, 3, 1, 1, false, false, false}},
    {1, false, {3, 7, 7, 40, 24, 3, 1, 1, 1, false, false, false}},
    {2, false, {1, 7, 12, 24, 136, 1, 3, 1, 0, true, false, false}},
    {2, false, {1, 11, 7, 16, 40, 3, 3, 1, 1, true, false, false}},
    {0, true, {1, 7, 9, 25, 132, 1, 3, 1, 0, true, true, false}},
    {0, true, {3, 7, 9, 23, 37, 3, 1, 1, 1, true, true, false}},
    {1, true, {1, 7, 7, 133, 22, 1, 3, 1, 1, false, false, false}},
    {1, true, {3, 7, 7, 37, 24, 3, 1, 1, 1, false, false, false}},
    {2, true, {1, 7, 12, 23, 134, 1, 3, 1, 0, true, false, false}},
    {2, true, {1, 11, 7, 15, 40, 3, 3, 1, 1, true, false, false}},
    /* Tensor cores leave the padding out. */
    {0, false, {36, 2, 2, 32, 40, 3, 3, 1, 1, true, true, false}},
    {1, false, {36, 2, 2, 40, 32, 3, 3, 1, 1, false, false, false}},
    {2, false, {32, 2, 2, 64, 24, 3, 3, 1, 1, true, false, false}},
};

typedef struct tile_size {
    int lines[2];
    bool f32, single, tensor; /* which paths have it: by fours, one by one, on tensor cores */
} tile_size;

static const tile_size tile_sizes[] = {
    {{128, 128}, true, false, true}, {{128, 64}, true, false, true}, {{64, 64}, true, true, true},
    {{128, 32}, true, false, true},  {{32, 32}, true, true, false},
};

static void add_tile(op_list *to, const tile_row *row, const tile_size *tile, int splits)
{
    const conv_row *v = &row->v;
    op_base b = start_conv(v, row->which);
    b.c.tile = (dn_gpu_tile){{tile->lines[0], tile->lines[1]}, splits};
    char text[64];
    snprintf(text, sizeof text, "[%d,%d,%d,%d] x [%d,%d,%d] %dx%d split %d", v->n, v->h, v->w, v->c, v->k, v->r, v->s,
             tile->lines[0], tile->lines[1], splits);
    if (row->single ? tile->single : tile->f32) op_add_one(to, &b, "%s", text);
    if (!tile->tensor) return;
    b.c.members = 2;
    op_base half = b;
    b.c.tf32 = true;
    op_add_one(to, &b, "%s", text);
    op_to_bf16(&half);
    op_add_one(to, &half, "%s", text);
}

/* On tensor cores 64x64 is also the tile that takes numbers one by one. */
static void add_tiles(op_list *to)
{
    for (size_t i = 0; i < sizeof tile_rows / sizeof *tile_rows; i++)
        for (size_t k = 0; k < sizeof tile_sizes / sizeof *tile_sizes; k++)
            for (int splits = 1; splits <= 3; splits += 2)
                if (!tile_rows[i].single || tile_sizes[k].single) add_tile(to, &tile_rows[i], &tile_sizes[k], splits);
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
    add_tiles(to);
}
