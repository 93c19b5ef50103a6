// Which tiles a convolution or linear layer on tensor cores uses, and into how many parts its depth is split.
//
// Estimates the time of each choice and takes the least. Large tiles read fewer bytes of shared memory per product,
// but compute more lines past the end of D and leave multiprocessors idle when they are few. Splitting the depth
// brings more blocks, whose sums have to be written and added. The GPU at hand is not asked, an H100 or H200 is
// assumed: the same shapes give the same sums in the same order on every GPU. (The same bits only on GPUs of one
// generation: how a tensor core rounds within one instruction is its own affair.)
#include <stdio.h>

#include "cuda/conv_mma.cuh"
#include "cuda/conv_problem.cuh"
#include "cuda/mma_tile.cuh"

namespace DN_TARGET
{

// The unit of time is what a multiprocessor needs for one bf16 product at full speed, 0.45 ps; tf32 takes two.
constexpr int MULTIPROCESSORS = 132, LEAST_SLICES = 4, MOST_SPLITS = 256, FEWEST_IMAGES = 32;
constexpr double MOST_LEFT = 0.9;

constexpr double SLICE_PRODUCTS = 32, // of an element of D per slice: 32 bf16, or 16 tf32 at half the speed
    START = 1.2e6,                    // a block's first loads: 1000 clocks
    PART = 5,                         // writing and reading one element of one part, all multiprocessors together
    SECOND_KERNEL = 5e6;              // 2 us

// Sizes (of a high and narrow D), blocks that a multiprocessor holds, and speed where shared memory sets it.
static const struct {
    int high, narrow, resident;
    double speed;
} TILES[] = {{128, 128, 2, 1.0}, {128, 64, 3, 0.75}, {128, 32, 4, 0.5}, {64, 64, 4, 0.55}};

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

// Time of a product: the multiprocessor with the most blocks works through them, faster if several overlap.
static double time_of(int k, int64_t blocks, int64_t slices, int64_t splits, int64_t elements)
{
    const double most = ceil_div(blocks * splits, MULTIPROCESSORS), resident = TILES[k].resident;
    const double work = SLICE_PRODUCTS * TILES[k].high * TILES[k].narrow * ceil_div(slices, splits) + START / resident;
    const double overlap = most < resident ? 0.5 + 0.5 * most / resident : 1;
    const double parts = splits > 1 ? PART * static_cast<double>(elements * splits) + SECOND_KERNEL : 0;
    return most * work / (TILES[k].speed * overlap) + parts;
}

// How many of the R P pairs of tap and place along one dimension are inside of the image.
static double share_inside(int taps, int places, int size, int padding)
{
    int count = 0;
    for (int p = 0; p < places; p++)
        for (int r = 0; r < taps; r++) count += p + r >= padding && p + r < size + padding;
    return count / (static_cast<double>(taps) * places);
}

// The share of the products that is left where taps in the padding are left out; 1 where that cannot be, or is not
// worth reading images far apart: a tap, or in the weight gradient a place, is to be a whole number of slices.
static double share_left(const dn_call *call, const conv_problem &p)
{
    const int slice = MMA_SLICE / (takes_bf16(call) ? 2 : 4);
    const int cell = is_weight_grad(call) ? p.N : is_data_grad(call) ? p.K : p.C;
    if (p.stride > 1 || p.N < FEWEST_IMAGES || cell % slice != 0 || !in_chunks(call, p)) return 1;
    const double share = share_inside(p.R, p.P, p.H, p.padding) * share_inside(p.S, p.Q, p.W, p.padding);
    return share <= MOST_LEFT ? share : 1;
}

// Fills in the plan's tile and splits. `elements` of D, of all members.
static void choose(mma_plan *plan, const dn_call *call, const conv_problem &p, int64_t elements)
{
    const gemm_shape shape = shape_of(call, p);
    const double left = share_left(call, p) * shape.depth;
    const int64_t slices = ceil_div(static_cast<int64_t>(left), MMA_SLICE / (takes_bf16(call) ? 2 : 4));
    const int64_t phases = is_data_grad(call) ? phases_of(p) : 1;
    double least = 0;
    for (int k = in_chunks(call, p) ? MMA_LARGE : MMA_SMALL; k <= MMA_SMALL; k++) {
        const int64_t blocks = tiles_of(call, shape, k) * p.members * phases;
        for (int64_t splits = 1; splits <= MOST_SPLITS && (splits == 1 || splits * LEAST_SLICES <= slices); splits++) {
            if (splits > 1 && ceil_div(slices, ceil_div(slices, splits)) != splits) continue; // one would be empty
            const double time = time_of(k, blocks, slices, splits, elements);
            if (least > 0 && time >= least) continue;
            least = time;
            plan->tile = static_cast<mma_tile_size>(k);
            plan->splits = static_cast<int>(splits);
        }
    }
}

// What p.forced says, as far as the shapes allow it.
static void force(mma_plan *plan, const dn_call *call, const conv_problem &p)
{
    const int slices = static_cast<int>(ceil_div(shape_of(call, p).depth, MMA_SLICE / (takes_bf16(call) ? 2 : 4)));
    for (int k = MMA_LARGE; k <= MMA_SMALL && in_chunks(call, p); k++)
        if (TILES[k].high == p.forced->lines[0] && TILES[k].narrow == p.forced->lines[1])
            plan->tile = static_cast<mma_tile_size>(k);
    plan->splits = p.forced->splits < slices ? p.forced->splits : slices > 1 ? slices : 1;
}

mma_plan mma_plan_of(const dn_call *call)
{
    const conv_problem p = problem_of(call);
    const int64_t elements = dn__count(call->out_info[0]) * p.members;
    mma_plan plan = {};
    plan.grouped = share_left(call, p) < 1;
    choose(&plan, call, p, elements);
    if (p.forced) force(&plan, call, p);
    if (plan.splits > 1)
        plan.partial = sizeof(float) * static_cast<size_t>(plan.splits) * static_cast<size_t>(elements);
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
    int used =
        snprintf(text, size, "%s %s mma %dx%dx%d", call->in_info[0]->shape.rank == 2 ? "linear" : "conv",
                 narrow ? "bf16" : "tf32", turned ? low : high, turned ? high : low, MMA_SLICE / (narrow ? 2 : 4));
    if (plan.grouped && used > 0 && static_cast<size_t>(used) < size)
        used += snprintf(text + used, size - static_cast<size_t>(used), " grouped");
    if (plan.splits > 1 && used > 0 && static_cast<size_t>(used) < size)
        snprintf(text + used, size - static_cast<size_t>(used), " split %d", plan.splits);
}

} // namespace DN_TARGET
