/* Losses of one member: cross entropy, accuracy, entropy. */
#include <math.h>

#include "core/cpu/ref/ref.h"

/* A label outside of the classes makes the loss NaN: nothing is read for it. */
void REF(cross_entropy)(const dn_call *call)
{
    const int32_t *labels = call->in[1]; /* [N] */
    const int64_t rows = rows_of(call->in_info[0]), classes = last_of(call->in_info[0]);
    double sum = 0;
    for (int64_t n = 0; n < rows; n++) {
        const real *z = (const real *)call->in[0] + n * classes; /* [C] */
        const bool known = labels[n] >= 0 && labels[n] < classes;
        sum += known ? REF(log_sum_exp)(z, classes) - z[labels[n]] : NAN;
    }
    *(real *)call->out[0] = (real)(sum / (double)rows);
}

void REF(cross_entropy_grad)(const dn_call *call)
{
    const double dloss = *(const real *)call->in[0];
    const int32_t *labels = call->in[2]; /* [N] */
    const int64_t rows = rows_of(call->in_info[1]), classes = last_of(call->in_info[1]);
    for (int64_t n = 0; n < rows; n++) {
        const real *z = (const real *)call->in[1] + n * classes; /* [C] */
        real *dz = (real *)call->out[0] + n * classes;           /* [C] */
        const bool known = labels[n] >= 0 && labels[n] < classes;
        const double total = known ? REF(log_sum_exp)(z, classes) : NAN;
        for (int64_t c = 0; c < classes; c++)
            dz[c] = (real)(dloss * (exp(z[c] - total) - (c == labels[n])) / (double)rows);
    }
}

void REF(accuracy)(const dn_call *call)
{
    const int32_t *labels = call->in[1]; /* [N] */
    const int64_t rows = rows_of(call->in_info[0]), classes = last_of(call->in_info[0]);
    int64_t right = 0;
    for (int64_t n = 0; n < rows; n++) {
        const real *z = (const real *)call->in[0] + n * classes; /* [C] */
        int64_t best = 0;
        for (int64_t c = 1; c < classes; c++)
            if (z[c] > z[best]) best = c;
        right += best == labels[n];
    }
    *(real *)call->out[0] = (real)((double)right / (double)rows);
}

/* H = -sum p ln p; a class with p = 0 adds nothing. */
static double entropy_of(const real *z, int64_t classes, double total)
{
    double sum = 0;
    for (int64_t c = 0; c < classes; c++) {
        const double p = exp(z[c] - total);
        if (p != 0) sum -= p * (z[c] - total);
    }
    return sum;
}

void REF(entropy)(const dn_call *call)
{
    real *entropies = call->out[0]; /* [N] */
    const int64_t classes = last_of(call->in_info[0]);
    for (int64_t n = 0; n < rows_of(call->in_info[0]); n++) {
        const real *z = (const real *)call->in[0] + n * classes; /* [C] */
        entropies[n] = (real)entropy_of(z, classes, REF(log_sum_exp)(z, classes));
    }
}

void REF(entropy_grad)(const dn_call *call)
{
    const real *gradient = call->in[0]; /* [N] */
    const int64_t classes = last_of(call->in_info[1]);
    for (int64_t n = 0; n < rows_of(call->in_info[1]); n++) {
        const real *z = (const real *)call->in[1] + n * classes; /* [C] */
        real *dz = (real *)call->out[0] + n * classes;           /* [C] */
        const double total = REF(log_sum_exp)(z, classes), entropy = entropy_of(z, classes, total);
        for (int64_t c = 0; c < classes; c++) {
            const double p = exp(z[c] - total);
            dz[c] = (real)(p != 0 ? -gradient[n] * p * (z[c] - total + entropy) : 0);
        }
    }
}
