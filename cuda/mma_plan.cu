// Which tiles a convolution or linear layer on tensor cores uses, and into how many parts its depth is split.
//
// Tiles: the larger, the fewer bytes per product, but lines past the end of D are computed for nothing, and few
// tiles leave multiprocessors idle. The cheapest tile is the one with the least computed area / speed / share of
// the GPU in use. Splits: until two blocks per multiprocessor of an H100 are there, at least 8 slices of the depth
// each. The GPU at hand is not asked: the same shapes give the same sums in the same order on every GPU.
#include <stdio.h>

#include "cuda/conv_mma.cuh"
#include "cuda/conv_problem.cuh"
#include "cuda/mma_tile.cuh"

namespace DN_TARGET
{

constexpr int MULTIPROCESSORS = 132, LEAST_SLICES = 8;

// Sizes (of a high and narrow D) and speeds relative to the largest: from the bytes that they read per product.
static const struct {
    int high, narrow;
    double speed;
} TILES[] = {{128, 128, 1.0}, {128, 64, 0.8}, {128, 32, 0.55}, {64, 64, 0.6}};

static bool is_weight_grad(const dn_call *call)
{
    return call->op->kind == DN_OP_CONV2D_WEIGHT_GRAD || call->op->kind == DN_OP_LINEAR_WEIGHT_GRAD;
}

static bool is_data_grad(const dn_call *call)
{
    return call->op->kind == DN_OP_CONV2D_DATA_GRAD || call->op->kind == DN_OP_LINEAR_DATA_GRAD;
}

static bool takes_bf16(const dn_call *call)
{
    return is_bf16(call->in_info[0]);
}

static gemm_shape shape_of(const dn_call *call, const conv_problem &p)
{
    if (is_weight_grad(call)) return weight_grad_shape(p);
    if (!is_data_grad(call)) return forward_shape(p);
    return data_grad_shape(p, phase_of(p, 0));
}

// Whether whole chunks of 16 bytes can be copied, as the larger tiles need: runs in memory are C and K long.
static bool in_chunks(const dn_call *call, const conv_problem &p)
{
    const int elements = takes_bf16(call) ? 8 : 4;
    const bool reads_filters = !is_weight_grad(call) && !is_data_grad(call);
    return p.C % elements == 0 && (reads_filters || p.K % elements == 0);
}

static int64_t tiles_of(const dn_call *call, const gemm_shape &shape, int k)
{
    const int64_t high = is_weight_grad(call) ? shape.b : shape.a, narrow = is_weight_grad(call) ? shape.a : shape.b;
    return static_cast<int64_t>(ceil_div(high, TILES[k].high)) * ceil_div(narrow, TILES[k].narrow);
}

static mma_tile_size best_tile(const dn_call *call, const conv_problem &p, const gemm_shape &shape)
{
    if (!in_chunks(call, p)) return MMA_SMALL;
    int best = MMA_SMALL;
    double least = 0;
    for (int k = MMA_LARGE; k <= MMA_SMALL; k++) {
        const double tiles = static_cast<double>(tiles_of(call, shape, k)), blocks = tiles * p.members;
        const double used = blocks < MULTIPROCESSORS ? blocks / MULTIPROCESSORS : 1;
        // A split depth fills the GPU too, at the price of writing and reading the parts' sums.
        const double cost = tiles * TILES[k].high * TILES[k].narrow / TILES[k].speed / (0.5 + 0.5 * used);
        if (k == MMA_LARGE || cost < least) best = k, least = cost;
    }
    return static_cast<mma_tile_size>(best);
}

static int splits_of(int64_t blocks, int64_t slices)
{
    const int64_t wanted = blocks < MULTIPROCESSORS ? 2 * MULTIPROCESSORS / (blocks > 0 ? blocks : 1) : 1;
    const int64_t possible = slices / LEAST_SLICES, splits = wanted < possible ? wanted : possible;
    if (splits < 2) return 1;
    const int64_t each = (slices + splits - 1) / splits;
    return static_cast<int>((slices + each - 1) / each); // no split is left without a slice
}

mma_plan mma_plan_of(const dn_call *call)
{
    const conv_problem p = problem_of(call);
    const gemm_shape shape = shape_of(call, p);
    mma_plan plan = {};
    plan.tile = best_tile(call, p, shape);
    const int64_t slices = ceil_div(shape.depth, MMA_SLICE / (takes_bf16(call) ? 2 : 4));
    const int64_t phases = is_data_grad(call) ? phases_of(p) : 1;
    plan.splits = splits_of(tiles_of(call, shape, plan.tile) * p.members * phases, slices);
    if (plan.splits > 1)
        plan.partial = sizeof(float) * static_cast<size_t>(plan.splits) * static_cast<size_t>(p.members) *
                       static_cast<size_t>(dn__count(call->out_info[0]));
    return plan;
}

bool mma_takes(const dn_call *call)
{
    return takes_bf16(call) || call->tf32;
}

size_t mma_workspace(const dn_call *call)
{
    return mma_plan_of(call).partial;
}

void mma_describe(const dn_call *call, char *text, size_t size)
{
    const mma_plan plan = mma_plan_of(call);
    const bool turned = is_weight_grad(call), narrow = takes_bf16(call);
    const int high = TILES[plan.tile].high, low = TILES[plan.tile].narrow;
    const int used =
        snprintf(text, size, "%s %s mma %dx%dx%d", call->in_info[0]->shape.rank == 2 ? "linear" : "conv",
                 narrow ? "bf16" : "tf32", turned ? low : high, turned ? high : low, MMA_SLICE / (narrow ? 2 : 4));
    if (plan.splits > 1 && used > 0 && static_cast<size_t>(used) < size)
        snprintf(text + used, size - static_cast<size_t>(used), " split %d", plan.splits);
}

} // namespace DN_TARGET
