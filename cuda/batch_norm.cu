// Batch normalization over rows [rows,C], by channel.
//
// xhat = (x - mean) rstd, y = gamma xhat + beta, rstd = 1 / sqrt(variance + epsilon), and a ReLU where the op has one.
// Threads: see batch_norm.cuh.
//
// Variances: the mean of 4 or 8 rows in registers and the squares around it, joined to those of other rows by
// mean += delta n / total, squares += delta^2 m n / total (Chan, Golub and LeVeque, 1979). Nothing large cancels.
//
// Memory bounds it: x is read twice, the second time from the L2 cache if the layer of all members fits, and y written.
// The statistics take about 4 operations per element, which hides behind the reads.
#include "cuda/batch_norm.cuh"

namespace DN_TARGET
{

// n values: their mean and the sum of squares around it. Of V channels at once.
template <int V> struct moments {
    float n, mean[V], squares[V];
};

template <int V> __device__ void join_moments(moments<V> &a, float n, const float (&mean)[V], const float (&squares)[V])
{
    const float total = a.n + n;
    const float share = total > 0.0f ? n / total : 0.0f, cross = a.n * share;
#pragma unroll
    for (int v = 0; v < V; v++) {
        const float delta = mean[v] - a.mean[v];
        a.mean[v] = fmaf(delta, share, a.mean[v]);
        a.squares[v] += fmaf(delta, delta * cross, squares[v]);
    }
    a.n = total;
}

// Joins ROWS rows from `row` on, `step` apart.
template <int ROWS, int V, class T>
__device__ void take_rows(moments<V> &a, const T *x, const norm_cut &cut, const norm_seat &seat, int64_t row)
{
    float values[ROWS][V], mean[V] = {}, squares[V] = {};
#pragma unroll
    for (int k = 0; k < ROWS; k++)
        load_row<V>(values[k], x, (row + k * seat.step) * cut.channels + seat.channel, cut.whole);
#pragma unroll
    for (int k = 0; k < ROWS; k++)
#pragma unroll
        for (int v = 0; v < V; v++) mean[v] += values[k][v];
#pragma unroll
    for (int v = 0; v < V; v++) mean[v] *= 1.0f / ROWS;
#pragma unroll
    for (int k = 0; k < ROWS; k++)
#pragma unroll
        for (int v = 0; v < V; v++) {
            const float d = values[k][v] - mean[v];
            squares[v] = fmaf(d, d, squares[v]);
        }
    join_moments<V>(a, ROWS, mean, squares);
}

// Joins the lanes whose numbers differ in the bits from `distance` on; the lowest of them has the result.
template <int V> __device__ void join_lanes(moments<V> &a, int distance)
{
    for (; distance < WARP; distance *= 2) {
        const float n = exchange(a.n, distance);
        float mean[V], squares[V];
#pragma unroll
        for (int v = 0; v < V; v++) {
            mean[v] = exchange(a.mean[v], distance);
            squares[v] = exchange(a.squares[v], distance);
        }
        join_moments<V>(a, n, mean, squares);
    }
}

// The moments of this block's rows: thread t < lanes * V has those of channel t of the tile.
// shared: [2, warps, lanes * V] and [warps] floats.
template <int V, class T>
__device__ moments<1> block_moments(const T *x, const norm_cut &cut, const norm_seat &seat, float *shared)
{
    constexpr int BATCH = V == NORM_BATCH ? NORM_BATCH / 2 : NORM_BATCH;
    moments<V> own = {};
    int64_t row = seat.row;
    for (; row + (BATCH - 1) * seat.step < seat.last; row += BATCH * seat.step)
        take_rows<BATCH, V>(own, x, cut, seat, row);
    for (; row < seat.last; row += seat.step) take_rows<1, V>(own, x, cut, seat, row);
    join_lanes<V>(own, cut.lanes);

    const int t = static_cast<int>(threadIdx.x), warp = t / WARP, width = cut.lanes * V;
    float *means = shared, *squares = means + NORM_WARPS * width, *counts = squares + NORM_WARPS * width;
    if (t % WARP < cut.lanes)
        for (int v = 0; v < V; v++) {
            means[warp * width + seat.in_tile + v] = own.mean[v];
            squares[warp * width + seat.in_tile + v] = own.squares[v];
        }
    if (t % WARP == 0) counts[warp] = own.n;
    __syncthreads();
    moments<1> all = {};
    for (int w = 0; w < NORM_WARPS && t < width; w++)
        join_moments<1>(all, counts[w], {means[w * width + t]}, {squares[w * width + t]});
    __syncthreads();
    return all;
}

// The moments of all parts of a channel, joined by a warp; lane 0 has them. of_channel: [parts]
__device__ inline moments<1> parts_moments(const norm_pair *of_channel, const norm_cut &cut)
{
    moments<1> all = {};
    for (int p = static_cast<int>(threadIdx.x) % WARP; p < cut.parts; p += WARP) {
        const int64_t left = cut.rows - p * cut.part_rows;
        const norm_pair part = of_channel[p];
        join_moments<1>(all, static_cast<float>(left < cut.part_rows ? left : cut.part_rows), {part.first},
                        {part.second});
    }
    join_lanes<1>(all, 1);
    return all;
}

template <class T, int V> __global__ void norm_moments_kernel(norm_cut cut, operand<const T> x, norm_pair *parts)
{
    DN_SHARED(float, shared);
    const int e = static_cast<int>(blockIdx.z), t = static_cast<int>(threadIdx.x), width = cut.lanes * V;
    const norm_seat seat = take_seat<V>(cut);
    const moments<1> m = block_moments<V>(x.of(e), cut, seat, shared);
    const int c = static_cast<int>(blockIdx.x) * width + t;
    if (t < width && c < cut.channels)
        parts[(static_cast<int64_t>(e) * cut.channels + c) * cut.parts + blockIdx.y] = {m.mean[0], m.squares[0]};
}

template <class T> struct norm_forward {
    operand<const T> x;                                       // [E,rows,C]
    operand<const float> gamma, beta, old_mean, old_variance; // [E,C]; the latter two: the moving statistics
    operand<T> y;                                             // [E,rows,C]
    operand<float> mean, rstd, new_mean, new_variance;        // [E,C], may be left out
    norm_pair *parts;                                         // [E,C,parts]
    float epsilon, decay, arrival /* 1 - decay */, unbias;    // unbias: variance times this joins the moving one
    bool relu;
};

// Channel c's statistics go where they are wanted: one block of a tile writes, all keep them.
template <class T>
__device__ void publish(const norm_forward<T> &f, int e, int c, const moments<1> &m, norm_channels<1> *to)
{
    const float variance = m.squares[0] / m.n;
    to->mean[0] = m.mean[0];
    to->rstd[0] = rstd_of(variance, f.epsilon);
    if (blockIdx.y != 0) return;
    if (f.mean) f.mean.of(e)[c] = to->mean[0];
    if (f.rstd) f.rstd.of(e)[c] = to->rstd[0];
    if (f.new_mean) f.new_mean.of(e)[c] = fmaf(f.decay, f.old_mean.of(e)[c], f.arrival * m.mean[0]);
    if (f.new_variance)
        f.new_variance.of(e)[c] = fmaf(f.decay, f.old_variance.of(e)[c], f.arrival * (variance * f.unbias));
}

// The tile's channels into shared memory.
template <norm_source SOURCE, int V, class T>
__device__ void prepare_forward(const norm_forward<T> &f, const norm_cut &cut, const norm_seat &seat, int e,
                                float *shared)
{
    const int t = static_cast<int>(threadIdx.x), width = cut.lanes * V;
    if (SOURCE == FROM_PARTS) {
        by_warps<V>(cut, [&](int k, int c) {
            const int64_t at = (static_cast<int64_t>(e) * cut.channels + c) * cut.parts;
            const moments<1> m = parts_moments(f.parts + at, cut);
            if (t % WARP != 0) return;
            norm_channels<1> channel = {{}, {}, {f.gamma.of(e)[c]}, {f.beta.of(e)[c]}};
            publish(f, e, c, m, &channel);
            put_channel(shared, width, k, channel);
        });
    } else {
        const int c = static_cast<int>(blockIdx.x) * width + t;
        moments<1> m = {};
        if (SOURCE == FROM_ROWS) m = block_moments<V>(f.x.of(e), cut, seat, shared + 4 * width);
        if (t < width && c < cut.channels) {
            norm_channels<1> channel = {{}, {}, {f.gamma.of(e)[c]}, {f.beta.of(e)[c]}};
            if (SOURCE == FROM_ROWS)
                publish(f, e, c, m, &channel);
            else
                channel.mean[0] = f.old_mean.of(e)[c], channel.rstd[0] = rstd_of(f.old_variance.of(e)[c], f.epsilon);
            put_channel(shared, width, t, channel);
        }
    }
    __syncthreads();
}

// Normalizes ROWS rows from `row` on.
template <int ROWS, int V, class T>
__device__ void put_rows(T *y, const T *x, const norm_cut &cut, const norm_seat &seat, int64_t row,
                         const norm_channels<V> &c, bool relu)
{
    float values[ROWS][V];
#pragma unroll
    for (int k = 0; k < ROWS; k++)
        load_row<V>(values[k], x, (row + k * seat.step) * cut.channels + seat.channel, cut.whole);
#pragma unroll
    for (int k = 0; k < ROWS; k++) {
#pragma unroll
        for (int v = 0; v < V; v++) {
            const float out = normalized((values[k][v] - c.mean[v]) * c.rstd[v], c.gamma[v], c.beta[v]);
            values[k][v] = relu && out <= 0.0f ? 0.0f : out;
        }
        store_row<V>(y, (row + k * seat.step) * cut.channels + seat.channel, values[k], cut.whole);
    }
}

template <class T, int V, norm_source SOURCE> __global__ void norm_kernel(norm_cut cut, norm_forward<T> f)
{
    DN_SHARED(float, shared);
    constexpr int BATCH = 4;
    const int e = static_cast<int>(blockIdx.z);
    const norm_seat seat = take_seat<V>(cut);
    prepare_forward<SOURCE, V>(f, cut, seat, e, shared);
    if (!seat.inside) return;
    const norm_channels<V> c = get_channels<V>(shared, cut.lanes * V, seat.in_tile);
    const T *x = f.x.of(e);
    T *y = f.y.of(e);
    int64_t row = seat.row;
    for (; row + (BATCH - 1) * seat.step < seat.last; row += BATCH * seat.step)
        put_rows<BATCH, V>(y, x, cut, seat, row, c, f.relu);
    for (; row < seat.last; row += seat.step) put_rows<1, V>(y, x, cut, seat, row, c, f.relu);
}

template <class T, int V> void run_norm(const dn_call *call, dn_gpu_stream stream)
{
    const bool given = call->op->kind == DN_OP_BATCH_NORM_INFER;
    const auto &args = call->op->args.norm;
    norm_cut cut = norm_cut_of(call->in_info[0]);
    norm_forward<T> f = {};
    f.x = input<T>(call, 0), f.y = output<T>(call, 0);
    f.gamma = input<float>(call, 1), f.beta = input<float>(call, 2);
    f.old_mean = input<float>(call, 3), f.old_variance = input<float>(call, 4);
    if (!given) {
        f.mean = output<float>(call, 1), f.rstd = output<float>(call, 2);
        f.new_mean = output<float>(call, 3), f.new_variance = output<float>(call, 4);
    }
    f.parts = static_cast<norm_pair *>(call->workspace);
    f.epsilon = static_cast<float>(args.epsilon);
    f.decay = static_cast<float>(args.decay), f.arrival = static_cast<float>(1 - args.decay);
    const double rows = static_cast<double>(cut.rows);
    f.unbias = args.unbiased && cut.rows > 1 ? static_cast<float>(rows / (rows - 1)) : 1.0f;
    f.relu = args.relu;
    cut.whole = moves_whole<V>(f.x) && moves_whole<V>(f.y);
    const dim3 grid = norm_grid(cut, V, call->members), block(NORM_THREADS);
    const size_t bytes = norm_shared(cut, V);
    if (given) {
        DN_LAUNCH((norm_kernel<T, V, GIVEN>), grid, block, bytes, stream, cut, f);
    } else if (cut.parts == 1) {
        DN_LAUNCH((norm_kernel<T, V, FROM_ROWS>), grid, block, bytes, stream, cut, f);
    } else {
        DN_LAUNCH((norm_moments_kernel<T, V>), grid, block, bytes, stream, cut, f.x, f.parts);
        DN_LAUNCH((norm_kernel<T, V, FROM_PARTS>), grid, block, bytes, stream, cut, f);
    }
}

static void launch_norm(const dn_call *call, dn_gpu_stream stream)
{
    const bool many = channels_at_once(call->in_info[0]) > 1;
    if (is_bf16(call->in_info[0]))
        many ? run_norm<bf16, 8>(call, stream) : run_norm<bf16, 1>(call, stream);
    else
        many ? run_norm<float, 4>(call, stream) : run_norm<float, 1>(call, stream);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(batch_norm, launch_norm, DN_TARGET::norm_workspace, DN_TARGET::describe_norm);
DN_GPU_KERNEL(batch_norm_infer, launch_norm, nullptr, nullptr);
