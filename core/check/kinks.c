/* The gradient of batch norm behind a relu, where rounding decides on which side of 0 an element is. */
#include <float.h>
#include <math.h>

#include "core/alloc.h"
#include "core/call.h"
#include "core/check/check.h"

enum { DY, X, GAMMA, BETA, MEAN, SPREAD, INPUTS }; /* spread: rstd, or the moving variance */

typedef struct layer {
    double *in[INPUTS]; /* of one member: [n,C] and [C] */
    int64_t n, channels;
    bool moving; /* batch_norm_infer_grad: the statistics are constants */
    double epsilon;
} layer;

static double rstd_of(const layer *l, int64_t c)
{
    return l->moving ? 1 / sqrt(l->in[SPREAD][c] + l->epsilon) : l->in[SPREAD][c];
}

/* Whether a sum of gamma * rstd * x, - gamma * rstd * mean and beta, in any order, may have either sign. */
static bool undecided(const layer *l, int64_t i, int64_t c)
{
    const double slope = l->in[GAMMA][c] * rstd_of(l, c), x = l->in[X][i], mean = l->in[MEAN][c], beta = l->in[BETA][c];
    const double error = 8 * (double)FLT_EPSILON * (fabs(slope) * (fabs(x) + fabs(mean)) + fabs(beta));
    return fabs(slope * (x - mean) + beta) <= error;
}

/* An undecided element takes dy out of the sums dbeta and dgamma, or leaves it in; the gradients of batch norm proper
 * hand a share of that on to the whole channel. dx: [n,C], dgamma, dbeta: [C] */
static void spread_out(const layer *l, double *dx, double *dgamma, double *dbeta)
{
    const int64_t all = l->n * l->channels;
    for (int64_t i = 0; i < all; i++) {
        const int64_t c = i % l->channels;
        if (!undecided(l, i, c)) continue;
        const double off = fabs(l->in[DY][i]);
        dx[i] = off;
        dbeta[c] += off;
        dgamma[c] += off * fabs((l->in[X][i] - l->in[MEAN][c]) * rstd_of(l, c));
    }
    for (int64_t i = 0; i < all; i++) {
        const int64_t c = i % l->channels;
        const double xhat = (l->in[X][i] - l->in[MEAN][c]) * rstd_of(l, c);
        if (!l->moving) dx[i] += (dbeta[c] + fabs(xhat) * dgamma[c]) / (double)l->n;
        dx[i] *= fabs(l->in[GAMMA][c] * rstd_of(l, c));
    }
}

static dn_status read_inputs(dn_compiled *compiled, const dn_op *op, int member, layer *l)
{
    for (int k = 0; k < INPUTS; k++) {
        const dn_tensor_info *t = &compiled->program->tensors[op->in[k]];
        DN_TRY(dn__check_fetch(compiled, DN_CHECK_A, op->in[k], member));
        for (int64_t i = 0; i < dn__count(t); i++)
            l->in[k][i] = dn__check_value(t->dtype, compiled->fetched[DN_CHECK_A], i);
    }
    return DN_OK;
}

static dn_status fill(dn_compiled *compiled, const dn_op *op, layer *l, double *const to[3])
{
    const int64_t all = l->n * l->channels;
    for (int k = 0; k < INPUTS; k++) {
        l->in[k] = dn_calloc((size_t)dn__count(&compiled->program->tensors[op->in[k]]), sizeof(double));
        if (!l->in[k]) return DN_ERROR_MEMORY;
    }
    for (int e = 0; e < compiled->program->members; e++) {
        DN_TRY(read_inputs(compiled, op, e, l));
        spread_out(l, to[0] + e * all, to[1] + e * l->channels, to[2] + e * l->channels);
    }
    return DN_OK;
}

dn_status dn__check_kinks(dn_compiled *compiled, const dn_op *op, double *extra[DN_OP_MAX_OUT])
{
    for (int k = 0; k < DN_OP_MAX_OUT; k++) extra[k] = NULL;
    const bool moving = op->kind == DN_OP_BATCH_NORM_INFER_GRAD;
    if ((op->kind != DN_OP_BATCH_NORM_GRAD && !moving) || !op->args.norm.relu) return DN_OK;
    const dn_program *p = compiled->program;
    const dn_tensor_info *x = &p->tensors[op->in[X]];
    layer l = {.n = dn__rows(x), .channels = dn__last(x), .moving = moving, .epsilon = op->args.norm.epsilon};
    dn_status status = DN_OK;
    for (int k = 0; k < 3; k++) {
        extra[k] = dn_calloc((size_t)((k ? l.channels : dn__count(x)) * p->members), sizeof(double));
        if (!extra[k]) status = DN_ERROR_MEMORY;
    }
    if (status == DN_OK) status = fill(compiled, op, &l, extra);
    for (int k = 0; k < INPUTS; k++) dn_free(l.in[k]);
    return status;
}
