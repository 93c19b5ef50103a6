// The language of CUDA for the host's compiler: what a kernel file needs to be compiled for the emulator.
//
// A kernel file is compiled with -fsanitize=thread, but not linked with ThreadSanitizer: the calls that the compiler
// puts before every access to memory go to the emulator (access.cpp). Whatever the emulator does itself stands in its
// own files, which are compiled without that option. See README.md for what is checked.
#ifndef DN_CUDA_EMULATOR_SIMT_H
#define DN_CUDA_EMULATOR_SIMT_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <type_traits>

#include "cuda/emulator/vectors.h"
#include "cuda/gpu.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
// There is only dynamic shared memory here, see DN_SHARED.
#define __shared__ static_assert(false, "declare shared memory with DN_SHARED");

// A vector load is checked as one access, alignment and all, only while the compiler keeps it one: gcc would rather
// load the fields that are used. (clang has no such switch; under it the checks see fields.)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-sra")
#endif

namespace dn_emu
{
namespace simt
{

// A place in a kernel file, filled in by the compiler where a barrier is called.
struct site {
    const char *file;
    int line;
};
#define DN_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

// The thread's place. `const` lets the compiler keep the values in registers: they do not change within a kernel.
#define DN_FIXED __attribute__((const))
DN_FIXED unsigned thread_x() noexcept;
DN_FIXED unsigned thread_y() noexcept;
DN_FIXED unsigned thread_z() noexcept;
DN_FIXED unsigned block_x() noexcept;
DN_FIXED unsigned block_y() noexcept;
DN_FIXED unsigned block_z() noexcept;
DN_FIXED unsigned block_size_x() noexcept;
DN_FIXED unsigned block_size_y() noexcept;
DN_FIXED unsigned block_size_z() noexcept;
DN_FIXED unsigned grid_x() noexcept;
DN_FIXED unsigned grid_y() noexcept;
DN_FIXED unsigned grid_z() noexcept;
DN_FIXED void *shared_memory() noexcept;
#undef DN_FIXED

// Barriers of a block. Returns the number of threads with `value` != 0.
int barrier(const char *name, bool value, site where);
// Barrier of the lanes in `mask`.
void warp_barrier(uint32_t mask, site where);
// The value of lane `source`. A source outside 0..31 is the lane itself.
uint64_t shuffle(uint32_t mask, uint64_t value, int source, site where);
// Bits of the lanes in `mask` where `value` is true.
uint32_t ballot(uint32_t mask, bool value, site where);
enum reduction { REDUCE_ADD, REDUCE_MIN, REDUCE_MAX, REDUCE_AND, REDUCE_OR, REDUCE_XOR };
// Over the lanes in `mask`; minimum and maximum of signed numbers.
int64_t reduce(uint32_t mask, int64_t value, reduction how, site where);
int lane();

// What one launch needs: `run` calls the kernel for one thread. The arguments may be copied bit by bit for a replay.
struct launch_call {
    const char *kernel;
    dim3 grid, block;
    size_t shared_bytes;
    void (*run)(const void *arguments);
    const void *arguments;
    size_t argument_bytes;
};
void launch(dn_gpu_stream stream, const launch_call &call);

// A kernel's arguments, as its parameters' types.
template <class... P> struct values {
};
template <class First, class... Rest> struct values<First, Rest...> {
    First first;
    values<Rest...> rest;

    template <class A, class... B> explicit values(A &&a, B &&...b) : first(a), rest(b...)
    {
    }
};

// Not checked: the arguments are memory of the emulator.
#define DN_UNCHECKED_INLINE __attribute__((always_inline, no_sanitize("thread"))) static inline

template <class... P> struct bound_kernel {
    void (*kernel)(P...);
    values<P...> arguments;

    template <class... Done> DN_UNCHECKED_INLINE void call(void (*k)(P...), const values<> &, const Done &...done)
    {
        k(done...);
    }
    template <class First, class... Rest, class... Done>
    DN_UNCHECKED_INLINE void call(void (*k)(P...), const values<First, Rest...> &left, const Done &...done)
    {
        call(k, left.rest, done..., left.first);
    }
    __attribute__((no_sanitize("thread"))) static void run(const void *self)
    {
        const bound_kernel &bound = *static_cast<const bound_kernel *>(self);
        call(bound.kernel, bound.arguments);
    }
};
#undef DN_UNCHECKED_INLINE

// Arguments become the kernel's parameter types here and now, as in a launch on a GPU.
template <class... P, class... A>
void launch(dn_gpu_stream stream, const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t bytes, A &&...a)
{
    static_assert(sizeof...(P) == sizeof...(A), "a kernel is launched with as many arguments as it has parameters");
    static_assert((std::is_trivially_copyable<P>::value && ...), "a kernel's parameters are copied bit by bit");
    const bound_kernel<P...> bound{kernel, values<P...>(a...)};
    launch(stream, {name, grid, block, bytes, bound_kernel<P...>::run, &bound, sizeof bound});
}

template <class T> uint64_t to_bits(T value)
{
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable<T>::value, "shuffles move up to 8 bytes");
    uint64_t bits = 0;
    __builtin_memcpy(&bits, &value, sizeof value);
    return bits;
}

template <class T> T from_bits(uint64_t bits)
{
    T value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

// Lane `source` if it is in the same group of `width` lanes as this lane and `inside`, else this lane.
static inline int source_lane(int source, bool inside)
{
    return inside ? source : lane();
}

} // namespace simt
} // namespace dn_emu

#define DN_LAUNCH(kernel, grid, block, bytes, stream, ...) \
    ::dn_emu::simt::launch(stream, #kernel, kernel, grid, block, bytes __VA_OPT__(, ) __VA_ARGS__)
#define DN_SHARED(T, name) T *const name = static_cast<T *>(::dn_emu::simt::shared_memory())

#define DN_TRIPLE(name) (::dim3(::dn_emu::simt::name##_x(), ::dn_emu::simt::name##_y(), ::dn_emu::simt::name##_z()))
#define threadIdx       DN_TRIPLE(thread)
#define blockIdx        DN_TRIPLE(block)
#define blockDim        DN_TRIPLE(block_size)
#define gridDim         DN_TRIPLE(grid)
static constexpr int warpSize = 32;

#include "cuda/emulator/intrinsics.h"

#endif
