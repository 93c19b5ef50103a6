/** How the files of the table write it down. */
#ifndef DN_TESTS_OP_CASES_LIST_H
#define DN_TESTS_OP_CASES_LIST_H

#include "tests/op_cases.h"

typedef struct op_list {
    op_case *cases;
    size_t count, capacity;
    dn_status status;
} op_list;

/** A case before it is multiplied by members, sharing and precisions. */
typedef struct op_base {
    op_case c;
    unsigned activations; /* operands that are bf16 in the bf16 variants, one bit each, inputs first */
    bool products;        /* a tf32 variant makes sense */
    bool few;             /* so much work that one variant of each precision has to do */
} op_base;

/** A case of this kind without operands. */
op_base op_start(dn_op_kind kind);
void op_input(op_base *b, int k, dn_dtype type, dn_shape shape);
/** An i32 [1] that all members share and that holds `value`: the step, for the most part. */
void op_step(op_base *b, int k, int value);
void op_output(op_base *b, int k, dn_dtype type, dn_shape shape, double terms);
/** The same for operands that may be bf16. */
void op_activation_in(op_base *b, int k, dn_shape shape);
void op_activation_out(op_base *b, int k, dn_shape shape, double terms);
/** Content of input k. */
#define OP_GIVE(b, k, ...) \
    ((b)->c.given[k] = (op_given){sizeof((double[]){__VA_ARGS__}) / sizeof(double), {__VA_ARGS__}})
/** Spoils an element (-1: the last) of input k with an infinity or a NaN. */
void op_spoil(op_base *b, int k, int member, int element, float value);

/** Makes the operands bf16 that may be. */
void op_to_bf16(op_base *b);

/** Adds one case as it stands. */
void op_add_one(op_list *to, const op_base *b, const char *format, ...) DN_PRINTF(3, 4);
/** Adds a case of one member and its variants: three members, with each kind of sharing, bf16, tf32. */
void op_add(op_list *to, const op_base *b, const char *format, ...) DN_PRINTF(3, 4);
/** Adds an op whose operands are all shared by three members, so that it runs once. */
void op_add_once(op_list *to, const op_base *b, const char *format, ...) DN_PRINTF(3, 4);
/** Adds an op that joins members for 1, 2, 3 and 5 of them. */
void op_add_joining(op_list *to, const op_base *b, const char *format, ...) DN_PRINTF(3, 4);

/* The families. */
typedef void op_family(op_list *to);
op_family op_cases_conv, op_cases_norm, op_cases_pool, op_cases_elementwise, op_cases_layout, op_cases_reduce,
    op_cases_gram, op_cases_batch, op_cases_augment, op_cases_softmax, op_cases_losses, op_cases_information,
    op_cases_update, op_cases_control;

#endif
