/* Optimizer updates: one pass over a member's parameters. */
#include <math.h>

#include "core/cpu/tuned.h"

typedef struct adam {
    float b1, c1, b2, c2, decay, rate, grow1, grow2, epsilon; /* c = 1 - b, grow = 1 / (1 - b^t) */
} adam;

DN_CLONES static void adam_loop(float *restrict w, float *restrict m, float *restrict v, const float *restrict g,
                                int64_t n, const adam *a)
{
    const adam k = *a;
    for (int64_t i = 0; i < n; i++) {
        const float d = g[i] + k.decay * w[i];
        m[i] = k.b1 * m[i] + k.c1 * d;
        v[i] = k.b2 * v[i] + k.c2 * d * d;
        w[i] -= k.rate * (m[i] * k.grow1) / (sqrtf(v[i] * k.grow2) + k.epsilon);
    }
}

static void adam_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    adam_loop((float *)call->out[0] + first, (float *)call->out[1] + first, (float *)call->out[2] + first,
              (const float *)call->in[1] + first, last - first, context);
}

void dn__tuned_adam(const dn_call *call)
{
    const int32_t *ok = call->in[6];
    if (ok && !*ok) return;
    const double b1 = call->op->args.update.beta1, b2 = call->op->args.update.beta2;
    const double t = 1.0 + *(const int32_t *)call->in[5];
    adam a = {.b1 = (float)b1,
              .c1 = (float)(1 - b1),
              .b2 = (float)b2,
              .c2 = (float)(1 - b2),
              .decay = (float)call->op->args.update.decay,
              .rate = *(const float *)call->in[4],
              .grow1 = (float)(1 / (1 - pow(b1, t))),
              .grow2 = (float)(1 / (1 - pow(b2, t))),
              .epsilon = (float)call->op->args.update.epsilon};
    dn__split(call, dn__count(call->in_info[0]), 1, adam_part, &a);
}

typedef struct sgd {
    float rate, momentum, decay;
    bool nesterov;
} sgd;

DN_CLONES static void sgd_loop(float *restrict w, float *restrict u, const float *restrict g, int64_t n, const sgd *a)
{
    const sgd k = *a;
    const float own = k.nesterov ? 1.0f : 0.0f, carried = k.nesterov ? k.momentum : 1.0f;
    for (int64_t i = 0; i < n; i++) {
        const float d = g[i] + k.decay * w[i];
        u[i] = k.momentum * u[i] + d;
        w[i] -= k.rate * (own * d + carried * u[i]);
    }
}

DN_CLONES static void plain_loop(float *restrict w, const float *restrict g, int64_t n, const sgd *a)
{
    const sgd k = *a;
    for (int64_t i = 0; i < n; i++) w[i] -= k.rate * (g[i] + k.decay * w[i]);
}

static void sgd_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    float *w = (float *)call->out[0] + first, *velocity = call->out[1];
    const float *g = (const float *)call->in[1] + first;
    if (velocity)
        sgd_loop(w, velocity + first, g, last - first, context);
    else
        plain_loop(w, g, last - first, context);
}

void dn__tuned_sgd(const dn_call *call)
{
    const int32_t *ok = call->in[4];
    if (ok && !*ok) return;
    sgd a = {*(const float *)call->in[3], (float)call->op->args.update.momentum, (float)call->op->args.update.decay,
             call->op->args.update.nesterov};
    dn__split(call, dn__count(call->in_info[0]), 1, sgd_part, &a);
}
