// The gradient of a convolution's filters: dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] x[n, p stride + r - padding,
// q stride + s - padding, c], and that of its bias (bias_grad.cu); linear likewise.
//
// A matrix product [filters, positions] x [positions, taps]: small, but deep (N P Q), so the depth is split until it
// fills a GPU; see gemm_f32.cuh. As many operations as the forward op, plus the parts: K R S C 8 bytes each, written
// and read.
#include "cuda/conv.cuh"
#include "cuda/gemm_f32.cuh"

namespace DN_TARGET
{

static gemm_plan plan_of(const conv_problem &p)
{
    return gemm_plan_f32(weight_grad_shape(p), p.members, p.C % 4 == 0 && p.K % 4 == 0, p.forced);
}

static void weight_grad_f32(const dn_call *call, dn_gpu_stream stream)
{
    const conv_problem p = problem_of(call);
    const gemm_plan plan = plan_of(p);
    const gemm_shape shape = weight_grad_shape(p);
    const operand<const float> x = input<float>(call, 0), dy = input<float>(call, 1);
    const f32_result dw = plain_result(output<float>(call, 0), shape.a, shape.b);
    float *const parts = static_cast<float *>(call->workspace);
    gemm_f32(plain_matrix<float, false>{dy, nullptr, shape.depth, p.K}, patches_by_tap<float>(patches_of_x(p, x)),
             plan.splits > 1 ? result_in_parts(dw, parts) : dw, shape.depth, p.members, plan,
             aligned(x, 16) && aligned(dy, 16), stream);
    if (plan.splits > 1) sum_parts(parts, plan.splits, p.members, dw, stream);
}

void conv_weight_grad(const dn_call *call, dn_gpu_stream stream)
{
    if (mma_takes(call))
        mma_weight_grad(call, stream);
    else
        weight_grad_f32(call, stream);
    if (call->out[1]) bias_grad(call, stream);
}

// Weights and bias run one after another and share the memory.
size_t conv_weight_grad_workspace(const dn_call *shapes)
{
    const conv_problem p = problem_of(shapes);
    const size_t weights =
        mma_takes(shapes) ? mma_workspace(shapes) : workspace_of(plan_of(p), weight_grad_shape(p), p.members);
    const size_t bias = shapes->out_info[1] ? bias_grad_workspace(shapes) : 0;
    return weights > bias ? weights : bias;
}

void conv_weight_grad_describe(const dn_call *shapes, char *text, size_t size)
{
    if (mma_takes(shapes))
        mma_describe(shapes, text, size);
    else
        describe_f32(plan_of(problem_of(shapes)), text, size);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(conv2d_weight_grad, conv_weight_grad, DN_TARGET::conv_weight_grad_workspace,
              DN_TARGET::conv_weight_grad_describe);
