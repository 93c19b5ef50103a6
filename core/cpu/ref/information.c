/* Mutual information between prediction and member: MI = (1/E) sum_e sum_c p_ec (ln p_ec - ln m_c), m = mean_e p_e. */
#include <math.h>

#include "core/cpu/ref/ref.h"

/* @return ln p_ec of image n */
static double log_p(const dn_call *call, int input, int e, int64_t n, int64_t c)
{
    const int64_t classes = last_of(call->in_info[input]);
    const real *z = (const real *)member_in(call, input, e) + n * classes; /* [C] */
    return z[c] - REF(log_sum_exp)(z, classes);
}

/* @return ln m_c of image n, from the members' ln p_ec alone, so that a small p does not become 0 on the way */
static double log_mean(const dn_call *call, int input, int64_t n, int64_t c)
{
    double largest = -INFINITY, sum = 0;
    for (int e = 0; e < call->members; e++) {
        const double value = log_p(call, input, e, n, c);
        if (!(value <= largest)) largest = value;
    }
    for (int e = 0; e < call->members; e++) sum += exp(log_p(call, input, e, n, c) - largest);
    return largest + log(sum / call->members);
}

void REF(mutual_information)(const dn_call *call)
{
    real *information = call->out[0]; /* [N], shared */
    const int64_t classes = last_of(call->in_info[0]);
    for (int64_t n = 0; n < rows_of(call->in_info[0]); n++) {
        double sum = 0;
        for (int64_t c = 0; c < classes; c++) {
            const double mean = log_mean(call, 0, n, c);
            for (int e = 0; e < call->members; e++) {
                const double value = log_p(call, 0, e, n, c), p = exp(value);
                if (p != 0) sum += p * (value - mean);
            }
        }
        information[n] = (real)(sum <= 0 ? 0 : sum / call->members);
    }
}

/* With g_ec = (ln p_ec - ln m_c) / E: dz_ec = dMI p_ec (g_ec - sum_k p_ek g_ek). */
void REF(mutual_information_grad)(const dn_call *call)
{
    const real *gradient = call->in[0]; /* [N], shared */
    const int64_t classes = last_of(call->in_info[1]);
    for (int64_t n = 0; n < rows_of(call->in_info[1]); n++) {
        for (int64_t c = 0; c < classes; c++) {
            const double mean = log_mean(call, 1, n, c);
            for (int e = 0; e < call->members; e++)
                ((real *)member_out(call, 0, e))[n * classes + c] =
                    (real)((log_p(call, 1, e, n, c) - mean) / call->members);
        }
        for (int e = 0; e < call->members; e++) {
            const real *z = (const real *)member_in(call, 1, e) + n * classes; /* [C] */
            real *dz = (real *)member_out(call, 0, e) + n * classes;           /* [C], holds g */
            const double total = REF(log_sum_exp)(z, classes);
            double dot = 0;
            for (int64_t c = 0; c < classes; c++) dot += exp(z[c] - total) * dz[c];
            for (int64_t c = 0; c < classes; c++) dz[c] = (real)(gradient[n] * exp(z[c] - total) * (dz[c] - dot));
        }
    }
}
