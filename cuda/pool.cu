// Pooling over windows R x S of images [N,H,W,C] -> [N,P,Q,C], and its gradients.
//
// One thread computes V neighbouring channels (16 bytes) of one pixel of the result; neighbouring threads take the next
// channels, then the next pixel, so that a warp reads and writes whole lines. Gradients gather: a pixel of dx looks at
// every window that covers it, in the order p, q, so that nothing is added up between threads. Windows of more than 32
// pixels (global pooling) are averaged by a block: its threads are `lanes` packs of V channels times 256 / lanes places
// in the window, which are then added in halves in shared memory. blockIdx.z is the member.
//
// Memory bounds all of it: x or y are read once from device memory (pixels in several windows again from a cache), the
// result is written once; max_pool moves one byte more per element of y, the tap, than average_pool.
#include "cuda/block_reduce.cuh"
#include "cuda/channels.cuh"

namespace DN_TARGET
{

constexpr int POOL_THREADS = 256, POOL_LARGE = 32; // POOL_LARGE: the most pixels in a window of one thread

struct pooling {
    int h, w, c, p, q;
    int rows, columns, stride, padding; // of the window
    int64_t images;
    bool whole; // see channels.cuh; of all operands
};

// A thread's pixel of a result with `height` x `width` pixels and its first channel.
struct pool_place {
    int64_t image;
    int row, column, channel;
};

template <int V>
__device__ pool_place pool_place_of(uint32_t i, int64_t first_image, int height, int width, int channels)
{
    const uint32_t packs = static_cast<uint32_t>(channels) / V, pixel = i / packs, line = pixel / width;
    return {first_image + line / height, static_cast<int>(line % height), static_cast<int>(pixel % width),
            static_cast<int>(i % packs) * V};
}

// Where a pixel of x starts, and a pixel of y.
__device__ inline int64_t pool_input(const pooling &g, int64_t image, int row, int column)
{
    return ((image * g.h + row) * g.w + column) * g.c;
}

__device__ inline int64_t pool_output(const pooling &g, int64_t image, int row, int column)
{
    return ((image * g.p + row) * g.q + column) * g.c;
}

// The part of a window, or of the windows over a pixel, that counts: first <= i < last.
struct pool_range {
    int first, last;
};

// Taps of window `place` that lie inside an image of `size`.
__device__ inline pool_range taps_inside(int place, int taps, int size, const pooling &g)
{
    const int start = place * g.stride - g.padding;
    return {start < 0 ? -start : 0, start + taps > size ? size - start : taps};
}

// Windows, of `windows`, that cover pixel `place`.
__device__ inline pool_range windows_over(int place, int taps, int windows, const pooling &g)
{
    const int to = place + g.padding, from = to - taps + 1; // the first and last place where such a window starts
    const int last = to / g.stride + 1;
    return {from > 0 ? (from + g.stride - 1) / g.stride : 0, last < windows ? last : windows};
}

__device__ inline int pool_pixels(const pool_range &rows, const pool_range &columns)
{
    return (rows.last - rows.first) * (columns.last - columns.first);
}

// --- Largest ---

// The first pixel is taken, then every larger one; a NaN is taken and stays.
template <class T, int V>
__global__ void max_pool_kernel(pooling g, int64_t first_image, uint32_t n, operand<const T> x, operand<T> y,
                                operand<uint8_t> taps)
{
    const int e = static_cast<int>(blockIdx.z);
    const uint32_t i = blockIdx.x * POOL_THREADS + threadIdx.x;
    if (i >= n) return;
    const pool_place at = pool_place_of<V>(i, first_image, g.p, g.q, g.c);
    const pool_range rows = taps_inside(at.row, g.rows, g.h, g), columns = taps_inside(at.column, g.columns, g.w, g);
    const int top = at.row * g.stride - g.padding, left = at.column * g.stride - g.padding;
    const int width = columns.last - columns.first, pixels = pool_pixels(rows, columns);
    channels_of<T, V> best = {};
    channels_of<uint8_t, V> tap = {};
    float largest[V] = {};
#pragma unroll 4
    for (int k = 0; k < pixels; k++) {
        const int r = rows.first + k / width, s = columns.first + k % width;
        const int64_t from = pool_input(g, at.image, top + r, left + s) + at.channel;
        const channels_of<T, V> values = load_channels<V>(x.of(e), from, g.whole);
#pragma unroll
        for (int v = 0; v < V; v++) {
            const float value = to_float(values.at[v]);
            const bool settled = (k > 0) & ((largest[v] != largest[v]) | (value <= largest[v])); // no branches
            largest[v] = settled ? largest[v] : value;
            best.at[v] = settled ? best.at[v] : values.at[v];
            tap.at[v] = settled ? tap.at[v] : static_cast<uint8_t>(r * g.columns + s);
        }
    }
    const int64_t to = pool_output(g, at.image, at.row, at.column) + at.channel;
    store_channels<V>(y.of(e), to, best, g.whole);
    store_channels<V>(taps.of(e), to, tap, g.whole);
}

template <class T, int V>
__global__ void max_pool_grad_kernel(pooling g, int64_t first_image, uint32_t n, operand<const T> dy,
                                     operand<const uint8_t> taps, operand<T> dx)
{
    const int e = static_cast<int>(blockIdx.z);
    const uint32_t i = blockIdx.x * POOL_THREADS + threadIdx.x;
    if (i >= n) return;
    const pool_place at = pool_place_of<V>(i, first_image, g.h, g.w, g.c);
    const pool_range rows = windows_over(at.row, g.rows, g.p, g), columns = windows_over(at.column, g.columns, g.q, g);
    float sum[V] = {};
    for (int p = rows.first; p < rows.last; p++)
        for (int q = columns.first; q < columns.last; q++) {
            const int r = at.row + g.padding - p * g.stride, s = at.column + g.padding - q * g.stride;
            const int64_t from = pool_output(g, at.image, p, q) + at.channel;
            const channels_of<uint8_t, V> tap = load_channels<V>(taps.of(e), from, g.whole);
            const channels_of<T, V> values = load_channels<V>(dy.of(e), from, g.whole);
#pragma unroll
            for (int v = 0; v < V; v++)
                if (tap.at[v] == r * g.columns + s) sum[v] += to_float(values.at[v]);
        }
    channels_of<T, V> out;
#pragma unroll
    for (int v = 0; v < V; v++) out.at[v] = from_float<T>(sum[v]);
    store_channels<V>(dx.of(e), pool_input(g, at.image, at.row, at.column) + at.channel, out, g.whole);
}

// --- Mean ---

// Adds the pixels of a window from its `first`th tap on, every `step`th.
template <int V, class T>
__device__ void pool_sum(float (&sum)[V], const T *x, const pooling &g, const pool_place &at, const pool_range &rows,
                         const pool_range &columns, int first, int step)
{
    const int width = columns.last - columns.first, pixels = pool_pixels(rows, columns);
    const int top = at.row * g.stride - g.padding + rows.first, left = at.column * g.stride - g.padding + columns.first;
#pragma unroll 4
    for (int k = first; k < pixels; k += step) {
        const int64_t from = pool_input(g, at.image, top + k / width, left + k % width) + at.channel;
        const channels_of<T, V> values = load_channels<V>(x, from, g.whole);
#pragma unroll
        for (int v = 0; v < V; v++) sum[v] += to_float(values.at[v]);
    }
}

template <int V, class T>
__device__ void pool_put_mean(T *y, const pooling &g, const pool_place &at, const float (&sum)[V], int pixels)
{
    channels_of<T, V> out;
#pragma unroll
    for (int v = 0; v < V; v++) out.at[v] = from_float<T>(sum[v] / static_cast<float>(pixels));
    store_channels<V>(y, pool_output(g, at.image, at.row, at.column) + at.channel, out, g.whole);
}

template <class T, int V>
__global__ void average_pool_kernel(pooling g, int64_t first_image, uint32_t n, operand<const T> x, operand<T> y)
{
    const int e = static_cast<int>(blockIdx.z);
    const uint32_t i = blockIdx.x * POOL_THREADS + threadIdx.x;
    if (i >= n) return;
    const pool_place at = pool_place_of<V>(i, first_image, g.p, g.q, g.c);
    const pool_range rows = taps_inside(at.row, g.rows, g.h, g), columns = taps_inside(at.column, g.columns, g.w, g);
    float sum[V] = {};
    pool_sum<V>(sum, x.of(e), g, at, rows, columns, 0, 1);
    pool_put_mean<V>(y.of(e), g, at, sum, pool_pixels(rows, columns));
}

// Large windows: blockIdx.x counts the pixels of y, blockIdx.y tiles of `lanes` packs of channels.
template <class T, int V> __global__ void average_large_kernel(pooling g, int lanes, operand<const T> x, operand<T> y)
{
    DN_SHARED(float, sums); // [V, 256]
    const int e = static_cast<int>(blockIdx.z), t = static_cast<int>(threadIdx.x), step = POOL_THREADS / lanes;
    const int packs = g.c / V, own = static_cast<int>(blockIdx.y) * lanes + t % lanes;
    const uint32_t line = blockIdx.x / g.q;
    const pool_place at = {line / g.p, static_cast<int>(line % g.p), static_cast<int>(blockIdx.x % g.q), own * V};
    const pool_range rows = taps_inside(at.row, g.rows, g.h, g), columns = taps_inside(at.column, g.columns, g.w, g);
    float sum[V] = {};
    if (own < packs) pool_sum<V>(sum, x.of(e), g, at, rows, columns, t / lanes, step);
    for (int half = step / 2; half > 0; half /= 2) {
        for (int v = 0; v < V; v++) sums[v * POOL_THREADS + t] = sum[v];
        __syncthreads();
        for (int v = 0; v < V && t / lanes < half; v++) sum[v] += sums[v * POOL_THREADS + t + half * lanes];
        __syncthreads();
    }
    if (own < packs && t < lanes) pool_put_mean<V>(y.of(e), g, at, sum, pool_pixels(rows, columns));
}

template <class T, int V>
__global__ void average_pool_grad_kernel(pooling g, int64_t first_image, uint32_t n, operand<const T> dy, operand<T> dx)
{
    const int e = static_cast<int>(blockIdx.z);
    const uint32_t i = blockIdx.x * POOL_THREADS + threadIdx.x;
    if (i >= n) return;
    const pool_place at = pool_place_of<V>(i, first_image, g.h, g.w, g.c);
    const pool_range rows = windows_over(at.row, g.rows, g.p, g), columns = windows_over(at.column, g.columns, g.q, g);
    float sum[V] = {};
    for (int p = rows.first; p < rows.last; p++)
        for (int q = columns.first; q < columns.last; q++) {
            const int pixels = pool_pixels(taps_inside(p, g.rows, g.h, g), taps_inside(q, g.columns, g.w, g));
            const channels_of<T, V> values =
                load_channels<V>(dy.of(e), pool_output(g, at.image, p, q) + at.channel, g.whole);
            const float share = 1.0f / static_cast<float>(pixels);
#pragma unroll
            for (int v = 0; v < V; v++) sum[v] = fmaf(to_float(values.at[v]), share, sum[v]);
        }
    channels_of<T, V> out;
#pragma unroll
    for (int v = 0; v < V; v++) out.at[v] = from_float<T>(sum[v]);
    store_channels<V>(dx.of(e), pool_input(g, at.image, at.row, at.column) + at.channel, out, g.whole);
}

// --- Launches ---

static pooling pooling_of(const dn_call *call, const dn_tensor_info *in, const dn_tensor_info *out)
{
    const int64_t *x = in->shape.dim, *y = out->shape.dim;
    const auto &args = call->op->args.pool;
    pooling g = {};
    g.images = x[0];
    g.h = static_cast<int>(x[1]), g.w = static_cast<int>(x[2]), g.c = static_cast<int>(x[3]);
    g.p = static_cast<int>(y[1]), g.q = static_cast<int>(y[2]);
    g.rows = args.kernel[0], g.columns = args.kernel[1];
    g.stride = args.stride, g.padding = args.padding;
    return g;
}

// Calls launch(first image, threads, grid) for as many images at a time as 32 bits can count the packs of; `packs`: of
// one image of the result.
template <class F> void pool_slabs(const pooling &g, int64_t packs, int members, F launch)
{
    const int64_t most = INT32_MAX / packs > 1 ? INT32_MAX / packs : 1;
    for (int64_t image = 0; image < g.images; image += most) {
        const int64_t images = g.images - image < most ? g.images - image : most;
        const dim3 grid(ceil_div(images * packs, POOL_THREADS), 1, static_cast<unsigned>(members));
        launch(image, static_cast<uint32_t>(images * packs), grid);
    }
}

template <class T, int V> struct run_max_pool {
    static void run(const dn_call *call, dn_gpu_stream stream)
    {
        pooling g = pooling_of(call, call->in_info[0], call->out_info[0]);
        const auto x = input<T>(call, 0);
        const auto y = output<T>(call, 0);
        const auto taps = output<uint8_t>(call, 1);
        g.whole = moves_whole<V>(x) && moves_whole<V>(y) && moves_whole<V>(taps);
        pool_slabs(g, static_cast<int64_t>(g.p) * g.q * (g.c / V), call->members,
                   [&](int64_t image, uint32_t n, dim3 grid) {
                       DN_LAUNCH((max_pool_kernel<T, V>), grid, dim3(POOL_THREADS), 0, stream, g, image, n, x, y, taps);
                   });
    }
};

template <class T, int V> struct run_max_pool_grad {
    static void run(const dn_call *call, dn_gpu_stream stream)
    {
        pooling g = pooling_of(call, call->out_info[0], call->in_info[0]);
        const auto dy = input<T>(call, 0);
        const auto taps = input<uint8_t>(call, 1);
        const auto dx = output<T>(call, 0);
        g.whole = moves_whole<V>(dy) && moves_whole<V>(taps) && moves_whole<V>(dx);
        pool_slabs(
            g, static_cast<int64_t>(g.h) * g.w * (g.c / V), call->members, [&](int64_t image, uint32_t n, dim3 grid) {
                DN_LAUNCH((max_pool_grad_kernel<T, V>), grid, dim3(POOL_THREADS), 0, stream, g, image, n, dy, taps, dx);
            });
    }
};

template <class T, int V> struct run_average_pool {
    static void run(const dn_call *call, dn_gpu_stream stream)
    {
        pooling g = pooling_of(call, call->in_info[0], call->out_info[0]);
        const auto x = input<T>(call, 0);
        const auto y = output<T>(call, 0);
        g.whole = moves_whole<V>(x) && moves_whole<V>(y);
        const int packs = g.c / V;
        if (g.rows * g.columns > POOL_LARGE) {
            int lanes = 1;
            while (lanes < packs && lanes < WARP) lanes *= 2;
            const dim3 grid(static_cast<unsigned>(g.images * g.p * g.q), ceil_div(packs, lanes),
                            static_cast<unsigned>(call->members));
            DN_LAUNCH((average_large_kernel<T, V>), grid, dim3(POOL_THREADS), V * POOL_THREADS * sizeof(float), stream,
                      g, lanes, x, y);
            return;
        }
        pool_slabs(g, static_cast<int64_t>(g.p) * g.q * packs, call->members,
                   [&](int64_t image, uint32_t n, dim3 grid) {
                       DN_LAUNCH((average_pool_kernel<T, V>), grid, dim3(POOL_THREADS), 0, stream, g, image, n, x, y);
                   });
    }
};

template <class T, int V> struct run_average_pool_grad {
    static void run(const dn_call *call, dn_gpu_stream stream)
    {
        pooling g = pooling_of(call, call->out_info[0], call->in_info[0]);
        const auto dy = input<T>(call, 0);
        const auto dx = output<T>(call, 0);
        g.whole = moves_whole<V>(dy) && moves_whole<V>(dx);
        pool_slabs(
            g, static_cast<int64_t>(g.h) * g.w * (g.c / V), call->members, [&](int64_t image, uint32_t n, dim3 grid) {
                DN_LAUNCH((average_pool_grad_kernel<T, V>), grid, dim3(POOL_THREADS), 0, stream, g, image, n, dy, dx);
            });
    }
};

// The kernel of this element type, on packs if the channels are whole ones.
template <template <class, int> class RUN> void launch_pool(const dn_call *call, dn_gpu_stream stream)
{
    const bool one = channels_at_once(call->in_info[0]) == 1;
    if (is_bf16(call->in_info[0]))
        one ? RUN<bf16, 1>::run(call, stream) : RUN<bf16, 8>::run(call, stream);
    else
        one ? RUN<float, 1>::run(call, stream) : RUN<float, 4>::run(call, stream);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(max_pool, launch_pool<DN_TARGET::run_max_pool>, nullptr, nullptr);
DN_GPU_KERNEL(max_pool_grad, launch_pool<DN_TARGET::run_max_pool_grad>, nullptr, nullptr);
DN_GPU_KERNEL(average_pool, launch_pool<DN_TARGET::run_average_pool>, nullptr, nullptr);
DN_GPU_KERNEL(average_pool_grad, launch_pool<DN_TARGET::run_average_pool_grad>, nullptr, nullptr);
