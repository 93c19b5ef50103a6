/** Executors: a sealed program on a device. */
#ifndef DN_CORE_EXECUTOR_H
#define DN_CORE_EXECUTOR_H

#include "core/device.h"
#include "core/program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_executor dn_executor;

/** What a program will need, known before anything is allocated. Bytes. */
typedef struct dn_plan {
    size_t parameters;    /**< the store: values, states, optimizer slots */
    size_t gradients;     /**< one value per parameter */
    size_t persistent;    /**< inputs, constants, counters */
    size_t temporaries;   /**< activations and their gradients, shared out by lifetime */
    size_t without_reuse; /**< what the temporaries would take if no byte were used twice */
    size_t external;      /**< buffers of the caller's (data sets) */
    size_t workspace;     /**< the kernels' own scratch memory */
    size_t total;
} dn_plan;

/** Makes the program ready for the device: kernels are chosen, memory is planned, nothing large is allocated yet.
 *  @param program sealed; it and the device must outlive the executor. Free with dn_executor_close() */
dn_status dn_executor_open(dn_executor **out, dn_program *program, dn_device *device);
void dn_executor_close(dn_executor *executor);

const dn_plan *dn_executor_plan(const dn_executor *executor);
void dn_plan_print(const dn_plan *plan, FILE *to);

/** Allocates what is planned; the other calls do it on their own. A plan larger than the device's free memory is an
 *  error that names the largest tensors and a batch size that fits. */
dn_status dn_executor_start(dn_executor *executor);

/** Puts the caller's buffer, which must outlive the executor, behind an external tensor. */
dn_status dn_executor_bind(dn_executor *executor, dn_tensor tensor, dn_buffer *buffer);

/** Copies [E or 1, shape] elements to or from a tensor. `bytes` must be exactly its size.
 *  Reading needs a persistent, kept or stored tensor: others may have been overwritten. */
dn_status dn_executor_write(dn_executor *executor, dn_tensor tensor, const void *from, size_t bytes);
dn_status dn_executor_read(dn_executor *executor, dn_tensor tensor, void *to, size_t bytes);

/** Runs the whole program `steps` times. On a GPU it returns before that is done: reading waits, and so does
 *  dn_executor_wait(); a kernel's fault shows there. */
dn_status dn_executor_run(dn_executor *executor, int64_t steps);

/** Waits until everything that was asked of the executor's device is done, as a clock must before it is stopped. */
dn_status dn_executor_wait(dn_executor *executor);

/** Runs op number `op` alone, `times` times (benchmarks, checks). */
dn_status dn_executor_run_op(dn_executor *executor, int op, int64_t times);

/** Runs the program once, op by op, and looks for the first op with a NaN or infinity in an output.
 *  @param op receives its number, or -1 */
dn_status dn_executor_find_nonfinite(dn_executor *executor, int *op);

/** @return the kernel that op number `op` runs on */
const char *dn_executor_kernel(const dn_executor *executor, int op);

#ifdef __cplusplus
}
#endif
#endif
