/* Which ops have a tuned kernel. */
#include "core/cpu/tuned.h"

#include <stdio.h>

#include "core/cpu/select.h"

typedef struct row {
    dn_kernel *run;
    size_t (*workspace)(const dn_call *shapes); /* NULL: needs none */
} row;

static const row rows[DN_OP_COUNT] = {
    [DN_OP_CONV2D] = {dn__tuned_conv, dn__tuned_conv_workspace},
    [DN_OP_CONV2D_DATA_GRAD] = {dn__tuned_conv_data_grad, NULL},
    [DN_OP_CONV2D_WEIGHT_GRAD] = {dn__tuned_conv_weight_grad, NULL},
    [DN_OP_LINEAR] = {dn__tuned_conv, dn__tuned_conv_workspace},
    [DN_OP_LINEAR_DATA_GRAD] = {dn__tuned_conv_data_grad, NULL},
    [DN_OP_LINEAR_WEIGHT_GRAD] = {dn__tuned_conv_weight_grad, NULL},
    [DN_OP_RELU] = {dn__tuned_relu, NULL},
    [DN_OP_RELU_GRAD] = {dn__tuned_relu_grad, NULL},
    [DN_OP_ADD] = {dn__tuned_add, NULL},
    [DN_OP_SCALE] = {dn__tuned_scale, NULL},
    [DN_OP_COPY] = {dn__tuned_copy, NULL},
    [DN_OP_DROPOUT] = {dn__tuned_dropout, NULL},
    [DN_OP_MAX_POOL] = {dn__tuned_max_pool, NULL},
    [DN_OP_MAX_POOL_GRAD] = {dn__tuned_max_pool_grad, NULL},
    [DN_OP_AVERAGE_POOL] = {dn__tuned_average_pool, NULL},
    [DN_OP_AVERAGE_POOL_GRAD] = {dn__tuned_average_pool_grad, NULL},
    [DN_OP_BATCH_NORM] = {dn__tuned_batch_norm, dn__tuned_norm_workspace},
    [DN_OP_BATCH_NORM_GRAD] = {dn__tuned_batch_norm_grad, dn__tuned_norm_workspace},
    [DN_OP_BATCH_NORM_INFER] = {dn__tuned_batch_norm_infer, dn__tuned_norm_workspace},
    [DN_OP_BATCH_NORM_INFER_GRAD] = {dn__tuned_batch_norm_infer_grad, dn__tuned_norm_workspace},
    [DN_OP_ADAM] = {dn__tuned_adam, NULL},
    [DN_OP_SGD] = {dn__tuned_sgd, NULL},
    [DN_OP_GATHER] = {dn__tuned_gather, NULL},
    [DN_OP_STANDARDIZE] = {dn__tuned_standardize, NULL},
    [DN_OP_STANDARDIZE_GRAD] = {dn__tuned_standardize_grad, NULL},
    [DN_OP_MUTUAL_INFORMATION] = {dn__tuned_mutual_information, dn__tuned_information_workspace},
    [DN_OP_MUTUAL_INFORMATION_GRAD] = {dn__tuned_mutual_information_grad, dn__tuned_information_workspace},
};

dn_status dn__offer_tuned(dn_cpu_prepared *out, const dn_call *shapes)
{
    const row *found = &rows[shapes->op->kind];
    if (!found->run) return DN_OK;
    out->run = found->run;
    out->workspace = found->workspace ? found->workspace(shapes) : 0;
    snprintf(out->name, sizeof out->name, "tuned");
    return DN_OK;
}
