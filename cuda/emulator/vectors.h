// CUDA's vector types: their alignment is what makes a vector load one instruction, and what the emulator checks.
#ifndef DN_CUDA_EMULATOR_VECTORS_H
#define DN_CUDA_EMULATOR_VECTORS_H

#include <stdint.h>

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
};

#define DN_VECTORS(T, name, align2, align4)                            \
    struct alignas(align2) name##2                                     \
    {                                                                  \
        T x, y;                                                        \
    };                                                                 \
    struct name##3                                                     \
    {                                                                  \
        T x, y, z;                                                     \
    };                                                                 \
    struct alignas(align4) name##4                                     \
    {                                                                  \
        T x, y, z, w;                                                  \
    };                                                                 \
    static inline constexpr name##2 make_##name##2(T x, T y)           \
    {                                                                  \
        return {x, y};                                                 \
    }                                                                  \
    static inline constexpr name##3 make_##name##3(T x, T y, T z)      \
    {                                                                  \
        return {x, y, z};                                              \
    }                                                                  \
    static inline constexpr name##4 make_##name##4(T x, T y, T z, T w) \
    {                                                                  \
        return {x, y, z, w};                                           \
    }

DN_VECTORS(signed char, char, 2, 4)
DN_VECTORS(unsigned char, uchar, 2, 4)
DN_VECTORS(short, short, 4, 8)
DN_VECTORS(unsigned short, ushort, 4, 8)
DN_VECTORS(int, int, 8, 16)
DN_VECTORS(unsigned, uint, 8, 16)
DN_VECTORS(long long, longlong, 16, 16)
DN_VECTORS(unsigned long long, ulonglong, 16, 16)
DN_VECTORS(float, float, 8, 16)
DN_VECTORS(double, double, 16, 16)
#undef DN_VECTORS

#endif
