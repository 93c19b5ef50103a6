// What the batch norm kernels share: how rows [rows,C] are cut among threads, and what is the same in every row.
//
// A block of 256 threads is `lanes` packs of V channels (a tile: up to 128 bytes of a row) times 256 / lanes rows.
// blockIdx = (tile, part, member). Few rows are one part: a block reads its tile for the sums over rows and again to
// apply them. Many rows are cut into up to 128 parts; one kernel leaves two results of each part and channel in the
// workspace, and the blocks of the next, which apply them to the same parts, join those first, each for itself: [parts]
// pairs per channel from the L2 cache, which should take less time than a launch. The cut depends on rows and C, not on
// how many members there are: a member's numbers are the same in every ensemble.
#ifndef DN_CUDA_BATCH_NORM_CUH
#define DN_CUDA_BATCH_NORM_CUH

#include <stdio.h>

#include "cuda/block_reduce.cuh"
#include "cuda/channels.cuh"

namespace DN_TARGET
{

constexpr int NORM_THREADS = 256, NORM_WARPS = NORM_THREADS / WARP;
constexpr int NORM_ROWS = 16;                        // of one thread, in a part; a multiple of any batch
constexpr int NORM_MOST_PARTS = 128, NORM_BATCH = 8; // NORM_BATCH: the most rows that a thread reads at once

// Where the statistics (backward: the two sums) come from.
enum norm_source { FROM_ROWS, FROM_PARTS, GIVEN };

// How the work is cut. Follows from the shape and the element type.
struct norm_cut {
    int64_t rows, part_rows;
    int channels, lanes, parts;
    bool whole; // see channels.cuh; of x, y, dy and dx
};

// Two results of a channel in one part: mean and squares around it; or the sums of d and of d xhat.
struct norm_pair {
    float first, second;
};

// One thread's place: its first channel within the tile and in the tensor, and its first row.
struct norm_seat {
    int in_tile, channel, step; // step: rows from one of its rows to the next
    bool inside;
    int64_t row, last; // rows row, row + step, .. < last are its own
};

template <int V> __device__ norm_seat take_seat(const norm_cut &cut)
{
    norm_seat s;
    const int t = static_cast<int>(threadIdx.x);
    s.in_tile = t % cut.lanes * V;
    s.channel = static_cast<int>(blockIdx.x) * cut.lanes * V + s.in_tile;
    s.step = NORM_THREADS / cut.lanes;
    s.inside = s.channel < cut.channels;
    const int64_t first = blockIdx.y * cut.part_rows, last = first + cut.part_rows;
    s.row = first + t / cut.lanes;
    s.last = last < cut.rows ? last : cut.rows;
    if (!s.inside) s.last = s.row;
    return s;
}

// x[i .. i+V-1] as floats.
template <int V, class T> __device__ void load_row(float to[V], const T *x, int64_t i, bool whole)
{
    const channels_of<T, V> values = load_channels<V>(x, i, whole);
#pragma unroll
    for (int v = 0; v < V; v++) to[v] = to_float(values.at[v]);
}

template <int V, class T> __device__ void store_row(T *y, int64_t i, const float from[V], bool whole)
{
    channels_of<T, V> values;
#pragma unroll
    for (int v = 0; v < V; v++) values.at[v] = from_float<T>(from[v]);
    store_channels<V>(y, i, values, whole);
}

// What is the same for all rows of V channels.
template <int V> struct norm_channels {
    float mean[V], rstd[V], gamma[V], beta[V];
};

// The shared copy of it: [4, lanes * V].
__device__ inline void put_channel(float *shared, int width, int k, const norm_channels<1> &c)
{
    shared[k] = c.mean[0];
    shared[width + k] = c.rstd[0];
    shared[2 * width + k] = c.gamma[0];
    shared[3 * width + k] = c.beta[0];
}

template <int V> __device__ norm_channels<V> get_channels(const float *shared, int width, int in_tile)
{
    norm_channels<V> c;
#pragma unroll
    for (int v = 0; v < V; v++) {
        c.mean[v] = shared[in_tile + v];
        c.rstd[v] = shared[width + in_tile + v];
        c.gamma[v] = shared[2 * width + in_tile + v];
        c.beta[v] = shared[3 * width + in_tile + v];
    }
    return c;
}

__device__ inline float rstd_of(float variance, float epsilon)
{
    return 1.0f / sqrtf(variance + epsilon);
}

// gamma xhat + beta. Forward and backward take the ReLU's decision from this one expression.
__device__ inline float normalized(float xhat, float gamma, float beta)
{
    return fmaf(gamma, xhat, beta);
}

// Sends each channel of the tile to where its parts are joined: f(channel in tile, channel) is called by whole warps.
template <int V, class F> __device__ void by_warps(const norm_cut &cut, F f)
{
    const int width = cut.lanes * V, first = static_cast<int>(blockIdx.x) * width;
    for (int k = static_cast<int>(threadIdx.x) / WARP; k < width && first + k < cut.channels; k += NORM_WARPS)
        f(k, first + k);
}

// Tiles as wide as 128 bytes of a row, narrower where much of the last tile would lie idle, but not below 32 bytes.
inline int norm_lanes(const dn_tensor_info *x)
{
    const int v = channels_at_once(x), bytes = v * (is_bf16(x) ? 2 : 4);
    const int64_t packs = dn__last(x) / v;
    int lanes = 1;
    while (lanes < packs && lanes * 2 * bytes <= 128 && lanes < WARP) lanes *= 2;
    while (lanes * bytes > 32 && ceil_div(packs, lanes) * lanes > packs + packs / 8) lanes /= 2;
    return lanes;
}

inline norm_cut norm_cut_of(const dn_tensor_info *x)
{
    norm_cut cut = {};
    cut.rows = dn__rows(x);
    cut.channels = static_cast<int>(dn__last(x));
    cut.lanes = norm_lanes(x);
    const int64_t least = NORM_THREADS / cut.lanes * NORM_ROWS, even = ceil_div(cut.rows, NORM_MOST_PARTS);
    cut.part_rows = even <= least ? least : ceil_div(even, least) * least;
    cut.parts = static_cast<int>(ceil_div(cut.rows, cut.part_rows));
    return cut;
}

inline size_t norm_workspace(const dn_call *shapes)
{
    const norm_cut cut = norm_cut_of(shapes->in_info[0]);
    const size_t pairs = static_cast<size_t>(cut.channels) * cut.parts * shapes->members;
    return cut.parts > 1 ? pairs * sizeof(norm_pair) : 0;
}

inline dim3 norm_grid(const norm_cut &cut, int v, int members)
{
    return dim3(ceil_div(cut.channels, cut.lanes * v), static_cast<unsigned>(cut.parts),
                static_cast<unsigned>(members));
}

// Of any of the kernels: 6 rows of coefficients, 2 of each warp's results, and a count of each warp.
inline size_t norm_shared(const norm_cut &cut, int v)
{
    return sizeof(float) * ((6 + 2 * NORM_WARPS) * static_cast<size_t>(cut.lanes * v) + NORM_WARPS);
}

inline void describe_norm(const dn_call *shapes, char *text, size_t size)
{
    const norm_cut cut = norm_cut_of(shapes->in_info[0]);
    snprintf(text, size, "%s %s in %d part%s", dn_op_name(shapes->op->kind),
             is_bf16(shapes->in_info[0]) ? "bf16" : "f32", cut.parts, cut.parts == 1 ? "" : "s");
}

} // namespace DN_TARGET
#endif
