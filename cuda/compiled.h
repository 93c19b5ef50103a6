/** A program ready for a GPU: one call per op, and the graph that replays them all. */
#ifndef DN_CUDA_COMPILED_H
#define DN_CUDA_COMPILED_H

#include "cuda/host.h"

typedef struct dn_gpu_op {
    const dn_gpu_kernel *kernel; /**< NULL: a view */
    dn_call call;                /**< of all members; addresses since attach */
    size_t workspace;            /**< bytes */
    char name[80];
} dn_gpu_op;

struct dn_compiled {
    dn_gpu_device *device;
    const dn_program *program;
    dn_gpu_op *ops;         /**< [n_ops] */
    size_t workspace_bytes; /**< of the op that needs the most: ops run one after the other and share it */
    void *workspace;
    bool warm;           /**< a whole step has been launched op by op */
    dn_gpu_graph *graph; /**< the whole step; NULL: not captured yet */
};

#endif
