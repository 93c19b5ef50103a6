/* The table of cases: small and ragged shapes, one pixel, one channel, strides, and shapes of real networks. */
#include "tests/op_cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct list {
    op_case *cases;
    size_t count, capacity;
} list;

static op_case start(dn_op_kind kind)
{
    op_case c = {.op = DN__NO_OP, .members = 1};
    c.op.kind = kind;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        c.alias[k] = -1;
        c.terms[k] = 1;
    }
    return c;
}

static void input(op_case *c, int k, dn_dtype type, dn_shape shape)
{
    c->in[k] = (dn_tensor_info){.shape = shape, .dtype = type};
    c->op.in[k] = k;
}

static void output(op_case *c, int k, dn_dtype type, dn_shape shape, double terms)
{
    c->out[k] = (dn_tensor_info){.shape = shape, .dtype = type};
    c->op.out[k] = DN_OP_MAX_IN + k;
    c->terms[k] = terms;
}

static void add(list *to, op_case c, const char *format, ...) DN_PRINTF(3, 4);
static void add(list *to, op_case c, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(c.label, sizeof c.label, "%s %s", dn_op_name(c.op.kind), text);
    if (to->count < to->capacity) to->cases[to->count] = c;
    to->count++;
}

typedef struct conv_row {
    int n, h, w, c, k, r, s, stride, padding;
    bool bias, relu;
} conv_row;

static const conv_row conv_rows[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 0, true, false},     {2, 5, 7, 3, 5, 3, 3, 1, 1, true, true},
    {3, 8, 8, 1, 16, 5, 5, 1, 2, false, true},    {1, 9, 9, 17, 33, 3, 3, 2, 1, true, false},
    {5, 7, 5, 16, 32, 1, 1, 1, 0, false, false},  {2, 8, 8, 32, 64, 1, 1, 2, 0, true, false},
    {4, 32, 32, 3, 32, 3, 3, 1, 1, true, true},   {4, 16, 16, 32, 64, 3, 3, 1, 1, true, true},
    {4, 8, 8, 64, 128, 3, 3, 1, 1, false, false}, {3, 4, 4, 64, 64, 3, 3, 1, 1, true, true},
    {2, 2, 2, 64, 64, 3, 3, 1, 1, true, false},   {3, 11, 6, 48, 64, 3, 3, 1, 1, true, true},
    {2, 6, 6, 8, 4, 3, 3, 1, 0, false, false},    {2, 28, 28, 1, 6, 5, 5, 1, 0, true, true},
};

static void add_conv(list *to, const conv_row *v)
{
    const int p = (v->h + 2 * v->padding - v->r) / v->stride + 1, q = (v->w + 2 * v->padding - v->s) / v->stride + 1;
    const dn_shape x = DN_SHAPE(v->n, v->h, v->w, v->c), w = DN_SHAPE(v->k, v->r, v->s, v->c);
    const dn_shape y = DN_SHAPE(v->n, p, q, v->k), b = DN_SHAPE(v->k);
    const dn_op_kind kinds[] = {DN_OP_CONV2D, DN_OP_CONV2D_DATA_GRAD, DN_OP_CONV2D_WEIGHT_GRAD};
    for (int i = 0; i < 3; i++) {
        op_case c = start(kinds[i]);
        c.op.args.conv.stride = v->stride;
        c.op.args.conv.padding = v->padding;
        c.op.args.conv.relu = v->relu && i == 0;
        input(&c, 0, DN_F32, i == 1 ? y : x);
        input(&c, 1, DN_F32, i == 2 ? y : w);
        if (i == 0 && v->bias) input(&c, 2, DN_F32, b);
        const double positions = (double)v->n * p * q, taps = (double)v->r * v->s;
        output(&c, 0, DN_F32, i == 0 ? y : i == 1 ? x : w, i == 0 ? taps * v->c : i == 1 ? taps * v->k : positions);
        if (i == 2 && v->bias) output(&c, 1, DN_F32, b, positions);
        add(to, c, "[%d,%d,%d,%d] x [%d,%d,%d,%d] stride %d pad %d", v->n, v->h, v->w, v->c, v->k, v->r, v->s, v->c,
            v->stride, v->padding);
    }
}

static void add_linear(list *to, int n, int inputs, int outputs, bool bias)
{
    const dn_shape x = DN_SHAPE(n, inputs), w = DN_SHAPE(outputs, inputs), y = DN_SHAPE(n, outputs);
    const dn_op_kind kinds[] = {DN_OP_LINEAR, DN_OP_LINEAR_DATA_GRAD, DN_OP_LINEAR_WEIGHT_GRAD};
    for (int i = 0; i < 3; i++) {
        op_case c = start(kinds[i]);
        c.op.args.conv.relu = bias && i == 0;
        input(&c, 0, DN_F32, i == 1 ? y : x);
        input(&c, 1, DN_F32, i == 2 ? y : w);
        if (i == 0 && bias) input(&c, 2, DN_F32, DN_SHAPE(outputs));
        output(&c, 0, DN_F32, i == 0 ? y : i == 1 ? x : w, i == 0 ? inputs : i == 1 ? outputs : n);
        if (i == 2 && bias) output(&c, 1, DN_F32, DN_SHAPE(outputs), n);
        add(to, c, "[%d,%d] -> %d", n, inputs, outputs);
    }
}

static void add_norm(list *to, int rows, int channels, bool relu)
{
    const dn_shape x = DN_SHAPE(rows, channels), v = DN_SHAPE(channels);
    const dn_op_kind kinds[] = {DN_OP_BATCH_NORM, DN_OP_BATCH_NORM_GRAD, DN_OP_BATCH_NORM_INFER,
                                DN_OP_BATCH_NORM_INFER_GRAD};
    for (int i = 0; i < 4; i++) {
        op_case c = start(kinds[i]);
        const bool gradient = i == 1 || i == 3;
        c.op.args.norm.epsilon = 1e-3;
        c.op.args.norm.decay = .9;
        c.op.args.norm.relu = relu;
        c.op.args.norm.unbiased = relu;
        input(&c, 0, DN_F32, x);
        if (gradient) input(&c, 1, DN_F32, x);
        for (int k = 1; k <= 4; k++) input(&c, gradient ? k + 1 : k, DN_F32, v);
        output(&c, 0, DN_F32, x, rows);
        if (gradient) c.alias[0] = 0;
        if (gradient && rows != 1)
            for (int k = 1; k <= 2; k++) output(&c, k, DN_F32, v, rows);
        if (i == 0)
            for (int k = 1; k <= 4; k++) output(&c, k, DN_F32, v, rows);
        if (i == 0) c.alias[3] = 3, c.alias[4] = 4;
        add(to, c, "[%d,%d]%s", rows, channels, relu ? " relu" : "");
    }
}

typedef struct pool_row {
    int n, h, w, c, rows, columns, stride, padding;
} pool_row;

static const pool_row pool_rows[] = {{2, 4, 4, 3, 2, 2, 2, 0},   {1, 1, 1, 1, 1, 1, 1, 0}, {3, 7, 5, 65, 3, 3, 2, 1},
                                     {2, 8, 8, 64, 8, 8, 8, 0},  {2, 5, 5, 7, 2, 2, 2, 0}, {4, 32, 32, 32, 2, 2, 2, 0},
                                     {2, 6, 6, 130, 3, 3, 1, 1}, {1, 9, 9, 4, 2, 2, 3, 0}, {2, 3, 3, 16, 2, 2, 2, 1}};

static void add_pool(list *to, const pool_row *v)
{
    const int p = (v->h + 2 * v->padding - v->rows) / v->stride + 1;
    const int q = (v->w + 2 * v->padding - v->columns) / v->stride + 1;
    const dn_shape x = DN_SHAPE(v->n, v->h, v->w, v->c), y = DN_SHAPE(v->n, p, q, v->c);
    const double window = (double)v->rows * v->columns;
    const dn_op_kind kinds[] = {DN_OP_MAX_POOL, DN_OP_MAX_POOL_GRAD, DN_OP_AVERAGE_POOL, DN_OP_AVERAGE_POOL_GRAD};
    for (int i = 0; i < 4; i++) {
        op_case c = start(kinds[i]);
        c.op.args.pool.kernel[0] = v->rows;
        c.op.args.pool.kernel[1] = v->columns;
        c.op.args.pool.stride = v->stride;
        c.op.args.pool.padding = v->padding;
        c.limit = v->rows * v->columns;
        input(&c, 0, DN_F32, i % 2 ? y : x);
        if (i == 1) input(&c, 1, DN_U8, y);
        output(&c, 0, DN_F32, i % 2 ? x : y, window);
        if (i == 0) output(&c, 1, DN_U8, y, 1);
        c.exact = i == 0;
        add(to, c, "[%d,%d,%d,%d] window %dx%d stride %d pad %d", v->n, v->h, v->w, v->c, v->rows, v->columns,
            v->stride, v->padding);
    }
}

/* Elementwise ops of n elements, in place where `in_place`. */
static void add_elementwise(list *to, int n, bool in_place)
{
    const dn_op_kind kinds[] = {DN_OP_RELU,  DN_OP_RELU_GRAD, DN_OP_ADD,    DN_OP_SCALE,
                                DN_OP_CLAMP, DN_OP_COPY,      DN_OP_DROPOUT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const dn_op_kind kind = kinds[i];
        if (in_place && kind == DN_OP_COPY) continue;
        op_case c = start(kind);
        c.exact = true;
        input(&c, 0, DN_F32, DN_SHAPE(n));
        if (kind == DN_OP_RELU_GRAD || kind == DN_OP_ADD) input(&c, 1, DN_F32, DN_SHAPE(n));
        if (kind == DN_OP_SCALE) input(&c, 1, DN_F32, DN_SHAPE(1));
        if (kind == DN_OP_DROPOUT) {
            input(&c, 1, DN_I32, DN_SHAPE(1));
            c.op.args.random.stream = 9;
            c.op.args.random.rate = .3f;
        } else {
            c.op.args.scalar.factor = 1.7;
            c.op.args.scalar.low = -.5;
            c.op.args.scalar.high = .25;
        }
        output(&c, 0, DN_F32, DN_SHAPE(n), 1);
        if (in_place) c.alias[0] = 0;
        add(to, c, "[%d]%s", n, in_place ? " in place" : "");
    }
}

static void add_update(list *to, int n, bool momentum)
{
    op_case adam = start(DN_OP_ADAM), sgd = start(DN_OP_SGD);
    for (int k = 0; k < 4; k++) input(&adam, k, DN_F32, DN_SHAPE(n));
    input(&adam, 4, DN_F32, DN_SHAPE(1));
    input(&adam, 5, DN_I32, DN_SHAPE(1));
    if (momentum) input(&adam, 6, DN_I32, DN_SHAPE(1));
    for (int k = 0; k < 3; k++) {
        output(&adam, k, DN_F32, DN_SHAPE(n), 4);
        adam.alias[k] = k == 0 ? 0 : k + 1;
    }
    adam.op.args.update.beta1 = .9, adam.op.args.update.beta2 = .999;
    adam.op.args.update.epsilon = 1e-7, adam.op.args.update.decay = momentum ? 1e-2 : 0;
    add(to, adam, "[%d]", n);
    for (int k = 0; k < 2; k++) input(&sgd, k, DN_F32, DN_SHAPE(n));
    if (momentum) input(&sgd, 2, DN_F32, DN_SHAPE(n));
    input(&sgd, 3, DN_F32, DN_SHAPE(1));
    output(&sgd, 0, DN_F32, DN_SHAPE(n), 4);
    if (momentum) output(&sgd, 1, DN_F32, DN_SHAPE(n), 4);
    sgd.alias[0] = 0, sgd.alias[1] = 2;
    sgd.op.args.update.momentum = .9, sgd.op.args.update.nesterov = n % 2 == 1, sgd.op.args.update.decay = 1e-2;
    add(to, sgd, "[%d]%s", n, momentum ? " momentum" : "");
}

static void add_batch(list *to, int images, int side, int channels)
{
    const dn_shape x = DN_SHAPE(images, side, side, channels);
    const dn_dtype types[] = {DN_U8, DN_F32, DN_I32};
    for (int i = 0; i < 3; i++) {
        op_case c = start(DN_OP_GATHER);
        c.exact = true;
        c.limit = 12; /* of 10 images: some indices lie outside */
        input(&c, 0, types[i], DN_SHAPE(10, side, side, channels));
        input(&c, 1, DN_I32, DN_SHAPE(images));
        output(&c, 0, types[i] == DN_I32 ? DN_I32 : DN_F32, x, 1);
        add(to, c, "%s [10,%d,%d,%d] -> %d", dn_dtype_name(types[i]), side, side, channels, images);
    }
    op_case c = start(DN_OP_STANDARDIZE);
    input(&c, 0, DN_F32, x);
    output(&c, 0, DN_F32, x, 4);
    add(to, c, "[%d,%d,%d,%d]", images, side, side, channels);
}

/* Softmax, losses; the information between `members`. */
static void add_losses(list *to, int n, int classes, int members)
{
    const dn_shape z = DN_SHAPE(n, classes);
    const dn_op_kind kinds[] = {DN_OP_SOFTMAX,       DN_OP_SOFTMAX_GRAD, DN_OP_LOG_SOFTMAX, DN_OP_LOG_SOFTMAX_GRAD,
                                DN_OP_CROSS_ENTROPY, DN_OP_ACCURACY,     DN_OP_ENTROPY,     DN_OP_MUTUAL_INFORMATION};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        op_case c = start(kinds[i]);
        c.limit = classes;
        input(&c, 0, DN_F32, z);
        if (i == 1 || i == 3) input(&c, 1, DN_F32, z);
        if (i == 4 || i == 5) input(&c, 1, DN_I32, DN_SHAPE(n));
        output(&c, 0, DN_F32, i < 4 ? z : i < 6 ? DN_SHAPE(1) : DN_SHAPE(n), classes);
        c.out[0].shared = kinds[i] == DN_OP_MUTUAL_INFORMATION;
        if (c.out[0].shared) c.members = members;
        add(to, c, "[%d,%d]", n, classes);
    }
    const dn_op_kind gradients[] = {DN_OP_CROSS_ENTROPY_GRAD, DN_OP_ENTROPY_GRAD, DN_OP_MUTUAL_INFORMATION_GRAD};
    for (int i = 0; i < 3; i++) {
        op_case c = start(gradients[i]);
        c.limit = classes;
        input(&c, 0, DN_F32, i == 0 ? DN_SHAPE(1) : DN_SHAPE(n));
        input(&c, 1, DN_F32, z);
        if (i == 0) input(&c, 2, DN_I32, DN_SHAPE(n));
        output(&c, 0, DN_F32, z, classes);
        c.in[0].shared = i == 2;
        if (i == 2) c.members = members;
        add(to, c, "[%d,%d]", n, classes);
    }
}

size_t op_cases(op_case *cases, size_t capacity)
{
    list to = {cases, 0, capacity};
    for (size_t i = 0; i < sizeof conv_rows / sizeof *conv_rows; i++) add_conv(&to, &conv_rows[i]);
    add_linear(&to, 1, 1, 1, true);
    add_linear(&to, 7, 33, 10, true);
    add_linear(&to, 128, 256, 10, true);
    add_linear(&to, 32, 2048, 256, false);
    add_norm(&to, 2, 1, false);
    add_norm(&to, 37, 5, true);
    add_norm(&to, 512, 64, true);
    add_norm(&to, 4096, 32, false);
    add_norm(&to, 20, 2049, true);
    for (size_t i = 0; i < sizeof pool_rows / sizeof *pool_rows; i++) add_pool(&to, &pool_rows[i]);
    const int counts[] = {1, 127, 130, 40000};
    for (int i = 0; i < 4; i++) {
        add_elementwise(&to, counts[i], false);
        add_elementwise(&to, counts[i], true);
        add_update(&to, counts[i], i % 2 == 1);
    }
    add_batch(&to, 3, 5, 1);
    add_batch(&to, 32, 32, 3);
    add_losses(&to, 5, 10, 3);
    add_losses(&to, 3, 2, 1);
    return to.count;
}
