/* Batch normalization over rows [rows,C], rows over threads.
 *
 * Statistics take one pass over memory: a block of rows that fits the first cache is read twice (mean, then squares
 * around that mean, in float), and blocks are joined in double: Chan, Golub and LeVeque, "Updating formulae and a
 * pairwise algorithm for computing sample variances", 1979.
 */
#include <math.h>
#include <string.h>

#include "core/cpu/tuned.h"

/* Scratch memory: for every part C means and C squares (or the gradient's two sums), and two float rows; then four
 * float rows of coefficients for all parts. */
typedef struct scratch {
    double *first, *second; /* [C] of this part */
    float *a, *b;           /* [C] of this part */
} scratch;

enum { COEFFICIENTS = 4, PART_ROWS = 6 }; /* in floats: 2 doubles and 2 floats */

static scratch scratch_of(const dn_call *call, int64_t channels, int part)
{
    void *own = (float *)call->workspace + channels * (COEFFICIENTS + PART_ROWS * (int64_t)part);
    double *sums = own; /* [2,C] */
    void *behind = sums + 2 * channels;
    float *rows = behind; /* [2,C] */
    return (scratch){sums, sums + channels, rows, rows + channels};
}

size_t dn__tuned_norm_workspace(const dn_call *shapes)
{
    const size_t rows = COEFFICIENTS + PART_ROWS * (size_t)shapes->threads;
    return rows * (size_t)dn__last(shapes->in_info[0]) * sizeof(float);
}

static int64_t block_rows(int64_t channels)
{
    enum { ELEMENTS = 4096 };
    return channels * 4 > ELEMENTS ? 4 : ELEMENTS / channels;
}

/* Mean and sum of squares around it of x [rows,C] into a and b. */
DN_CLONES static void block_moments(float *restrict a, float *restrict b, const float *restrict x, int64_t rows,
                                    int64_t channels)
{
    for (int64_t c = 0; c < channels; c++) a[c] = b[c] = 0;
    for (int64_t i = 0; i < rows; i++)
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) a[c] += x[i * channels + c];
    for (int64_t c = 0; c < channels; c++) a[c] /= (float)rows;
    for (int64_t i = 0; i < rows; i++)
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            const float d = x[i * channels + c] - a[c];
            b[c] += d * d;
        }
}

/* Joins n more rows with their mean and squares to the first `before`. */
static void join(double *mean, double *squares, double before, double new_mean, double new_squares, double n)
{
    const double delta = new_mean - *mean, total = before + n;
    *mean += delta * n / total;
    *squares += new_squares + delta * delta * before * n / total;
}

static void moments_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context;
    const int64_t channels = dn__last(call->in_info[0]), step = block_rows(channels);
    const scratch s = scratch_of(call, channels, part);
    memset(s.first, 0, 2 * (size_t)channels * sizeof *s.first);
    for (int64_t i = first; i < last; i += step) {
        const int64_t rows = last - i < step ? last - i : step;
        block_moments(s.a, s.b, (const float *)call->in[0] + i * channels, rows, channels);
        for (int64_t c = 0; c < channels; c++)
            join(&s.first[c], &s.second[c], (double)(i - first), s.a[c], s.b[c], (double)rows);
    }
}

/* Joins the parts' moments into the first part's. */
static void join_parts(const dn_call *call, int64_t rows, int64_t channels)
{
    const int parts = dn__parts(call, rows, channels);
    const scratch all = scratch_of(call, channels, 0);
    for (int part = 1; part < parts; part++) {
        const scratch s = scratch_of(call, channels, part);
        const int64_t first = rows * part / parts, last = rows * (part + 1) / parts;
        for (int64_t c = 0; c < channels; c++)
            join(&all.first[c], &all.second[c], (double)first, s.first[c], s.second[c], (double)(last - first));
    }
}

/* y = (x - mean) * factor + beta; coefficients: rows mean, factor, beta of [C] */
DN_CLONES static void apply(float *y, const float *x, int64_t rows, int64_t channels, const float *coefficients,
                            bool relu)
{
    const float *mean = coefficients, *factor = mean + channels, *beta = factor + channels;
    for (int64_t i = 0; i < rows; i++) {
        const float *from = x + i * channels;
        float *to = y + i * channels;
        if (relu)
#pragma omp simd
            for (int64_t c = 0; c < channels; c++) {
                const float v = (from[c] - mean[c]) * factor[c] + beta[c];
                to[c] = v <= 0 ? 0 : v;
            }
        else
#pragma omp simd
            for (int64_t c = 0; c < channels; c++) to[c] = (from[c] - mean[c]) * factor[c] + beta[c];
    }
}

static void apply_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context, (void)part;
    const int64_t channels = dn__last(call->in_info[0]);
    apply((float *)call->out[0] + first * channels, (const float *)call->in[0] + first * channels, last - first,
          channels, call->workspace, call->op->args.norm.relu);
}

/* The moving statistics of channel c take in the batch's. */
static void move(const dn_call *call, int64_t c, double mean, double variance, double rows)
{
    const float *old_mean = call->in[3], *old_variance = call->in[4]; /* [C] */
    float *new_mean = call->out[3], *new_variance = call->out[4];     /* [C] */
    const double decay = call->op->args.norm.decay;
    if (call->op->args.norm.unbiased && rows > 1) variance *= rows / (rows - 1);
    if (new_mean) new_mean[c] = (float)(decay * old_mean[c] + (1 - decay) * mean);
    if (new_variance) new_variance[c] = (float)(decay * old_variance[c] + (1 - decay) * variance);
}

void dn__tuned_batch_norm(const dn_call *call)
{
    const int64_t channels = dn__last(call->in_info[0]), rows = dn__count(call->in_info[0]) / channels;
    const float *gamma = call->in[1], *beta = call->in[2];    /* [C] */
    float *mean_out = call->out[1], *rstd_out = call->out[2]; /* [C] */
    float *coefficients = call->workspace;                    /* [3,C] */
    dn__split(call, rows, channels, moments_part, NULL);
    join_parts(call, rows, channels);
    const scratch all = scratch_of(call, channels, 0);
    for (int64_t c = 0; c < channels; c++) {
        const double variance = all.second[c] / (double)rows;
        const double rstd = 1 / sqrt(variance + call->op->args.norm.epsilon);
        mean_out[c] = coefficients[c] = (float)all.first[c];
        rstd_out[c] = (float)rstd;
        coefficients[channels + c] = (float)(gamma[c] * rstd);
        coefficients[2 * channels + c] = beta[c];
        move(call, c, all.first[c], variance, (double)rows);
    }
    dn__split(call, rows, channels, apply_part, NULL);
}

void dn__tuned_batch_norm_infer(const dn_call *call)
{
    const int64_t channels = dn__last(call->in_info[0]), rows = dn__count(call->in_info[0]) / channels;
    const float *gamma = call->in[1], *beta = call->in[2], *mean = call->in[3], *variance = call->in[4]; /* [C] */
    float *coefficients = call->workspace;                                                               /* [3,C] */
    for (int64_t c = 0; c < channels; c++) {
        coefficients[c] = mean[c];
        coefficients[channels + c] = (float)(gamma[c] / sqrt(variance[c] + call->op->args.norm.epsilon));
        coefficients[2 * channels + c] = beta[c];
    }
    dn__split(call, rows, channels, apply_part, NULL);
}

typedef struct gradient_rows { /* [C] each */
    const float *mean, *rstd, *gamma, *beta;
} gradient_rows;

/* a = sum of d, b = sum of d * xhat over a block, where d is dy past the relu */
DN_CLONES static void block_sums(float *restrict a, float *restrict b, const float *restrict dy,
                                 const float *restrict x, int64_t rows, int64_t channels, const gradient_rows *g,
                                 bool relu)
{
    const float *mean = g->mean, *rstd = g->rstd, *gamma = g->gamma, *beta = g->beta;
    for (int64_t c = 0; c < channels; c++) a[c] = b[c] = 0;
    for (int64_t i = 0; i < rows * channels; i += channels)
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            const float xhat = (x[i + c] - mean[c]) * rstd[c];
            const float d = relu && gamma[c] * xhat + beta[c] <= 0 ? 0 : dy[i + c];
            a[c] += d;
            b[c] += d * xhat;
        }
}

static void sums_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    const int64_t channels = dn__last(call->in_info[0]), step = block_rows(channels);
    const scratch s = scratch_of(call, channels, part);
    memset(s.first, 0, 2 * (size_t)channels * sizeof *s.first);
    for (int64_t i = first; i < last; i += step) {
        block_sums(s.a, s.b, (const float *)call->in[0] + i * channels, (const float *)call->in[1] + i * channels,
                   last - i < step ? last - i : step, channels, context, call->op->args.norm.relu);
        for (int64_t c = 0; c < channels; c++) {
            s.first[c] += s.a[c];
            s.second[c] += s.b[c];
        }
    }
}

/* dx = gamma rstd (d - mean d - xhat mean(d xhat)); coefficients: rows gamma rstd, mean d, mean(d xhat). The means are
 * 0 where the statistics do not depend on x. */
DN_CLONES static void gradient_loop(float *dx, const float *dy, const float *x, int64_t rows, int64_t channels,
                                    const gradient_rows *g, const float *coefficients, bool relu)
{
    const float *mean = g->mean, *rstd = g->rstd, *gamma = g->gamma, *beta = g->beta;
    const float *factor = coefficients, *mean_d = factor + channels, *mean_product = mean_d + channels;
    for (int64_t i = 0; i < rows * channels; i += channels)
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) {
            const float xhat = (x[i + c] - mean[c]) * rstd[c];
            const float d = relu && gamma[c] * xhat + beta[c] <= 0 ? 0 : dy[i + c];
            dx[i + c] = factor[c] * (d - mean_d[c] - xhat * mean_product[c]);
        }
}

static void gradient_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const int64_t channels = dn__last(call->in_info[0]), start = first * channels;
    gradient_loop((float *)call->out[0] + start, (const float *)call->in[0] + start, (const float *)call->in[1] + start,
                  last - first, channels, context, call->workspace, call->op->args.norm.relu);
}

/* @param from_batch whether mean and rstd are those of x itself, so that dx has a part that comes through them */
static void gradients(const dn_call *call, gradient_rows *g, bool from_batch)
{
    const int64_t channels = dn__last(call->in_info[0]), rows = dn__count(call->in_info[0]) / channels;
    float *dgamma = call->out[1], *dbeta = call->out[2]; /* [C], optional */
    float *coefficients = call->workspace;               /* [3,C] */
    dn__split(call, rows, channels, sums_part, g);
    const scratch all = scratch_of(call, channels, 0);
    for (int part = 1; part < dn__parts(call, rows, channels); part++) {
        const scratch s = scratch_of(call, channels, part);
        for (int64_t c = 0; c < channels; c++) {
            all.first[c] += s.first[c];
            all.second[c] += s.second[c];
        }
    }
    for (int64_t c = 0; c < channels; c++) {
        if (dbeta) dbeta[c] = (float)all.first[c];
        if (dgamma) dgamma[c] = (float)all.second[c];
        coefficients[c] = g->gamma[c] * g->rstd[c];
        coefficients[channels + c] = from_batch ? (float)(all.first[c] / (double)rows) : 0;
        coefficients[2 * channels + c] = from_batch ? (float)(all.second[c] / (double)rows) : 0;
    }
    if (call->out[0]) dn__split(call, rows, channels, gradient_part, g);
}

void dn__tuned_batch_norm_grad(const dn_call *call)
{
    gradient_rows g = {.gamma = call->in[2], .beta = call->in[3], .mean = call->in[4], .rstd = call->in[5]};
    gradients(call, &g, true);
}

void dn__tuned_batch_norm_infer_grad(const dn_call *call)
{
    const int64_t channels = dn__last(call->in_info[0]);
    const float *variance = call->in[5];                   /* [C] */
    float *rstd = (float *)call->workspace + 3 * channels; /* [C], the last row of coefficients */
    for (int64_t c = 0; c < channels; c++) rstd[c] = (float)(1 / sqrt(variance[c] + call->op->args.norm.epsilon));
    gradient_rows g = {.gamma = call->in[2], .beta = call->in[3], .mean = call->in[4], .rstd = rstd};
    gradients(call, &g, false);
}
