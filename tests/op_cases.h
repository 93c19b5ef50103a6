/** One table of op cases and one comparison for the kernels of all backends.
 *
 * A case is an op with shapes. op_run_new() gives it inputs, runs the double reference, and hands out a dn_call whose
 * outputs are poisoned and whose buffers stand between sentinels; after the kernel under test has run on it,
 * op_run_compare() says how far it is off, in units of a derived tolerance.
 */
#ifndef DN_TESTS_OP_CASES_H
#define DN_TESTS_OP_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cpu/kernel.h"

typedef struct op_case {
    char label[96];
    dn_op op; /* ids say only whether an operand is there */
    dn_tensor_info in[DN_OP_MAX_IN], out[DN_OP_MAX_OUT];
    int alias[DN_OP_MAX_OUT]; /* output k is the same memory as input alias[k]; -1: its own */
    int members;
    double terms[DN_OP_MAX_OUT]; /* how many rounded terms add up to one element of output k */
    bool exact;                  /* outputs equal the float reference bit for bit */
    int limit;                   /* integer inputs are drawn from 0..limit-1 */
} op_case;

/** @return how many cases there are; fills at most `capacity` */
size_t op_cases(op_case *cases, size_t capacity);

typedef struct op_run op_run;

/** @return NULL if out of memory; free with op_run_close() */
op_run *op_run_new(const op_case *c);
void op_run_close(op_run *run);

/** @return the call to run a kernel of f32 on: inputs as at first, outputs poisoned; threads, prepared and workspace
 *  are the caller's to set */
dn_call *op_run_call(op_run *run);

/** The sentinels' size and pattern, for buffers of the caller's. */
enum { OP_GUARD = 1024, OP_PATTERN = 0xA5 };

/** @param factor how many times the plain form's rounding error this kernel may have (1 in most cases)
 *  @return the largest error of the last run in units of the tolerance, at most 1 where all is well; infinity for a NaN
 *  or integer that differs, for a poisoned element left, for a sentinel or an input that was overwritten. `what` says
 *  where */
double op_run_compare(op_run *run, double factor, char *what, size_t size);

#endif
