// Matrix products on tensor cores: D[a, b] = sum over depth of A[a, depth] B[b, depth], from views of
// conv_problem.cuh.
//
// A block of 4 warps computes a tile of D, up to 128 x 128; a warp up to 64 x 64 of it, in registers. The depth is
// walked in slices of 64 bytes through a ring of 4 slots in shared memory: while one is multiplied, copies into the
// next three are under way. One barrier per slice: behind it, slice i has arrived for everybody, and the slot of
// slice i - 1, which everybody has left, is filled with slice i + 3.
//
// blockIdx.x: tile, those of the same lines of A side by side, so that they meet in the L2 cache; y: split; z:
// member. Where tiles are too few to fill a GPU, the depth is split: each split writes its sums to the workspace
// [splits, members, rows, columns], and a second kernel adds them in order. Every sum has a fixed order, whatever
// the tile. Slices that lie in the padding altogether are left out, see mma_order.cuh.
//
// Bound by the tensor cores if C and K are large: a 128 x 128 tile reads 16 KiB per slice for 512 KiMAC (bf16).
// By published figures mma.sync reaches about 63 % of what wgmma does on sm_90; that would be another case in
// launch_product().
#ifndef DN_CUDA_GEMM_MMA_CUH
#define DN_CUDA_GEMM_MMA_CUH

#include "cuda/conv_mma.cuh"
#include "cuda/conv_problem.cuh"
#include "cuda/mma_tile.cuh"

namespace DN_TARGET
{

constexpr int MMA_SLOTS = 4;

// What becomes of the sums.
template <class OUT> struct mma_result {
    operand<OUT> to;           // [rows, columns]
    operand<const float> bias; // [columns], may be left out
    bool relu, packed;         // packed: 8 bytes can be written at once
    int columns;
    result_rows rows;
    float *partial; // [splits, members, count], or nullptr: not split
    int64_t count;  // elements of D, all phases
};

struct mma_split {
    gemm_shape shape;
    mma_order order; // of positions: lines of A, or the depth if A runs along lines
    int tiles_b, splits;
    int piece_a, piece_b; // how many neighbouring elements can be copied at once
};

// Whether results can be written 8 bytes at a time.
template <class OUT> bool takes_packed(const operand<OUT> &to, int columns)
{
    return columns % static_cast<int>(8 / sizeof(OUT)) == 0 && aligned(to, 8);
}

// The order of a call's positions, on a grid of `places` per image.
inline mma_order order_of(const mma_plan &plan, const conv_problem &p, int places)
{
    return {plan.grouped, places, divide_by(p.N)};
}

template <int A, int B, int WARPS, int RESIDENT> struct mma_block {
    static constexpr int LINES_A = A, LINES_B = B, WARPS_A = WARPS, WARPS_B = MMA_THREADS / 32 / WARPS;
    static constexpr int WARP_A = A / WARPS_A, WARP_B = B / WARPS_B, BLOCKS_PER_SM = RESIDENT;
};

__device__ __forceinline__ void mma(bf16, float d[4], const uint32_t a[4], const uint32_t b[2])
{
    mma_bf16(d, a, b);
}

__device__ __forceinline__ void mma(float, float d[4], const uint32_t a[4], const uint32_t b[2])
{
    mma_tf32(d, a, b);
}

// sums += a warp's share of one slice.
template <class TILE_A, class TILE_B, class T, class BLOCK>
__device__ __forceinline__ void multiply(float (&sums)[BLOCK::WARP_A / 16][BLOCK::WARP_B / 8][4],
                                         const unsigned char *a, const unsigned char *b, int line_a, int line_b)
{
#pragma unroll
    for (int step = 0; step < MMA_SLICE / 32; step++) {
        uint32_t left[BLOCK::WARP_A / 16][4], right[BLOCK::WARP_B / 16][4];
#pragma unroll
        for (int i = 0; i < BLOCK::WARP_A / 16; i++) TILE_A::template fragment<true>(left[i], a, line_a + 16 * i, step);
#pragma unroll
        for (int j = 0; j < BLOCK::WARP_B / 16; j++)
            TILE_B::template fragment<false>(right[j], b, line_b + 16 * j, step);
#pragma unroll
        for (int i = 0; i < BLOCK::WARP_A / 16; i++)
#pragma unroll
            for (int j = 0; j < BLOCK::WARP_B / 8; j++) mma(T{}, sums[i][j], left[i], right[j / 2] + j % 2 * 2);
    }
}

// Stores two neighbouring fragments' values of a row, the first in column `column`, 8 bytes per lane, four lanes on
// 32 bytes side by side. All lanes call; row is nullptr outside of D.
__device__ __forceinline__ void store_packed(float *row, int column, int columns, const float v[4])
{
    const int at = column + 2 * static_cast<int>(threadIdx.x % 4);
    if (row && at < columns) *reinterpret_cast<float2 *>(row + at) = make_float2(v[0], v[1]);
    if (row && at + 8 < columns) *reinterpret_cast<float2 *>(row + at + 8) = make_float2(v[2], v[3]);
}

// A lane has 4 bytes of each fragment: even lanes take their neighbour's of the first one, odd lanes of the second.
__device__ __forceinline__ void store_packed(bf16 *row, int column, int columns, const float v[4])
{
    const bool odd = threadIdx.x % 2 == 1;
    const uint32_t first = pack_bf16(v[0], v[1]), second = pack_bf16(v[2], v[3]);
    const uint32_t got = __shfl_xor_sync(0xffffffffu, odd ? first : second, 1);
    const int at = column + (odd ? 8 : 0) + 4 * (static_cast<int>(threadIdx.x % 4) / 2);
    if (row && at < columns)
        *reinterpret_cast<uint2 *>(row + at) = odd ? make_uint2(got, second) : make_uint2(first, got);
}

// Bias and relu. NaN stays NaN.
__device__ __forceinline__ float finish(float sum, float bias, bool relu)
{
    const float y = sum + bias;
    return relu && y <= 0.0f ? 0.0f : y;
}

// Writes a warp's sums, whose first is D[line, column].
template <class T, class OUT, class BLOCK>
__device__ __forceinline__ void store_sums(const float (&sums)[BLOCK::WARP_A / 16][BLOCK::WARP_B / 8][4], T *to,
                                           const float *bias, const mma_result<OUT> &result, const mma_order &order,
                                           int lines, int line, int column)
{
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const bool relu = result.relu && !result.partial;
    T *rows[BLOCK::WARP_A / 8];
#pragma unroll
    for (int i = 0; i < BLOCK::WARP_A / 8; i++) {
        const int own = line + 8 * i + lane / 4;
        rows[i] = own < lines ? to + result.rows.of(order.position(own)) * result.columns : nullptr;
    }
#pragma unroll
    for (int j = 0; j < BLOCK::WARP_B / 8; j += 2) {
        int at[4];
        float added[4], v[4];
#pragma unroll
        for (int k = 0; k < 4; k++) {
            at[k] = column + 8 * (j + k / 2) + 2 * (lane % 4) + k % 2;
            added[k] = bias && at[k] < result.columns ? bias[at[k]] : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < BLOCK::WARP_A / 8; i++) {
#pragma unroll
            for (int k = 0; k < 4; k++) v[k] = finish(sums[i / 2][j + k / 2][i % 2 * 2 + k % 2], added[k], relu);
            if (result.packed) {
                store_packed(rows[i], column + 8 * j, result.columns, v);
                continue;
            }
#pragma unroll
            for (int k = 0; k < 4; k++)
                if (rows[i] && at[k] < result.columns) rows[i][at[k]] = from_float<T>(v[k]);
        }
    }
}

// The cells of the depth that a block walks.
template <class A, class B, class BLOCK>
__device__ mma_cells cells_of_block(const A &a, const B &b, const mma_split &split, int line_a, int line_b, int slice)
{
    if (!split.order.grouped) return whole_depth((split.shape.depth + slice - 1) / slice);
    if constexpr (A::ALONG_DEPTH) {
        const int last = line_a + BLOCK::LINES_A < split.shape.a ? line_a + BLOCK::LINES_A : split.shape.a;
        return cells_of_lines(a, split.order, line_a, last - 1, slice);
    } else {
        const int last = line_b + BLOCK::LINES_B < split.shape.b ? line_b + BLOCK::LINES_B : split.shape.b;
        return cells_of_taps(b, split.order, line_b, last - 1, slice);
    }
}

// A block's share of the slices: first and how many.
struct mma_range {
    int first, count;
};

__device__ inline mma_range range_of_split(int slices, int splits, int split)
{
    const int each = (slices + splits - 1) / splits, first = split * each, left = slices - first;
    return {first, left < 0 ? 0 : left < each ? left : each};
}

template <class A, class B, class OUT, class BLOCK, bool VECTOR>
__global__ void __launch_bounds__(MMA_THREADS, BLOCK::BLOCKS_PER_SM)
    gemm_mma_kernel(A a, B b, mma_split split, mma_result<OUT> result)
{
    using T = typename A::element;
    using fill_a = mma_filler<A, BLOCK::LINES_A, VECTOR>;
    using fill_b = mma_filler<B, BLOCK::LINES_B, VECTOR>;
    constexpr int SLOT = fill_a::tile::BYTES + fill_b::tile::BYTES;
    DN_SHARED(unsigned char, ring);
    const int e = static_cast<int>(blockIdx.z), tile = static_cast<int>(blockIdx.x);
    const int line_a = tile / split.tiles_b * BLOCK::LINES_A, line_b = tile % split.tiles_b * BLOCK::LINES_B;
    const int warp = static_cast<int>(threadIdx.x) / 32;
    const int warp_a = warp / BLOCK::WARPS_B * BLOCK::WARP_A, warp_b = warp % BLOCK::WARPS_B * BLOCK::WARP_B;
    constexpr int SLICE = fill_a::tile::DEPTH;
    constexpr bool ALONG_DEPTH = A::ALONG_DEPTH;
    const mma_order as_numbered = {};
    const mma_order of_depth = ALONG_DEPTH ? as_numbered : split.order;
    const fill_a from_a(a, e, line_a, ALONG_DEPTH ? split.order : as_numbered, of_depth);
    const fill_b from_b(b, e, line_b, as_numbered, of_depth);
    const mma_cells cells = cells_of_block<A, B, BLOCK>(a, b, split, line_a, line_b, SLICE);
    const mma_range range = range_of_split(cells.slices(), split.splits, static_cast<int>(blockIdx.y));
    mma_walk walk(cells, range.first, SLICE);
    float sums[BLOCK::WARP_A / 16][BLOCK::WARP_B / 8][4] = {};

    int filled = 0, taken = 0; // slots
#pragma unroll 1
    for (int i = 1 - MMA_SLOTS; i < range.count; i++) {
        if (i >= 0) {
            copy_wait<MMA_SLOTS - 2>();
            __syncthreads();
        }
        if (i + MMA_SLOTS - 1 < range.count) {
            from_a.fill(ring + filled * SLOT, walk.depth, split.piece_a);
            from_b.fill(ring + filled * SLOT + fill_a::tile::BYTES, walk.depth, split.piece_b);
            walk.advance();
            filled = filled + 1 < MMA_SLOTS ? filled + 1 : 0;
        }
        copy_commit(); // an empty group where nothing is left, so that counting them goes on
        if (i < 0) continue;
        multiply<typename fill_a::tile, typename fill_b::tile, T, BLOCK>(
            sums, ring + taken * SLOT, ring + taken * SLOT + fill_a::tile::BYTES, warp_a, warp_b);
        taken = taken + 1 < MMA_SLOTS ? taken + 1 : 0;
    }

    const mma_order of_lines = ALONG_DEPTH ? split.order : as_numbered;
    if (result.partial) {
        const int64_t part = static_cast<int64_t>(blockIdx.y) * gridDim.z + blockIdx.z;
        store_sums<float, OUT, BLOCK>(sums, result.partial + part * result.count, nullptr, result, of_lines,
                                      split.shape.a, line_a + warp_a, line_b + warp_b);
    } else {
        const float *const bias = result.bias ? result.bias.of(e) : nullptr;
        store_sums<OUT, OUT, BLOCK>(sums, result.to.of(e), bias, result, of_lines, split.shape.a, line_a + warp_a,
                                    line_b + warp_b);
    }
}

// D = the sum of the splits' parts, in order. One thread per element: reads splits * 4 bytes, coalesced.
template <class OUT> __global__ void sum_splits_kernel(int splits, mma_result<OUT> result)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x, next = result.count * gridDim.z;
    const float *const bias = result.bias ? result.bias.of(e) : nullptr;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < result.count; i += step) {
        const float *from = result.partial + e * result.count + i;
        float sum = 0.0f;
#pragma unroll 8
        for (int k = 0; k < splits; k++, from += next) sum += *from;
        result.to.of(e)[i] = from_float<OUT>(finish(sum, bias ? bias[i % result.columns] : 0.0f, result.relu));
    }
}

template <class OUT> void sum_splits(int splits, int members, const mma_result<OUT> &result, dn_gpu_stream stream)
{
    const unsigned blocks = ceil_div(result.count, 256), most = 2048;
    DN_LAUNCH(sum_splits_kernel<OUT>, dim3(blocks < most ? blocks : most, 1, static_cast<unsigned>(members)), dim3(256),
              0, stream, splits, result);
}

template <class BLOCK, bool VECTOR, class A, class B, class OUT>
void launch_blocks(const A &a, const B &b, mma_split split, const mma_result<OUT> &result, int members,
                   dn_gpu_stream stream)
{
    using tile_a = mma_tile<typename A::element, BLOCK::LINES_A, A::ALONG_DEPTH>;
    using tile_b = mma_tile<typename B::element, BLOCK::LINES_B, B::ALONG_DEPTH>;
    split.tiles_b = static_cast<int>(ceil_div(split.shape.b, BLOCK::LINES_B));
    const unsigned tiles = ceil_div(split.shape.a, BLOCK::LINES_A) * static_cast<unsigned>(split.tiles_b);
    const dim3 grid(tiles, static_cast<unsigned>(split.splits), static_cast<unsigned>(members));
    constexpr int BYTES = MMA_SLOTS * (tile_a::BYTES + tile_b::BYTES);
    DN_LAUNCH((gemm_mma_kernel<A, B, OUT, BLOCK, VECTOR>), grid, dim3(MMA_THREADS), BYTES, stream, a, b, split, result);
}

// Elements per copy: the most, up to a chunk, that divide the view's runs and the operand's alignment.
template <class T> int piece_of(int whole, const operand<const T> &o)
{
    int piece = MMA_CHUNK / sizeof(T);
    while (piece > 1 && (whole % piece != 0 || !aligned(o, piece * sizeof(T)))) piece /= 2;
    return piece;
}

// The one place where a kernel is chosen for a product: by the plan's tile, and by how far its operands are aligned.
template <class A, class B, class OUT, class T>
void launch_product(const mma_plan &plan, const A &a, const operand<const T> &memory_a, const B &b,
                    const operand<const T> &memory_b, gemm_shape shape, const mma_order &order,
                    const mma_result<OUT> &result, int members, dn_gpu_stream stream)
{
    constexpr int FULL = MMA_CHUNK / sizeof(T);
    constexpr bool TURNED = !A::ALONG_DEPTH; // the weight gradient's D is low and wide, the others' high and narrow
    const mma_split split = {
        shape, order, 0, plan.splits, piece_of(a.whole(), memory_a), piece_of(b.whole(), memory_b)};
    if (split.piece_a < FULL || split.piece_b < FULL)
        return launch_blocks<mma_block<64, 64, 2, 4>, false>(a, b, split, result, members, stream);
    switch (plan.tile) {
    case MMA_LARGE: return launch_blocks<mma_block<128, 128, 2, 2>, true>(a, b, split, result, members, stream);
    case MMA_MIDDLE:
        return launch_blocks<mma_block<TURNED ? 64 : 128, TURNED ? 128 : 64, 2, 3>, true>(a, b, split, result, members,
                                                                                          stream);
    case MMA_THIN:
        return launch_blocks<mma_block<TURNED ? 32 : 128, TURNED ? 128 : 32, TURNED ? 1 : 4, 4>, true>(
            a, b, split, result, members, stream);
    default: return launch_blocks<mma_block<64, 64, 2, 4>, true>(a, b, split, result, members, stream);
    }
}

} // namespace DN_TARGET
#endif
