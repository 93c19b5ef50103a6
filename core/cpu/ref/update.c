/* Optimizer updates over a member's flat parameters [P], in place. */
#include <math.h>

#include "core/cpu/ref/ref.h"

static bool allowed(const int32_t *ok)
{
    return !ok || *ok;
}

/* Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015; weight decay is added to the gradient. */
void REF(adam)(const dn_call *call)
{
    const real *g = call->in[1]; /* [P] */
    const double rate = *(const real *)call->in[4], t = 1.0 + *(const int32_t *)call->in[5];
    const double b1 = call->op->args.update.beta1, b2 = call->op->args.update.beta2;
    const double epsilon = call->op->args.update.epsilon, decay = call->op->args.update.decay;
    real *w = call->out[0], *m = call->out[1], *v = call->out[2]; /* [P] */
    for (int64_t i = 0; allowed(call->in[6]) && i < count_of(call->in_info[0]); i++) {
        const double d = g[i] + decay * w[i];
        m[i] = (real)(b1 * m[i] + (1 - b1) * d);
        v[i] = (real)(b2 * v[i] + (1 - b2) * d * d);
        w[i] = (real)(w[i] - rate * (m[i] / (1 - pow(b1, t))) / (sqrt(v[i] / (1 - pow(b2, t))) + epsilon));
    }
}

/* With momentum u = momentum u + g; Nesterov's direction is g + momentum u. */
void REF(sgd)(const dn_call *call)
{
    const real *g = call->in[1]; /* [P] */
    const double rate = *(const real *)call->in[3], momentum = call->op->args.update.momentum;
    real *w = call->out[0], *velocity = call->out[1]; /* [P] */
    for (int64_t i = 0; allowed(call->in[4]) && i < count_of(call->in_info[0]); i++) {
        double d = g[i] + call->op->args.update.decay * w[i];
        if (velocity) {
            const double u = momentum * velocity[i] + d;
            velocity[i] = (real)u;
            d = call->op->args.update.nesterov ? d + momentum * u : u;
        }
        w[i] = (real)(w[i] - rate * d);
    }
}
