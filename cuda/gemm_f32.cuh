// The matrix product behind every convolution in f32: D[a, b] = sum over depth of A[a, depth] B[b, depth].
//
// A block computes a tile of A_LINES x B_LINES elements of one member's D. It walks along the depth in steps of 8 or
// 16: all threads together bring STEP x A_LINES and STEP x B_LINES numbers to shared memory, [depth][line], then each
// adds STEP outer products of THREAD_A and THREAD_B numbers to its registers. While it does so, its loads of the next
// step are under way to other registers; two buffers in shared memory make one barrier a step enough.
//
// A warp is 4 x 8 threads; a thread's lines of A are 4 l + 0..3 (and 16 more), of B 4 l + 0..3 (and 32 more), so that
// 128-bit reads of shared memory are broadcast or in a row. Lines are padded by 4 against bank conflicts of transposing
// writes.
//
// blockIdx.x: tile, those of the same lines of A side by side (they share the activations in L2); blockIdx.y: which
// part of the depth; blockIdx.z: member. When tiles are too few for a GPU, the depth is split: part s of D goes to
// workspace [splits, members, a, b], and sum_parts() adds the parts in order. Every element is a chain of fmaf in
// order of depth within its part, whatever the tile: the same bytes on every run, and how it is split depends on
// shapes alone.
//
// Bound by the FMA units: a b depth of them. A thread of a 128x128 tile reads 4 x 16 bytes of shared memory per 64
// FMAs, a block 1 KiB of global memory per 16384.
#ifndef DN_CUDA_GEMM_F32_CUH
#define DN_CUDA_GEMM_F32_CUH

#include "cuda/conv_problem.cuh"
#include "cuda/gemm_plan.cuh"
#include "cuda/sum_parts.cuh"

namespace DN_TARGET
{

// Neighbours in memory that move together: one, or four at a multiple of 16 bytes.
template <int COUNT> struct floats {
    float at[COUNT];
};

template <int COUNT> __device__ __forceinline__ floats<COUNT> load_floats(const float *from)
{
    if constexpr (COUNT == 1) {
        return {{*from}};
    } else {
        const float4 four = *reinterpret_cast<const float4 *>(from);
        return {{four.x, four.y, four.z, four.w}};
    }
}

template <int COUNT> __device__ __forceinline__ void store_floats(float *to, const floats<COUNT> &from)
{
    if constexpr (COUNT == 1)
        *to = from.at[0];
    else
        *reinterpret_cast<float4 *>(to) = make_float4(from.at[0], from.at[1], from.at[2], from.at[3]);
}

// D: depth of a step; RESIDENT: blocks that an SM holds at once, at least, which limits their registers.
template <int A, int B, int D, int THREAD_A, int THREAD_B, int RESIDENT> struct f32_tile {
    static constexpr int A_LINES = A, B_LINES = B, STEP = D, BLOCKS = RESIDENT;
    static constexpr int UNROLL = A * B > 128 * 64 ? 2 : 8;    // depths at once; the largest tile is short of registers
    static constexpr int FROM_A = THREAD_A, FROM_B = THREAD_B; // numbers of a thread
    static constexpr int WARP_A = 4 * THREAD_A, WARP_B = 8 * THREAD_B; // of a warp
    static constexpr int WARPS_A = A / WARP_A, THREADS = WARPS_A * (B / WARP_B) * 32;
    static constexpr int BYTES = 2 * D * (A + B + 8) * static_cast<int>(sizeof(float)); // of shared memory
};

// Which lines and depths a thread brings: WIDTH neighbours of memory at once. Pieces of the same thread are numbered
// [depth_of][line_of].
template <int LINES, int STEP, int THREADS, bool ALONG_DEPTH, int WIDTH> struct share {
    static constexpr int PIECES = LINES * STEP / (WIDTH * THREADS);
    static constexpr int HALF = THREADS / 2; // pairs of threads along the depth read 32 bytes together
    static constexpr int RUNS = ALONG_DEPTH ? STEP / WIDTH : LINES / WIDTH;
    static constexpr bool PAIRED = ALONG_DEPTH && WIDTH == 4;
    static constexpr int LINE_COUNT = !ALONG_DEPTH ? 1 : !PAIRED ? PIECES : HALF >= LINES ? 1 : LINES / HALF;
    static constexpr int DEPTH_COUNT = PIECES / LINE_COUNT;
    static_assert(PIECES * WIDTH * THREADS == LINES * STEP, "threads share a step evenly");

    static __device__ int line_of(int thread, int i)
    {
        if (!ALONG_DEPTH) return thread % RUNS * WIDTH;
        return PAIRED ? thread / 2 % LINES + i * HALF : thread / RUNS + i * (THREADS / RUNS);
    }
    static __device__ int depth_of(int thread, int j)
    {
        if (!ALONG_DEPTH) return thread / RUNS + j * (THREADS / RUNS);
        return PAIRED ? 4 * (thread % 2 + 2 * (thread / 2 / LINES + j * (HALF >= LINES ? HALF / LINES : 1)))
                      : thread % RUNS;
    }
};

// One thread's part in moving one operand from global to shared memory.
template <class VIEW, int LINES, int STEP, int THREADS, int WIDTH> struct mover {
    using mine = share<LINES, STEP, THREADS, VIEW::ALONG_DEPTH, WIDTH>;
    static constexpr int ROW = LINES + 4;
    VIEW view;
    typename VIEW::line_t line[mine::LINE_COUNT];
    floats<WIDTH> value[mine::PIECES];

    __device__ mover(const VIEW &v, int member, int first_line) : view(v)
    {
        view.enter(member);
#pragma unroll
        for (int i = 0; i < mine::LINE_COUNT; i++)
            line[i] = view.line(first_line + mine::line_of(static_cast<int>(threadIdx.x), i));
    }
    __device__ void fetch(int depth)
    {
#pragma unroll
        for (int j = 0; j < mine::DEPTH_COUNT; j++) {
            const auto at = view.depth(depth + mine::depth_of(static_cast<int>(threadIdx.x), j));
#pragma unroll
            for (int i = 0; i < mine::LINE_COUNT; i++) {
                const place_of<float> from = view.at(line[i], at);
                value[j * mine::LINE_COUNT + i] =
                    from.inside ? load_floats<WIDTH>(in_device_memory(from.address)) : floats<WIDTH>{};
            }
        }
    }
    __device__ void store(float *shared) const // [STEP][ROW]
    {
#pragma unroll
        for (int j = 0; j < mine::DEPTH_COUNT; j++)
#pragma unroll
            for (int i = 0; i < mine::LINE_COUNT; i++) {
                const floats<WIDTH> &piece = value[j * mine::LINE_COUNT + i];
                float *to = shared + mine::depth_of(static_cast<int>(threadIdx.x), j) * ROW +
                            mine::line_of(static_cast<int>(threadIdx.x), i);
                if constexpr (VIEW::ALONG_DEPTH) {
#pragma unroll
                    for (int k = 0; k < WIDTH; k++) to[k * ROW] = piece.at[k];
                } else {
                    store_floats(to, piece);
                }
            }
    }
};

// One depth of a step: the outer product of this thread's numbers. a, b: this thread's first numbers in shared memory
template <class TILE>
__device__ __forceinline__ void add_outer_product(float (&sum)[TILE::FROM_A][TILE::FROM_B], const float *a,
                                                  const float *b)
{
    floats<4> left[TILE::FROM_A / 4], right[TILE::FROM_B / 4];
#pragma unroll
    for (int i = 0; i < TILE::FROM_A / 4; i++) left[i] = load_floats<4>(a + 16 * i);
#pragma unroll
    for (int j = 0; j < TILE::FROM_B / 4; j++) right[j] = load_floats<4>(b + 32 * j);
#pragma unroll
    for (int i = 0; i < TILE::FROM_A; i++)
#pragma unroll
        for (int j = 0; j < TILE::FROM_B; j++)
            sum[i][j] = fmaf(left[i / 4].at[i % 4], right[j / 4].at[j % 4], sum[i][j]);
}

// Four neighbours of a row, as far as they are in D.
__device__ __forceinline__ void store_four(const f32_result &result, float *row, const float *bias, int column,
                                           const float *sum)
{
    if (result.packed && column < result.b) {
        floats<4> four;
#pragma unroll
        for (int j = 0; j < 4; j++) four.at[j] = result.finish(sum[j], bias, column + j);
        store_floats(row + column, four);
        return;
    }
#pragma unroll
    for (int j = 0; j < 4; j++)
        if (column + j < result.b) row[column + j] = result.finish(sum[j], bias, column + j);
}

template <class TILE>
__device__ __forceinline__ void store_tile(const f32_result &result, int slice, int first_a, int first_b,
                                           const float (&sum)[TILE::FROM_A][TILE::FROM_B])
{
    float *out = result.out.of(slice);
    const float *bias = result.bias ? result.bias.of(slice) : nullptr;
#pragma unroll
    for (int i = 0; i < TILE::FROM_A; i++) {
        const int line = first_a + i / 4 * 16 + i % 4;
        if (line >= result.a) continue;
        float *row = out + result.rows.of(line) * result.b;
#pragma unroll
        for (int j = 0; j < TILE::FROM_B; j += 4) store_four(result, row, bias, first_b + j / 4 * 32, &sum[i][j]);
    }
}

template <class TILE, int WIDTH, class A, class B>
__global__ void __launch_bounds__(TILE::THREADS, TILE::BLOCKS)
    gemm_f32_kernel(A a, B b, f32_result result, int depth, int depth_of_part, int tiles_b)
{
    DN_SHARED(float, shared); // 2 x [STEP][A_LINES + 4], then 2 x [STEP][B_LINES + 4]
    using mover_a = mover<A, TILE::A_LINES, TILE::STEP, TILE::THREADS, WIDTH>;
    using mover_b = mover<B, TILE::B_LINES, TILE::STEP, TILE::THREADS, WIDTH>;
    float *const shared_a = shared, *const shared_b = shared + 2 * TILE::STEP * mover_a::ROW;
    const int member = static_cast<int>(blockIdx.z), tile = static_cast<int>(blockIdx.x);
    const int first = static_cast<int>(blockIdx.y) * depth_of_part;
    const int last = depth - first < depth_of_part ? depth : first + depth_of_part;
    const int tile_a = tile / tiles_b * TILE::A_LINES, tile_b = tile % tiles_b * TILE::B_LINES;
    mover_a from_a(a, member, tile_a);
    mover_b from_b(b, member, tile_b);

    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    const int mine_a = warp % TILE::WARPS_A * TILE::WARP_A + lane / 8 * 4;
    const int mine_b = warp / TILE::WARPS_A * TILE::WARP_B + lane % 8 * 4;
    float sum[TILE::FROM_A][TILE::FROM_B] = {};

    from_a.fetch(first);
    from_b.fetch(first);
    from_a.store(shared_a);
    from_b.store(shared_b);
    __syncthreads();
    int buffer = 0;
    for (int at = first; at < last; at += TILE::STEP) {
        const bool more = at + TILE::STEP < last;
        if (more) {
            from_a.fetch(at + TILE::STEP);
            from_b.fetch(at + TILE::STEP);
        }
        const float *step_a = shared_a + buffer * TILE::STEP * mover_a::ROW + mine_a;
        const float *step_b = shared_b + buffer * TILE::STEP * mover_b::ROW + mine_b;
#pragma unroll(TILE::UNROLL)
        for (int k = 0; k < TILE::STEP; k++)
            add_outer_product<TILE>(sum, step_a + k * mover_a::ROW, step_b + k * mover_b::ROW);
        buffer ^= 1;
        if (more) {
            from_a.store(shared_a + buffer * TILE::STEP * mover_a::ROW);
            from_b.store(shared_b + buffer * TILE::STEP * mover_b::ROW);
        }
        __syncthreads();
    }
    const int slice = static_cast<int>(blockIdx.y * gridDim.z) + member;
    store_tile<TILE>(result, slice, tile_a + mine_a, tile_b + mine_b, sum);
}

template <class TILE, int WIDTH, class A, class B>
void launch_tile(const A &a, const B &b, const f32_result &result, int depth, int members, const gemm_plan &plan,
                 dn_gpu_stream stream)
{
    const unsigned tiles_b = ceil_div(result.b, TILE::B_LINES), tiles = ceil_div(result.a, TILE::A_LINES) * tiles_b;
    const dim3 grid(tiles, static_cast<unsigned>(plan.splits), static_cast<unsigned>(members));
    DN_LAUNCH((gemm_f32_kernel<TILE, WIDTH, A, B>), grid, dim3(TILE::THREADS), TILE::BYTES, stream, a, b, result, depth,
              plan.depth_of_part, static_cast<int>(tiles_b));
}

// Enqueues the product of two views by a plan of gemm_plan_f32() for its shape. Views whose addresses do not allow
// 16-byte reads take the widest tile of single reads, with the same results.
template <class A, class B>
void gemm_f32(const A &a, const B &b, const f32_result &result, int depth, int members, const gemm_plan &plan,
              bool aligned_views, dn_gpu_stream stream)
{
    const auto run = [&](auto launch) { launch(a, b, result, depth, members, plan, stream); };
    switch (plan.wide && !aligned_views ? F32_SINGLE_64x64 : plan.tile) {
    case F32_128x128: return run(launch_tile<f32_tile<128, 128, 8, 8, 8, 2>, 4, A, B>);
    case F32_128x64: return run(launch_tile<f32_tile<128, 64, 8, 8, 8, 3>, 4, A, B>);
    case F32_64x64: return run(launch_tile<f32_tile<64, 64, 16, 4, 8, 4>, 4, A, B>);
    case F32_128x32: return run(launch_tile<f32_tile<128, 32, 16, 8, 4, 4>, 4, A, B>);
    case F32_32x32: return run(launch_tile<f32_tile<32, 32, 16, 4, 4, 8>, 4, A, B>);
    case F32_SINGLE_64x64: return run(launch_tile<f32_tile<64, 64, 16, 4, 8, 3>, 1, A, B>);
    default: return run(launch_tile<f32_tile<32, 32, 16, 4, 4, 6>, 1, A, B>);
    }
}

} // namespace DN_TARGET
#endif
