// The language of CUDA for the host's compiler: what a kernel file needs to be compiled for the emulator.
//
// A kernel file is compiled with -fsanitize=thread, but not linked with ThreadSanitizer: the calls that the compiler puts
// before every access to memory go to the emulator (access.cpp). Whatever the emulator does itself stands in its own files,
// which are compiled without that option; here is only what has to be in a header. See README.md for what is checked.
#ifndef DN_CUDA_EMULATOR_SIMT_H
#define DN_CUDA_EMULATOR_SIMT_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

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

// A vector load is checked as one access, alignment and all, only while the compiler keeps it one: gcc would rather load
// the fields that are used. (clang has no such switch; under it the checks see fields.)
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

// The thread's place. `const` lets the compiler keep the values in registers: within a kernel they do not change.
#define DN_FIXED __attribute__((const, nothrow))
DN_FIXED unsigned thread_x();
DN_FIXED unsigned thread_y();
DN_FIXED unsigned thread_z();
DN_FIXED unsigned block_x();
DN_FIXED unsigned block_y();
DN_FIXED unsigned block_z();
DN_FIXED unsigned block_size_x();
DN_FIXED unsigned block_size_y();
DN_FIXED unsigned block_size_z();
DN_FIXED unsigned grid_x();
DN_FIXED unsigned grid_y();
DN_FIXED unsigned grid_z();
DN_FIXED void *shared_memory();
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

// What one launch needs: `run` calls the kernel for one thread, `copy` makes a copy of the arguments for a later replay.
struct launch_call {
    const char *kernel;
    dim3 grid, block;
    size_t shared_bytes;
    void (*run)(const void *arguments);
    void (*copy)(void *to, const void *from);
    const void *arguments;
    size_t argument_bytes;
};
void launch(dn_gpu_stream stream, const launch_call &call);

template <class... P> struct bound_kernel {
    void (*kernel)(P...);
    std::tuple<std::decay_t<P>...> arguments;

    // Not checked: the arguments are memory of the emulator.
    template <size_t... I> __attribute__((no_sanitize("thread"))) void call(std::index_sequence<I...>) const
    {
        kernel(std::get<I>(arguments)...);
    }
    static void run(const void *self)
    {
        static_cast<const bound_kernel *>(self)->call(std::index_sequence_for<P...>());
    }
    static void copy(void *to, const void *from)
    {
        new (to) bound_kernel(*static_cast<const bound_kernel *>(from));
    }
};

// Arguments become the kernel's parameter types here and now, as in a launch on a GPU, where they are copied bit by bit.
template <class... P, class... A>
void launch(dn_gpu_stream stream, const char *name, void (*kernel)(P...), dim3 grid, dim3 block, size_t bytes, A &&...a)
{
    static_assert((std::is_trivially_copyable<P>::value && ...), "a kernel's parameters are copied bit by bit");
    const bound_kernel<P...> bound{kernel, std::tuple<std::decay_t<P>...>(static_cast<A &&>(a)...)};
    launch(stream, {name, grid, block, bytes, bound_kernel<P...>::run, bound_kernel<P...>::copy, &bound, sizeof bound});
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
