// How a matrix product in f32 is cut into blocks: the tile, and in how many parts the depth is split. From shapes
// alone.
//
// The estimate is FMAs: what the tiles compute, the ragged rims included, over how well a tile of that size keeps the
// FMA units busy (the share of shared memory reads), times how much of the GPU stays idle when blocks are few, plus
// what writing and reading the parts of a split product costs. The same plan is right for every GPU; it assumes
// 132 SMs.
#ifndef DN_CUDA_GEMM_PLAN_CUH
#define DN_CUDA_GEMM_PLAN_CUH

#include "cuda/conv_problem.cuh"

#include <cmath>
#include <cstdio>

namespace DN_TARGET
{

constexpr int F32_STEP = 16; // parts of the depth start at multiples of it, in every tile

// "single": operands are read number by number, else four at once.
enum f32_tile_id { F32_128x128, F32_128x64, F32_64x64, F32_128x32, F32_32x32, F32_SINGLE_64x64, F32_SINGLE_32x32 };

struct gemm_plan {
    f32_tile_id tile;
    bool wide; // reads four numbers at once
    int splits, depth_of_part;
    int a_lines, b_lines, step; // of the tile
};

struct f32_tile_row {
    f32_tile_id id;
    int a, b, step; // step: depth that a block takes at once
    int threads;
    double speed; // of the FMA units' peak
};

constexpr f32_tile_row f32_tiles[] = {
    {F32_128x128, 128, 128, 8, 256, 0.85},    {F32_128x64, 128, 64, 8, 128, 0.80},
    {F32_64x64, 64, 64, 16, 128, 0.70},       {F32_128x32, 128, 32, 16, 128, 0.65},
    {F32_32x32, 32, 32, 16, 64, 0.45},        {F32_SINGLE_64x64, 64, 64, 16, 128, 0.50},
    {F32_SINGLE_32x32, 32, 32, 16, 64, 0.30},
};

constexpr int PLANNED_SMS = 132, BLOCKS_PER_SM = 4, SHORTEST_PART = 128;
constexpr double FMAS_PER_PART_ELEMENT = 80; // 8 bytes to memory and back, at 3 TB/s and 30 TFMA/s

inline bool is_forced(const dn_gpu_tile &forced, const f32_tile_row &t)
{
    return forced.lines[0] == t.a && forced.lines[1] == t.b;
}

// @return estimated FMAs, 0 of a forced tile; fills splits and depth_of_part for a tile
inline double plan_tile(gemm_plan *plan, const f32_tile_row &t, const gemm_shape &shape, int members,
                        const dn_gpu_tile *forced)
{
    const double tiles = static_cast<double>(ceil_div(shape.a, t.a)) * ceil_div(shape.b, t.b) * members;
    const int steps = static_cast<int>(ceil_div(shape.depth, F32_STEP));
    int splits = 1;
    if (forced) {
        splits = forced->splits;
    } else if (tiles < PLANNED_SMS * BLOCKS_PER_SM) {
        const int wanted = static_cast<int>(PLANNED_SMS * BLOCKS_PER_SM / tiles), most = shape.depth / SHORTEST_PART;
        splits = wanted < most ? wanted : most > 1 ? most : 1;
    }
    const int steps_of_part = steps > 0 ? static_cast<int>(ceil_div(steps, splits)) : 1;
    splits = steps > 0 ? static_cast<int>(ceil_div(steps, steps_of_part)) : 1;
    *plan = {t.id, t.id < F32_SINGLE_64x64, splits, steps_of_part * F32_STEP, t.a, t.b, t.step};
    if (forced && is_forced(*forced, t)) return 0;
    const double full = PLANNED_SMS * 512.0 / t.threads, idle = full / (tiles * splits);
    const double parts = splits > 1 ? static_cast<double>(shape.a) * shape.b * members * splits : 0;
    return tiles * t.a * t.b * (shape.depth + F32_STEP) / t.speed * (idle > 1 ? idle : 1) +
           parts * FMAS_PER_PART_ELEMENT;
}

// @param wide whether neighbours in memory come in fours in both operands
// @param forced may be nullptr
inline gemm_plan gemm_plan_f32(const gemm_shape &shape, int members, bool wide, const dn_gpu_tile *forced)
{
    gemm_plan best = {};
    double least = INFINITY;
    for (const f32_tile_row &row : f32_tiles) {
        gemm_plan plan;
        const double cost = plan_tile(&plan, row, shape, members, forced);
        if (plan.wide != wide || cost >= least) continue;
        best = plan;
        least = cost;
    }
    return best;
}

// For describe(): "f32 64x64x16 split 4".
inline void describe_f32(const gemm_plan &plan, char *text, size_t size)
{
    const char *reads = plan.wide ? "" : " single";
    if (plan.splits > 1)
        snprintf(text, size, "f32 %dx%dx%d%s split %d", plan.a_lines, plan.b_lines, plan.step, reads, plan.splits);
    else
        snprintf(text, size, "f32 %dx%dx%d%s", plan.a_lines, plan.b_lines, plan.step, reads);
}

// Bytes of the parts of a split product.
inline size_t workspace_of(const gemm_plan &plan, const gemm_shape &shape, int members)
{
    if (plan.splits == 1) return 0;
    return static_cast<size_t>(plan.splits) * static_cast<size_t>(members) * static_cast<size_t>(shape.a) *
           static_cast<size_t>(shape.b) * sizeof(float);
}

} // namespace DN_TARGET
#endif
