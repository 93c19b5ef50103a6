// Making a batch: which examples (indices), their values (gather), and their scale (standardize, normalize, and their
// gradients).
//
// indices      out[e,i] = pool[draw(e, step, i)]: one thread an index; some Philox rounds, 4 bytes written
// gather       out[e,i,:] = data[index[e,i],:], u8 / 255: four elements a thread: 4 (u8) or 16 bytes read, 16 written,
//              so that both a warp's reads and its writes leave no gaps; with 16 bytes of u8 the writes would, and they
//              are four fifths of the traffic. 5 (u8) or 8 bytes an element, bound by device memory. Rows that are no
//              multiple of four: one element a thread. Narrow rows (labels) share a block, so that it stays full.
// standardize  y = (x - mean) / max(deviation, 1 / sqrt(n)): one block an image; x is read three times, from device
//              memory once (8 bytes an element), as images fit the cache. The sums are taken in double, for which there
//              is time: a constant image comes out as exact zeros. Order: thread t adds t, t + 256, ..; then a tree.
//              Its gradient: (dy - mean(dy) - y mean(dy y)) / deviation, without the last term where the deviation is
//              the constant; x and dy are read thrice, from device memory once, 12 bytes an element.
// normalize    y = (x - mean[c]) / deviation[c], and its gradient dy / deviation[c]: 8 bytes an element, memory bound;
//              the channel is carried along, so that there is one division by C a thread.
//
// blockIdx.z is the member. All but standardize and its gradient give the reference's bits.
#include "cuda/operand.cuh"

namespace DN_TARGET
{
namespace
{

constexpr unsigned THREADS = 256, MOST_BLOCKS = 1024, MOST_ROWS = 65535; // blockIdx.y ends at MOST_ROWS

// ---- indices ----

struct choice {
    uint64_t seed;
    int64_t count; // without a pool
    uint32_t stream, member;
    bool replace;
};

__global__ void indices_kernel(choice c, operand<const int32_t> step, operand<const int32_t> pool,
                               operand<const int32_t> pool_size, int64_t capacity, operand<int32_t> out, int64_t n)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t i = static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x;
    if (i >= n) return;
    const int64_t now = step.of(e)[0];
    const int64_t all = pool ? pool_size ? pool_size.of(e)[0] : capacity : c.count;
    const int64_t choices = all > 0 ? all : 1, position = now * n + i;
    const uint32_t member = c.member + blockIdx.z;
    uint32_t index;
    if (c.replace) {
        uint32_t bits[4];
        dn_random_block(bits, c.seed, c.stream, static_cast<uint32_t>(now), member, static_cast<uint32_t>(i / 4));
        const uint32_t pairs[2] = {i & 1 ? bits[1] : bits[0], i & 1 ? bits[3] : bits[2]}; // bits[i % 4], in registers
        index = dn_random_to_below(i & 2 ? pairs[1] : pairs[0], static_cast<uint32_t>(choices));
    } else {
        index = dn_random_permute(static_cast<uint32_t>(position % choices), static_cast<uint32_t>(choices), c.seed,
                                  c.stream, static_cast<uint32_t>(position / choices), member);
    }
    out.of(e)[i] = pool ? pool.of(e)[index] : static_cast<int32_t>(index);
}

void launch_indices(const dn_call *call, dn_gpu_stream stream)
{
    const choice c = {call->seed, call->op->args.random.count, call->op->args.random.stream,
                      static_cast<uint32_t>(call->member), call->op->args.random.replace};
    const int64_t n = dn__count(call->out_info[0]), capacity = call->in_info[1] ? dn__count(call->in_info[1]) : 0;
    const dim3 grid(ceil_div(n, THREADS), 1, static_cast<unsigned>(call->members));
    DN_LAUNCH(indices_kernel, grid, dim3(THREADS), 0, stream, c, input<int32_t>(call, 0), input<int32_t>(call, 1),
              input<int32_t>(call, 2), capacity, output<int32_t>(call, 0), n);
}

// ---- gather ----

// V neighbours, moved by one instruction.
template <class T, int V> struct alignas(V * sizeof(T)) piece {
    T of[V];
};

__device__ inline float value_of(uint8_t x)
{
    return static_cast<float>(x) / 255.0f;
}

__device__ inline float value_of(float x)
{
    return x;
}

__device__ inline int32_t value_of(int32_t x)
{
    return x;
}

// What stands for an index outside of the data.
__device__ inline void missing(float &x)
{
    x = __uint_as_float(0x7fc00000u);
}

__device__ inline void missing(int32_t &x)
{
    x = -1;
}

// A block is 2^shift threads wide and THREADS >> shift rows high. units: pieces in a row.
template <class IN, class OUT, int V>
__global__ void gather_kernel(operand<const IN> data, int64_t rows, operand<const int32_t> index, operand<OUT> out,
                              int64_t n, int64_t units, unsigned shift)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t width = int64_t{1} << shift, height = THREADS >> shift;
    const auto *from = reinterpret_cast<const piece<IN, V> *>(data.of(e));
    auto *to = reinterpret_cast<piece<OUT, V> *>(out.of(e));
    for (int64_t i = blockIdx.y * height + (threadIdx.x >> shift); i < n; i += gridDim.y * height) {
        const int64_t row = index.of(e)[i];
        const bool inside = row >= 0 && row < rows;
        for (int64_t u = blockIdx.x * width + (threadIdx.x & (width - 1)); u < units; u += gridDim.x * width) {
            piece<IN, V> read = {};
            if (inside) read = from[row * units + u];
            piece<OUT, V> written;
            for (int k = 0; k < V; k++) {
                written.of[k] = value_of(read.of[k]);
                if (!inside) missing(written.of[k]);
            }
            to[i * units + u] = written;
        }
    }
}

template <class IN, class OUT, int V> void gather_pieces(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t rows = call->in_info[0]->shape.dim[0], n = dn__count(call->in_info[1]);
    const int64_t units = dn__count(call->in_info[0]) / rows / V;
    unsigned shift = 0;
    while ((1u << shift) < THREADS && (int64_t{1} << shift) < units) shift++;
    const unsigned across = ceil_div(units, int64_t{1} << shift), down = ceil_div(n, THREADS >> shift);
    const dim3 grid(across < MOST_BLOCKS ? across : MOST_BLOCKS, down < MOST_ROWS ? down : MOST_ROWS,
                    static_cast<unsigned>(call->members));
    DN_LAUNCH((gather_kernel<IN, OUT, V>), grid, dim3(THREADS), 0, stream, input<IN>(call, 0), rows,
              input<int32_t>(call, 1), output<OUT>(call, 0), n, units, shift);
}

template <class IN, class OUT> void gather(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t row = dn__count(call->in_info[0]) / call->in_info[0]->shape.dim[0];
    if (row % 4 == 0 && aligned(input<IN>(call, 0), 4 * sizeof(IN)) && aligned(output<OUT>(call, 0), 4 * sizeof(OUT)))
        gather_pieces<IN, OUT, 4>(call, stream);
    else
        gather_pieces<IN, OUT, 1>(call, stream);
}

void launch_gather(const dn_call *call, dn_gpu_stream stream)
{
    switch (call->in_info[0]->dtype) {
    case DN_U8: return gather<uint8_t, float>(call, stream);
    case DN_I32: return gather<int32_t, int32_t>(call, stream);
    default: return gather<float, float>(call, stream);
    }
}

// ---- standardize ----

// The sum of all threads' x, the same for all; `part` holds THREADS values.
__device__ inline double sum_of_block(double x, double *part)
{
    __syncthreads(); // the last sum has been read
    part[threadIdx.x] = x;
    for (unsigned half = THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
    }
    __syncthreads();
    return part[0];
}

__global__ void standardize_kernel(operand<const float> x, operand<float> y, int64_t n)
{
    DN_SHARED(double, part); // [THREADS]
    const int e = static_cast<int>(blockIdx.z);
    const float *image = x.of(e) + blockIdx.x * n; // [n]
    float *result = y.of(e) + blockIdx.x * n;      // [n]
    double sum = 0.0, squares = 0.0;
    for (int64_t i = threadIdx.x; i < n; i += THREADS) sum += image[i];
    const double mean = sum_of_block(sum, part) / static_cast<double>(n);
    for (int64_t i = threadIdx.x; i < n; i += THREADS) squares += (image[i] - mean) * (image[i] - mean);
    const double deviation = sqrt(sum_of_block(squares, part) / static_cast<double>(n));
    const double least = 1.0 / sqrt(static_cast<double>(n)), factor = 1.0 / (deviation > least ? deviation : least);
    for (int64_t i = threadIdx.x; i < n; i += THREADS) result[i] = static_cast<float>((image[i] - mean) * factor);
}

void launch_standardize(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t images = call->in_info[0]->shape.dim[0], n = dn__count(call->in_info[0]) / images;
    const dim3 grid(static_cast<unsigned>(images), 1, static_cast<unsigned>(call->members));
    DN_LAUNCH(standardize_kernel, grid, dim3(THREADS), THREADS * sizeof(double), stream, input<float>(call, 0),
              output<float>(call, 0), n);
}

__global__ void standardize_grad_kernel(operand<const float> dy, operand<const float> x, operand<float> dx, int64_t n)
{
    DN_SHARED(double, part); // [THREADS]
    const int e = static_cast<int>(blockIdx.z);
    const float *image = x.of(e) + blockIdx.x * n, *from = dy.of(e) + blockIdx.x * n; // [n]
    float *to = dx.of(e) + blockIdx.x * n;                                            // [n]
    const double count = static_cast<double>(n), least = 1.0 / sqrt(count);
    double sum = 0.0, squares = 0.0, sum_dy = 0.0, product = 0.0;
    for (int64_t i = threadIdx.x; i < n; i += THREADS) sum += image[i];
    const double mean = sum_of_block(sum, part) / count;
    for (int64_t i = threadIdx.x; i < n; i += THREADS) {
        squares += (image[i] - mean) * (image[i] - mean);
        sum_dy += from[i];
        product += from[i] * (image[i] - mean);
    }
    const double deviation = sqrt(sum_of_block(squares, part) / count);
    const double mean_dy = sum_of_block(sum_dy, part) / count, mean_product = sum_of_block(product, part) / count;
    const double factor = 1.0 / (deviation > least ? deviation : least);
    const double slope = deviation > least ? mean_product * factor * factor : 0.0;
    for (int64_t i = threadIdx.x; i < n; i += THREADS)
        to[i] = static_cast<float>((from[i] - mean_dy - (image[i] - mean) * slope) * factor);
}

void launch_standardize_grad(const dn_call *call, dn_gpu_stream stream)
{
    const int64_t images = call->in_info[0]->shape.dim[0], n = dn__count(call->in_info[0]) / images;
    const dim3 grid(static_cast<unsigned>(images), 1, static_cast<unsigned>(call->members));
    DN_LAUNCH(standardize_grad_kernel, grid, dim3(THREADS), THREADS * sizeof(double), stream, input<float>(call, 0),
              input<float>(call, 1), output<float>(call, 0), n);
}

// ---- normalize ----

// mean may be left out: the gradient.
__global__ void normalize_kernel(operand<const float> x, operand<const float> mean, operand<const float> deviation,
                                 operand<float> y, int64_t n, int64_t channels)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t step = static_cast<int64_t>(gridDim.x) * THREADS, turn = step % channels;
    int64_t i = static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x, c = i % channels;
    for (; i < n; i += step) {
        const float centred = mean ? x.of(e)[i] - mean.of(e)[c] : x.of(e)[i];
        y.of(e)[i] = centred / deviation.of(e)[c];
        c += turn;
        if (c >= channels) c -= channels;
    }
}

void normalize_by(const dn_call *call, operand<const float> mean, operand<const float> deviation, dn_gpu_stream stream)
{
    const int64_t n = dn__count(call->in_info[0]);
    const unsigned wanted = ceil_div(n, THREADS);
    const dim3 grid(wanted < MOST_BLOCKS ? wanted : MOST_BLOCKS, 1, static_cast<unsigned>(call->members));
    DN_LAUNCH(normalize_kernel, grid, dim3(THREADS), 0, stream, input<float>(call, 0), mean, deviation,
              output<float>(call, 0), n, dn__last(call->in_info[0]));
}

void launch_normalize(const dn_call *call, dn_gpu_stream stream)
{
    normalize_by(call, input<float>(call, 1), input<float>(call, 2), stream);
}

void launch_normalize_grad(const dn_call *call, dn_gpu_stream stream)
{
    normalize_by(call, {nullptr, 0}, input<float>(call, 1), stream);
}

} // namespace
} // namespace DN_TARGET

DN_GPU_KERNEL(indices, launch_indices, nullptr, nullptr);
DN_GPU_KERNEL(gather, launch_gather, nullptr, nullptr);
DN_GPU_KERNEL(standardize, launch_standardize, nullptr, nullptr);
DN_GPU_KERNEL(standardize_grad, launch_standardize_grad, nullptr, nullptr);
DN_GPU_KERNEL(normalize, launch_normalize, nullptr, nullptr);
DN_GPU_KERNEL(normalize_grad, launch_normalize_grad, nullptr, nullptr);
