// Operands of all members, as kernels see them: a base address and the way from one member's copy to the next.
#ifndef DN_CUDA_OPERAND_CUH
#define DN_CUDA_OPERAND_CUH

#include "cuda/target.cuh"

namespace DN_TARGET
{

template <class T> struct operand {
    T *base;        // member 0's copy; nullptr: left out
    int64_t stride; // elements from one member's copy to the next; 0: members share it

    // Member e's copy. Kernels take e from blockIdx.z.
    __host__ __device__ T *of(int e) const
    {
        return base + e * stride;
    }
    __host__ __device__ explicit operator bool() const
    {
        return base != nullptr;
    }
};

// Input k of a call as elements of T.
template <class T> operand<const T> input(const dn_call *call, int k)
{
    return {static_cast<const T *>(call->in[k]), static_cast<int64_t>(call->in_stride[k] / sizeof(T))};
}

// Output k of a call as elements of T.
template <class T> operand<T> output(const dn_call *call, int k)
{
    return {static_cast<T *>(call->out[k]), static_cast<int64_t>(call->out_stride[k] / sizeof(T))};
}

// Whether every member's copy stands at a multiple of `bytes`, as vector loads of that size need.
template <class T> bool aligned(const operand<T> &o, size_t bytes)
{
    return reinterpret_cast<uintptr_t>(o.base) % bytes == 0 &&
           o.stride * static_cast<int64_t>(sizeof(T)) % static_cast<int64_t>(bytes) == 0;
}

inline bool is_bf16(const dn_tensor_info *t)
{
    return t->dtype == DN_BF16;
}

inline unsigned ceil_div(int64_t a, int64_t b)
{
    return static_cast<unsigned>((a + b - 1) / b);
}

} // namespace DN_TARGET
#endif
