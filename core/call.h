/** What a kernel of any backend sees of an op. */
#ifndef DN_CORE_CALL_H
#define DN_CORE_CALL_H

#include "core/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One op. On the CPU: for one member, or for all members at once if the op joins them. On a GPU: for all members. */
typedef struct dn_call {
    const dn_op *op;
    uint64_t seed;
    int member;  /**< for random numbers: the (first) member's number in the whole ensemble, 0 for shared results */
    int members; /**< E; on a GPU 1 for an op that runs once because all its results are shared */
    int threads; /**< CPU: how many OpenMP threads the kernel may use; 1 inside a parallel region */
    bool tf32;   /**< products of f32 operands may be taken with 11 significant bits; sums stay f32 */
    const void *in[DN_OP_MAX_IN]; /**< this member's (GPU, joining op: member 0's) copy; NULL where left out */
    void *out[DN_OP_MAX_OUT];
    size_t in_stride[DN_OP_MAX_IN]; /**< bytes from one member's copy to the next, 0: shared */
    size_t out_stride[DN_OP_MAX_OUT];
    const dn_tensor_info *in_info[DN_OP_MAX_IN]; /**< shapes and types; NULL where left out */
    const dn_tensor_info *out_info[DN_OP_MAX_OUT];
    void *prepared;  /**< CPU: what the kernel's `prepare` made, or NULL; GPU: see dn_gpu_tile in cuda/gpu.h */
    void *workspace; /**< scratch memory as large as the kernel asked for, of this thread (GPU: op) alone */
} dn_call;

/** @return number of elements of an operand, within one member */
static inline int64_t dn__count(const dn_tensor_info *t)
{
    return dn_shape_count(&t->shape);
}

/** @return the last dimension: channels or classes */
static inline int64_t dn__last(const dn_tensor_info *t)
{
    return t->shape.dim[t->shape.rank - 1];
}

/** @return the number of rows of the last dimension */
static inline int64_t dn__rows(const dn_tensor_info *t)
{
    return dn__count(t) / dn__last(t);
}

#ifdef __cplusplus
}
#endif
#endif
