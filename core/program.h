/** Programs: a flat list of ops over tensors, recorded once, sealed, then run many times.
 *
 * A model is written in functions that read like eager code; they only record. Forward, backward, update, batch gather
 * and augmentation are all ops of the same list. Construction order is execution order.
 *
 * Errors while building are sticky: the first one is kept with the op's name and shapes, later calls do nothing and
 * return DN_NONE, dn_program_seal() reports it.
 */
#ifndef DN_CORE_PROGRAM_H
#define DN_CORE_PROGRAM_H

#include <stdio.h>

#include "core/params.h"
#include "core/status.h"
#include "core/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_program dn_program;

/** How a program's products are computed, where the device can. Parameters, their gradients, statistics, losses and
 *  sums are f32 in all three. */
typedef enum dn_precision {
    DN_PRECISION_F32,  /**< as the store's type says: f32, or f64 on "ref" */
    DN_PRECISION_TF32, /**< f32 in memory, operands of products rounded to 11 significant bits */
    DN_PRECISION_BF16, /**< activations in bf16, products of bf16 operands */
    DN_PRECISION_COUNT
} dn_precision;

/** @return "f32", "tf32" or "bf16" */
const char *dn_precision_name(dn_precision precision);

typedef struct dn_program_options {
    const char *name; /**< for messages; copied */
    int batch;        /**< N, only to suggest a smaller one where the plan is too big; 0: unknown */
    dn_precision precision;
} dn_program_options;

/** @param params the store whose members and dtype the program takes over; it must outlive the program
 *  @return the program, or NULL with an error text; free with dn_program_close() */
dn_program *dn_program_new(dn_params *params, const dn_program_options *options);
void dn_program_close(dn_program *program);

/** @return the precision that layers follow */
dn_precision dn_program_precision(const dn_program *program);

/** Checks that nothing failed while building, fixes the store's layout, plans memory. Nothing can be added later. */
dn_status dn_program_seal(dn_program *program) DN_NODISCARD;

/** Records a build error (printf style); the first one stays. For functions that build on ops: layers, losses. */
dn_tensor dn_program_fail(dn_program *program, dn_status code, const char *format, ...) DN_PRINTF(3, 4);

/* ---- tensors that are not made by ops ---- */

/** A tensor that the host writes with dn_executor_write(); it keeps its content from step to step.
 *  @param members_share one copy for all members, else one for each: [E, shape] */
dn_tensor dn_input(dn_program *program, const char *name, dn_dtype dtype, dn_shape shape, bool members_share);

/** A tensor of program precision that starts as `values` [E or 1, shape] (double, converted); all may write it. */
dn_tensor dn_constant(dn_program *program, const char *name, dn_shape shape, bool members_share, const double *values);

/** A shared tensor that lives in a buffer of the caller's (a resident data set): dn_executor_bind() before running. */
dn_tensor dn_external(dn_program *program, const char *name, dn_dtype dtype, dn_shape shape);

/** A trained parameter: found in the store by name, or added to it. */
dn_tensor dn_parameter(dn_program *program, const char *name, dn_shape shape, dn_init init);

/** A state of the store, such as a moving mean. */
dn_tensor dn_state(dn_program *program, const char *name, dn_shape shape, double initial);

/** The step counter: i32 [1], shared, 0 at first; the ops that draw random numbers or follow a schedule read it. */
dn_tensor dn_step(dn_program *program);

/** Keeps the tensor's content until the end of the step, so that the host can read it with dn_executor_read(). */
dn_tensor dn_keep(dn_program *program, dn_tensor t);

/** Asks for the gradient of a tensor that is not a parameter (images, for ODIN); before it is used by any op. */
dn_tensor dn_want_gradient(dn_program *program, dn_tensor t);

/** Names a tensor for messages, feature taps and printing. @return t */
dn_tensor dn_name(dn_program *program, dn_tensor t, const char *format, ...) DN_PRINTF(3, 4);

/** Drops the ops on which nothing depends that is kept (dn_keep()), updated or persistent. For programs that use a part
 *  of what a model records: its first layers, or its last ones on an input of their own. */
void dn_prune(dn_program *program);

/** @return the tensor of this name, or DN_NONE */
dn_tensor dn_find(const dn_program *program, const char *name);

/* ---- automatic differentiation ---- */

/** Appends the ops of the backward pass of `loss`, a tensor of shape [1]: what is differentiated is its sum over
 *  members if each has its own. The gradient of a parameter is then at its place in the gradient block, 0 where the
 *  loss does not depend on it. */
void dn_differentiate(dn_program *program, dn_tensor loss);

/** The same of the sum over all elements, and members, of y * seed, and only towards what dn_want_gradient() asked for:
 *  parameters get no gradient and there is no gradient block. The backward pass begins with `seed` (of y's shape and
 *  type), so that the host can differentiate any function of y: its gradient with respect to y is the seed. */
void dn_pull_back(dn_program *program, dn_tensor y, dn_tensor seed);

/** The same of the sum over several tensors, which may depend on each other. @param y [n] @param seed [n] */
void dn_pull_back_all(dn_program *program, const dn_tensor *y, const dn_tensor *seed, int n);

/** @return the tensor that holds the gradient of t after dn_differentiate() or dn_pull_back(), or DN_NONE */
dn_tensor dn_gradient(const dn_program *program, dn_tensor t);

/* ---- asking ---- */

int dn_program_members(const dn_program *program);
dn_shape dn_shape_of(const dn_program *program, dn_tensor t); /**< rank 0 for DN_NONE */
dn_dtype dn_dtype_of(const dn_program *program, dn_tensor t);
bool dn_is_shared(const dn_program *program, dn_tensor t);
dn_params *dn_program_params(const dn_program *program);

/** @return the number of ops; they are numbered from 0 in execution order */
int dn_program_ops(const dn_program *program);

/** Writes "conv2d 'conv1' [128,32,32,3] x [32,3,3,3] -> [128,32,32,32]" for op `number`. @return text */
const char *dn_program_op_text(const dn_program *program, int number, char *text, size_t size);

/** Prints every op with its shapes, storage and lifetime. */
void dn_program_print(const dn_program *program, FILE *to);

#ifdef __cplusplus
}
#endif
#endif
