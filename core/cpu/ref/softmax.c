/* Softmax and its logarithm over the last dimension. */
#include <math.h>

#include "core/cpu/ref/ref.h"

double REF(log_sum_exp)(const real *row, int64_t n)
{
    double largest = row[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
        if (row[i] > largest) largest = row[i];
    for (int64_t i = 0; i < n; i++) sum += exp(row[i] - largest);
    return largest + log(sum);
}

void REF(softmax)(const dn_call *call)
{
    const int64_t classes = last_of(call->in_info[0]);
    for (int64_t n = 0; n < rows_of(call->in_info[0]); n++) {
        const real *z = (const real *)call->in[0] + n * classes; /* [C] */
        real *p = (real *)call->out[0] + n * classes;            /* [C] */
        const double total = REF(log_sum_exp)(z, classes);
        for (int64_t c = 0; c < classes; c++) p[c] = (real)exp(z[c] - total);
    }
}

void REF(softmax_grad)(const dn_call *call)
{
    const int64_t classes = last_of(call->in_info[0]);
    for (int64_t n = 0; n < rows_of(call->in_info[0]); n++) {
        const real *dp = (const real *)call->in[0] + n * classes; /* [C] */
        const real *p = (const real *)call->in[1] + n * classes;  /* [C] */
        real *dz = (real *)call->out[0] + n * classes;            /* [C] */
        double dot = 0;
        for (int64_t c = 0; c < classes; c++) dot += (double)dp[c] * p[c];
        for (int64_t c = 0; c < classes; c++) dz[c] = (real)(p[c] * (dp[c] - dot));
    }
}

void REF(log_softmax)(const dn_call *call)
{
    const int64_t classes = last_of(call->in_info[0]);
    for (int64_t n = 0; n < rows_of(call->in_info[0]); n++) {
        const real *z = (const real *)call->in[0] + n * classes; /* [C] */
        real *y = (real *)call->out[0] + n * classes;            /* [C] */
        const double total = REF(log_sum_exp)(z, classes);
        for (int64_t c = 0; c < classes; c++) y[c] = (real)(z[c] - total);
    }
}

void REF(log_softmax_grad)(const dn_call *call)
{
    const int64_t classes = last_of(call->in_info[0]);
    for (int64_t n = 0; n < rows_of(call->in_info[0]); n++) {
        const real *dy = (const real *)call->in[0] + n * classes; /* [C] */
        const real *y = (const real *)call->in[1] + n * classes;  /* [C], ln p */
        real *dz = (real *)call->out[0] + n * classes;            /* [C] */
        double sum = 0;
        for (int64_t c = 0; c < classes; c++) sum += dy[c];
        for (int64_t c = 0; c < classes; c++) dz[c] = (real)(dy[c] - exp(y[c]) * sum);
    }
}
