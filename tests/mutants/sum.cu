// sum_squares: y = sum_i x[i]^2 (f32) by one block of 256 threads for each member, which is blockIdx.z.
//
// A thread adds every 256th square; then the 256 sums are added in halves in shared memory, in an order that is fixed.
#include "tests/mutants/mutants.cuh"

namespace DN_TARGET
{

constexpr int SUM_THREADS = 256;

template <mistake M> __global__ void sum_kernel(operand<const float> x, operand<float> y, int64_t n)
{
    DN_SHARED(float, sums);
    const int e = static_cast<int>(blockIdx.z), t = static_cast<int>(threadIdx.x);
    const float *const from = M == MEMBERS_SIDE_BY_SIDE ? x.base + e * n : x.of(e);
    const int64_t end = M == LEAVES_THE_TAIL ? n / SUM_THREADS * SUM_THREADS : n;
    float sum = 0.0f;
    for (int64_t i = t; i < end; i += SUM_THREADS) sum = fmaf(from[i], from[i], sum);
    sums[t] = sum;
    if (M != NO_BARRIER_BEFORE_USE) __syncthreads();
    for (int half = SUM_THREADS / 2; half > 0; half /= 2) {
        if (t < half) sums[t] += sums[t + half];
        if (M == BARRIER_IN_A_BRANCH ? t < half : M != NO_BARRIER_AFTER_USE) __syncthreads();
    }
    if (t == 0) *y.of(e) = sums[0];
}

template <mistake M> static void launch_sum(const dn_call *call, dn_gpu_stream stream)
{
    const dim3 grid(1, 1, static_cast<unsigned>(call->members));
    DN_LAUNCH(sum_kernel<M>, grid, dim3(SUM_THREADS), SUM_THREADS * sizeof(float), stream, input<float>(call, 0),
              output<float>(call, 0), dn__count(call->in_info[0]));
}

} // namespace DN_TARGET

DN_GPU_KERNEL(sum_right, launch_sum<DN_TARGET::RIGHT>, nullptr, nullptr);
DN_GPU_KERNEL(sum_early, launch_sum<DN_TARGET::NO_BARRIER_BEFORE_USE>, nullptr, nullptr);
DN_GPU_KERNEL(sum_late, launch_sum<DN_TARGET::NO_BARRIER_AFTER_USE>, nullptr, nullptr);
DN_GPU_KERNEL(sum_branch, launch_sum<DN_TARGET::BARRIER_IN_A_BRANCH>, nullptr, nullptr);
DN_GPU_KERNEL(sum_tail, launch_sum<DN_TARGET::LEAVES_THE_TAIL>, nullptr, nullptr);
DN_GPU_KERNEL(sum_packed, launch_sum<DN_TARGET::MEMBERS_SIDE_BY_SIDE>, nullptr, nullptr);
