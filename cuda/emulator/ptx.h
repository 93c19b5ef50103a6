// The second bodies of ptx.cuh: the same functions, for the emulator. What they mean is said there.
#ifndef DN_CUDA_EMULATOR_PTX_H
#define DN_CUDA_EMULATOR_PTX_H

#include "cuda/emulator/simt.h"

namespace dn_emu
{
namespace simt
{

struct words4 {
    uint32_t x[4];
};
struct floats4 {
    float x[4];
};

void copy_async(void *to, const void *from, unsigned bytes, bool valid, site where);
void copy_commit();
void copy_wait(unsigned groups);
words4 load_matrices(const void *row, bool transposed, site where);
floats4 mma_bf16(words4 a, uint32_t b0, uint32_t b1, floats4 c, site where);
floats4 mma_tf32(words4 a, uint32_t b0, uint32_t b1, floats4 c, site where);

} // namespace simt

template <class T> __forceinline__ const T *in_device_memory(const T *p)
{
    return p;
}

template <class T> __forceinline__ const T *held(const T *p)
{
    return p;
}

template <int BYTES> __forceinline__ void copy_async(void *to, const void *from, bool valid, DN_HERE)
{
    static_assert(BYTES == 4 || BYTES == 8 || BYTES == 16, "cp.async copies 4, 8 or 16 bytes");
    simt::copy_async(to, from, BYTES, valid, {file, line});
}

__forceinline__ void copy_commit()
{
    simt::copy_commit();
}

template <int GROUPS> __forceinline__ void copy_wait()
{
    simt::copy_wait(GROUPS);
}

__forceinline__ void load_matrices(uint32_t r[4], const void *row, DN_HERE)
{
    const simt::words4 got = simt::load_matrices(row, false, {file, line});
    for (int i = 0; i < 4; i++) r[i] = got.x[i];
}

__forceinline__ void load_matrices_transposed(uint32_t r[4], const void *row, DN_HERE)
{
    const simt::words4 got = simt::load_matrices(row, true, {file, line});
    for (int i = 0; i < 4; i++) r[i] = got.x[i];
}

__forceinline__ void mma_bf16(float d[4], const uint32_t a[4], const uint32_t b[2], DN_HERE)
{
    const simt::floats4 sum =
        simt::mma_bf16({{a[0], a[1], a[2], a[3]}}, b[0], b[1], {{d[0], d[1], d[2], d[3]}}, {file, line});
    for (int i = 0; i < 4; i++) d[i] = sum.x[i];
}

__forceinline__ void mma_tf32(float d[4], const uint32_t a[4], const uint32_t b[2], DN_HERE)
{
    const simt::floats4 sum =
        simt::mma_tf32({{a[0], a[1], a[2], a[3]}}, b[0], b[1], {{d[0], d[1], d[2], d[3]}}, {file, line});
    for (int i = 0; i < 4; i++) d[i] = sum.x[i];
}

// A tf32 has 10 bits of fraction: half of its last place is added to the magnitude, which rounds ties away from zero
// and carries into the exponent where it must. Infinity and NaN have no last place.
__forceinline__ uint32_t round_to_tf32(float x)
{
    const uint32_t bits = __float_as_uint(x);
    if ((bits & 0x7f800000u) == 0x7f800000u) return (bits & 0x007fffffu) ? 0x7fffffffu : bits;
    return (bits + 0x1000u) & 0xffffe000u;
}

__forceinline__ uint16_t round_to_bf16(float x)
{
    const uint32_t bits = __float_as_uint(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

__forceinline__ uint32_t pack_bf16(float low, float high)
{
    return static_cast<uint32_t>(round_to_bf16(high)) << 16 | round_to_bf16(low);
}

} // namespace dn_emu
#endif
