// dw from x and dy on tensor cores, bf16 or tf32; linear layers too.
//
// dw[k,r,s,c] = sum over n,p,q of dy[n,p,q,k] x[n, p stride + r - padding, q stride + s - padding, c]: the product
// of dy [K, N P Q] and x's patches [R S C, N P Q], both along lines in memory, transposed on their way out of
// shared memory. D is small and the depth long (131072 at batch 128, 32 x 32): it is split until the GPU is full,
// see mma_plan.cu. db is another kernel's, see bias_grad.cu.
#include "cuda/gemm_mma.cuh"

namespace DN_TARGET
{

template <class T> static void weight_grad(const dn_call *call, dn_gpu_stream stream)
{
    const mma_plan plan = mma_plan_of(call);
    const conv_problem p = problem_of(call);
    const operand<const T> x = input<T>(call, 0), dy = input<T>(call, 1);
    const patches_by_tap<T> b(patches_of_x(p, x));
    plain_matrix<T, false> a = {};
    a.matrix = dy, a.rows = p.N * p.P * p.Q, a.columns = p.K;
    mma_result<float> dw = {};
    dw.to = output<float>(call, 0), dw.columns = p.R * p.S * p.C, dw.count = dn__count(call->out_info[0]);
    dw.packed = takes_packed(dw.to, dw.columns);
    dw.partial = plan.partial ? static_cast<float *>(call->workspace) : nullptr;
    launch_product(plan, a, dy, b, x, weight_grad_shape(p), order_of(plan, p, p.P * p.Q), dw, p.members, stream);
    if (plan.partial) sum_splits(plan.splits, p.members, dw, stream);
}

void mma_weight_grad(const dn_call *call, dn_gpu_stream stream)
{
    if (is_bf16(call->in_info[0]))
        weight_grad<bf16>(call, stream);
    else
        weight_grad<float>(call, stream);
}

} // namespace DN_TARGET
