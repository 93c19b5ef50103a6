// Sums over an axis, over all elements and over members; their gradients; whether all numbers are finite. f32.
//
// reduce: y[o,i] = factor * sum_a f(x[o,a,i]) for x [outer,axis,inner]. A block of 256 threads is `side` neighbouring
// outputs (as far as `inner` goes: they read neighbouring addresses) times `deep` places along the axis times as
// many groups of outputs as fit. A thread adds every (deep)th element, then the `deep` sums are added in halves in
// shared memory. A long axis with few outputs is cut into parts of blockIdx.y: their sums go to the workspace and are
// reduced by the same kernel. blockIdx.z is the member. How the axis is cut follows from the shape alone, and so do the
// result's bits.
//
// All are bounded by memory: every input is read once (4 bytes for at most 2 operations), every output written once.
// A sum's error grows with its longest chain: axis / (deep * parts) elements of one thread, then the tree.
#include "cuda/block_reduce.cuh"
#include "cuda/operand.cuh"

namespace DN_TARGET
{

constexpr int REDUCE_THREADS = 256, REDUCE_OWN = 32; // REDUCE_OWN: elements of one thread before the axis is cut
constexpr int64_t REDUCE_MOST_PARTS = 512;

struct axis_split { // a shape seen as [outer,axis,inner]
    int64_t outer, axis, inner;
};

static axis_split split_of(const dn_shape *shape, int axis)
{
    axis_split s = {1, 1, 1};
    for (int i = 0; i < shape->rank; i++) {
        if (axis < 0 || i == axis)
            s.axis *= shape->dim[i];
        else if (i < axis)
            s.outer *= shape->dim[i];
        else
            s.inner *= shape->dim[i];
    }
    return s;
}

// What is added up of an element.
struct reduce_itself {
    __device__ float operator()(float x) const
    {
        return x;
    }
};

struct reduce_square {
    __device__ float operator()(float x) const
    {
        return x * x;
    }
};

// 1 for an infinity or NaN: a sum above 0 says that there is one.
struct reduce_bad {
    __device__ float operator()(float x) const
    {
        return isfinite(x) ? 0.0f : 1.0f;
    }
};

struct reduce_cut {
    axis_split split;
    int side, deep;
    int64_t parts, part; // how many, and how long each is
};

static reduce_cut reduce_cut_of(const axis_split &split, bool may_part)
{
    reduce_cut cut = {split, 1, 1, 1, split.axis};
    while (cut.side * 2 <= split.inner && cut.side < WARP) cut.side *= 2;
    while (cut.side * cut.deep < REDUCE_THREADS && cut.deep * 4 < split.axis) cut.deep *= 2;
    const int64_t blocks = ceil_div(split.outer * split.inner, REDUCE_THREADS / cut.deep);
    const int64_t wanted = split.axis / (static_cast<int64_t>(cut.deep) * REDUCE_OWN);
    const int64_t most = blocks < REDUCE_MOST_PARTS ? REDUCE_MOST_PARTS / blocks : 1;
    if (may_part && wanted > 1 && most > 1) {
        cut.part = ceil_div(split.axis, wanted < most ? wanted : most);
        cut.parts = ceil_div(split.axis, cut.part);
    }
    return cut;
}

// One thread's sum: of every (cut.deep)th element of an axis from `first` on, before `last`, `inner` elements apart.
template <class F>
__device__ float reduce_stride(F f, const float *x, const reduce_cut &cut, int64_t first, int64_t last)
{
    constexpr int BATCH = 8;
    const int64_t step = cut.deep, inner = cut.split.inner;
    float sum = 0.0f;
    int64_t a = first;
    for (; a + (BATCH - 1) * step < last; a += BATCH * step) {
        float values[BATCH];
#pragma unroll
        for (int k = 0; k < BATCH; k++) values[k] = x[(a + k * step) * inner];
#pragma unroll
        for (int k = 0; k < BATCH; k++) sum += f(values[k]);
    }
    for (; a < last; a += step) sum += f(x[a * inner]);
    return sum;
}

// y: [outer * inner, parts] of each member, `y.stride` apart.
template <class F>
__global__ void reduce_kernel(F f, reduce_cut cut, operand<const float> x, operand<float> y, float factor)
{
    DN_SHARED(float, sums); // [groups, deep, side]
    const int e = static_cast<int>(blockIdx.z), t = static_cast<int>(threadIdx.x);
    const int side = t % cut.side, depth = t / cut.side % cut.deep, group = t / cut.side / cut.deep;
    const int per_block = REDUCE_THREADS / cut.deep;
    const int64_t output = static_cast<int64_t>(blockIdx.x) * per_block + group * cut.side + side;
    const bool inside = output < cut.split.outer * cut.split.inner;
    float sum = 0.0f;
    if (inside) {
        const int64_t o = output / cut.split.inner, i = output % cut.split.inner;
        const int64_t first = blockIdx.y * cut.part, last = first + cut.part;
        sum = reduce_stride(f, x.of(e) + o * cut.split.axis * cut.split.inner + i, cut, first + depth,
                            last < cut.split.axis ? last : cut.split.axis);
    }
    for (int half = cut.deep / 2; half > 0; half /= 2) {
        sums[t] = sum;
        __syncthreads();
        if (depth < half) sum += sums[t + half * cut.side];
        __syncthreads();
    }
    if (inside && depth == 0) y.of(e)[output * cut.parts + blockIdx.y] = sum * factor;
}

template <class F>
void reduce_once(F f, const reduce_cut &cut, operand<const float> x, operand<float> y, float factor, int members,
                 dn_gpu_stream stream)
{
    const dim3 grid(ceil_div(cut.split.outer * cut.split.inner, REDUCE_THREADS / cut.deep),
                    static_cast<unsigned>(cut.parts), static_cast<unsigned>(members));
    DN_LAUNCH((reduce_kernel<F>), grid, dim3(REDUCE_THREADS), REDUCE_THREADS * sizeof(float), stream, f, cut, x, y,
              factor);
}

// In one or two launches.
template <class F>
void reduce_all(F f, const axis_split &split, operand<const float> x, operand<float> y, float factor,
                const dn_call *call, dn_gpu_stream stream)
{
    const reduce_cut cut = reduce_cut_of(split, true);
    if (cut.parts == 1) {
        reduce_once(f, cut, x, y, factor, call->members, stream);
        return;
    }
    const int64_t outputs = split.outer * split.inner;
    float *const parts = static_cast<float *>(call->workspace); // [E, outputs, parts]
    reduce_once(f, cut, x, operand<float>{parts, outputs * cut.parts}, 1.0f, call->members, stream);
    const reduce_cut rest = reduce_cut_of({outputs, cut.parts, 1}, false);
    reduce_once(reduce_itself{}, rest, operand<const float>{parts, outputs * cut.parts}, y, factor, call->members,
                stream);
}

static axis_split reduce_split(const dn_call *shapes)
{
    const int axis = shapes->op->kind == DN_OP_REDUCE ? shapes->op->args.reduce.axis : -1;
    return split_of(&shapes->in_info[0]->shape, axis);
}

static size_t reduce_workspace(const dn_call *shapes)
{
    const reduce_cut cut = reduce_cut_of(reduce_split(shapes), true);
    const size_t sums = static_cast<size_t>(cut.split.outer * cut.split.inner * cut.parts) * shapes->members;
    return cut.parts > 1 ? sums * sizeof(float) : 0;
}

static void launch_reduce(const dn_call *call, dn_gpu_stream stream)
{
    reduce_all(reduce_itself{}, reduce_split(call), input<float>(call, 0), output<float>(call, 0),
               static_cast<float>(call->op->args.reduce.factor), call, stream);
}

static void launch_sum_squares(const dn_call *call, dn_gpu_stream stream)
{
    reduce_all(reduce_square{}, reduce_split(call), input<float>(call, 0), output<float>(call, 0), 1.0f, call, stream);
}

// --- Gradients, members: one thread for every element of the result ---

__global__ static void broadcast_kernel(axis_split s, operand<const float> dy, operand<float> dx, float factor)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t n = s.outer * s.axis * s.inner, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {
        const int64_t o = i / (s.axis * s.inner), inner = i % s.inner;
        dx.of(e)[i] = dy.of(e)[o * s.inner + inner] * factor;
    }
}

static void launch_broadcast(const dn_call *call, dn_gpu_stream stream)
{
    const axis_split s = split_of(&call->out_info[0]->shape, call->op->args.reduce.axis);
    const dim3 grid(ceil_div(s.outer * s.axis * s.inner, REDUCE_THREADS * 4), 1, static_cast<unsigned>(call->members));
    DN_LAUNCH(broadcast_kernel, grid, dim3(REDUCE_THREADS), 0, stream, s, input<float>(call, 0), output<float>(call, 0),
              static_cast<float>(call->op->args.reduce.factor));
}

// y[i] = factor * sum over e < members of x[e,i], in this order.
__global__ static void sum_members_kernel(operand<const float> x, float *y, int64_t n, int members, float factor)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float sum = 0.0f;
#pragma unroll 4
    for (int e = 0; e < members; e++) sum += x.of(e)[i];
    y[i] = sum * factor;
}

static void launch_sum_members(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t n = dn__count(call->out_info[0]);
    DN_LAUNCH(sum_members_kernel, dim3(ceil_div(n, REDUCE_THREADS)), dim3(REDUCE_THREADS), 0, stream,
              input<float>(call, 0), output<float>(call, 0).base, n, call->members,
              static_cast<float>(call->op->args.scalar.factor));
}

__global__ static void spread_members_kernel(operand<const float> x, operand<float> y, int64_t n, float factor)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < n) y.of(e)[i] = x.of(e)[i] * factor;
}

static void launch_spread_members(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t n = dn__count(call->out_info[0]);
    const dim3 grid(ceil_div(n, REDUCE_THREADS), 1, static_cast<unsigned>(call->members));
    DN_LAUNCH(spread_members_kernel, grid, dim3(REDUCE_THREADS), 0, stream, input<float>(call, 0),
              output<float>(call, 0), n, static_cast<float>(call->op->args.scalar.factor));
}

// --- Finite ---

// ok = no bad number in any member's loss [1] or among the counts of bad gradients [counts].
__global__ static void finite_kernel(operand<const float> loss, const float *bad, int64_t counts, int members,
                                     int32_t *ok)
{
    DN_SHARED(float, shared);
    float found_bad = 0.0f;
    for (int e = static_cast<int>(threadIdx.x); loss && e < members; e += REDUCE_THREADS)
        found_bad += reduce_bad{}(loss.of(e)[0]);
    for (int64_t i = threadIdx.x; i < counts; i += REDUCE_THREADS) found_bad += bad[i];
    found_bad = block_sum(found_bad, shared);
    if (threadIdx.x == 0) *ok = found_bad == 0.0f;
}

static reduce_cut finite_cut(const dn_call *shapes)
{
    return reduce_cut_of(split_of(&shapes->in_info[1]->shape, -1), true);
}

static size_t finite_workspace(const dn_call *shapes)
{
    if (!shapes->in_info[1]) return 0;
    return static_cast<size_t>(finite_cut(shapes).parts) * shapes->members * sizeof(float);
}

static void launch_finite(const dn_call *call, dn_gpu_stream stream)
{
    float *const bad = static_cast<float *>(call->workspace); // [E,parts]
    int64_t counts = 0;
    if (call->in_info[1]) {
        const reduce_cut cut = finite_cut(call);
        reduce_once(reduce_bad{}, cut, input<float>(call, 1), operand<float>{bad, cut.parts}, 1.0f, call->members,
                    stream);
        counts = cut.parts * call->members;
    }
    DN_LAUNCH(finite_kernel, dim3(1), dim3(REDUCE_THREADS), WARP * sizeof(float), stream, input<float>(call, 0), bad,
              counts, call->members, output<int32_t>(call, 0).base);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(reduce, launch_reduce, DN_TARGET::reduce_workspace, nullptr);
DN_GPU_KERNEL(sum_squares, launch_sum_squares, DN_TARGET::reduce_workspace, nullptr);
DN_GPU_KERNEL(broadcast, launch_broadcast, nullptr, nullptr);
DN_GPU_KERNEL(sum_members, launch_sum_members, nullptr, nullptr);
DN_GPU_KERNEL(spread_members, launch_spread_members, nullptr, nullptr);
DN_GPU_KERNEL(finite, launch_finite, DN_TARGET::finite_workspace, nullptr);
