// Instructions that C++ has no words for: asynchronous copies to shared memory, matrix products of a warp, conversions.
// Each has a second body in emulator/ptx.h. Needs sm_80. Source of layouts: PTX ISA 8.x, "Matrix fragments for mma".
#ifndef DN_CUDA_PTX_CUH
#define DN_CUDA_PTX_CUH

#include "cuda/target.cuh"

#if defined(DN_EMULATE)
#include "cuda/emulator/ptx.h"
#else

namespace DN_TARGET
{

__device__ __forceinline__ uint32_t shared_address(const void *p)
{
    return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

// The same address of device memory, which compilers lose sight of: without this they use slower instructions that
// first find out which memory it is.
template <class T> __device__ __forceinline__ const T *in_device_memory(const T *p)
{
    __builtin_assume(__isGlobal(p));
    return p;
}

// The same address, from now on in a register: the compiler does not compute it anew at each use, as it else does from
// an operand's base, member and stride in constant memory.
template <class T> __device__ __forceinline__ const T *held(const T *p)
{
    asm("mov.b64 %0, %0;" : "+l"(p));
    return p;
}

// Starts copying BYTES (4, 8 or 16) from global to shared memory, both aligned to BYTES; zeros where !valid, and
// `from` is then not read. Seen by this thread after copy_wait(), by the block after a barrier behind that.
template <int BYTES> __device__ __forceinline__ void copy_async(void *to, const void *from, bool valid)
{
    const int ignored = !valid;
    if (BYTES == 16)
        asm volatile("{ .reg .pred p; setp.ne.b32 p, %2, 0; cp.async.cg.shared.global [%0], [%1], 16, p; }" ::"r"(
                         shared_address(to)),
                     "l"(from), "r"(ignored)
                     : "memory");
    else
        asm volatile("{ .reg .pred p; setp.ne.b32 p, %3, 0; cp.async.ca.shared.global [%0], [%1], %2, p; }" ::"r"(
                         shared_address(to)),
                     "l"(from), "n"(BYTES), "r"(ignored)
                     : "memory");
}

// Closes a group of this thread's copies.
__device__ __forceinline__ void copy_commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most GROUPS of this thread's groups are under way.
template <int GROUPS> __device__ __forceinline__ void copy_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(GROUPS) : "memory");
}

// Four 8x8 matrices of 16-bit elements: lane l gives the address of row l % 8 of matrix l / 8 (16 bytes, aligned to
// 16); r[m] receives elements 2 (l % 4) and 2 (l % 4) + 1 of row l / 4 of matrix m. As 8x4 matrices of 32-bit elements,
// r[m] is element l % 4 of row l / 4.
__device__ __forceinline__ void load_matrices(uint32_t r[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// The same, each matrix transposed.
__device__ __forceinline__ void load_matrices_transposed(uint32_t r[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// d[16x8] += a[16x16] b[16x8], bf16 in, f32 sums. With g = lane / 4, t = lane % 4:
// a[0..3] = rows g, g+8, g, g+8 at columns (2t, 2t+1) of the left, left, right, right half;
// b[0..1] = column g at rows (2t, 2t+1) and 8 + (2t, 2t+1); d = (g,2t) (g,2t+1) (g+8,2t) (g+8,2t+1).
__device__ __forceinline__ void mma_bf16(float d[4], const uint32_t a[4], const uint32_t b[2])
{
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// d[16x8] += a[16x8] b[8x8], tf32 in (bits of a float whose lower 13 bits do not count), f32 sums.
// a[0..3] = (g,t) (g+8,t) (g,t+4) (g+8,t+4); b[0..1] = (t,g) (t+4,g); d as above.
__device__ __forceinline__ void mma_tf32(float d[4], const uint32_t a[4], const uint32_t b[2])
{
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The nearest tf32, ties away from zero, as the bits of a float.
__device__ __forceinline__ uint32_t round_to_tf32(float x)
{
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return bits;
}

// The nearest bf16, ties to even; a NaN becomes 0x7fff.
__device__ __forceinline__ uint16_t round_to_bf16(float x)
{
    uint16_t bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}

// Two of them, `low` in the lower half.
__device__ __forceinline__ uint32_t pack_bf16(float low, float high)
{
    uint32_t bits;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
    return bits;
}

} // namespace DN_TARGET
#endif
#endif
