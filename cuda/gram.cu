// Inner products of a matrix's columns: y = x' x for x [N,D], y [D,D], in double.
//
// Only tiles of 64 x 64 on and above the diagonal are computed. A block of 256 threads has one tile of one part of the
// rows: it brings 16 rows at a time of the tile's two bands of columns to shared memory (16 KiB), from where thread
// (row, column) of 16 x 16 adds to the 4 x 4 elements that lie 16 apart from its own: neighbours read neighbouring
// doubles, or one and the same. blockIdx.x is the tile, blockIdx.y the part, blockIdx.z the member. Few columns make
// few tiles, which would leave multiprocessors idle: then the rows are cut in parts, by the shape alone. The parts'
// sums go to the workspace [parts, E, D, D]; a second kernel adds them in order and writes each to both sides of the
// diagonal, so that y is symmetric to the bit.
//
// N D (D + 64) / 2 fused multiply-adds, each element's in one chain a part. A thread loads 8 doubles from shared memory
// for 16 of them: for D >= 64 that and the FP64 units bound it about alike on GPUs for computing centres; on others the
// few FP64 units do. Device memory gives every element to D / 64 + 1 tiles, mostly from L2.
#include "cuda/operand.cuh"

namespace DN_TARGET
{

constexpr int GRAM_TILE = 64, GRAM_DEPTH = 16, GRAM_SIDE = 16, GRAM_OWN = GRAM_TILE / GRAM_SIDE;
constexpr int GRAM_THREADS = GRAM_SIDE * GRAM_SIDE;
constexpr int64_t GRAM_BLOCKS = 264; // two for each multiprocessor of an H100

struct gram_cut {
    int64_t rows, columns, bands, tiles;
    int64_t parts, part; // how many, and how many rows each has
};

static gram_cut gram_cut_of(const dn_call *shapes)
{
    gram_cut cut = {dn__rows(shapes->in_info[0]), dn__last(shapes->in_info[0]), 0, 0, 1, 0};
    cut.bands = ceil_div(cut.columns, GRAM_TILE);
    cut.tiles = cut.bands * (cut.bands + 1) / 2;
    const int64_t wanted = GRAM_BLOCKS / cut.tiles, most = ceil_div(cut.rows, 4 * GRAM_DEPTH);
    const int64_t parts = wanted < most ? wanted : most;
    cut.part = ceil_div(cut.rows, parts > 1 ? parts : 1);
    cut.parts = ceil_div(cut.rows, cut.part);
    return cut;
}

static size_t gram_workspace(const dn_call *shapes)
{
    const gram_cut cut = gram_cut_of(shapes);
    return static_cast<size_t>(cut.parts * shapes->members * cut.columns * cut.columns) * sizeof(double);
}

// Rows first.. of a band of columns to shared memory, zeros where there are none. band: [GRAM_DEPTH, GRAM_TILE]
__device__ inline void gram_load(double *band, const double *x, const gram_cut &cut, int64_t first, int64_t last,
                                 int64_t column)
{
#pragma unroll
    for (int i = 0; i < GRAM_DEPTH * GRAM_TILE / GRAM_THREADS; i++) {
        const int at = static_cast<int>(threadIdx.x) + i * GRAM_THREADS;
        const int64_t n = first + at / GRAM_TILE, c = column + at % GRAM_TILE;
        band[at] = n < last && c < cut.columns ? x[n * cut.columns + c] : 0.0;
    }
}

// sums += the products of a thread's elements of two bands.
__device__ inline void gram_add(double (&sums)[GRAM_OWN][GRAM_OWN], const double *a, const double *b, int row,
                                int column)
{
#pragma unroll 4
    for (int k = 0; k < GRAM_DEPTH; k++) {
        double left[GRAM_OWN], right[GRAM_OWN];
#pragma unroll
        for (int i = 0; i < GRAM_OWN; i++) {
            left[i] = a[k * GRAM_TILE + row + i * GRAM_SIDE];
            right[i] = b[k * GRAM_TILE + column + i * GRAM_SIDE];
        }
#pragma unroll
        for (int i = 0; i < GRAM_OWN; i++)
#pragma unroll
            for (int j = 0; j < GRAM_OWN; j++) sums[i][j] = fma(left[i], right[j], sums[i][j]);
    }
}

// parts: [parts, E, D, D], of which the tiles on and above the diagonal are written.
__global__ static void __launch_bounds__(GRAM_THREADS)
    gram_parts_kernel(gram_cut cut, operand<const double> x, double *parts)
{
    DN_SHARED(double, shared); // [2, GRAM_DEPTH, GRAM_TILE]
    double *const a = shared, *const b = shared + GRAM_DEPTH * GRAM_TILE;
    const int e = static_cast<int>(blockIdx.z), t = static_cast<int>(threadIdx.x);
    const int row = t / GRAM_SIDE, column = t % GRAM_SIDE;
    int64_t high = 0, tile = blockIdx.x; // tiles are counted along the bands
    for (; tile >= cut.bands - high; high++) tile -= cut.bands - high;
    const int64_t top = high * GRAM_TILE, left = (high + tile) * GRAM_TILE;
    const int64_t begin = blockIdx.y * cut.part, end = begin + cut.part < cut.rows ? begin + cut.part : cut.rows;
    double sums[GRAM_OWN][GRAM_OWN] = {};
    for (int64_t first = begin; first < end; first += GRAM_DEPTH) {
        gram_load(a, x.of(e), cut, first, end, top);
        gram_load(b, x.of(e), cut, first, end, left);
        __syncthreads();
        gram_add(sums, a, b, row, column);
        __syncthreads();
    }
    double *const to = parts + (static_cast<int64_t>(blockIdx.y) * gridDim.z + e) * cut.columns * cut.columns;
#pragma unroll
    for (int i = 0; i < GRAM_OWN; i++)
#pragma unroll
        for (int j = 0; j < GRAM_OWN; j++) {
            const int64_t r = top + row + i * GRAM_SIDE, c = left + column + j * GRAM_SIDE;
            if (r < cut.columns && c < cut.columns) to[r * cut.columns + c] = sums[i][j];
        }
}

// y[r,c] = the sum of all parts in order. One thread per element; below the diagonal it reads the mirrored one.
__global__ static void gram_sum_kernel(gram_cut cut, const double *parts, operand<double> y)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, count = cut.columns * cut.columns;
    if (i >= count) return;
    const int e = static_cast<int>(blockIdx.z);
    const int64_t r = i / cut.columns, c = i % cut.columns;
    const double *from = parts + e * count + (r <= c ? i : c * cut.columns + r);
    double sum = 0.0;
#pragma unroll 4
    for (int64_t part = 0; part < cut.parts; part++) sum += from[part * gridDim.z * count];
    y.of(e)[i] = sum;
}

static void launch_gram(const dn_call *call, dn_gpu_stream stream)
{
    const gram_cut cut = gram_cut_of(call);
    const unsigned members = static_cast<unsigned>(call->members);
    double *const parts = static_cast<double *>(call->workspace);
    const dim3 grid(static_cast<unsigned>(cut.tiles), static_cast<unsigned>(cut.parts), members);
    DN_LAUNCH(gram_parts_kernel, grid, dim3(GRAM_THREADS), 2 * GRAM_DEPTH * GRAM_TILE * sizeof(double), stream, cut,
              input<double>(call, 0), parts);
    DN_LAUNCH(gram_sum_kernel, dim3(ceil_div(cut.columns * cut.columns, GRAM_THREADS), 1, members), dim3(GRAM_THREADS),
              0, stream, cut, parts, output<double>(call, 0));
}

} // namespace DN_TARGET

DN_GPU_KERNEL(gram, launch_gram, DN_TARGET::gram_workspace, nullptr);
