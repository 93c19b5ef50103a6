// A warp for each row [C] of each member: lane l has columns l, l + 32, ..; blockIdx.z is the member.
#ifndef DN_CUDA_ROWS_CUH
#define DN_CUDA_ROWS_CUH

#include "cuda/block_reduce.cuh"
#include "cuda/operand.cuh"

namespace DN_TARGET
{

constexpr unsigned ROW_WARPS = 4; // rows that a block has

inline dim3 row_grid(int64_t rows, int members)
{
    return dim3(ceil_div(rows, ROW_WARPS), 1, static_cast<unsigned>(members));
}

inline dim3 row_block()
{
    return dim3(ROW_WARPS * WARP);
}

// This warp's row, which may lie behind the last one.
__device__ inline int64_t own_row()
{
    return static_cast<int64_t>(blockIdx.x) * ROW_WARPS + threadIdx.x / WARP;
}

__device__ inline int own_lane()
{
    return static_cast<int>(threadIdx.x % WARP);
}

} // namespace DN_TARGET
#endif
