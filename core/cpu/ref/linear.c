/* y = x w' + b and its gradients; weights [K,C]. */
#include "core/cpu/ref/ref.h"

void REF(linear)(const dn_call *call)
{
    const real *x = call->in[0], *w = call->in[1], *b = call->in[2]; /* [N,C], [K,C], [K] */
    real *y = call->out[0];                                          /* [N,K] */
    const int64_t rows = call->in_info[0]->shape.dim[0], inputs = last_of(call->in_info[0]);
    const int64_t outputs = call->in_info[1]->shape.dim[0];
    for (int64_t n = 0; n < rows; n++)
        for (int64_t k = 0; k < outputs; k++) {
            double sum = b ? b[k] : 0;
            for (int64_t c = 0; c < inputs; c++) sum += (double)x[n * inputs + c] * w[k * inputs + c];
            y[n * outputs + k] = (real)(call->op->args.conv.relu && sum <= 0 ? 0 : sum);
        }
}

void REF(linear_data_grad)(const dn_call *call)
{
    const real *dy = call->in[0], *w = call->in[1]; /* [N,K], [K,C] */
    real *dx = call->out[0];                        /* [N,C] */
    const int64_t rows = call->in_info[0]->shape.dim[0], outputs = last_of(call->in_info[0]);
    const int64_t inputs = last_of(call->in_info[1]);
    for (int64_t n = 0; n < rows; n++)
        for (int64_t c = 0; c < inputs; c++) {
            double sum = 0;
            for (int64_t k = 0; k < outputs; k++) sum += (double)dy[n * outputs + k] * w[k * inputs + c];
            dx[n * inputs + c] = (real)sum;
        }
}

void REF(linear_weight_grad)(const dn_call *call)
{
    const real *x = call->in[0], *dy = call->in[1]; /* [N,C], [N,K] */
    real *dw = call->out[0], *db = call->out[1];    /* [K,C], [K] */
    const int64_t rows = call->in_info[0]->shape.dim[0], inputs = last_of(call->in_info[0]);
    const int64_t outputs = last_of(call->in_info[1]);
    for (int64_t k = 0; k < outputs; k++) {
        for (int64_t c = 0; c < inputs; c++) {
            double sum = 0;
            for (int64_t n = 0; n < rows; n++) sum += (double)x[n * inputs + c] * dy[n * outputs + k];
            dw[k * inputs + c] = (real)sum;
        }
        double sum = 0;
        for (int64_t n = 0; n < rows; n++) sum += dy[n * outputs + k];
        if (db) db[k] = (real)sum;
    }
}
