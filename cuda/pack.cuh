// V neighbours of an array of float or bf16, as the floats that kernels compute with, moved in accesses of up to 16
// bytes: the widest that a thread can ask for.
//
// The accesses are spelled out as CUDA's vector types, numbered from the start of the array: nvcc takes a store of a
// struct of the same size, or to an address within the array that was made a vector's, apart into single ones.
#ifndef DN_CUDA_PACK_CUH
#define DN_CUDA_PACK_CUH

#include "cuda/bf16.cuh"
#include "cuda/operand.cuh"

namespace DN_TARGET
{

constexpr size_t WIDEST_ACCESS = 16;

template <int V> struct pack {
    float at[V];
};

__device__ inline float low_half(uint32_t word)
{
    return __uint_as_float(word << 16);
}

__device__ inline float high_half(uint32_t word)
{
    return __uint_as_float(word & 0xffff0000u);
}

// Elements V i .. V i + V - 1 of an array that stands at a multiple of a pack's size, or of 16 bytes if that is less.
template <int V> __device__ pack<V> load_pack(const float *from, int64_t i)
{
    pack<V> p;
    if constexpr (V == 1) {
        p.at[0] = from[i];
    } else {
        static_assert(V % 4 == 0, "floats move one at a time or by fours");
        for (int k = 0; k < V; k += 4) {
            const float4 four = reinterpret_cast<const float4 *>(from)[i * (V / 4) + k / 4];
            p.at[k] = four.x, p.at[k + 1] = four.y, p.at[k + 2] = four.z, p.at[k + 3] = four.w;
        }
    }
    return p;
}

template <int V> __device__ pack<V> load_pack(const bf16 *from, int64_t i)
{
    static_assert(V == 1 || V == 4 || V == 8, "bf16 move one at a time, by fours, or by eights");
    pack<V> p;
    if constexpr (V == 1) {
        p.at[0] = to_float(from[i]);
    } else if constexpr (V == 4) {
        const uint2 words = reinterpret_cast<const uint2 *>(from)[i];
        p.at[0] = low_half(words.x), p.at[1] = high_half(words.x);
        p.at[2] = low_half(words.y), p.at[3] = high_half(words.y);
    } else {
        const uint4 words = reinterpret_cast<const uint4 *>(from)[i];
        p.at[0] = low_half(words.x), p.at[1] = high_half(words.x);
        p.at[2] = low_half(words.y), p.at[3] = high_half(words.y);
        p.at[4] = low_half(words.z), p.at[5] = high_half(words.z);
        p.at[6] = low_half(words.w), p.at[7] = high_half(words.w);
    }
    return p;
}

template <int V> __device__ void store_pack(float *to, int64_t i, const pack<V> &p)
{
    if constexpr (V == 1)
        to[i] = p.at[0];
    else
        for (int k = 0; k < V; k += 4)
            reinterpret_cast<float4 *>(to)[i * (V / 4) + k / 4] =
                make_float4(p.at[k], p.at[k + 1], p.at[k + 2], p.at[k + 3]);
}

// Rounds.
template <int V> __device__ void store_pack(bf16 *to, int64_t i, const pack<V> &p)
{
    if constexpr (V == 1)
        to[i] = from_float<bf16>(p.at[0]);
    else if constexpr (V == 4)
        reinterpret_cast<uint2 *>(to)[i] = make_uint2(pack_bf16(p.at[0], p.at[1]), pack_bf16(p.at[2], p.at[3]));
    else
        reinterpret_cast<uint4 *>(to)[i] = make_uint4(pack_bf16(p.at[0], p.at[1]), pack_bf16(p.at[2], p.at[3]),
                                                      pack_bf16(p.at[4], p.at[5]), pack_bf16(p.at[6], p.at[7]));
}

// Whether every member's copy may be read as packs of V. An operand that is left out may.
template <int V, class T> bool takes_packs(const operand<T> &o)
{
    return aligned(o, V * sizeof(T) < WIDEST_ACCESS ? V * sizeof(T) : WIDEST_ACCESS);
}

} // namespace DN_TARGET
#endif
