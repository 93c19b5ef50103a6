// Changes to images [N,H,W,C] that are drawn anew at every step, and noise.
//
// crop            y[n,h,w,:] = x[n, h + down, w + right, :], 0 outside; offsets from words 0 and 1 of Philox block n
// flip            y[n,h,w,:] = x[n, h, W - 1 - w, :] where the top bit of word 0 of block n is set, else x
// patch_shuffle   the patches of image n in the order of a Fisher-Yates shuffle: all threads draw its swaps, one thread
//                 carries them out on a table in shared memory, all threads move the pixels once
// noise           four values from each Philox block: uniform, or normal by Box and Muller (in double: the same bits
//                 everywhere); one thread a block of four
//
// The first three: one block of 256 threads an image, a warp a line of W * C elements, lane by lane, so that reads and
// writes are of neighbours (shifted by the crop). Every thread draws its image's numbers itself: ten rounds of integer
// products, for 8 bytes an element that device memory bounds. Noise writes 4 bytes an element; normal noise is bound by
// double arithmetic (about 60 operations a value). blockIdx.z is the member. All give the reference's bits.
#include "cuda/operand.cuh"

namespace DN_TARGET
{
namespace
{

constexpr unsigned THREADS = 256, WARP = 32, MOST_BLOCKS = 1024;

// Where an op's random numbers come from.
struct source {
    uint64_t seed;
    uint32_t stream, member;
    operand<const int32_t> step;

    // Block `block` of member e = blockIdx.z.
    __device__ void draw(uint32_t bits[4], int64_t block) const
    {
        const int32_t now = step.of(static_cast<int>(blockIdx.z))[0];
        dn_random_block(bits, seed, stream, static_cast<uint32_t>(now), member + blockIdx.z,
                        static_cast<uint32_t>(block));
    }
};

source source_of(const dn_call *call, int step_input)
{
    return {call->seed, call->op->args.random.stream, static_cast<uint32_t>(call->member),
            input<int32_t>(call, step_input)};
}

struct images {
    operand<const float> x;
    operand<float> y;
    int height, width, channels, line; // line = width * channels

    __device__ const float *from() const // [height, line]
    {
        return x.of(static_cast<int>(blockIdx.z)) + static_cast<int64_t>(blockIdx.x) * height * line;
    }
    __device__ float *to() const // [height, line]
    {
        return y.of(static_cast<int>(blockIdx.z)) + static_cast<int64_t>(blockIdx.x) * height * line;
    }
};

images images_of(const dn_call *call)
{
    const int64_t *d = call->in_info[0]->shape.dim;
    return {input<float>(call, 0),  output<float>(call, 0), static_cast<int>(d[1]),
            static_cast<int>(d[2]), static_cast<int>(d[3]), static_cast<int>(d[2] * d[3])};
}

dim3 grid_of(const dn_call *call)
{
    return dim3(static_cast<unsigned>(call->in_info[0]->shape.dim[0]), 1, static_cast<unsigned>(call->members));
}

// ---- crop ----

__global__ void crop_kernel(images i, source random, int padding, uint32_t choices)
{
    uint32_t bits[4];
    random.draw(bits, blockIdx.x);
    const int down = static_cast<int>(dn_random_to_below(bits[0], choices)) - padding;
    const int right = (static_cast<int>(dn_random_to_below(bits[1], choices)) - padding) * i.channels;
    for (int h = threadIdx.x / WARP; h < i.height; h += THREADS / WARP) {
        const bool inside = h + down >= 0 && h + down < i.height;
        const float *from = i.from() + static_cast<int64_t>(inside ? h + down : 0) * i.line;
        float *to = i.to() + static_cast<int64_t>(h) * i.line;
        for (int j = threadIdx.x % WARP; j < i.line; j += WARP)
            to[j] = inside && j + right >= 0 && j + right < i.line ? from[j + right] : 0.0f;
    }
}

void launch_crop(const dn_call *call, dn_gpu_stream stream)
{
    DN_LAUNCH(crop_kernel, grid_of(call), dim3(THREADS), 0, stream, images_of(call), source_of(call, 1),
              call->op->args.random.size, static_cast<uint32_t>(call->op->args.random.choices));
}

// ---- flip ----

__global__ void flip_kernel(images i, source random)
{
    uint32_t bits[4];
    random.draw(bits, blockIdx.x);
    const bool mirrored = bits[0] >> 31;
    for (int h = threadIdx.x / WARP; h < i.height; h += THREADS / WARP) {
        const float *from = i.from() + static_cast<int64_t>(h) * i.line;
        float *to = i.to() + static_cast<int64_t>(h) * i.line;
        for (int j = threadIdx.x % WARP; j < i.line; j += WARP) {
            const int pixel = j / i.channels;
            to[j] = from[mirrored ? j + (i.width - 1 - 2 * pixel) * i.channels : j];
        }
    }
}

void launch_flip(const dn_call *call, dn_gpu_stream stream)
{
    DN_LAUNCH(flip_kernel, grid_of(call), dim3(THREADS), 0, stream, images_of(call), source_of(call, 1));
}

// ---- patch shuffle ----

// order[k] = the patch that comes to place k. swaps: [patches], scratch.
__device__ inline void shuffle(int *order, int *swaps, const source &random, int patches)
{
    const int blocks = (patches + 3) / 4;
    for (int b = threadIdx.x; b < blocks; b += THREADS) {
        uint32_t bits[4];
        random.draw(bits, static_cast<int64_t>(blockIdx.x) * blocks + b);
        for (int k = 0; k < 4; k++) {
            const int place = 4 * b + k;
            if (place >= patches) break;
            order[place] = place;
            swaps[place] = static_cast<int>(dn_random_to_below(bits[k], static_cast<uint32_t>(place) + 1));
        }
    }
    __syncthreads();
    if (threadIdx.x == 0)
        for (int k = patches - 1; k >= 1; k--) {
            const int kept = order[k];
            order[k] = order[swaps[k]];
            order[swaps[k]] = kept;
        }
    __syncthreads();
}

__global__ void patch_shuffle_kernel(images i, source random, int size)
{
    DN_SHARED(int, order); // [patches], then the swaps [patches]
    const int across = i.width / size, patches = i.height / size * across, part = size * i.channels;
    shuffle(order, order + patches, random, patches);
    for (int h = threadIdx.x / WARP; h < i.height; h += THREADS / WARP) {
        float *to = i.to() + static_cast<int64_t>(h) * i.line;
        for (int j = threadIdx.x % WARP; j < i.line; j += WARP) {
            const int patch = order[h / size * across + j / part];
            const int row = patch / across * size + h % size, column = patch % across * part + j % part;
            to[j] = i.from()[static_cast<int64_t>(row) * i.line + column];
        }
    }
}

void launch_patch_shuffle(const dn_call *call, dn_gpu_stream stream)
{
    const int size = call->op->args.random.size;
    const int64_t *d = call->in_info[0]->shape.dim, patches = (d[1] / size) * (d[2] / size);
    const size_t bytes = static_cast<size_t>(patches) * 2 * sizeof(int); // at most 32 KiB: the builder's limit
    DN_LAUNCH(patch_shuffle_kernel, grid_of(call), dim3(THREADS), bytes, stream, images_of(call), source_of(call, 1),
              size);
}

// ---- noise ----

// Uniform in [low, high), or normal with mean low and deviation high.
__global__ void noise_kernel(source random, bool normal, float low, float high, operand<float> out, int64_t n,
                             bool vector)
{
    float *y = out.of(static_cast<int>(blockIdx.z)); // [n]
    const int64_t step = static_cast<int64_t>(gridDim.x) * THREADS * 4;
    for (int64_t i = (static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x) * 4; i < n; i += step) {
        uint32_t bits[4];
        float drawn[4];
        random.draw(bits, i / 4);
        if (normal) {
            dn_random_to_normals(drawn, bits[0], bits[1]);
            dn_random_to_normals(drawn + 2, bits[2], bits[3]);
        } else {
            for (int k = 0; k < 4; k++) drawn[k] = dn_random_to_uniform(bits[k]);
        }
        const float scale = normal ? high : high - low;
        for (int k = 0; k < 4; k++) drawn[k] = low + scale * drawn[k];
        if (vector && i + 4 <= n)
            *reinterpret_cast<float4 *>(y + i) = make_float4(drawn[0], drawn[1], drawn[2], drawn[3]);
        else
            for (int k = 0; k < 4; k++)
                if (i + k < n) y[i + k] = drawn[k];
    }
}

void launch_noise(const dn_call *call, dn_gpu_stream stream)
{
    const dn_op_args &a = call->op->args;
    const int64_t n = dn__count(call->out_info[0]);
    const unsigned wanted = ceil_div(n, 4 * THREADS);
    const dim3 grid(wanted < MOST_BLOCKS ? wanted : MOST_BLOCKS, 1, static_cast<unsigned>(call->members));
    const operand<float> out = output<float>(call, 0);
    DN_LAUNCH(noise_kernel, grid, dim3(THREADS), 0, stream, source_of(call, 0), a.random.noise == DN_NOISE_NORMAL,
              static_cast<float>(a.random.low), static_cast<float>(a.random.high), out, n, aligned(out, 16));
}

} // namespace
} // namespace DN_TARGET

DN_GPU_KERNEL(crop, launch_crop, nullptr, nullptr);
DN_GPU_KERNEL(flip, launch_flip, nullptr, nullptr);
DN_GPU_KERNEL(patch_shuffle, launch_patch_shuffle, nullptr, nullptr);
DN_GPU_KERNEL(noise, launch_noise, nullptr, nullptr);
