// What softmax, losses and entropy ask of a row of logits [C]; one warp has the row.
//
// With b the first largest logit, d_c = z_b - z_c, and rest = sum over c != b of exp(-d_c): S = 1 + rest, p_c =
// exp(-d_c) / S and -ln p_c = d_c + ln S with ln S = log1p(rest). Everything behind the logits is in double: rounding
// d_c to f32 would give p_c a relative error of up to d_c * 2^-24, and where predictions are sure (d_c about 20) the
// gradients of the loss consist of such p_c only. The logits are few beside what the network computed for them.
#ifndef DN_CUDA_SOFTMAX_CUH
#define DN_CUDA_SOFTMAX_CUH

#include <math.h>

#include "cuda/rows.cuh"

namespace DN_TARGET
{

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

struct row_sums {
    float largest;
    double rest;   // NaN if the row has a NaN or +infinity, or no number above -infinity
    double moment; // sum of exp(-d_c) d_c; a class with p = 0 adds nothing
    int best;      // b; 0 where z_0 is a NaN

    __device__ double distance(float z) const
    {
        return static_cast<double>(largest) - z;
    }
    __device__ double sum() const
    {
        return 1.0 + rest;
    }
};

__device__ inline row_sums sums_of(const float *z, int classes)
{
    const found best = best_of(z, classes);
    row_sums sums = {best.value, 0.0, 0.0, best.index};
    for (int c = own_lane(); c < classes; c += WARP) {
        const double distance = sums.distance(z[c]), weight = exp(-distance);
        if (c != best.index) sums.rest += weight;
        if (weight != 0.0) sums.moment += weight * distance;
    }
    sums.rest = warp_sum(sums.rest) + (best.value - best.value);
    sums.moment = warp_sum(sums.moment);
    return sums;
}

} // namespace DN_TARGET
#endif
