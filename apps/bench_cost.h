/** What an op has to do at least, from its shapes. */
#ifndef DN_APPS_BENCH_COST_H
#define DN_APPS_BENCH_COST_H

#include "core/program.h"

/** Of all members together. */
typedef struct dn_op_cost {
    double flops; /**< of convolutions and dense layers: 2 for each multiplication with its addition, those with padding
                     counted too, however the kernel computes them; 0 for other ops */
    double bytes; /**< its inputs and outputs, each once; of a table only the rows that are gathered */
} dn_op_cost;

dn_op_cost dn_op_cost_of(const dn_program *program, int op);

/** @return whether the op is a convolution or dense layer whose kernel was taken for want of a better one: plain loops,
 *  or a convolution as a matrix product over copied patches. @param kernel as dn_executor_kernel() names it */
bool dn_is_slow_fallback(const dn_program *program, int op, const char *kernel);

/** @return the op's name and the shapes of its first tensors, such as "conv2d conv1 [128,32,32,3] -> [128,32,32,32]" */
const char *dn_op_title(const dn_program *program, int number, char *text, size_t size);

#endif
