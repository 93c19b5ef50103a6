/* Batch normalization over all dimensions but the last. */
#include <math.h>

#include "core/cpu/ref/ref.h"

typedef struct channel { /* one channel's numbers; xhat = (x - mean) * rstd */
    double mean, rstd, gamma, beta;
    bool relu;
} channel;

static double normalized(const channel *a, double x)
{
    const double y = a->gamma * ((x - a->mean) * a->rstd) + a->beta;
    return a->relu && y <= 0 ? 0 : y;
}

/* The gradient that passes the relu, if there is one. */
static double passed(const channel *a, double dy, double xhat)
{
    return a->relu && a->gamma * xhat + a->beta <= 0 ? 0 : dy;
}

/* The moving statistics of channel c take in the batch's. */
static void move(const dn_call *call, int64_t c, double mean, double variance, int64_t rows)
{
    const real *old_mean = call->in[3], *old_variance = call->in[4]; /* [C] */
    real *new_mean = call->out[3], *new_variance = call->out[4];     /* [C] */
    const double decay = call->op->args.norm.decay;
    if (call->op->args.norm.unbiased && rows > 1) variance *= (double)rows / (double)(rows - 1);
    if (new_mean) new_mean[c] = (real)(decay * old_mean[c] + (1 - decay) * mean);
    if (new_variance) new_variance[c] = (real)(decay * old_variance[c] + (1 - decay) * variance);
}

void REF(batch_norm)(const dn_call *call)
{
    const real *x = call->in[0], *gamma = call->in[1], *beta = call->in[2];     /* [rows,C], [C], [C] */
    real *y = call->out[0], *mean_out = call->out[1], *rstd_out = call->out[2]; /* [rows,C], [C], [C] */
    const int64_t channels = last_of(call->in_info[0]), rows = rows_of(call->in_info[0]);
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < rows; i++) sum += x[i * channels + c];
        const double mean = sum / (double)rows;
        for (int64_t i = 0; i < rows; i++) squares += (x[i * channels + c] - mean) * (x[i * channels + c] - mean);
        const double variance = squares / (double)rows, rstd = 1 / sqrt(variance + call->op->args.norm.epsilon);
        const channel a = {mean, rstd, gamma[c], beta[c], call->op->args.norm.relu};
        for (int64_t i = 0; i < rows; i++) y[i * channels + c] = (real)normalized(&a, x[i * channels + c]);
        mean_out[c] = (real)mean;
        rstd_out[c] = (real)rstd;
        move(call, c, mean, variance, rows);
    }
}

/* Both gradients: through the batch's statistics, or with statistics that are given. */
static void gradients(const dn_call *call, int64_t c, const channel *a, bool through_statistics)
{
    const real *dy = call->in[0], *x = call->in[1];                         /* [rows,C] */
    real *dx = call->out[0], *dgamma = call->out[1], *dbeta = call->out[2]; /* [rows,C], [C], [C]; all optional */
    const int64_t channels = last_of(call->in_info[0]), rows = rows_of(call->in_info[0]);
    double sum = 0, sum_xhat = 0;
    for (int64_t i = 0; i < rows; i++) {
        const double xhat = (x[i * channels + c] - a->mean) * a->rstd, d = passed(a, dy[i * channels + c], xhat);
        sum += d;
        sum_xhat += d * xhat;
    }
    if (dgamma) dgamma[c] = (real)sum_xhat;
    if (dbeta) dbeta[c] = (real)sum;
    const double n = through_statistics ? (double)rows : INFINITY;
    for (int64_t i = 0; dx && i < rows; i++) {
        const double xhat = (x[i * channels + c] - a->mean) * a->rstd, d = passed(a, dy[i * channels + c], xhat);
        dx[i * channels + c] = (real)(a->gamma * a->rstd * (d - sum / n - xhat * sum_xhat / n));
    }
}

void REF(batch_norm_grad)(const dn_call *call)
{
    const real *gamma = call->in[2], *beta = call->in[3], *mean = call->in[4], *rstd = call->in[5]; /* [C] each */
    for (int64_t c = 0; c < last_of(call->in_info[0]); c++) {
        const channel a = {mean[c], rstd[c], gamma[c], beta[c], call->op->args.norm.relu};
        gradients(call, c, &a, true);
    }
}

/* Channel c with the moving statistics, which stand in inputs 3 and 4 (gradient: 4 and 5). */
static channel with_moving(const dn_call *call, int first, int64_t c)
{
    const real *gamma = call->in[first], *beta = call->in[first + 1];        /* [C] */
    const real *mean = call->in[first + 2], *variance = call->in[first + 3]; /* [C] */
    const double rstd = 1 / sqrt(variance[c] + call->op->args.norm.epsilon);
    return (channel){mean[c], rstd, gamma[c], beta[c], call->op->args.norm.relu};
}

void REF(batch_norm_infer)(const dn_call *call)
{
    const real *x = call->in[0]; /* [rows,C] */
    real *y = call->out[0];      /* [rows,C] */
    const int64_t channels = last_of(call->in_info[0]), rows = rows_of(call->in_info[0]);
    for (int64_t c = 0; c < channels; c++) {
        const channel a = with_moving(call, 1, c);
        for (int64_t i = 0; i < rows; i++) y[i * channels + c] = (real)normalized(&a, x[i * channels + c]);
    }
}

void REF(batch_norm_infer_grad)(const dn_call *call)
{
    for (int64_t c = 0; c < last_of(call->in_info[0]); c++) {
        const channel a = with_moving(call, 2, c);
        gradients(call, c, &a, false);
    }
}
