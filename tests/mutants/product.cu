// linear: y[n,k] = sum_c x[n,c] w[k,c] (f32, no bias), in tiles of 16 x 16 x 16 over shared memory.
//
// Thread (x, y) of a block brings one element of each tile and sums one element of the result; blockIdx.z: the member.
#include "tests/mutants/mutants.cuh"

namespace DN_TARGET
{

constexpr int PRODUCT_TILE = 16;

// Element (row, column) of a matrix [rows,columns], 0 outside.
template <mistake M> __device__ float product_load(const float *from, int row, int column, int rows, int columns)
{
    const bool inside = row < rows && (M == LOADS_PAST_THE_EDGE ? column <= columns : column < columns);
    return inside ? from[static_cast<int64_t>(row) * columns + column] : 0.0f;
}

template <mistake M>
__global__ void product_kernel(operand<const float> x, operand<const float> w, operand<float> y, int n, int k, int c)
{
    DN_SHARED(float, left);
    float *const right = left + PRODUCT_TILE * PRODUCT_TILE;
    const int e = static_cast<int>(blockIdx.z), column = static_cast<int>(threadIdx.x),
              row = static_cast<int>(threadIdx.y);
    const int i = static_cast<int>(blockIdx.y) * PRODUCT_TILE + row;
    const int j0 = static_cast<int>(blockIdx.x) * PRODUCT_TILE, j = j0 + column;
    float sum = 0.0f;
    for (int from = 0; from < c; from += PRODUCT_TILE) {
        left[row * PRODUCT_TILE + column] = product_load<M>(x.of(e), i, from + column, n, c);
        right[row * PRODUCT_TILE + column] = product_load<M>(w.of(e), j0 + row, from + column, k, c);
        if (M != NO_BARRIER_BEFORE_USE) __syncthreads();
        for (int t = 0; t < PRODUCT_TILE; t++)
            sum = fmaf(left[row * PRODUCT_TILE + t], right[column * PRODUCT_TILE + t], sum);
        if (M != NO_BARRIER_AFTER_USE) __syncthreads();
    }
    const bool inside = i < n && (M == STORES_PAST_THE_EDGE ? j <= k : j < k);
    if (inside) y.of(e)[static_cast<int64_t>(i) * k + j] = sum;
}

template <mistake M> static void launch_product(const dn_call *call, dn_gpu_stream stream)
{
    const int n = static_cast<int>(call->in_info[0]->shape.dim[0]), c = static_cast<int>(dn__last(call->in_info[0]));
    const int k = static_cast<int>(call->in_info[1]->shape.dim[0]);
    const unsigned across =
        M == LEAVES_THE_LAST_TILE ? static_cast<unsigned>(k / PRODUCT_TILE) : ceil_div(k, PRODUCT_TILE);
    const dim3 grid(across ? across : 1, ceil_div(n, PRODUCT_TILE), static_cast<unsigned>(call->members));
    const size_t bytes = 2 * PRODUCT_TILE * PRODUCT_TILE * sizeof(float);
    DN_LAUNCH(product_kernel<M>, grid, dim3(PRODUCT_TILE, PRODUCT_TILE), bytes, stream, input<float>(call, 0),
              input<float>(call, 1), output<float>(call, 0), n, k, c);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(product_right, launch_product<DN_TARGET::RIGHT>, nullptr, nullptr);
DN_GPU_KERNEL(product_early, launch_product<DN_TARGET::NO_BARRIER_BEFORE_USE>, nullptr, nullptr);
DN_GPU_KERNEL(product_late, launch_product<DN_TARGET::NO_BARRIER_AFTER_USE>, nullptr, nullptr);
DN_GPU_KERNEL(product_stores, launch_product<DN_TARGET::STORES_PAST_THE_EDGE>, nullptr, nullptr);
DN_GPU_KERNEL(product_loads, launch_product<DN_TARGET::LOADS_PAST_THE_EDGE>, nullptr, nullptr);
DN_GPU_KERNEL(product_short, launch_product<DN_TARGET::LEAVES_THE_LAST_TILE>, nullptr, nullptr);
