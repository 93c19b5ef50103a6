/** What a CPU kernel sees. */
#ifndef DN_CORE_CPU_KERNEL_H
#define DN_CORE_CPU_KERNEL_H

#include "core/graph.h"

/** One op for one member, or for all members at once if the op joins them. */
typedef struct dn_call {
    const dn_op *op;
    uint64_t seed;
    int member;  /**< for random numbers: its number in the whole ensemble (first_member + e), 0 for shared results */
    int members; /**< E */
    int threads; /**< how many OpenMP threads the kernel may use; 1 inside a parallel region */
    const void *in[DN_OP_MAX_IN]; /**< this member's (joining op: member 0's) copy; NULL where left out */
    void *out[DN_OP_MAX_OUT];
    size_t in_stride[DN_OP_MAX_IN]; /**< bytes from one member's copy to the next, 0: shared; joining ops need them */
    size_t out_stride[DN_OP_MAX_OUT];
    const dn_tensor_info *in_info[DN_OP_MAX_IN]; /**< shapes and types; NULL where left out */
    const dn_tensor_info *out_info[DN_OP_MAX_OUT];
    void *prepared;  /**< what the kernel's `prepare` made, or NULL */
    void *workspace; /**< scratch memory as large as `prepare` asked for, of this thread alone */
} dn_call;

typedef void dn_kernel(const dn_call *call);

/** The reference kernels: the definition of every op, the shortest loops there are; built for float and for double.
 *  Indexed by dn_op_kind. */
extern dn_kernel *const dn__ref_kernels_f32[DN_OP_COUNT];
extern dn_kernel *const dn__ref_kernels_f64[DN_OP_COUNT];

#endif
