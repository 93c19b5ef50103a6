// What softmax, losses and entropy ask of a row of logits [C]; one warp has the row.
//
// With b the first largest logit and rest = sum over c != b of exp(z_c - z_b): S = 1 + rest and ln S = log1p(rest), so
// that p_c = exp(z_c - z_b) / S and -ln p_c = (z_b - z_c) + ln S are sums of terms of one sign. Nothing cancels, and
// f32 keeps its relative accuracy even where p_b is so close to 1 that 1 - p_b would vanish.
#ifndef DN_CUDA_SOFTMAX_CUH
#define DN_CUDA_SOFTMAX_CUH

#include <math.h>

#include "cuda/rows.cuh"

namespace DN_TARGET
{

struct row_total {
    float largest, rest; // rest: NaN if the row has a NaN or +infinity, or no number above -infinity
    int best;            // b; 0 where z_0 is a NaN
    __device__ float sum() const
    {
        return 1.0f + rest;
    }
};

// The first largest logit. For all lanes of a warp, as below. z: [classes]
__device__ inline found best_of(const float *z, int classes)
{
    found best = first_largest_of::nothing();
    for (int c = own_lane(); c < classes; c += WARP) {
        /* "Is there a larger one than z_0?" has no for an answer if z_0 is a NaN; any other NaN is never larger. */
        const float value = c == 0 && isnan(z[c]) ? INFINITY : z[c];
        best = first_largest_of()(best, {value, c});
    }
    return warp_argmax(best);
}

__device__ inline row_total total_of(const float *z, int classes)
{
    const found best = best_of(z, classes);
    float rest = 0.0f;
    for (int c = own_lane(); c < classes; c += WARP)
        if (c != best.index) rest += expf(z[c] - best.value);
    return {best.value, warp_sum(rest) + (best.value - best.value), best.index};
}

} // namespace DN_TARGET
#endif
