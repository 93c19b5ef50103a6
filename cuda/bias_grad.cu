// The gradient of a bias: db[e,k] = sum over positions i of dy[e,i,k].
//
// A block takes 32 channels (its 8 warps side by side on 8 positions, so a warp reads 32 neighbours) and one stretch
// of the positions; threads of a channel are added in order, and the stretches by sum_parts(), in order too.
// blockIdx.x: channels, y: stretch, z: member. Reads dy once: bound by memory.
#include "cuda/bf16.cuh"
#include "cuda/conv.cuh"
#include "cuda/sum_parts.cuh"

namespace DN_TARGET
{

constexpr int CHANNELS = 32, POSITIONS = 8; // of a block at once
constexpr int SHORTEST = 64, WANTED_BLOCKS = 528, MOST_STRETCHES = 128;

struct stretches {
    int count, length;
};

static stretches stretches_of(const conv_problem &p)
{
    const int64_t positions = int64_t{p.N} * p.P * p.Q, blocks = int64_t{ceil_div(p.K, CHANNELS)} * p.members;
    int64_t count = blocks < WANTED_BLOCKS ? WANTED_BLOCKS / blocks : 1;
    if (count > MOST_STRETCHES) count = MOST_STRETCHES;
    if (count > ceil_div(positions, SHORTEST)) count = ceil_div(positions, SHORTEST);
    const unsigned length = ceil_div(positions, count);
    return {static_cast<int>(ceil_div(positions, length)), static_cast<int>(length)};
}

// sums: [stretches, members, K]
template <class T>
__global__ void bias_grad_kernel(operand<const T> dy, operand<float> sums, int64_t positions, int channels, int length)
{
    DN_SHARED(float, shared); // [POSITIONS][CHANNELS]
    const int lane = static_cast<int>(threadIdx.x) % CHANNELS, row = static_cast<int>(threadIdx.x) / CHANNELS;
    const int k = static_cast<int>(blockIdx.x) * CHANNELS + lane;
    const int64_t first = static_cast<int64_t>(blockIdx.y) * length;
    const int64_t last = positions - first < length ? positions : first + length;
    const T *from = dy.of(static_cast<int>(blockIdx.z));
    float sum = 0.0f;
    if (k < channels) {
#pragma unroll 8
        for (int64_t i = first + row; i < last; i += POSITIONS) sum += to_float(from[i * channels + k]);
    }
    shared[row * CHANNELS + lane] = sum;
    __syncthreads();
    if (row > 0 || k >= channels) return;
    for (int r = 1; r < POSITIONS; r++) sum += shared[r * CHANNELS + lane];
    sums.of(static_cast<int>(blockIdx.y * gridDim.z + blockIdx.z))[k] = sum;
}

template <class T> static void launch(const dn_call *call, dn_gpu_stream stream)
{
    const conv_problem p = problem_of(call);
    const stretches s = stretches_of(p);
    const operand<float> db = output<float>(call, 1);
    float *const parts = static_cast<float *>(call->workspace);
    const operand<float> sums = s.count > 1 ? operand<float>{parts, p.K} : db;
    const dim3 grid(ceil_div(p.K, CHANNELS), static_cast<unsigned>(s.count), static_cast<unsigned>(p.members));
    DN_LAUNCH(bias_grad_kernel<T>, grid, dim3(CHANNELS * POSITIONS), CHANNELS * POSITIONS * sizeof(float), stream,
              input<T>(call, 1), sums, int64_t{p.N} * p.P * p.Q, p.K, s.length);
    if (s.count > 1) sum_parts(parts, s.count, p.members, plain_result(db, 1, p.K), stream);
}

void bias_grad(const dn_call *call, dn_gpu_stream stream)
{
    if (is_bf16(call->in_info[1]))
        launch<bf16>(call, stream);
    else
        launch<float>(call, stream);
}

size_t bias_grad_workspace(const dn_call *shapes)
{
    const conv_problem p = problem_of(shapes);
    const stretches s = stretches_of(p);
    if (s.count == 1) return 0;
    return static_cast<size_t>(s.count) * static_cast<size_t>(p.members) * static_cast<size_t>(p.K) * sizeof(float);
}

} // namespace DN_TARGET
