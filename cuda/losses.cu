// Losses of each member: cross entropy, accuracy, entropy, with the gradients of those that have one.
//
// With the numbers of softmax.cuh and A = sum p_c d_c: cross entropy -ln p_label = d_label + ln S,
// entropy H = -sum p_c ln p_c = A + ln S and its gradient dz_c = -dH p_c (ln p_c + H) = -dH p_c (A - d_c), in which ln
// S has gone. One warp has a row of logits [C], 4 rows to a block, blockIdx.z is the member. A mean over rows takes
// two launches, so that the rows need not share one block: first a number for each row, to scratch memory [E,N], then
// one block per member that adds them, in double, thread t rows t, t + 256, .. and the threads in a fixed order. Moves
// 4 bytes a logit (8 with a gradient); at the sizes of a training step latency bounds it.
#include "cuda/softmax.cuh"

namespace DN_TARGET
{

// The row that a warp has, and whose it is.
struct own_logits {
    const float *z; // [classes]
    int classes, member;
    int64_t row;
};

// A label outside of 0..C-1 makes the loss NaN: nothing is read for it.
struct cross_entropy_of {
    operand<const int32_t> labels; // [N]
    __device__ float operator()(const own_logits &own) const
    {
        const row_sums sums = sums_of(own.z, own.classes);
        const int label = labels.of(own.member)[own.row];
        const bool known = label >= 0 && label < own.classes;
        return known ? static_cast<float>(sums.distance(own.z[label]) + log1p(sums.rest)) : NAN;
    }
};

struct accuracy_of {
    operand<const int32_t> labels; // [N]
    __device__ float operator()(const own_logits &own) const
    {
        return best_of(own.z, own.classes).index == labels.of(own.member)[own.row] ? 1.0f : 0.0f;
    }
};

struct entropy_of {
    __device__ float operator()(const own_logits &own) const
    {
        const row_sums sums = sums_of(own.z, own.classes);
        return static_cast<float>(sums.moment / sums.sum() + log1p(sums.rest));
    }
};

// out[e,n] = f(row n of member e)
template <class F>
__global__ void row_kernel(F f, operand<const float> logits, operand<float> out, int64_t rows, int classes)
{
    const int64_t n = own_row();
    if (n >= rows) return;
    const int e = static_cast<int>(blockIdx.z);
    const float value = f({logits.of(e) + n * classes, classes, e, n});
    if (own_lane() == 0) out.of(e)[n] = value;
}

constexpr unsigned MEAN_THREADS = 256;

__global__ static void mean_kernel(operand<const float> values, operand<float> out, int64_t rows)
{
    DN_SHARED(double, shared);
    const int e = static_cast<int>(blockIdx.z);
    double sum = 0.0;
    for (int64_t n = threadIdx.x; n < rows; n += MEAN_THREADS) sum += values.of(e)[n];
    sum = block_sum(sum, shared);
    if (threadIdx.x == 0) out.of(e)[0] = static_cast<float>(sum / static_cast<double>(rows));
}

__global__ static void cross_entropy_grad_kernel(operand<const float> loss_gradient, operand<const float> logits,
                                                 operand<const int32_t> labels, operand<float> out, int64_t rows,
                                                 int classes)
{
    const int64_t n = own_row();
    if (n >= rows) return;
    const int e = static_cast<int>(blockIdx.z), label = labels.of(e)[n];
    const float *z = logits.of(e) + n * classes; // [C]
    float *dz = out.of(e) + n * classes;         // [C]
    const row_sums sums = sums_of(z, classes);
    const bool known = label >= 0 && label < classes;
    const double scale = known ? loss_gradient.of(e)[0] / (sums.sum() * static_cast<double>(rows)) : NAN;
    for (int c = own_lane(); c < classes; c += WARP) {
        const double weight = exp(-sums.distance(z[c]));
        /* S (p_c - 1), of which 1 - p_b is what the other classes have. */
        const double less = c == sums.best ? -sums.rest : weight - sums.sum();
        dz[c] = static_cast<float>(scale * (c == label ? less : weight));
    }
}

__global__ static void entropy_grad_kernel(operand<const float> entropy_gradient, operand<const float> logits,
                                           operand<float> out, int64_t rows, int classes)
{
    const int64_t n = own_row();
    if (n >= rows) return;
    const int e = static_cast<int>(blockIdx.z);
    const float *z = logits.of(e) + n * classes; // [C]
    float *dz = out.of(e) + n * classes;         // [C]
    const row_sums sums = sums_of(z, classes);
    const double mean = sums.moment / sums.sum(), dh = entropy_gradient.of(e)[n];
    for (int c = own_lane(); c < classes; c += WARP) {
        const double distance = sums.distance(z[c]), p = exp(-distance) / sums.sum();
        dz[c] = p != 0.0 ? static_cast<float>(-dh * p * (mean - distance)) : 0.0f;
    }
}

template <class F> void each_row(F f, operand<float> out, const dn_call *call, dn_gpu_stream stream)
{
    const int64_t rows = dn__rows(call->in_info[0]);
    DN_LAUNCH(row_kernel<F>, row_grid(rows, call->members), row_block(), 0, stream, f, input<float>(call, 0), out, rows,
              static_cast<int>(dn__last(call->in_info[0])));
}

// A number for each row of each member.
static size_t mean_workspace(const dn_call *shapes)
{
    return static_cast<size_t>(shapes->members) * static_cast<size_t>(dn__rows(shapes->in_info[0])) * sizeof(float);
}

template <class F> void mean_of_rows(F f, const dn_call *call, dn_gpu_stream stream)
{
    const int64_t rows = dn__rows(call->in_info[0]);
    const operand<float> scratch = {static_cast<float *>(call->workspace), rows};
    each_row(f, scratch, call, stream);
    DN_LAUNCH(mean_kernel, dim3(1, 1, static_cast<unsigned>(call->members)), dim3(MEAN_THREADS), WARP * sizeof(double),
              stream, operand<const float>{scratch.base, scratch.stride}, output<float>(call, 0), rows);
}

static void launch_cross_entropy(const dn_call *call, dn_gpu_stream stream)
{
    mean_of_rows(cross_entropy_of{input<int32_t>(call, 1)}, call, stream);
}

static void launch_accuracy(const dn_call *call, dn_gpu_stream stream)
{
    mean_of_rows(accuracy_of{input<int32_t>(call, 1)}, call, stream);
}

static void launch_entropy(const dn_call *call, dn_gpu_stream stream)
{
    each_row(entropy_of{}, output<float>(call, 0), call, stream);
}

static void launch_cross_entropy_grad(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t rows = dn__rows(call->in_info[1]);
    DN_LAUNCH(cross_entropy_grad_kernel, row_grid(rows, call->members), row_block(), 0, stream, input<float>(call, 0),
              input<float>(call, 1), input<int32_t>(call, 2), output<float>(call, 0), rows,
              static_cast<int>(dn__last(call->in_info[1])));
}

static void launch_entropy_grad(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t rows = dn__rows(call->in_info[1]);
    DN_LAUNCH(entropy_grad_kernel, row_grid(rows, call->members), row_block(), 0, stream, input<float>(call, 0),
              input<float>(call, 1), output<float>(call, 0), rows, static_cast<int>(dn__last(call->in_info[1])));
}

} // namespace DN_TARGET

DN_GPU_KERNEL(cross_entropy, launch_cross_entropy, DN_TARGET::mean_workspace, nullptr);
DN_GPU_KERNEL(cross_entropy_grad, launch_cross_entropy_grad, nullptr, nullptr);
DN_GPU_KERNEL(accuracy, launch_accuracy, DN_TARGET::mean_workspace, nullptr);
DN_GPU_KERNEL(entropy, launch_entropy, nullptr, nullptr);
DN_GPU_KERNEL(entropy_grad, launch_entropy_grad, nullptr, nullptr);
