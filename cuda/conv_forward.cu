// Convolution: y[n,p,q,k] = b[k] + sum over r,s,c of x[n, p stride + r - padding, q stride + s - padding, c]
// w[k,r,s,c], with a relu on top if the op asks for it; linear likewise.
//
// A matrix product [positions, taps] x [taps, filters], see conv_problem.cuh and gemm_f32.cuh. 2 N P Q K R S C
// operations; x, w and y move once where L2 keeps the halo, R S times through L1: bound by the FMA units from some 16
// channels on.
#include "cuda/conv.cuh"
#include "cuda/gemm_f32.cuh"

namespace DN_TARGET
{

static gemm_plan plan_of(const conv_problem &p)
{
    return gemm_plan_f32(forward_shape(p), p.members, p.C % 4 == 0, p.forced);
}

static void forward_f32(const dn_call *call, dn_gpu_stream stream)
{
    const conv_problem p = problem_of(call);
    const gemm_plan plan = plan_of(p);
    const gemm_shape shape = forward_shape(p);
    const operand<const float> x = input<float>(call, 0), w = input<float>(call, 1);
    f32_result y = plain_result(output<float>(call, 0), shape.a, shape.b);
    y.bias = input<float>(call, 2);
    y.relu = p.relu;
    float *const parts = static_cast<float *>(call->workspace);
    gemm_f32(patches_by_position<float>(patches_of_x(p, x)), plain_matrix<float, true>{w, nullptr, p.K, shape.depth},
             plan.splits > 1 ? result_in_parts(y, parts) : y, shape.depth, p.members, plan,
             aligned(x, 16) && aligned(w, 16), stream);
    if (plan.splits > 1) sum_parts(parts, plan.splits, p.members, y, stream);
}

void conv_forward(const dn_call *call, dn_gpu_stream stream)
{
    if (mma_takes(call))
        mma_forward(call, stream);
    else
        forward_f32(call, stream);
}

size_t conv_forward_workspace(const dn_call *shapes)
{
    if (mma_takes(shapes)) return mma_workspace(shapes);
    const conv_problem p = problem_of(shapes);
    return workspace_of(plan_of(p), forward_shape(p), p.members);
}

void conv_forward_describe(const dn_call *shapes, char *text, size_t size)
{
    if (mma_takes(shapes))
        mma_describe(shapes, text, size);
    else
        describe_f32(plan_of(problem_of(shapes)), text, size);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(conv2d, conv_forward, DN_TARGET::conv_forward_workspace, DN_TARGET::conv_forward_describe);
