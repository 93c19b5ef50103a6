// Ops on each element by itself: relu, clamp, add, scale, copy, cast, and their gradients.
//
// y[e,i] = f(a[e,i], b[e,i]) for i < n. One thread takes every (gridDim.x * 256)th element of one member, so a warp
// touches consecutive addresses; blockIdx.z is the member. An op of a inputs moves (a + 1) * n * 4 bytes (2 in bf16) and
// does next to no arithmetic: device memory bounds it. In place is safe, since an element is read and written by the same
// thread, first read, then written.
#include "cuda/bf16.cuh"
#include "cuda/operand.cuh"

namespace DN_TARGET
{

struct relu_of {
    __device__ float operator()(float a, float) const
    {
        return a > 0.0f ? a : 0.0f;
    }
};

constexpr unsigned THREADS = 256, MOST_BLOCKS = 1024;

template <class T, class F>
__global__ void map_kernel(F f, operand<const T> a, operand<const T> b, operand<T> y, int64_t n)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {
        const float second = b ? to_float(b.of(e)[i]) : 0.0f;
        y.of(e)[i] = from_float<T>(f(to_float(a.of(e)[i]), second));
    }
}

template <class T, class F> void map(F f, const dn_call *call, dn_gpu_stream stream)
{
    const int64_t n = dn__count(call->out_info[0]);
    const unsigned wanted = ceil_div(n, THREADS);
    const dim3 grid(wanted < MOST_BLOCKS ? wanted : MOST_BLOCKS, 1, static_cast<unsigned>(call->members));
    DN_LAUNCH((map_kernel<T, F>), grid, dim3(THREADS), 0, stream, f, input<T>(call, 0), input<T>(call, 1),
              output<T>(call, 0), n);
}

static void launch_relu(const dn_call *call, dn_gpu_stream stream)
{
    if (is_bf16(call->out_info[0]))
        map<bf16>(relu_of{}, call, stream);
    else
        map<float>(relu_of{}, call, stream);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(relu, launch_relu, nullptr, nullptr);
