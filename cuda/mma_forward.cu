// y = relu(conv(x, w) + b) on tensor cores, bf16 or tf32; linear layers too.
//
// y[n,p,q,k] = sum over r,s,c of x[n, p stride + r - padding, q stride + s - padding, c] w[k,r,s,c]: the product of
// x's patches [N P Q, R S C] and w [K, R S C], both along the depth in memory. Bias and relu are applied to the
// sums in registers. Moves x about R S times from the L2 cache (once from device memory), w once per 128 positions,
// y once. gemm_mma.cuh has the kernel.
#include "cuda/gemm_mma.cuh"

namespace DN_TARGET
{

template <class T> static void forward(const dn_call *call, dn_gpu_stream stream)
{
    const mma_plan plan = mma_plan_of(call);
    const conv_problem p = problem_of(call);
    const operand<const T> x = input<T>(call, 0), w = input<T>(call, 1);
    const patches_by_position<T> a(patches_of_x(p, x));
    plain_matrix<T, true> b = {};
    b.matrix = w, b.rows = p.K, b.columns = p.R * p.S * p.C;
    mma_result<T> y = {};
    y.to = output<T>(call, 0), y.bias = input<float>(call, 2), y.relu = p.relu;
    y.columns = p.K, y.count = dn__count(call->out_info[0]);
    y.packed = takes_packed(y.to, y.columns);
    y.partial = plan.partial ? static_cast<float *>(call->workspace) : nullptr;
    launch_product(plan, a, x, b, w, forward_shape(p), order_of(plan, p, p.P * p.Q), y, p.members, stream);
    if (plan.partial) sum_splits(plan.splits, p.members, y, stream);
}

void mma_forward(const dn_call *call, dn_gpu_stream stream)
{
    if (is_bf16(call->in_info[0]))
        forward<bf16>(call, stream);
    else
        forward<float>(call, stream);
}

} // namespace DN_TARGET
