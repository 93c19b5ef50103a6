// Reductions over the lanes of a warp and the threads of a block, in an order that only the number of threads decides.
//
// warp_*<WIDTH>(value): over WIDTH (1, 2, .. 32) neighbouring lanes; all 32 lanes of the warp take part.
// block_*(value, shared): over a block of blockDim.x = 32 .. 1024 threads, a multiple of 32, all of which take part.
// Every thread receives the result, the same bits in each (of a largest 0: any sign). The lanes exchange values at
// distances WIDTH/2 .. 1 (a butterfly), so that a block's sum is at most 10 additions deep.
//
// `shared` holds 32 elements. No thread may still be using it when the first one calls; after the call it is free for
// the next one, or for anything else.
#ifndef DN_CUDA_BLOCK_REDUCE_CUH
#define DN_CUDA_BLOCK_REDUCE_CUH

#include <math.h>

#include "cuda/target.cuh"

namespace DN_TARGET
{

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

// A number and where it was found.
struct found {
    float value;
    int index;
};

// What the lane `distance` away (lane number xor distance) has.
template <class T> __device__ inline T exchange(T value, int distance)
{
    return __shfl_xor_sync(ALL_LANES, value, distance);
}

template <> __device__ inline found exchange<found>(found p, int distance)
{
    return {__shfl_xor_sync(ALL_LANES, p.value, distance), __shfl_xor_sync(ALL_LANES, p.index, distance)};
}

// The three ways of joining two values, each with the value that changes nothing. All are symmetric: both lanes of an
// exchange get the same bits.
template <class T> struct sum_of {
    static __device__ T nothing()
    {
        return T(0);
    }
    __device__ T operator()(T a, T b) const
    {
        return a + b;
    }
};

// A NaN wins.
template <class T> struct largest_of {
    static __device__ T nothing()
    {
        return -static_cast<T>(INFINITY);
    }
    __device__ T operator()(T a, T b) const
    {
        if (a != a) return a;
        return a > b || b == a ? a : b;
    }
};

// The larger value, of equal ones that with the lower index; a NaN loses to every number. Nothing found: index INT_MAX.
struct first_largest_of {
    static __device__ found nothing()
    {
        return {-INFINITY, 0x7fffffff};
    }
    __device__ found operator()(found a, found b) const
    {
        const bool a_number = a.value == a.value, b_number = b.value == b.value;
        if (a_number != b_number) return a_number ? a : b;
        if (a.value > b.value) return a;
        if (b.value > a.value) return b;
        return a.index < b.index ? a : b;
    }
};

template <int WIDTH, class T, class F> __device__ inline T warp_join(T value, F join)
{
#pragma unroll
    for (int distance = WIDTH / 2; distance > 0; distance /= 2) value = join(value, exchange(value, distance));
    return value;
}

template <class T, class F> __device__ inline T block_join(T value, T *shared, F join)
{
    const int lane = static_cast<int>(threadIdx.x) % WARP, warp = static_cast<int>(threadIdx.x) / WARP;
    value = warp_join<WARP>(value, join);
    if (lane == 0) shared[warp] = value;
    __syncthreads();
    value = lane < static_cast<int>(blockDim.x) / WARP ? shared[lane] : F::nothing();
    value = warp_join<WARP>(value, join);
    __syncthreads();
    return value;
}

template <int WIDTH = WARP, class T> __device__ inline T warp_sum(T value)
{
    return warp_join<WIDTH>(value, sum_of<T>());
}

template <int WIDTH = WARP, class T> __device__ inline T warp_max(T value)
{
    return warp_join<WIDTH>(value, largest_of<T>());
}

template <int WIDTH = WARP> __device__ inline found warp_argmax(found p)
{
    return warp_join<WIDTH>(p, first_largest_of());
}

template <class T> __device__ inline T block_sum(T value, T *shared)
{
    return block_join(value, shared, sum_of<T>());
}

} // namespace DN_TARGET
#endif
