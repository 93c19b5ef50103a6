// The gradient of a convolution's input: dx[n,h,w,c] = sum over r,s,k of dy[n,p,q,k] w[k,r,s,c], over the outputs with
// h = p stride + r - padding, w = q stride + s - padding; linear likewise.
//
// A matrix product [pixels, taps] x [taps, channels], one per phase of the stride (conv_problem.cuh), so that no
// product is spent on taps that fall between outputs. As many operations as the forward op, and bound by the same.
#include "cuda/conv.cuh"
#include "cuda/gemm_f32.cuh"

namespace DN_TARGET
{

static gemm_plan plan_of(const conv_problem &p, const conv_phase &f)
{
    return gemm_plan_f32(data_grad_shape(p, f), p.members, p.C % 4 == 0 && p.K % 4 == 0, p.forced);
}

static void phase_f32(const dn_call *call, const conv_problem &p, const conv_phase &f, dn_gpu_stream stream)
{
    const gemm_plan plan = plan_of(p, f);
    const gemm_shape shape = data_grad_shape(p, f);
    const operand<const float> dy = input<float>(call, 0), w = input<float>(call, 1);
    f32_result dx = plain_result(output<float>(call, 0), shape.a, shape.b);
    dx.rows = rows_of_phase(p, f);
    float *const parts = static_cast<float *>(call->workspace);
    gemm_f32(patches_by_position<float>(patches_of_dy(p, f, dy)), filters_of_phase(p, f, w),
             plan.splits > 1 ? result_in_parts(dx, parts) : dx, shape.depth, p.members, plan,
             aligned(dy, 16) && aligned(w, 16), stream);
    if (plan.splits > 1) sum_parts(parts, plan.splits, p.members, dx, stream);
}

void conv_data_grad(const dn_call *call, dn_gpu_stream stream)
{
    if (mma_takes(call)) {
        mma_data_grad(call, stream);
        return;
    }
    const conv_problem p = problem_of(call);
    for (int k = 0; k < phases_of(p); k++) {
        const conv_phase f = phase_of(p, k);
        if (f.H > 0 && f.W > 0) phase_f32(call, p, f, stream);
    }
}

// Phases run one after another and share the memory.
size_t conv_data_grad_workspace(const dn_call *shapes)
{
    if (mma_takes(shapes)) return mma_workspace(shapes);
    const conv_problem p = problem_of(shapes);
    size_t most = 0;
    for (int k = 0; k < phases_of(p); k++) {
        const conv_phase f = phase_of(p, k);
        if (f.H == 0 || f.W == 0) continue;
        const size_t bytes = workspace_of(plan_of(p, f), data_grad_shape(p, f), p.members);
        most = bytes > most ? bytes : most;
    }
    return most;
}

// The first phase stands for all.
void conv_data_grad_describe(const dn_call *shapes, char *text, size_t size)
{
    if (mma_takes(shapes)) {
        mma_describe(shapes, text, size);
        return;
    }
    const conv_problem p = problem_of(shapes);
    describe_f32(plan_of(p, phase_of(p, 0)), text, size);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(conv2d_data_grad, conv_data_grad, DN_TARGET::conv_data_grad_workspace,
              DN_TARGET::conv_data_grad_describe);
