/* Convolutions and linear layers without oneDNN: direct, vectors along the channels that lie side by side in memory.
 *
 * Forward and data gradient are one loop: an output pixel is the sum, over the taps (r, s) that reach it and the
 * channels i of the other side, of in[i] times a row of weights [outputs]. The data gradient finds its rows in the
 * weights [K,R,S,C] as they lie (i = k, outputs = C); the forward pass needs them with k last, and turns them first.
 */
#include <string.h>

#include "core/cpu/tuned.h"

typedef struct direct {
    int64_t n, h, w, c, k, r, s, p, q; /* in [N,H,W,C], filter [K,R,S,C], out [N,P,Q,K] */
    int stride, padding;
    bool relu;
    const float *weights, *bias; /* weights with `outputs` last */
    int64_t tap_step, row_step;  /* from one tap's or channel's row of weights to the next */
    int64_t inputs, outputs;
} direct;

enum { PIECE = 32, PIXELS = 4 }; /* output channels and pixels that are summed up in registers */

static const int64_t *or_row(const dn_tensor_info *info, int64_t row[4])
{
    if (info->shape.rank == 4) return info->shape.dim;
    /* A linear layer is a 1x1 convolution: its N rows are the pixels of one image, its weights [K,C] are [K,1,1,C]. */
    row[0] = 1, row[1] = 1, row[2] = info->shape.dim[0], row[3] = info->shape.dim[1];
    return row;
}

static direct geometry_of(const dn_call *call, const dn_tensor_info *in, const dn_tensor_info *filter,
                          const dn_tensor_info *out)
{
    int64_t in_row[4], out_row[4];
    const int64_t *x = or_row(in, in_row), *f = filter->shape.dim, *y = or_row(out, out_row);
    const bool image = filter->shape.rank == 4;
    return (direct){.n = x[0],
                    .h = x[1],
                    .w = x[2],
                    .c = x[3],
                    .k = f[0],
                    .r = image ? f[1] : 1,
                    .s = image ? f[2] : 1,
                    .p = y[1],
                    .q = y[2],
                    .stride = image ? call->op->args.conv.stride : 1,
                    .padding = image ? call->op->args.conv.padding : 0};
}

/* sums [PIXELS,PIECE] += in[pixel][i] * rows[i], for the pixels that this tap reaches (others: NULL). Forced into the
 * caller, so that a constant width keeps the sums in registers. */
__attribute__((always_inline)) static inline void add_tap(float (*sums)[PIECE], const float *const in[PIXELS],
                                                          const float *rows, const direct *g, int64_t width)
{
    static const float nothing[1] = {0};
    const float *from[PIXELS];
    int64_t step[PIXELS];
    float kept[PIXELS][PIECE];
    for (int i = 0; i < PIXELS; i++) {
        from[i] = in[i] ? in[i] : nothing;
        step[i] = in[i] ? 1 : 0;
        for (int64_t o = 0; o < width; o++) kept[i][o] = sums[i][o];
    }
    for (int64_t i = 0; i < g->inputs; i++) {
        const float *row = rows + i * g->row_step;
        for (int pixel = 0; pixel < PIXELS; pixel++)
            for (int64_t o = 0; o < width; o++) kept[pixel][o] += from[pixel][i * step[pixel]] * row[o];
    }
    for (int i = 0; i < PIXELS; i++)
        for (int64_t o = 0; o < width; o++) sums[i][o] = kept[i][o];
}

/* @return the place on the other side that tap (r, s) pairs with (a, b), or -1: the forward pass reads x, the data
 *  gradient the outputs that read this pixel */
static inline int64_t partner(const direct *g, bool forward, int64_t a, int64_t b, int64_t r, int64_t s)
{
    if (forward) {
        const int64_t row = a * g->stride + r - g->padding, column = b * g->stride + s - g->padding;
        return row >= 0 && row < g->h && column >= 0 && column < g->w ? row * g->w + column : -1;
    }
    const int64_t row = a + g->padding - r, column = b + g->padding - s;
    if (row < 0 || column < 0 || row % g->stride || column % g->stride) return -1;
    return row / g->stride < g->p && column / g->stride < g->q ? row / g->stride * g->q + column / g->stride : -1;
}

/* One piece of channels of up to four pixels side by side. */
static inline void sum_pixels(float (*sums)[PIECE], const direct *g, bool forward, const float *in, int64_t a,
                              int64_t b, int pixels, int64_t first, int64_t width)
{
    for (int i = 0; i < PIXELS; i++)
        for (int64_t o = 0; o < PIECE; o++) sums[i][o] = g->bias && o < width ? g->bias[first + o] : 0;
    for (int64_t tap = 0; tap < g->r * g->s; tap++) {
        const float *from[PIXELS] = {NULL};
        bool any = false;
        for (int i = 0; i < pixels; i++) {
            const int64_t place = partner(g, forward, a, b + i, tap / g->s, tap % g->s);
            if (place >= 0) from[i] = in + place * g->inputs;
            any = any || place >= 0;
        }
        const float *rows = g->weights + tap * g->tap_step + first;
        if (any && width == PIECE)
            add_tap(sums, from, rows, g, PIECE);
        else if (any)
            add_tap(sums, from, rows, g, width);
    }
}

/* sums[i] to the i-th of the output's pixels, of a whole row of channels each. */
static inline void store_pixels(float *out, float (*sums)[PIECE], const direct *g, int pixels, int64_t width)
{
    for (int i = 0; i < pixels; i++) {
        float *to = out + i * g->outputs;
        for (int64_t o = 0; o < width; o++) to[o] = g->relu && sums[i][o] <= 0 ? 0 : sums[i][o];
    }
}

/* Rows first..last-1 of all images' output rows. */
DN_CLONES static void sum_rows(const direct *g, bool forward, float *out, const float *in, int64_t first, int64_t last)
{
    const int64_t height = forward ? g->p : g->h, width = forward ? g->q : g->w;
    const int64_t image = (forward ? g->h * g->w : g->p * g->q) * g->inputs;
    for (int64_t row = first; row < last; row++)
        for (int64_t o = 0; o < g->outputs; o += PIECE)
            for (int64_t b = 0; b < width; b += PIXELS) {
                float sums[PIXELS][PIECE];
                const int pixels = width - b < PIXELS ? (int)(width - b) : PIXELS;
                const int64_t channels = g->outputs - o < PIECE ? g->outputs - o : PIECE;
                sum_pixels(sums, g, forward, in + row / height * image, row % height, b, pixels, o, channels);
                store_pixels(out + (row * width + b) * g->outputs + o, sums, g, pixels, channels);
            }
}

static void forward_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    sum_rows(context, true, call->out[0], call->in[0], first, last);
}

static void data_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    sum_rows(context, false, call->out[0], call->in[0], first, last);
}

size_t dn__tuned_conv_workspace(const dn_call *shapes)
{
    return (size_t)dn__count(shapes->in_info[1]) * sizeof(float); /* the turned weights */
}

void dn__tuned_conv(const dn_call *call)
{
    direct g = geometry_of(call, call->in_info[0], call->in_info[1], call->out_info[0]);
    const float *w = call->in[1];    /* [K,R,S,C] */
    float *turned = call->workspace; /* [R,S,C,K] */
    const int64_t rows = g.r * g.s * g.c;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t k = 0; k < g.k; k++) turned[row * g.k + k] = w[k * rows + row];
    g.weights = turned, g.bias = call->in[2], g.relu = call->op->args.conv.relu;
    g.inputs = g.c, g.outputs = g.k, g.row_step = g.k, g.tap_step = g.c * g.k;
    dn__split(call, g.n * g.p, g.q * g.k * g.r * g.s * g.c, forward_part, &g);
}

void dn__tuned_conv_data_grad(const dn_call *call)
{
    direct g = geometry_of(call, call->out_info[0], call->in_info[1], call->in_info[0]);
    g.weights = call->in[1];
    g.inputs = g.k, g.outputs = g.c, g.row_step = g.r * g.s * g.c, g.tap_step = g.c;
    dn__split(call, g.n * g.h, g.w * g.k * g.r * g.s * g.c, data_part, &g);
}

/* The weight gradient's two sides: of one PIECE channels are a vector, of the other PIXELS channels are scalars. */
typedef struct sides {
    const direct *g;
    bool turned; /* the vector runs along k, not along c */
    int64_t scalars, vectors;
} sides;

static float *weight_at(const sides *a, float *dw, int64_t tap, int64_t scalar, int64_t vector)
{
    const int64_t k = a->turned ? vector : scalar, c = a->turned ? scalar : vector;
    return dw + (k * a->g->r * a->g->s + tap) * a->g->c + c;
}

/* sums [PIXELS,PIECE] of one row of outputs; forced into the caller, so that constant sizes unroll its loops. */
__attribute__((always_inline)) static inline void add_row(float (*sums)[PIECE], const sides *a, const float *in,
                                                          const float *d, int64_t p, int64_t tap, int64_t high,
                                                          int64_t width)
{
    const direct *g = a->g;
    for (int64_t q = 0; q < g->q; q++) {
        const int64_t place = partner(g, true, p, q, tap / g->s, tap % g->s);
        if (place < 0) continue;
        const float *scalar = a->turned ? in + place * g->c : d + q * g->k;
        const float *vector = a->turned ? d + q * g->k : in + place * g->c;
        for (int64_t i = 0; i < high; i++)
            for (int64_t o = 0; o < width; o++) sums[i][o] += scalar[i] * vector[o];
    }
}

/* One tap's dw for PIXELS x PIECE channels, over all output pixels: one row's sum in float, rows in double. */
DN_CLONES static void weight_block(const sides *a, float *dw, const float *x, const float *dy, int64_t tap,
                                   int64_t first, int64_t piece)
{
    const direct *g = a->g;
    const int64_t high = a->scalars - first < PIXELS ? a->scalars - first : PIXELS;
    const int64_t width = a->vectors - piece < PIECE ? a->vectors - piece : PIECE;
    double totals[PIXELS][PIECE] = {{0}};
    for (int64_t row = 0; row < g->n * g->p; row++) {
        float sums[PIXELS][PIECE] = {{0}};
        const float *in = x + row / g->p * g->h * g->w * g->c + (a->turned ? first : piece);
        const float *d = dy + row * g->q * g->k + (a->turned ? piece : first);
        if (high == PIXELS && width == PIECE)
            add_row(sums, a, in, d, row % g->p, tap, PIXELS, PIECE);
        else
            add_row(sums, a, in, d, row % g->p, tap, high, width);
        for (int64_t i = 0; i < PIXELS; i++)
            for (int64_t o = 0; o < PIECE; o++) totals[i][o] += sums[i][o];
    }
    for (int64_t i = 0; i < high * width; i++)
        *weight_at(a, dw, tap, first + i / width, piece + i % width) = (float)totals[i / width][i % width];
}

static void weight_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const sides *a = context;
    const int64_t taps = a->g->r * a->g->s;
    for (int64_t item = first; item < last; item++)
        for (int64_t piece = 0; piece < a->vectors; piece += PIECE)
            weight_block(a, call->out[0], call->in[0], call->in[1], item % taps, item / taps * PIXELS, piece);
}

void dn__tuned_conv_weight_grad(const dn_call *call)
{
    const direct g = geometry_of(call, call->in_info[0], call->out_info[0], call->in_info[1]);
    const bool turned = g.c < PIECE && g.k > g.c; /* images of few channels would make poor vectors */
    sides a = {&g, turned, turned ? g.c : g.k, turned ? g.k : g.c};
    dn__split(call, (a.scalars + PIXELS - 1) / PIXELS * g.r * g.s, g.n * g.p * g.q * a.vectors, weight_part, &a);
    if (call->out[1]) dn__sum_rows(call, call->in[1], call->in_info[1], call->out[1]);
}
