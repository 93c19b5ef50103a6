/** Running a case's GPU kernel through a dn_gpu_runtime: a GPU's, or the emulator's. */
#ifndef DN_TESTS_OP_GPU_H
#define DN_TESTS_OP_GPU_H

#include "cuda/gpu.h"
#include "tests/op_run.h"

typedef struct op_gpu {
    const dn_gpu_runtime *runtime;
    dn_gpu *gpu;
} op_gpu;

/** Opens the runtime's first device. @return what the runtime says */
dn_status op_gpu_open(op_gpu *g, const dn_gpu_runtime *runtime);
void op_gpu_close(op_gpu *g);

/** Runs a kernel on a case twice: once launched, its operands between sentinels; once captured in a graph and replayed,
 *  its operands in memory of exactly their size, on the emulator with the threads in another order. Both results are
 *  compared with the reference and must be the same bytes. After a failure the device is opened anew: one that has
 *  faulted is good for nothing.
 *  @return the larger error in units of the tolerance, infinity for a fault; `what` says what is wrong */
double op_gpu_run(op_gpu *g, const dn_gpu_kernel *kernel, const op_case *c, char *what, size_t size);

#endif
