/* Moving elements: copies, channels put together and taken apart. */
#include <string.h>

#include "core/cpu/ref/ref.h"

void REF(copy)(const dn_call *call)
{
    memmove(call->out[0], call->in[0], dn__bytes(call->out_info[0]));
}

void REF(concat)(const dn_call *call)
{
    const real *a = call->in[0], *b = call->in[1]; /* [rows,first], [rows,second] */
    real *y = call->out[0];                        /* [rows,first+second] */
    const int64_t first = last_of(call->in_info[0]), second = last_of(call->in_info[1]);
    for (int64_t i = 0; i < rows_of(call->out_info[0]); i++) {
        memcpy(y + i * (first + second), a + i * first, (size_t)first * sizeof(real));
        memcpy(y + i * (first + second) + first, b + i * second, (size_t)second * sizeof(real));
    }
}

void REF(slice)(const dn_call *call)
{
    const real *x = call->in[0]; /* [rows,C] */
    real *y = call->out[0];      /* [rows,count] */
    const int64_t channels = last_of(call->in_info[0]), taken = last_of(call->out_info[0]);
    for (int64_t i = 0; i < rows_of(call->out_info[0]); i++)
        memcpy(y + i * taken, x + i * channels + call->op->args.slice.first, (size_t)taken * sizeof(real));
}

void REF(embed)(const dn_call *call)
{
    const real *dy = call->in[0]; /* [rows,count] */
    real *dx = call->out[0];      /* [rows,C] */
    const int64_t channels = last_of(call->out_info[0]), given = last_of(call->in_info[0]);
    for (int64_t i = 0; i < rows_of(call->out_info[0]); i++)
        for (int64_t c = 0; c < channels; c++) {
            const int64_t from = c - call->op->args.slice.first;
            dx[i * channels + c] = from >= 0 && from < given ? dy[i * given + from] : 0;
        }
}
