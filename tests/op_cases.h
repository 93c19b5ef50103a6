/** One table of op cases for the kernels of all backends.
 *
 * A case is an op with shapes, types, a number of members and, where drawn numbers would not do, its inputs' content.
 * op_run.h runs one. The table is written in the files op_cases_*.c, family by family; what every op gets beside its
 * shapes (one member and three, operands that members share, bf16, tf32) is added in op_cases.c.
 */
#ifndef DN_TESTS_OP_CASES_H
#define DN_TESTS_OP_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cpu/kernel.h"
#include "cuda/gpu.h"

enum {
    OP_OPERANDS = DN_OP_MAX_IN + DN_OP_MAX_OUT, /* inputs first */
    OP_MOST_GIVEN = 24,
    OP_FIRST_MEMBER = 3 /* the number of the case's member 0 in its ensemble, which random numbers depend on */
};

/* Content of an input that is not drawn: element i, counted through all members, holds number i % count. */
typedef struct op_given {
    int count;
    double numbers[OP_MOST_GIVEN];
} op_given;

typedef struct op_case {
    char label[128];
    dn_op op; /* ids say only whether an operand is there */
    dn_tensor_info in[DN_OP_MAX_IN], out[DN_OP_MAX_OUT];
    int alias[DN_OP_MAX_OUT]; /* output k is the same memory as input alias[k]; -1: its own */
    int members;
    double terms[DN_OP_MAX_OUT]; /* how many rounded terms add up to one element of output k */
    bool exact;                  /* outputs equal the float reference's (in bf16: rounded) bit for bit */
    bool tf32;                   /* products may have 11 significant bits */
    bool heavy;                  /* more work than the emulator should do in a test */
    int limit;                   /* integer inputs are drawn from 0..limit-1 */
    op_given given[DN_OP_MAX_IN];
    int spoilt_input, spoilt_member, spoilt_element; /* this element (-1: the last) of this input of this member.. */
    float spoilt;                                    /* ..holds an infinity or NaN; 0: nothing is spoilt */
    double apart;     /* by how much drawn members differ at most; 0: they have nothing in common */
    dn_gpu_tile tile; /* that a GPU is made to take; no lines: its plan's */
} op_case;

/** @return all cases, NULL if out of memory; free with dn_free() */
op_case *op_cases(size_t *count);

/** @return whether any operand is bf16 */
bool op_case_is_bf16(const op_case *c);

/** @return the record of operand k, inputs first; its rank is 0 where it is left out */
const dn_tensor_info *op_case_info(const op_case *c, int k);

#endif
