/* Pooling over windows of images [N,H,W,C] -> [N,P,Q,C]. */
#include "core/cpu/ref/ref.h"

typedef struct pooling {
    int64_t n, h, w, c, p, q;
    int rows, columns, stride, padding; /* of the window */
} pooling;

static pooling pooling_of(const dn_call *call, const dn_tensor_info *in, const dn_tensor_info *out)
{
    const int64_t *x = in->shape.dim, *y = out->shape.dim;
    const int *kernel = call->op->args.pool.kernel;
    return (pooling){x[0],
                     x[1],
                     x[2],
                     x[3],
                     y[1],
                     y[2],
                     kernel[0],
                     kernel[1],
                     call->op->args.pool.stride,
                     call->op->args.pool.padding};
}

/* @return the place of tap (r, s) of output (n, p, q) among the pixels of x, or -1 where it lies in the padding */
static int64_t pixel(const pooling *g, int64_t n, int64_t p, int64_t q, int r, int s)
{
    const int64_t row = p * g->stride + r - g->padding, column = q * g->stride + s - g->padding;
    const bool inside = row >= 0 && row < g->h && column >= 0 && column < g->w;
    return inside ? (n * g->h + row) * g->w + column : -1;
}

/* Visits every (output element, tap) that lies inside the image; how many pixels its window has there is given too. */
typedef void visitor(const dn_call *call, int64_t output, int64_t input, int tap, int pixels);

static int pixels_inside(const pooling *g, int64_t n, int64_t p, int64_t q)
{
    int inside = 0;
    for (int tap = 0; tap < g->rows * g->columns; tap++)
        inside += pixel(g, n, p, q, tap / g->columns, tap % g->columns) >= 0;
    return inside;
}

static void visit(const dn_call *call, const pooling *g, visitor *each)
{
    for (int64_t n = 0; n < g->n; n++)
        for (int64_t p = 0; p < g->p; p++)
            for (int64_t q = 0; q < g->q; q++) {
                const int pixels = pixels_inside(g, n, p, q);
                for (int tap = 0; tap < g->rows * g->columns; tap++) {
                    const int64_t from = pixel(g, n, p, q, tap / g->columns, tap % g->columns);
                    for (int64_t c = 0; from >= 0 && c < g->c; c++)
                        each(call, ((n * g->p + p) * g->q + q) * g->c + c, from * g->c + c, tap, pixels);
                }
            }
}

static void clear(void *data, int64_t count)
{
    real *x = data; /* [count] */
    for (int64_t i = 0; i < count; i++) x[i] = 0;
}

/* 255 marks an output that has not seen a pixel yet; windows have fewer taps. A NaN wins and stays. */
static void take_larger(const dn_call *call, int64_t output, int64_t input, int tap, int pixels)
{
    (void)pixels;
    const real *x = call->in[0];
    real *y = call->out[0];
    uint8_t *taps = call->out[1];
    if (taps[output] != UINT8_MAX && !(x[input] > y[output]) && x[input] == x[input]) return;
    if (taps[output] != UINT8_MAX && y[output] != y[output]) return;
    y[output] = x[input];
    taps[output] = (uint8_t)tap;
}

void REF(max_pool)(const dn_call *call)
{
    const pooling g = pooling_of(call, call->in_info[0], call->out_info[0]);
    uint8_t *taps = call->out[1]; /* [N,P,Q,C] */
    for (int64_t i = 0; i < count_of(call->out_info[1]); i++) taps[i] = UINT8_MAX;
    visit(call, &g, take_larger);
}

static void give_to_largest(const dn_call *call, int64_t output, int64_t input, int tap, int pixels)
{
    (void)pixels;
    const uint8_t *taps = call->in[1];
    if (taps[output] == tap) ((real *)call->out[0])[input] += ((const real *)call->in[0])[output];
}

void REF(max_pool_grad)(const dn_call *call)
{
    const pooling g = pooling_of(call, call->out_info[0], call->in_info[0]);
    clear(call->out[0], count_of(call->out_info[0]));
    visit(call, &g, give_to_largest);
}

static void take_mean(const dn_call *call, int64_t output, int64_t input, int tap, int pixels)
{
    (void)tap;
    ((real *)call->out[0])[output] += ((const real *)call->in[0])[input] / (real)pixels;
}

void REF(average_pool)(const dn_call *call)
{
    const pooling g = pooling_of(call, call->in_info[0], call->out_info[0]);
    clear(call->out[0], count_of(call->out_info[0]));
    visit(call, &g, take_mean);
}

static void give_to_all(const dn_call *call, int64_t output, int64_t input, int tap, int pixels)
{
    (void)tap;
    ((real *)call->out[0])[input] += ((const real *)call->in[0])[output] / (real)pixels;
}

void REF(average_pool_grad)(const dn_call *call)
{
    const pooling g = pooling_of(call, call->out_info[0], call->in_info[0]);
    clear(call->out[0], count_of(call->out_info[0]));
    visit(call, &g, give_to_all);
}
