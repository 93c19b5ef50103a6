// Convolutions and linear layers on tensor cores: what the ops' dispatch calls, and the plan behind it.
//
// Operands are bf16 in memory, or f32 rounded to tf32 (11 significant bits) on the way to the tensor cores; sums
// are f32.
#ifndef DN_CUDA_CONV_MMA_CUH
#define DN_CUDA_CONV_MMA_CUH

#include "cuda/target.cuh"

namespace DN_TARGET
{

// Of conv2d, linear and their gradients: whether the tensor cores take the call. bf16 operands have no other way.
bool mma_takes(const dn_call *call);

// Bytes of call->workspace.
size_t mma_workspace(const dn_call *call);

// Such as "conv bf16 mma 128x128x32 split 3".
void mma_describe(const dn_call *call, char *text, size_t size);

void mma_forward(const dn_call *call, dn_gpu_stream stream);     // x, w, b? -> y
void mma_data_grad(const dn_call *call, dn_gpu_stream stream);   // dy, w -> dx
void mma_weight_grad(const dn_call *call, dn_gpu_stream stream); // x, dy -> dw, not db

// Tiles of D: 128 x 128, 128 x 64, 128 x 32 (transposed for the weight gradient, whose D is low and wide), 64 x 64.
enum mma_tile_size { MMA_LARGE, MMA_MIDDLE, MMA_THIN, MMA_SMALL };

// How a call runs, from its shapes and types alone.
struct mma_plan {
    mma_tile_size tile;
    int splits;     // of the depth
    bool grouped;   // positions in the order (p, q, n), taps in the padding left out: see mma_order.cuh
    size_t partial; // bytes of the splits' sums; 0: not split
};

mma_plan mma_plan_of(const dn_call *call);

} // namespace DN_TARGET
#endif
