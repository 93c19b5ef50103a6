// Convolutions of all precisions: what conv2d, linear and their gradients run. Operands in bf16, and f32 ones where
// tf32 is permitted, go to the tensor cores (conv_mma.cuh); the others to FMA units (gemm_f32.cuh).
#ifndef DN_CUDA_CONV_CUH
#define DN_CUDA_CONV_CUH

#include "cuda/conv_mma.cuh"
#include "cuda/conv_problem.cuh"

namespace DN_TARGET
{

void conv_forward(const dn_call *call, dn_gpu_stream stream);
size_t conv_forward_workspace(const dn_call *shapes);
void conv_forward_describe(const dn_call *shapes, char *text, size_t size);

void conv_data_grad(const dn_call *call, dn_gpu_stream stream);
size_t conv_data_grad_workspace(const dn_call *shapes);
void conv_data_grad_describe(const dn_call *shapes, char *text, size_t size);

// Weights by one path or the other, then the bias, if it is wanted, by bias_grad().
void conv_weight_grad(const dn_call *call, dn_gpu_stream stream);
size_t conv_weight_grad_workspace(const dn_call *shapes);
void conv_weight_grad_describe(const dn_call *shapes, char *text, size_t size);

// db [K] = sum of dy [N P Q, K] (f32 or bf16) over positions, for a call of a weight gradient that has an output db.
void bias_grad(const dn_call *call, dn_gpu_stream stream);
size_t bias_grad_workspace(const dn_call *shapes);

} // namespace DN_TARGET
#endif
