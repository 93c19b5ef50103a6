// dx from dy and w on tensor cores, bf16 or tf32; linear layers too.
//
// dx[n,h,w,c] = sum over r,s,k of dy[n, (h + padding - r) / stride, (w + padding - s) / stride, k] w[k,r,s,c],
// where the divisions leave no rest. One product per phase (see conv_problem.cuh), so that no zeros are multiplied
// for the stride's sake: dy's patches [N H W, R S K] along the depth in memory, and w [C, R S K] along c, which
// fragments transpose on their way out of shared memory. Moves dy about R S times from the L2 cache, w once per 128
// pixels, dx once.
#include "cuda/gemm_mma.cuh"

namespace DN_TARGET
{

template <class T> static void data_grad(const dn_call *call, dn_gpu_stream stream)
{
    const mma_plan plan = mma_plan_of(call);
    const conv_problem p = problem_of(call);
    const operand<const T> dy = input<T>(call, 0), w = input<T>(call, 1);
    mma_result<T> dx = {};
    dx.to = output<T>(call, 0), dx.columns = p.C, dx.count = dn__count(call->out_info[0]);
    dx.packed = takes_packed(dx.to, dx.columns);
    dx.partial = plan.partial ? static_cast<float *>(call->workspace) : nullptr;
    for (int k = 0; k < phases_of(p); k++) {
        const conv_phase f = phase_of(p, k);
        if (f.H == 0 || f.W == 0) continue;
        dx.rows = rows_of_phase(p, f);
        const patches_by_position<T> a(patches_of_dy(p, f, dy));
        launch_product(plan, a, dy, filters_of_phase(p, f, w), w, data_grad_shape(p, f), order_of(plan, p, f.H * f.W),
                       dx, p.members, stream);
    }
    if (plan.partial) sum_splits(plan.splits, p.members, dx, stream);
}

void mma_data_grad(const dn_call *call, dn_gpu_stream stream)
{
    if (is_bf16(call->in_info[0]))
        data_grad<bf16>(call, stream);
    else
        data_grad<float>(call, stream);
}

} // namespace DN_TARGET
