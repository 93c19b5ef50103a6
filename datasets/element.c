#include "datasets/element.h"

#include <string.h>

static uint64_t stored_bits(const unsigned char *b, int size, bool big_endian)
{
    uint64_t bits = 0;
    for (int i = 0; i < size; i++) bits |= (uint64_t)b[big_endian ? size - 1 - i : i] << (8 * i);
    return bits;
}

static float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* binary16: 1 sign, 5 exponent and 10 fraction bits; the product below is exact, and brings subnormals too. */
static float float_from_half(uint32_t half)
{
    const uint32_t sign = (half & 0x8000u) << 16, rest = half & 0x7fffu;
    if (rest >= 0x7c00u) return float_from_bits(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    const float magnitude = float_from_bits(rest << 13) * 0x1p112f; /* from bias 15 to bias 127 */
    return sign ? -magnitude : magnitude;
}

static int64_t signed_from_bits(uint64_t bits, int size)
{
    const uint64_t sign = UINT64_C(1) << (8 * size - 1);
    return (int64_t)((bits ^ sign) - sign);
}

static bool put_integer(void *to, const dn__element *e, uint64_t bits)
{
    const int64_t wide = e->kind == 'u' ? (int64_t)bits : signed_from_bits(bits, e->size);
    const int32_t value = (int32_t)wide;
    memcpy(to, &value, sizeof value);
    return value == wide && !(e->kind == 'u' && bits > INT32_MAX);
}

bool dn__element_convert(const dn__element *e, void *to, const unsigned char *stored)
{
    const uint64_t bits = stored_bits(stored, e->size, e->big_endian);
    if (e->kind == 'f' && e->size == 8) {
        memcpy(to, &bits, 8);
    } else if (e->kind == 'f') {
        const float value = e->size == 4 ? float_from_bits((uint32_t)bits) : float_from_half((uint32_t)bits);
        memcpy(to, &value, sizeof value);
    } else if (e->size == 1 && e->kind != 'i') {
        const uint8_t value = e->kind == 'b' ? bits != 0 : (uint8_t)bits;
        memcpy(to, &value, sizeof value);
    } else {
        return put_integer(to, e, bits);
    }
    return true;
}

static bool host_is_big_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

bool dn__element_is_plain(const dn__element *e)
{
    if (e->kind == 'b' || (e->kind == 'u' && e->size == 4)) return false; /* values must be looked at */
    return (size_t)e->size == dn_dtype_size(dn__element_memory(e)) &&
           (e->size == 1 || e->big_endian == host_is_big_endian());
}

dn_dtype dn__element_memory(const dn__element *e)
{
    if (e->kind == 'f') return e->size == 8 ? DN_F64 : DN_F32;
    return e->size == 1 && e->kind != 'i' ? DN_U8 : DN_I32;
}
