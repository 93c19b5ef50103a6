/* Pooling, vectors along the channels, images over threads. */
#include <string.h>

#include "core/cpu/tuned.h"

typedef struct pooling {
    int64_t h, w, c, p, q;
    int rows, columns, stride, padding; /* of the window */
} pooling;

static pooling pooling_of(const dn_call *call, const dn_tensor_info *in, const dn_tensor_info *out)
{
    const int64_t *x = in->shape.dim, *y = out->shape.dim;
    const int *kernel = call->op->args.pool.kernel;
    return (pooling){
        x[1], x[2], x[3], y[1], y[2], kernel[0], kernel[1], call->op->args.pool.stride, call->op->args.pool.padding};
}

typedef struct window {                                 /* the part of one output's window that lies inside the image */
    int first_row, last_row, first_column, last_column; /* taps; last is exclusive */
    int64_t top, left;                                  /* image coordinates of tap (0, 0) */
} window;

static int bound(int64_t value, int most)
{
    return value < 0 ? 0 : value > most ? most : (int)value;
}

static window window_at(const pooling *g, int64_t p, int64_t q)
{
    window v = {.top = p * g->stride - g->padding, .left = q * g->stride - g->padding};
    v.first_row = bound(-v.top, g->rows);
    v.last_row = bound(g->h - v.top, g->rows);
    v.first_column = bound(-v.left, g->columns);
    v.last_column = bound(g->w - v.left, g->columns);
    return v;
}

enum { PIECE = 64 }; /* channels at a time: maximum and tap stay in registers */

/* In channels where `from` is larger than the best so far, it and its tap win. A NaN wins and stays. */
static inline void keep_larger(float *best, int32_t *at, const float *from, int32_t tap, int64_t width)
{
#pragma omp simd
    for (int64_t c = 0; c < width; c++) {
        const bool wins = !(from[c] <= best[c]) & (best[c] == best[c]);
        best[c] = wins ? from[c] : best[c];
        at[c] = wins ? tap : at[c];
    }
}

/* One output pixel, `width` channels from x (the image at channel c) on. */
static inline void largest(const pooling *g, const window *v, float *y, uint8_t *taps, const float *x, int64_t width)
{
    float best[PIECE];
    int32_t at[PIECE];
    bool first = true;
    for (int r = v->first_row; r < v->last_row; r++)
        for (int s = v->first_column; s < v->last_column; s++) {
            const float *from = x + ((v->top + r) * g->w + v->left + s) * g->c;
            const int32_t tap = r * g->columns + s;
            if (first) {
                for (int64_t c = 0; c < width; c++) best[c] = from[c];
                for (int64_t c = 0; c < width; c++) at[c] = tap;
            } else {
                keep_larger(best, at, from, tap, width);
            }
            first = false;
        }
    if (first) return;
    memcpy(y, best, (size_t)width * sizeof *y);
    for (int64_t c = 0; c < width; c++) taps[c] = (uint8_t)at[c];
}

/* x: [H,W,C], y and taps: [P,Q,C] */
DN_CLONES static void max_pool_image(const pooling *g, float *y, uint8_t *taps, const float *x)
{
    for (int64_t p = 0; p < g->p; p++)
        for (int64_t q = 0; q < g->q; q++) {
            const window v = window_at(g, p, q);
            const int64_t out = (p * g->q + q) * g->c;
            for (int64_t c = 0; c < g->c; c += PIECE)
                largest(g, &v, y + out + c, taps + out + c, x + c, g->c - c < PIECE ? g->c - c : PIECE);
        }
}

static void max_pool_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const pooling *g = context;
    const int64_t in = g->h * g->w * g->c, out = g->p * g->q * g->c;
    for (int64_t n = first; n < last; n++)
        max_pool_image(g, (float *)call->out[0] + n * out, (uint8_t *)call->out[1] + n * out,
                       (const float *)call->in[0] + n * in);
}

void dn__tuned_max_pool(const dn_call *call)
{
    pooling g = pooling_of(call, call->in_info[0], call->out_info[0]);
    dn__split(call, call->in_info[0]->shape.dim[0], g.h * g.w * g.c, max_pool_part, &g);
}

/* Windows that do not overlap write each pixel once, so that dx need not be read, nor cleared where they cover it. */
static bool apart(const pooling *g)
{
    return g->stride >= g->rows && g->stride >= g->columns;
}

static bool covered(const pooling *g)
{
    return apart(g) && g->stride == g->rows && g->stride == g->columns && g->padding == 0 && g->p * g->stride >= g->h &&
           g->q * g->stride >= g->w;
}

/* The gradient d [C] of one output pixel goes to the input pixel of this tap, in the channels where it had won. */
static inline void pass(float *restrict to, const float *restrict d, const uint8_t *restrict winner, int tap,
                        int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) to[c] = winner[c] == tap ? d[c] : 0;
}

static inline void pass_more(float *restrict to, const float *restrict d, const uint8_t *restrict winner, int tap,
                             int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) to[c] += winner[c] == tap ? d[c] : 0;
}

/* dx: [H,W,C], dy and taps: [P,Q,C] */
DN_CLONES static void max_pool_grad_image(const pooling *g, float *dx, const float *dy, const uint8_t *taps)
{
    const bool alone = apart(g);
    if (!covered(g)) memset(dx, 0, (size_t)(g->h * g->w * g->c) * sizeof *dx);
    for (int64_t out = 0; out < g->p * g->q; out++) {
        const window v = window_at(g, out / g->q, out % g->q);
        const float *d = dy + out * g->c;
        const uint8_t *winner = taps + out * g->c;
        for (int r = v.first_row; r < v.last_row; r++)
            for (int s = v.first_column; s < v.last_column; s++) {
                float *to = dx + ((v.top + r) * g->w + v.left + s) * g->c;
                const int tap = r * g->columns + s;
                if (alone)
                    pass(to, d, winner, tap, g->c);
                else
                    pass_more(to, d, winner, tap, g->c);
            }
    }
}

static void max_pool_grad_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const pooling *g = context;
    const int64_t in = g->h * g->w * g->c, out = g->p * g->q * g->c;
    for (int64_t n = first; n < last; n++)
        max_pool_grad_image(g, (float *)call->out[0] + n * in, (const float *)call->in[0] + n * out,
                            (const uint8_t *)call->in[1] + n * out);
}

void dn__tuned_max_pool_grad(const dn_call *call)
{
    pooling g = pooling_of(call, call->out_info[0], call->in_info[0]);
    dn__split(call, call->in_info[0]->shape.dim[0], g.h * g.w * g.c, max_pool_grad_part, &g);
}

static float share_of(const window *v)
{
    return 1.0f / (float)((v->last_row - v->first_row) * (v->last_column - v->first_column));
}

/* x: [H,W,C], y: [P,Q,C] */
DN_CLONES static void average_pool_image(const pooling *g, float *y, const float *x)
{
    for (int64_t out = 0; out < g->p * g->q; out++) {
        const window v = window_at(g, out / g->q, out % g->q);
        const float share = share_of(&v);
        float *to = y + out * g->c;
#pragma omp simd
        for (int64_t c = 0; c < g->c; c++) to[c] = 0;
        for (int r = v.first_row; r < v.last_row; r++)
            for (int s = v.first_column; s < v.last_column; s++) {
                const float *from = x + ((v.top + r) * g->w + v.left + s) * g->c;
#pragma omp simd
                for (int64_t c = 0; c < g->c; c++) to[c] += from[c];
            }
#pragma omp simd
        for (int64_t c = 0; c < g->c; c++) to[c] *= share;
    }
}

static void average_pool_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const pooling *g = context;
    for (int64_t n = first; n < last; n++)
        average_pool_image(g, (float *)call->out[0] + n * g->p * g->q * g->c,
                           (const float *)call->in[0] + n * g->h * g->w * g->c);
}

void dn__tuned_average_pool(const dn_call *call)
{
    pooling g = pooling_of(call, call->in_info[0], call->out_info[0]);
    dn__split(call, call->in_info[0]->shape.dim[0], g.h * g.w * g.c, average_pool_part, &g);
}

/* dx: [H,W,C], dy: [P,Q,C] */
DN_CLONES static void average_pool_grad_image(const pooling *g, float *dx, const float *dy)
{
    memset(dx, 0, (size_t)(g->h * g->w * g->c) * sizeof *dx);
    for (int64_t out = 0; out < g->p * g->q; out++) {
        const window v = window_at(g, out / g->q, out % g->q);
        const float share = share_of(&v);
        const float *d = dy + out * g->c;
        for (int r = v.first_row; r < v.last_row; r++)
            for (int s = v.first_column; s < v.last_column; s++) {
                float *to = dx + ((v.top + r) * g->w + v.left + s) * g->c;
#pragma omp simd
                for (int64_t c = 0; c < g->c; c++) to[c] += d[c] * share;
            }
    }
}

static void average_pool_grad_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const pooling *g = context;
    for (int64_t n = first; n < last; n++)
        average_pool_grad_image(g, (float *)call->out[0] + n * g->h * g->w * g->c,
                                (const float *)call->in[0] + n * g->p * g->q * g->c);
}

void dn__tuned_average_pool_grad(const dn_call *call)
{
    pooling g = pooling_of(call, call->out_info[0], call->in_info[0]);
    dn__split(call, call->in_info[0]->shape.dim[0], g.h * g.w * g.c, average_pool_grad_part, &g);
}
