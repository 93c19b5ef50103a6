// V neighbouring channels of one pixel or row, in the type that memory holds, moved in one access of up to 16 bytes.
//
// How many channels a thread takes follows from C and the type, since the order of sums depends on it. Where an operand
// stands, which only a launch knows, just decides whether they move at once (`whole`) or one by one.
#ifndef DN_CUDA_CHANNELS_CUH
#define DN_CUDA_CHANNELS_CUH

#include <string.h>

#include "cuda/bf16.cuh"
#include "cuda/operand.cuh"

namespace DN_TARGET
{

template <class T, int V> struct alignas(sizeof(T) * V) channels_of {
    T at[V];
};

// The type that moves as many bytes. nvcc takes the copy of a struct of the same size apart.
template <size_t BYTES> struct moved_as;
template <> struct moved_as<1> {
    typedef uint8_t type;
};
template <> struct moved_as<2> {
    typedef uint16_t type;
};
template <> struct moved_as<4> {
    typedef uint32_t type;
};
template <> struct moved_as<8> {
    typedef uint2 type;
};
template <> struct moved_as<16> {
    typedef uint4 type;
};

// Channels i .. i + V - 1 of an array; i is a multiple of V.
template <int V, class T> __device__ channels_of<T, V> load_channels(const T *from, int64_t i, bool whole)
{
    typedef typename moved_as<sizeof(T) * V>::type moved;
    channels_of<T, V> values;
    if (whole) {
        const moved bits = *reinterpret_cast<const moved *>(from + i);
        memcpy(&values, &bits, sizeof bits);
    } else {
        for (int v = 0; v < V; v++) values.at[v] = from[i + v];
    }
    return values;
}

template <int V, class T> __device__ void store_channels(T *to, int64_t i, const channels_of<T, V> &values, bool whole)
{
    typedef typename moved_as<sizeof(T) * V>::type moved;
    if (whole) {
        moved bits;
        memcpy(&bits, &values, sizeof bits);
        *reinterpret_cast<moved *>(to + i) = bits;
    } else {
        for (int v = 0; v < V; v++) to[i + v] = values.at[v];
    }
}

// Whether V channels of every member's copy can be moved at once, C being a multiple of V; true of an absent operand.
template <int V, class T> bool moves_whole(const operand<T> &o)
{
    return aligned(o, V * sizeof(T));
}

// 16 bytes of channels if C is a multiple of that, else one.
inline int channels_at_once(const dn_tensor_info *x)
{
    const int most = is_bf16(x) ? 8 : 4;
    return dn__last(x) % most == 0 ? most : 1;
}

} // namespace DN_TARGET
#endif
