/** What op_run.c, op_fill.c and op_compare.c share: the operands of one case in three precisions. */
#ifndef DN_TESTS_OP_RUN_PRIVATE_H
#define DN_TESTS_OP_RUN_PRIVATE_H

#include "tests/op_run.h"

/* All operands in one precision. */
typedef struct op_world {
    dn_tensor_info info[OP_OPERANDS];
    char *image[OP_OPERANDS];   /* sentinels and copies; NULL: left out, or in an input's place */
    size_t stride[OP_OPERANDS]; /* bytes between members' copies, 0: shared */
    dn_call call;
} op_world;

struct op_run {
    const op_case *c;
    op_world test;            /* what the kernel under test sees */
    op_world plain, wide;     /* bf16 as f32: the float reference's; bf16 and f32 as f64: the double reference's */
    char *first[OP_OPERANDS]; /* the test images of inputs as at first */
    char *kept[OP_OPERANDS];  /* the test images of an earlier run */
};

static inline bool op_present(const dn_tensor_info *info)
{
    return info->shape.rank > 0;
}

/** @return how many copies of operand k there are */
int op_copies(const op_run *run, int k);
/** @return bytes of an image with its sentinels */
size_t op_image_bytes(const op_run *run, const op_world *w, int k);
/** @return member e's copy of operand k */
char *op_copy_of(const op_run *run, const op_world *w, int k, int e);

/** Element i of member e's copy of operand k as a number. */
double op_get(const op_run *run, const op_world *w, int k, int e, int64_t i);
void op_put(const op_run *run, const op_world *w, int k, int e, int64_t i, double value);

/** Rounds to the nearest bf16, ties to even. */
float op_round_to_bf16(float x);

/** Fills the inputs of the test world, and the others' with the same numbers. */
void op_fill(op_run *run);

#endif
