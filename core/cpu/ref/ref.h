/** What the reference kernels share.
 *
 * They define every op: the shortest loops, never tuned. Each file is written in `real` and built twice, for float and
 * for double (DN_REAL_DOUBLE); sums over more than a window of pooling run in double in both.
 */
#ifndef DN_CORE_CPU_REF_REF_H
#define DN_CORE_CPU_REF_REF_H

#include "core/cpu/kernel.h"

#ifdef DN_REAL_DOUBLE
typedef double real;
#define REF(name) dn__ref_##name##_f64
#else
typedef float real;
#define REF(name) dn__ref_##name##_f32
#endif

#define DECLARE(kind, name, flags) dn_kernel REF(name);
DN_OPS(DECLARE)
#undef DECLARE

/* Short names for what every kernel asks. */
#define count_of dn__count
#define last_of  dn__last
#define rows_of  dn__rows

/** @return member e's copy of input k, in a kernel that joins members */
static inline const void *member_in(const dn_call *call, int k, int e)
{
    return (const char *)call->in[k] + (size_t)e * call->in_stride[k];
}

static inline void *member_out(const dn_call *call, int k, int e)
{
    return (char *)call->out[k] + (size_t)e * call->out_stride[k];
}

/** @return ln sum exp of a row, safe from overflow */
double REF(log_sum_exp)(const real *row, int64_t n); /* row: [n] */

#endif
