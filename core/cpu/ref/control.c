/* Scalars that steer training: schedules, counters, records, switches. */
#include <math.h>
#include <string.h>

#include "core/cpu/ref/ref.h"

void REF(hold)(const dn_call *call)
{
    const int32_t every = call->op->args.hold.every;
    *(int32_t *)call->out[0] = *(const int32_t *)call->in[0] / every * every;
}

void REF(schedule)(const dn_call *call)
{
    const double step = *(const int32_t *)call->in[0];
    const real *table = call->in[1]; /* [rows, (start, value, kind)] */
    const int64_t rows = call->in_info[1]->shape.dim[0];
    int64_t r = 0;
    while (r + 1 < rows && table[(r + 1) * 3] <= step) r++;
    const real *row = table + r * 3;
    double value = row[1];
    if (r + 1 < rows && row[2] != 0) {
        const double t = (step - row[0]) / (row[3] - row[0]), next = row[4];
        if (row[2] == 1)
            value += (next - value) * t;
        else
            value = next + (value - next) * (1 + cos(acos(-1) * t)) / 2;
    }
    *(real *)call->out[0] = (real)value;
}

void REF(select)(const dn_call *call)
{
    const real choice = *(const real *)call->in[0];
    memmove(call->out[0], call->in[choice > (real).5 ? 2 : 1], dn__bytes(call->out_info[0]));
}

void REF(record)(const dn_call *call)
{
    const int32_t step = *(const int32_t *)call->in[2];
    real *history = call->out[0]; /* [R], the same memory as input 0 */
    history[step % count_of(call->out_info[0])] = *(const real *)call->in[1];
}

void REF(advance)(const dn_call *call)
{
    const int32_t *ok = call->in[1];
    *(int32_t *)call->out[0] = *(const int32_t *)call->in[0] + (!ok || *ok ? 1 : 0);
}

/* Infinity or NaN in any member's loss or gradients makes it 0. */
void REF(finite)(const dn_call *call)
{
    int32_t ok = 1;
    for (int e = 0; e < call->members; e++)
        for (int k = 0; k < 2; k++) {
            const real *x = call->in[k] ? member_in(call, k, e) : NULL; /* [1] or [P] */
            const int64_t n = x ? count_of(call->in_info[k]) : 0;
            for (int64_t i = 0; i < n; i++)
                if (!isfinite(x[i])) ok = 0;
        }
    *(int32_t *)call->out[0] = ok;
}
