/* Two-dimensional convolution (cross-correlation) and its gradients, NHWC; weights [K,R,S,C]. */
#include "core/cpu/ref/ref.h"

typedef struct geometry {
    int64_t n, h, w, c, k, r, s, p, q; /* in [N,H,W,C], filter [K,R,S,C], out [N,P,Q,K] */
    int stride, padding;
} geometry;

static geometry geometry_of(const dn_call *call, const dn_tensor_info *in, const dn_tensor_info *filter,
                            const dn_tensor_info *out)
{
    const int64_t *x = in->shape.dim, *f = filter->shape.dim, *y = out->shape.dim;
    return (geometry){
        x[0], x[1], x[2], x[3], f[0], f[1], f[2], y[1], y[2], call->op->args.conv.stride, call->op->args.conv.padding};
}

/* One output: the filter w [R,S,C] over image x [H,W,C] at (p, q). */
static double window(const geometry *g, const real *x, const real *w, int64_t p, int64_t q)
{
    double sum = 0;
    for (int64_t r = 0; r < g->r; r++)
        for (int64_t s = 0; s < g->s; s++) {
            const int64_t row = p * g->stride + r - g->padding, column = q * g->stride + s - g->padding;
            if (row < 0 || row >= g->h || column < 0 || column >= g->w) continue;
            for (int64_t c = 0; c < g->c; c++)
                sum += (double)x[(row * g->w + column) * g->c + c] * w[(r * g->s + s) * g->c + c];
        }
    return sum;
}

void REF(conv2d)(const dn_call *call)
{
    const geometry g = geometry_of(call, call->in_info[0], call->in_info[1], call->out_info[0]);
    const real *x = call->in[0], *w = call->in[1], *b = call->in[2]; /* [N,H,W,C], [K,R,S,C], [K] */
    real *y = call->out[0];                                          /* [N,P,Q,K] */
    for (int64_t n = 0; n < g.n; n++)
        for (int64_t p = 0; p < g.p; p++)
            for (int64_t q = 0; q < g.q; q++)
                for (int64_t k = 0; k < g.k; k++) {
                    const double sum =
                        (b ? b[k] : 0) + window(&g, x + n * g.h * g.w * g.c, w + k * g.r * g.s * g.c, p, q);
                    y[((n * g.p + p) * g.q + q) * g.k + k] = (real)(call->op->args.conv.relu && sum <= 0 ? 0 : sum);
                }
}

/* @return the output coordinate whose tap `r` reads input coordinate `h`, or -1 */
static int64_t reader(int64_t h, int64_t r, int64_t outputs, const geometry *g)
{
    const int64_t place = h + g->padding - r;
    return place >= 0 && place % g->stride == 0 && place / g->stride < outputs ? place / g->stride : -1;
}

/* The gradient of input (h, w, c): over all outputs that read it. dy: [P,Q,K], w: [K,R,S,C] */
static double data_gradient(const geometry *g, const real *dy, const real *w, int64_t h, int64_t column, int64_t c)
{
    double sum = 0;
    for (int64_t r = 0; r < g->r; r++)
        for (int64_t s = 0; s < g->s; s++) {
            const int64_t p = reader(h, r, g->p, g), q = reader(column, s, g->q, g);
            if (p < 0 || q < 0) continue;
            for (int64_t k = 0; k < g->k; k++)
                sum += (double)dy[(p * g->q + q) * g->k + k] * w[((k * g->r + r) * g->s + s) * g->c + c];
        }
    return sum;
}

void REF(conv2d_data_grad)(const dn_call *call)
{
    const geometry g = geometry_of(call, call->out_info[0], call->in_info[1], call->in_info[0]);
    const real *dy = call->in[0], *w = call->in[1]; /* [N,P,Q,K], [K,R,S,C] */
    real *dx = call->out[0];                        /* [N,H,W,C] */
    for (int64_t n = 0; n < g.n; n++)
        for (int64_t h = 0; h < g.h; h++)
            for (int64_t column = 0; column < g.w; column++)
                for (int64_t c = 0; c < g.c; c++)
                    dx[((n * g.h + h) * g.w + column) * g.c + c] =
                        (real)data_gradient(&g, dy + n * g.p * g.q * g.k, w, h, column, c);
}

/* The gradient of filter element (k, r, s, c): over all outputs of channel k. x: [N,H,W,C], dy: [N,P,Q,K] */
static double weight_gradient(const geometry *g, const real *x, const real *dy, int64_t k, int64_t r, int64_t s,
                              int64_t c)
{
    double sum = 0;
    for (int64_t n = 0; n < g->n; n++)
        for (int64_t p = 0; p < g->p; p++)
            for (int64_t q = 0; q < g->q; q++) {
                const int64_t row = p * g->stride + r - g->padding, column = q * g->stride + s - g->padding;
                if (row < 0 || row >= g->h || column < 0 || column >= g->w) continue;
                sum += (double)x[((n * g->h + row) * g->w + column) * g->c + c] *
                       dy[((n * g->p + p) * g->q + q) * g->k + k];
            }
    return sum;
}

void REF(conv2d_weight_grad)(const dn_call *call)
{
    const geometry g = geometry_of(call, call->in_info[0], call->out_info[0], call->in_info[1]);
    const real *x = call->in[0], *dy = call->in[1]; /* [N,H,W,C], [N,P,Q,K] */
    real *dw = call->out[0], *db = call->out[1];    /* [K,R,S,C], [K] */
    for (int64_t k = 0; k < g.k; k++) {
        for (int64_t r = 0; r < g.r; r++)
            for (int64_t s = 0; s < g.s; s++)
                for (int64_t c = 0; c < g.c; c++)
                    dw[((k * g.r + r) * g.s + s) * g.c + c] = (real)weight_gradient(&g, x, dy, k, r, s, c);
        double sum = 0;
        for (int64_t i = 0; db && i < g.n * g.p * g.q; i++) sum += dy[i * g.k + k];
        if (db) db[k] = (real)sum;
    }
}
