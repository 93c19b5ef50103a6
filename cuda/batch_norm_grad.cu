// Gradients of batch normalization over rows [rows,C], by channel.
//
// With xhat = (x - mean) rstd and d = dy where the ReLU let gamma xhat + beta pass (all of dy without a ReLU):
// dbeta = sum d, dgamma = sum d xhat, dx = gamma rstd (d - dbeta / rows - xhat dgamma / rows); with given statistics
// dx = gamma rstd d. Threads: see batch_norm.cuh. dx may take dy's place: a thread writes only what it alone reads.
//
// Memory bounds it: dy and x are read twice, the second time from the L2 cache if the layer of all members fits, and dx
// written. Sums: up to 32 rows by one thread, then a tree over lanes, warps and parts.
#include "cuda/batch_norm.cuh"

namespace DN_TARGET
{

template <class T> struct norm_backward {
    operand<const T> dy, x;                       // [E,rows,C]
    operand<const float> gamma, beta, mean, last; // [E,C]; last: rstd, or with `moving` the variance
    operand<T> dx;                // [E,rows,C], may be dy's memory; may be left out, as those that follow
    operand<float> dgamma, dbeta; // [E,C]
    norm_pair *parts;             // [E,C,parts]
    float epsilon, share;         // share: 1 / rows; 0 where the statistics do not depend on x
    bool relu, moving;
};

// x and dy of ROWS rows from `row` on, of this thread's channels.
template <int ROWS, int V, class T>
__device__ __forceinline__ void load_rows(float (&x)[ROWS][V], float (&d)[ROWS][V], const norm_backward<T> &f,
                                          const norm_cut &cut, const norm_seat &seat, int64_t row)
{
    const int e = static_cast<int>(blockIdx.z);
#pragma unroll
    for (int k = 0; k < ROWS; k++) {
        const int64_t at = (row + k * seat.step) * cut.channels + seat.channel;
        load_row<V>(x[k], f.x.of(e), at, cut.whole);
        load_row<V>(d[k], f.dy.of(e), at, cut.whole);
    }
}

// Adds ROWS rows from `row` on to the sums of d and d xhat.
template <int ROWS, int V, class T>
__device__ void add_rows(float (&sum)[V], float (&sum_xhat)[V], const norm_backward<T> &f, const norm_cut &cut,
                         const norm_seat &seat, int64_t row, const norm_channels<V> &c)
{
    float x[ROWS][V], d[ROWS][V];
    load_rows(x, d, f, cut, seat, row);
#pragma unroll
    for (int k = 0; k < ROWS; k++)
#pragma unroll
        for (int v = 0; v < V; v++) {
            const float xhat = (x[k][v] - c.mean[v]) * c.rstd[v];
            const bool stopped = f.relu && normalized(xhat, c.gamma[v], c.beta[v]) <= 0.0f;
            const float passed = stopped ? 0.0f : d[k][v];
            sum[v] += passed;
            sum_xhat[v] = fmaf(passed, xhat, sum_xhat[v]);
        }
}

// The two sums over this block's rows: thread t < lanes * V has those of channel t of the tile.
// shared: [2, warps, lanes * V] floats.
template <int V, class T>
__device__ norm_pair block_sums(const norm_backward<T> &f, const norm_cut &cut, const norm_seat &seat,
                                const norm_channels<V> &c, float *shared)
{
    constexpr int BATCH = 2;
    float sum[V] = {}, sum_xhat[V] = {};
    int64_t row = seat.row;
    for (; row + (BATCH - 1) * seat.step < seat.last; row += BATCH * seat.step)
        add_rows<BATCH, V>(sum, sum_xhat, f, cut, seat, row, c);
    for (; row < seat.last; row += seat.step) add_rows<1, V>(sum, sum_xhat, f, cut, seat, row, c);
    for (int distance = cut.lanes; distance < WARP; distance *= 2)
#pragma unroll
        for (int v = 0; v < V; v++) {
            sum[v] += exchange(sum[v], distance);
            sum_xhat[v] += exchange(sum_xhat[v], distance);
        }

    const int t = static_cast<int>(threadIdx.x), warp = t / WARP, width = cut.lanes * V;
    float *sums = shared, *sums_xhat = shared + NORM_WARPS * width;
    if (t % WARP < cut.lanes)
        for (int v = 0; v < V; v++) {
            sums[warp * width + seat.in_tile + v] = sum[v];
            sums_xhat[warp * width + seat.in_tile + v] = sum_xhat[v];
        }
    __syncthreads();
    norm_pair all = {0.0f, 0.0f};
    for (int w = 0; w < NORM_WARPS && t < width; w++) {
        all.first += sums[w * width + t];
        all.second += sums_xhat[w * width + t];
    }
    return all;
}

// What backward needs of the tile's channels into shared memory.
template <int V, class T>
__device__ void prepare_channels(const norm_backward<T> &f, const norm_cut &cut, int e, float *shared)
{
    const int t = static_cast<int>(threadIdx.x), width = cut.lanes * V;
    const int c = static_cast<int>(blockIdx.x) * width + t;
    if (t < width && c < cut.channels) {
        const float last = f.last.of(e)[c], rstd = f.moving ? rstd_of(last, f.epsilon) : last;
        put_channel(shared, width, t, {{f.mean.of(e)[c]}, {rstd}, {f.gamma.of(e)[c]}, {f.beta.of(e)[c]}});
    }
    __syncthreads();
}

template <class T, int V> __global__ void norm_sums_kernel(norm_cut cut, norm_backward<T> f)
{
    DN_SHARED(float, shared);
    const int e = static_cast<int>(blockIdx.z), t = static_cast<int>(threadIdx.x), width = cut.lanes * V;
    const norm_seat seat = take_seat<V>(cut);
    prepare_channels<V>(f, cut, e, shared);
    norm_channels<V> channels = {};
    if (seat.inside) channels = get_channels<V>(shared, width, seat.in_tile);
    const norm_pair sums = block_sums<V>(f, cut, seat, channels, shared + 4 * width);
    const int c = static_cast<int>(blockIdx.x) * width + t;
    if (t < width && c < cut.channels)
        f.parts[(static_cast<int64_t>(e) * cut.channels + c) * cut.parts + blockIdx.y] = sums;
}

// Channel c's sums go where they are wanted; sums: [2, lanes * V] in shared memory.
template <class T>
__device__ void publish_sums(const norm_backward<T> &f, int e, int c, norm_pair all, float *sums, int k, int width)
{
    sums[k] = all.first * f.share;
    sums[width + k] = all.second * f.share;
    if (blockIdx.y != 0) return;
    if (f.dbeta) f.dbeta.of(e)[c] = all.first;
    if (f.dgamma) f.dgamma.of(e)[c] = all.second;
}

// The means of d and d xhat over all rows into shared memory [2, lanes * V], behind the channels.
template <norm_source SOURCE, int V, class T>
__device__ void prepare_sums(const norm_backward<T> &f, const norm_cut &cut, const norm_seat &seat,
                             const norm_channels<V> &channels, float *shared)
{
    const int e = static_cast<int>(blockIdx.z), t = static_cast<int>(threadIdx.x), width = cut.lanes * V;
    float *sums = shared + 4 * width;
    if (SOURCE == FROM_PARTS) {
        by_warps<V>(cut, [&](int k, int c) {
            const int64_t at = (static_cast<int64_t>(e) * cut.channels + c) * cut.parts;
            norm_pair all = {0.0f, 0.0f};
            for (int p = t % WARP; p < cut.parts; p += WARP) {
                const norm_pair part = f.parts[at + p];
                all.first += part.first;
                all.second += part.second;
            }
            all = {warp_sum(all.first), warp_sum(all.second)};
            if (t % WARP == 0) publish_sums(f, e, c, all, sums, k, width);
        });
    } else {
        const int c = static_cast<int>(blockIdx.x) * width + t;
        const norm_pair all = block_sums<V>(f, cut, seat, channels, shared + 6 * width);
        if (t < width && c < cut.channels) publish_sums(f, e, c, all, sums, t, width);
    }
    __syncthreads();
}

// dx of ROWS rows from `row` on.
template <int ROWS, int V, class T>
__device__ void put_gradients(const norm_backward<T> &f, const norm_cut &cut, const norm_seat &seat, int64_t row,
                              const norm_channels<V> &c, const float (&mean_d)[V], const float (&mean_d_xhat)[V])
{
    const int e = static_cast<int>(blockIdx.z);
    float x[ROWS][V], d[ROWS][V];
    load_rows(x, d, f, cut, seat, row);
#pragma unroll
    for (int k = 0; k < ROWS; k++) {
#pragma unroll
        for (int v = 0; v < V; v++) {
            const float xhat = (x[k][v] - c.mean[v]) * c.rstd[v];
            const bool stopped = f.relu && normalized(xhat, c.gamma[v], c.beta[v]) <= 0.0f;
            const float passed = stopped ? 0.0f : d[k][v];
            d[k][v] = c.gamma[v] * c.rstd[v] * fmaf(-xhat, mean_d_xhat[v], passed - mean_d[v]);
        }
        store_row<V>(f.dx.of(e), (row + k * seat.step) * cut.channels + seat.channel, d[k], cut.whole);
    }
}

// SOURCE: of the sums. GIVEN: nobody wants them.
template <class T, int V, norm_source SOURCE> __global__ void norm_grad_kernel(norm_cut cut, norm_backward<T> f)
{
    DN_SHARED(float, shared);
    constexpr int BATCH = 2;
    const int e = static_cast<int>(blockIdx.z), width = cut.lanes * V;
    const norm_seat seat = take_seat<V>(cut);
    prepare_channels<V>(f, cut, e, shared);
    norm_channels<V> c = {};
    if (seat.inside) c = get_channels<V>(shared, width, seat.in_tile);
    if (SOURCE != GIVEN) prepare_sums<SOURCE, V>(f, cut, seat, c, shared);
    if (!seat.inside || !f.dx) return;
    float mean_d[V] = {}, mean_d_xhat[V] = {};
    for (int v = 0; v < V && SOURCE != GIVEN; v++) {
        mean_d[v] = shared[4 * width + seat.in_tile + v];
        mean_d_xhat[v] = shared[5 * width + seat.in_tile + v];
    }
    int64_t row = seat.row;
    for (; row + (BATCH - 1) * seat.step < seat.last; row += BATCH * seat.step)
        put_gradients<BATCH, V>(f, cut, seat, row, c, mean_d, mean_d_xhat);
    for (; row < seat.last; row += seat.step) put_gradients<1, V>(f, cut, seat, row, c, mean_d, mean_d_xhat);
}

template <class T, int V> void run_norm_grad(const dn_call *call, dn_gpu_stream stream)
{
    norm_cut cut = norm_cut_of(call->in_info[0]);
    norm_backward<T> f = {};
    f.moving = call->op->kind == DN_OP_BATCH_NORM_INFER_GRAD;
    f.dy = input<T>(call, 0), f.x = input<T>(call, 1), f.dx = output<T>(call, 0);
    f.gamma = input<float>(call, 2), f.beta = input<float>(call, 3);
    f.mean = input<float>(call, 4), f.last = input<float>(call, 5);
    f.dgamma = output<float>(call, 1), f.dbeta = output<float>(call, 2);
    f.parts = static_cast<norm_pair *>(call->workspace);
    f.epsilon = static_cast<float>(call->op->args.norm.epsilon);
    f.share = f.moving ? 0.0f : static_cast<float>(1.0 / static_cast<double>(cut.rows));
    f.relu = call->op->args.norm.relu;
    cut.whole = moves_whole<V>(f.dy) && moves_whole<V>(f.x) && moves_whole<V>(f.dx);
    dim3 grid = norm_grid(cut, V, call->members);
    const dim3 block(NORM_THREADS);
    const size_t bytes = norm_shared(cut, V);
    const bool no_sums = f.moving && !f.dgamma && !f.dbeta;
    if (no_sums) {
        DN_LAUNCH((norm_grad_kernel<T, V, GIVEN>), grid, block, bytes, stream, cut, f);
    } else if (cut.parts == 1) {
        DN_LAUNCH((norm_grad_kernel<T, V, FROM_ROWS>), grid, block, bytes, stream, cut, f);
    } else {
        DN_LAUNCH((norm_sums_kernel<T, V>), grid, block, bytes, stream, cut, f);
        if (!f.dx) grid.y = 1;
        DN_LAUNCH((norm_grad_kernel<T, V, FROM_PARTS>), grid, block, bytes, stream, cut, f);
    }
}

static void launch_norm_grad(const dn_call *call, dn_gpu_stream stream)
{
    const bool many = channels_at_once(call->in_info[0]) > 1;
    if (is_bf16(call->in_info[0]))
        many ? run_norm_grad<bf16, 8>(call, stream) : run_norm_grad<bf16, 1>(call, stream);
    else
        many ? run_norm_grad<float, 4>(call, stream) : run_norm_grad<float, 1>(call, stream);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(batch_norm_grad, launch_norm_grad, DN_TARGET::norm_workspace, DN_TARGET::describe_norm);
DN_GPU_KERNEL(batch_norm_infer_grad, launch_norm_grad, DN_TARGET::norm_workspace, DN_TARGET::describe_norm);
