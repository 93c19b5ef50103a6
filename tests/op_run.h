/** Running one case: inputs, references, sentinels, comparison.
 *
 * op_run_new() makes the inputs and runs the double and the float reference on them. op_run_reset() hands out a
 * dn_call for all members whose inputs are as at first and whose outputs are poisoned. Every operand stands in an
 * image: OP_GUARD sentinel bytes, the members' copies with sentinels between them, OP_GUARD sentinels. A kernel of the
 * CPU runs on the images; for a GPU they are uploaded, and downloaded again afterwards. op_run_compare() then says how
 * far off the result is, in units of a derived tolerance.
 */
#ifndef DN_TESTS_OP_RUN_H
#define DN_TESTS_OP_RUN_H

#include "tests/op_cases.h"

/* The first copy stands at a multiple of 64 bytes, as a program promises, and of nothing more. What is read from the
 * sentinels is a huge number (-1.7e38 in bf16 and f32), from poisoned memory a NaN. */
enum { OP_GUARD = 1024 + 64, OP_PATTERN = 0xfe, OP_POISON = 0xff };

typedef struct op_run op_run;

/** @return NULL if out of memory; free with op_run_close() */
op_run *op_run_new(const op_case *c);
void op_run_close(op_run *run);

/** @return the call to run a kernel on, for all members, as a GPU's kernel sees it; threads, prepared and workspace are
 *  the caller's to set. The run owns it */
dn_call *op_run_reset(op_run *run);

/** An operand's bytes between the sentinels. */
typedef struct op_image {
    char *data; /* host memory: the first member's copy; OP_GUARD sentinel bytes stand before it and behind the last */
    size_t bytes; /* from the first copy's start to the last one's end */
} op_image;

/** @return the image of operand k, inputs first; data is NULL where it is left out or takes an input's place */
op_image op_run_image(const op_run *run, int k);

/** @return which operand's image operand k lies in: itself, or the input whose place it takes */
int op_case_home(const op_case *c, int k);

/** @return how many calls a CPU makes of this case: one for each member, or one if it is joined or shared */
int op_calls(const op_case *c);
/** @return call number e of these */
dn_call op_call_of(const op_case *c, const dn_call *all, int e);

/** @param factor how many times the plain form's rounding error this kernel may have (1 in most cases)
 *  @return the largest error of the last run in units of the tolerance, at most 1 where all is well; infinity for a NaN
 *  or integer that differs, for a poisoned element left, for a sentinel or an input that was overwritten. `what` says
 *  where */
double op_run_compare(const op_run *run, double factor, char *what, size_t size);

/** Keeps the last run's results, and says whether later ones are the same, byte for byte. */
void op_run_keep(op_run *run);
bool op_run_same(const op_run *run, char *what, size_t size);

#endif
