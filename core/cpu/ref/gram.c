/* y = x' x. Operands are double in both builds of this file. There is no tuned kernel: fits that are computed on the
 * host call BLAS themselves (ood/linear_algebra.h), so that no program asks a CPU for speed here. */
#include "core/cpu/ref/ref.h"

void REF(gram)(const dn_call *call)
{
    const double *x = call->in[0]; /* [N,D] */
    double *y = call->out[0];      /* [D,D] */
    const int64_t rows = rows_of(call->in_info[0]), columns = last_of(call->in_info[0]);
    for (int64_t i = 0; i < columns; i++)
        for (int64_t j = 0; j < columns; j++) {
            double sum = 0;
            for (int64_t n = 0; n < rows; n++) sum += x[n * columns + i] * x[n * columns + j];
            y[i * columns + j] = sum;
        }
}
