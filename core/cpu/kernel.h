/** What a CPU kernel sees. */
#ifndef DN_CORE_CPU_KERNEL_H
#define DN_CORE_CPU_KERNEL_H

#include "core/call.h"

typedef void dn_kernel(const dn_call *call);

/** The reference kernels: the definition of every op, the shortest loops there are; built for float and for double.
 *  Indexed by dn_op_kind. */
extern dn_kernel *const dn__ref_kernels_f32[DN_OP_COUNT];
extern dn_kernel *const dn__ref_kernels_f64[DN_OP_COUNT];

#endif
