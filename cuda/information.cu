// Mutual information between prediction and member, the one place where members meet:
//   MI[n] = (1/E) sum_e sum_c p_ec (ln p_ec - ln m_c), m_c = (1/E) sum_e p_ec, floored at 0;
//   dz_ec = dMI[n] / E * p_ec (g_ec - sum_k p_ek g_ek), g_ec = ln p_ec - ln m_c.
//
// Members that nearly agree differ by d in ln p and by d^2 in MI, so that everything from the logits on is in double:
// MI is then right to f32 down to d = 1e-4. ln m is taken from logarithms, so that a small p does not become 0 on the
// way. Three launches, each parallel over what it can be: (1) a warp per row of each member: ln S[e,n] to scratch
// memory; (2) a thread per image and class: ln m[n,c] to scratch memory; (3) the information: a warp per image whose
// lanes share out the E C terms, or the gradient: a warp per row of each member. Moves 12 bytes a logit (16 with the
// gradient) and computes 3 exponentials for it (4); at the sizes of a training step latency bounds it.
#include <math.h>

#include "cuda/rows.cuh"

namespace DN_TARGET
{

// What the launches tell each other.
struct scratch {
    double *log_sums;  // [E,N], ln sum_c exp z_ec
    double *log_means; // [N,C], ln m_c
    int64_t rows;
    int classes, members;
};

static size_t scratch_doubles(int64_t rows, int64_t classes, int members)
{
    return static_cast<size_t>(rows) * (static_cast<size_t>(members) + static_cast<size_t>(classes));
}

static int logits_of(const dn_call *call)
{
    return call->op->kind == DN_OP_MUTUAL_INFORMATION ? 0 : 1;
}

static size_t information_workspace(const dn_call *shapes)
{
    const dn_tensor_info *logits = shapes->in_info[logits_of(shapes)];
    return scratch_doubles(dn__rows(logits), dn__last(logits), shapes->members) * sizeof(double);
}

__global__ static void log_sum_kernel(operand<const float> logits, scratch s)
{
    const int64_t n = own_row();
    if (n >= s.rows) return;
    const int e = static_cast<int>(blockIdx.z);
    const float *z = logits.of(e) + n * s.classes; // [C]
    float largest = -INFINITY;
    for (int c = own_lane(); c < s.classes; c += WARP) largest = largest_of<float>()(largest, z[c]);
    largest = warp_max(largest);
    double sum = 0.0;
    for (int c = own_lane(); c < s.classes; c += WARP) sum += exp(static_cast<double>(z[c]) - largest);
    sum = warp_sum(sum);
    if (own_lane() == 0) s.log_sums[e * s.rows + n] = largest + log(sum);
}

constexpr unsigned MEAN_THREADS = 64;

__global__ static void log_mean_kernel(operand<const float> logits, scratch s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * MEAN_THREADS + threadIdx.x, n = i / s.classes;
    if (n >= s.rows) return;
    double largest = -INFINITY, sum = 0.0;
    for (int e = 0; e < s.members; e++) {
        const double log_p = logits.of(e)[i] - s.log_sums[e * s.rows + n];
        if (!(log_p <= largest)) largest = log_p;
    }
    for (int e = 0; e < s.members; e++) sum += exp(logits.of(e)[i] - s.log_sums[e * s.rows + n] - largest);
    s.log_means[i] = largest + log(sum / s.members);
}

// A class with p = 0 adds nothing.
__global__ static void information_kernel(operand<const float> logits, scratch s, float *out)
{
    const int64_t n = own_row(), terms = static_cast<int64_t>(s.members) * s.classes;
    if (n >= s.rows) return;
    double sum = 0.0;
    for (int64_t i = own_lane(); i < terms; i += WARP) {
        const int e = static_cast<int>(i / s.classes), c = static_cast<int>(i % s.classes);
        const double log_p = logits.of(e)[n * s.classes + c] - s.log_sums[e * s.rows + n], p = exp(log_p);
        if (p != 0.0) sum += p * (log_p - s.log_means[n * s.classes + c]);
    }
    sum = warp_sum(sum);
    if (own_lane() == 0) out[n] = static_cast<float>(sum <= 0.0 ? 0.0 : sum / s.members);
}

__global__ static void information_grad_kernel(const float *gradient, operand<const float> logits, scratch s,
                                               operand<float> out)
{
    const int64_t n = own_row();
    if (n >= s.rows) return;
    const int e = static_cast<int>(blockIdx.z);
    const float *z = logits.of(e) + n * s.classes;        // [C]
    const double *log_mean = s.log_means + n * s.classes; // [C]
    float *dz = out.of(e) + n * s.classes;                // [C]
    const double log_sum = s.log_sums[e * s.rows + n], scale = gradient[n] / static_cast<double>(s.members);
    double mean = 0.0;
    for (int c = own_lane(); c < s.classes; c += WARP) {
        const double log_p = z[c] - log_sum;
        mean += exp(log_p) * (log_p - log_mean[c]);
    }
    mean = warp_sum(mean);
    for (int c = own_lane(); c < s.classes; c += WARP) {
        const double log_p = z[c] - log_sum;
        dz[c] = static_cast<float>(scale * exp(log_p) * (log_p - log_mean[c] - mean));
    }
}

// Launches 1 and 2.
static scratch log_means(const dn_call *call, dn_gpu_stream stream)
{
    const dn_tensor_info *shape = call->in_info[logits_of(call)];
    const operand<const float> logits = input<float>(call, logits_of(call));
    const int64_t rows = dn__rows(shape), count = dn__count(shape);
    double *memory = static_cast<double *>(call->workspace);
    const scratch s = {memory, memory + call->members * rows, rows, static_cast<int>(dn__last(shape)), call->members};
    DN_LAUNCH(log_sum_kernel, row_grid(rows, call->members), row_block(), 0, stream, logits, s);
    DN_LAUNCH(log_mean_kernel, dim3(ceil_div(count, MEAN_THREADS)), dim3(MEAN_THREADS), 0, stream, logits, s);
    return s;
}

static void launch_mutual_information(const dn_call *call, dn_gpu_stream stream)
{
    const scratch s = log_means(call, stream);
    DN_LAUNCH(information_kernel, row_grid(s.rows, 1), row_block(), 0, stream, input<float>(call, 0), s,
              static_cast<float *>(call->out[0]));
}

static void launch_mutual_information_grad(const dn_call *call, dn_gpu_stream stream)
{
    const scratch s = log_means(call, stream);
    DN_LAUNCH(information_grad_kernel, row_grid(s.rows, s.members), row_block(), 0, stream,
              static_cast<const float *>(call->in[0]), input<float>(call, 1), s, output<float>(call, 0));
}

} // namespace DN_TARGET

DN_GPU_KERNEL(mutual_information, launch_mutual_information, DN_TARGET::information_workspace, nullptr);
DN_GPU_KERNEL(mutual_information_grad, launch_mutual_information_grad, DN_TARGET::information_workspace, nullptr);
