// bfloat16: the upper half of a float. Activations are stored in it; all arithmetic is in float.
#ifndef DN_CUDA_BF16_CUH
#define DN_CUDA_BF16_CUH

#include "cuda/ptx.cuh"

namespace DN_TARGET
{

struct bf16 {
    uint16_t bits;
};

// The two element types of activations, read and written as float. Rounding is to nearest, ties to even.
__device__ inline float to_float(float x)
{
    return x;
}

__device__ inline float to_float(bf16 x)
{
    return __uint_as_float(static_cast<uint32_t>(x.bits) << 16);
}

template <class T> __device__ T from_float(float x);

template <> __device__ inline float from_float<float>(float x)
{
    return x;
}

template <> __device__ inline bf16 from_float<bf16>(float x)
{
    return {round_to_bf16(x)};
}

} // namespace DN_TARGET
#endif
