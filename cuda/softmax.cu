// Softmax and its logarithm over the last dimension, their gradients, and logits masked by class.
//
// p_c = exp(-d_c) / S, ln p_c = -(d_c + ln S); see softmax.cuh. dz_c = p_c (dp_c - sum dp p) for softmax,
// dz_c = dy_c - p_c sum dy for its logarithm. One warp has a row: lane l takes columns l, l + 32, .. in each pass, so
// that a pass reads whole lines; 4 rows to a block, blockIdx.z is the member. Sums join the lanes in a fixed order.
// Every column of the result is written by the lane that has read it, after the last sum: in place is safe. Moves 8 to
// 12 bytes an element, the passes behind the first find them in the L1 cache; small rows are bound by latency.
#include "cuda/softmax.cuh"

namespace DN_TARGET
{

template <bool LOG>
__global__ void softmax_kernel(operand<const float> logits, operand<float> out, int64_t rows, int classes)
{
    const int64_t n = own_row();
    if (n >= rows) return;
    const int e = static_cast<int>(blockIdx.z);
    const float *z = logits.of(e) + n * classes; // [C]
    float *y = out.of(e) + n * classes;          // [C]
    const row_sums sums = sums_of(z, classes);
    const double log_sum = log1p(sums.rest);
    for (int c = own_lane(); c < classes; c += WARP) {
        const double distance = sums.distance(z[c]);
        y[c] = static_cast<float>(LOG ? -(distance + log_sum) : exp(-distance) / sums.sum());
    }
}

// `result`: p or ln p. The differences of nearly equal numbers are taken in double: where one p is close to 1, the
// gradient is what is left of them.
template <bool LOG>
__global__ void softmax_grad_kernel(operand<const float> gradient, operand<const float> result, operand<float> out,
                                    int64_t rows, int classes)
{
    const int64_t n = own_row();
    if (n >= rows) return;
    const int e = static_cast<int>(blockIdx.z);
    const float *dy = gradient.of(e) + n * classes, *y = result.of(e) + n * classes; // [C]
    float *dz = out.of(e) + n * classes;                                             // [C]
    double sum = 0.0;
    for (int c = own_lane(); c < classes; c += WARP) sum += LOG ? dy[c] : static_cast<double>(dy[c]) * y[c];
    sum = warp_sum(sum);
    for (int c = own_lane(); c < classes; c += WARP) {
        const double p = y[c];
        dz[c] = static_cast<float>(LOG ? dy[c] - exp(p) * sum : p * (dy[c] - sum));
    }
}

// Where the mask is 0, `instead` takes the place of x.
__global__ static void mask_kernel(operand<const float> from, operand<const uint8_t> mask, operand<float> out,
                                   float instead, int64_t rows, int classes)
{
    const int64_t n = own_row();
    if (n >= rows) return;
    const int e = static_cast<int>(blockIdx.z);
    const float *x = from.of(e) + n * classes; // [C]
    float *y = out.of(e) + n * classes;        // [C]
    for (int c = own_lane(); c < classes; c += WARP) y[c] = mask.of(e)[c] ? x[c] : instead;
}

static int classes_of(const dn_call *call)
{
    return static_cast<int>(dn__last(call->out_info[0]));
}

template <bool LOG> void forward(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t rows = dn__rows(call->out_info[0]);
    DN_LAUNCH(softmax_kernel<LOG>, row_grid(rows, call->members), row_block(), 0, stream, input<float>(call, 0),
              output<float>(call, 0), rows, classes_of(call));
}

template <bool LOG> void backward(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t rows = dn__rows(call->out_info[0]);
    DN_LAUNCH(softmax_grad_kernel<LOG>, row_grid(rows, call->members), row_block(), 0, stream, input<float>(call, 0),
              input<float>(call, 1), output<float>(call, 0), rows, classes_of(call));
}

static void mask_with(float instead, const dn_call *call, dn_gpu_stream stream)
{
    const int64_t rows = dn__rows(call->out_info[0]);
    DN_LAUNCH(mask_kernel, row_grid(rows, call->members), row_block(), 0, stream, input<float>(call, 0),
              input<uint8_t>(call, 1), output<float>(call, 0), instead, rows, classes_of(call));
}

static void launch_mask_logits(const dn_call *call, dn_gpu_stream stream)
{
    mask_with(-1e30f, call, stream);
}

static void launch_mask_logits_grad(const dn_call *call, dn_gpu_stream stream)
{
    mask_with(0.0f, call, stream);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(softmax, forward<false>, nullptr, nullptr);
DN_GPU_KERNEL(softmax_grad, backward<false>, nullptr, nullptr);
DN_GPU_KERNEL(log_softmax, forward<true>, nullptr, nullptr);
DN_GPU_KERNEL(log_softmax_grad, backward<true>, nullptr, nullptr);
DN_GPU_KERNEL(mask_logits, launch_mask_logits, nullptr, nullptr);
DN_GPU_KERNEL(mask_logits_grad, launch_mask_logits_grad, nullptr, nullptr);
