/* Comparing what two kernels have computed. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/check/check.h"

double dn__check_value(dn_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case DN_F32: return ((const float *)data)[i];
    case DN_F64: return ((const double *)data)[i];
    case DN_U8: return ((const uint8_t *)data)[i];
    case DN_I32: return ((const int32_t *)data)[i];
    default: break;
    }
    const uint32_t bits = (uint32_t)((const uint16_t *)data)[i] << 16; /* bf16: a float's upper half */
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double dn__check_squares(dn_dtype dtype, const void *data, int64_t n, int64_t *count)
{
    const double ordinary = 1e20;
    double squares = 0;
    for (int64_t i = 0; i < n; i++) {
        const double value = dn__check_value(dtype, data, i);
        if (!(fabs(value) < ordinary)) continue;
        squares += value * value;
        ++*count;
    }
    return squares;
}

/* |a - b| in units of what is allowed. */
static double distance(double a, double b, double allowed)
{
    if (a == b || (isnan(a) && isnan(b))) return 0;
    const double off = fabs(a - b) / allowed;
    return isnan(off) ? INFINITY : off;
}

void dn__check_compare(dn_check_difference *out, dn_dtype dtype, const void *a, const void *b, int64_t n,
                       const dn_check_limit *limit)
{
    *out = (dn_check_difference){0};
    if (memcmp(a, b, (size_t)n * dn_dtype_size(dtype)) == 0) return;
    const bool integers = dtype == DN_U8 || dtype == DN_I32;
    int64_t count = 0;
    const double squares = dn__check_squares(dtype, a, n, &count), rms = count ? sqrt(squares / (double)count) : 0;
    const double size = fmax(rms, limit->scale);
    for (int64_t i = 0; i < n; i++) {
        const double left = dn__check_value(dtype, a, i), right = dn__check_value(dtype, b, i);
        /* Below FLT_MIN a device may round to 0. */
        const double allowed =
            limit->relative * fmax(size, fabs(left)) + FLT_MIN + (limit->extra ? limit->extra[i] : 0);
        const double times = distance(left, right, integers ? 0 : allowed);
        if (!(times > 1)) continue;
        out->count++;
        if (times <= out->times) continue;
        out->times = times;
        out->element = i;
        out->a = left;
        out->b = right;
    }
}
