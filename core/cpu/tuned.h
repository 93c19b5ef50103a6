/** The CPU backend's own kernels, f32 only. Each computes what the reference kernel of the same name defines. */
#ifndef DN_CORE_CPU_TUNED_H
#define DN_CORE_CPU_TUNED_H

#include "core/cpu/simd.h"

dn_kernel dn__tuned_relu, dn__tuned_relu_grad, dn__tuned_add, dn__tuned_scale, dn__tuned_copy;
dn_kernel dn__tuned_dropout;
dn_kernel dn__tuned_max_pool, dn__tuned_max_pool_grad, dn__tuned_average_pool, dn__tuned_average_pool_grad;
dn_kernel dn__tuned_batch_norm, dn__tuned_batch_norm_grad;
dn_kernel dn__tuned_batch_norm_infer, dn__tuned_batch_norm_infer_grad;
dn_kernel dn__tuned_adam, dn__tuned_sgd;
dn_kernel dn__tuned_gather, dn__tuned_standardize, dn__tuned_standardize_grad;
dn_kernel dn__tuned_conv, dn__tuned_conv_data_grad, dn__tuned_conv_weight_grad; /**< linear layers too */
dn_kernel dn__tuned_mutual_information, dn__tuned_mutual_information_grad;

/** @return bytes of scratch memory of batch_norm, batch_norm_infer and their gradients */
size_t dn__tuned_norm_workspace(const dn_call *shapes);

/** @return the same of conv2d and linear */
size_t dn__tuned_conv_workspace(const dn_call *shapes);

/** @return the same of mutual_information and its gradient */
size_t dn__tuned_information_workspace(const dn_call *shapes);

#endif
