// Fully connected layers: y[n,k] = b[k] + sum over c of x[n,c] w[k,c], and the gradients of x, w and b.
//
// They are the 1x1 convolutions of N images of one pixel, and run as such: problem_of() sees to it. With N rows only,
// they are bound by reading w, unless members or batches are many; the plan splits the depth to read it from all SMs.
#include "cuda/conv.cuh"

DN_GPU_KERNEL(linear, conv_forward, DN_TARGET::conv_forward_workspace, DN_TARGET::conv_forward_describe);
DN_GPU_KERNEL(linear_data_grad, conv_data_grad, DN_TARGET::conv_data_grad_workspace,
              DN_TARGET::conv_data_grad_describe);
DN_GPU_KERNEL(linear_weight_grad, conv_weight_grad, DN_TARGET::conv_weight_grad_workspace,
              DN_TARGET::conv_weight_grad_describe);
