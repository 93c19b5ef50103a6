// CUDA's built-in functions: barriers, exchange within a warp, bits, numbers. Included by simt.h.
#ifndef DN_CUDA_EMULATOR_INTRINSICS_H
#define DN_CUDA_EMULATOR_INTRINSICS_H

#define DN_BUILTIN static inline __attribute__((always_inline))

DN_BUILTIN void __syncthreads(DN_HERE)
{
    dn_emu::simt::barrier("__syncthreads", false, {file, line});
}

DN_BUILTIN int __syncthreads_count(int value, DN_HERE)
{
    return dn_emu::simt::barrier("__syncthreads_count", value != 0, {file, line});
}

DN_BUILTIN int __syncthreads_or(int value, DN_HERE)
{
    return dn_emu::simt::barrier("__syncthreads_or", value != 0, {file, line}) != 0;
}

DN_BUILTIN int __syncthreads_and(int value, DN_HERE)
{
    return dn_emu::simt::barrier("__syncthreads_and", value == 0, {file, line}) == 0;
}

DN_BUILTIN void __syncwarp(unsigned mask = 0xffffffffu, DN_HERE)
{
    dn_emu::simt::warp_barrier(mask, {file, line});
}

template <class T> DN_BUILTIN T __shfl_sync(unsigned mask, T value, int source, int width = 32, DN_HERE)
{
    const int first = dn_emu::simt::lane() & ~(width - 1);
    return dn_emu::simt::from_bits<T>(
        dn_emu::simt::shuffle(mask, dn_emu::simt::to_bits(value), first | (source & (width - 1)), {file, line}));
}

template <class T> DN_BUILTIN T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, DN_HERE)
{
    const int source = dn_emu::simt::lane() - static_cast<int>(delta);
    const bool inside = source >= (dn_emu::simt::lane() & ~(width - 1));
    return dn_emu::simt::from_bits<T>(dn_emu::simt::shuffle(mask, dn_emu::simt::to_bits(value),
                                                            dn_emu::simt::source_lane(source, inside), {file, line}));
}

template <class T> DN_BUILTIN T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, DN_HERE)
{
    const int source = dn_emu::simt::lane() + static_cast<int>(delta);
    const bool inside = source <= (dn_emu::simt::lane() | (width - 1));
    return dn_emu::simt::from_bits<T>(dn_emu::simt::shuffle(mask, dn_emu::simt::to_bits(value),
                                                            dn_emu::simt::source_lane(source, inside), {file, line}));
}

template <class T> DN_BUILTIN T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, DN_HERE)
{
    const int source = dn_emu::simt::lane() ^ bits;
    const bool inside = source <= (dn_emu::simt::lane() | (width - 1));
    return dn_emu::simt::from_bits<T>(dn_emu::simt::shuffle(mask, dn_emu::simt::to_bits(value),
                                                            dn_emu::simt::source_lane(source, inside), {file, line}));
}

DN_BUILTIN unsigned __ballot_sync(unsigned mask, int value, DN_HERE)
{
    return dn_emu::simt::ballot(mask, value != 0, {file, line});
}

DN_BUILTIN int __any_sync(unsigned mask, int value, DN_HERE)
{
    return dn_emu::simt::ballot(mask, value != 0, {file, line}) != 0;
}

DN_BUILTIN int __all_sync(unsigned mask, int value, DN_HERE)
{
    return dn_emu::simt::ballot(mask, value == 0, {file, line}) == 0;
}

#define DN_REDUCE(name, T, how)                                                                    \
    DN_BUILTIN T name(unsigned mask, T value, DN_HERE)                                             \
    {                                                                                              \
        return static_cast<T>(dn_emu::simt::reduce(mask, value, dn_emu::simt::how, {file, line})); \
    }
DN_REDUCE(__reduce_add_sync, unsigned, REDUCE_ADD)
DN_REDUCE(__reduce_add_sync, int, REDUCE_ADD)
DN_REDUCE(__reduce_min_sync, unsigned, REDUCE_MIN)
DN_REDUCE(__reduce_min_sync, int, REDUCE_MIN)
DN_REDUCE(__reduce_max_sync, unsigned, REDUCE_MAX)
DN_REDUCE(__reduce_max_sync, int, REDUCE_MAX)
DN_REDUCE(__reduce_and_sync, unsigned, REDUCE_AND)
DN_REDUCE(__reduce_or_sync, unsigned, REDUCE_OR)
DN_REDUCE(__reduce_xor_sync, unsigned, REDUCE_XOR)
#undef DN_REDUCE

template <class T> DN_BUILTIN T __ldg(const T *p)
{
    return *p;
}

// Numbers seen as bits.
#define DN_CONVERT(name, FROM, TO)                     \
    DN_BUILTIN TO name(FROM x)                         \
    {                                                  \
        static_assert(sizeof(FROM) == sizeof(TO), ""); \
        TO y;                                          \
        __builtin_memcpy(&y, &x, sizeof y);            \
        return y;                                      \
    }
DN_CONVERT(__uint_as_float, unsigned, float)
DN_CONVERT(__float_as_uint, float, unsigned)
DN_CONVERT(__int_as_float, int, float)
DN_CONVERT(__float_as_int, float, int)
DN_CONVERT(__longlong_as_double, long long, double)
DN_CONVERT(__double_as_longlong, double, long long)
#undef DN_CONVERT

// Bits.
DN_BUILTIN int __popc(unsigned x)
{
    return __builtin_popcount(x);
}

DN_BUILTIN int __popcll(unsigned long long x)
{
    return __builtin_popcountll(x);
}

DN_BUILTIN int __ffs(int x)
{
    return __builtin_ffs(x);
}

DN_BUILTIN int __ffsll(long long x)
{
    return __builtin_ffsll(x);
}

DN_BUILTIN int __clz(int x)
{
    return x ? __builtin_clz(static_cast<unsigned>(x)) : 32;
}

DN_BUILTIN int __clzll(long long x)
{
    return x ? __builtin_clzll(static_cast<unsigned long long>(x)) : 64;
}

static inline unsigned __brev(unsigned x)
{
    x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
    x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
    x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(x);
}

DN_BUILTIN int __mulhi(int a, int b)
{
    return static_cast<int>(static_cast<long long>(a) * b >> 32);
}

DN_BUILTIN unsigned __umulhi(unsigned a, unsigned b)
{
    return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}

__extension__ typedef unsigned __int128 dn_uint128;

DN_BUILTIN unsigned long long __umul64hi(unsigned long long a, unsigned long long b)
{
    return static_cast<unsigned long long>(static_cast<dn_uint128>(a) * b >> 64);
}

// Byte i of the result is byte (selector >> 4i) & 7 of b:a.
static inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector)
{
    const unsigned long long both = static_cast<unsigned long long>(b) << 32 | a;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) result |= static_cast<unsigned>(both >> 8 * (selector >> 4 * i & 7u) & 0xffu) << 8 * i;
    return result;
}

// Numbers. A GPU's fmaf rounds once; the host's would be a slow call where the compiler may not use the instruction.
DN_BUILTIN float dn_fmaf(float a, float b, float c)
{
    return a * b + c;
}
#define fmaf(a, b, c) dn_fmaf(a, b, c)

DN_BUILTIN float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}

DN_BUILTIN int __float2int_rn(float x)
{
    return static_cast<int>(lrintf(x));
}

DN_BUILTIN int __float2int_rd(float x)
{
    return static_cast<int>(floorf(x));
}

DN_BUILTIN int __float2int_ru(float x)
{
    return static_cast<int>(ceilf(x));
}

DN_BUILTIN int __float2int_rz(float x)
{
    return static_cast<int>(x);
}

#define DN_MIN_MAX(T)          \
    DN_BUILTIN T min(T a, T b) \
    {                          \
        return b < a ? b : a;  \
    }                          \
    DN_BUILTIN T max(T a, T b) \
    {                          \
        return a < b ? b : a;  \
    }
DN_MIN_MAX(int)
DN_MIN_MAX(unsigned)
DN_MIN_MAX(long)
DN_MIN_MAX(unsigned long)
DN_MIN_MAX(long long)
DN_MIN_MAX(unsigned long long)
#undef DN_MIN_MAX

// A NaN is left out, as on a GPU.
DN_BUILTIN float min(float a, float b)
{
    return fminf(a, b);
}

DN_BUILTIN float max(float a, float b)
{
    return fmaxf(a, b);
}

DN_BUILTIN double min(double a, double b)
{
    return fmin(a, b);
}

DN_BUILTIN double max(double a, double b)
{
    return fmax(a, b);
}

#undef DN_BUILTIN
#endif
