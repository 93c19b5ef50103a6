// slice: y[i,c] = x[i,first+c] (f32): four channels at a time where addresses allow it, else one.
//
// A thread copies one group of channels of one row; blockIdx.z is the member. Bound by memory.
#include "tests/mutants/mutants.cuh"

namespace DN_TARGET
{

constexpr int SLICE_THREADS = 128;

template <class V>
__global__ void slice_kernel(operand<const float> x, operand<float> y, int64_t groups, int64_t channels, int64_t first,
                             int64_t taken)
{
    constexpr int width = sizeof(V) / sizeof(float);
    const int e = static_cast<int>(blockIdx.z);
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= groups) return;
    const int64_t row = i * width / taken, channel = i * width % taken;
    const V *const from = reinterpret_cast<const V *>(x.of(e) + row * channels + first + channel);
    *reinterpret_cast<V *>(y.of(e) + row * taken + channel) = *from;
}

template <mistake M> static void launch_slice(const dn_call *call, dn_gpu_stream stream)
{
    const operand<const float> x = input<float>(call, 0);
    const operand<float> y = output<float>(call, 0);
    const int64_t channels = dn__last(call->in_info[0]), taken = dn__last(call->out_info[0]);
    const int64_t first = call->op->args.slice.first, n = dn__count(call->out_info[0]);
    const bool vectors = taken % 4 == 0 && (M == MISALIGNED_VECTORS ||
                                            (channels % 4 == 0 && first % 4 == 0 && aligned(x, 16) && aligned(y, 16)));
    const int64_t groups = vectors ? n / 4 : n;
    const dim3 grid(ceil_div(groups, SLICE_THREADS), 1, static_cast<unsigned>(call->members));
    if (vectors)
        DN_LAUNCH(slice_kernel<float4>, grid, dim3(SLICE_THREADS), 0, stream, x, y, groups, channels, first, taken);
    else
        DN_LAUNCH(slice_kernel<float>, grid, dim3(SLICE_THREADS), 0, stream, x, y, groups, channels, first, taken);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(slice_right, launch_slice<DN_TARGET::RIGHT>, nullptr, nullptr);
DN_GPU_KERNEL(slice_misaligned, launch_slice<DN_TARGET::MISALIGNED_VECTORS>, nullptr, nullptr);
