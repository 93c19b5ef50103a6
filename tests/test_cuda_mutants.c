/* A test of the test: kernels with one mistake each must be caught on the emulator, and their right forms must pass. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "tests/op_gpu.h"

/* From mutants/, with the mistakes. */
extern const dn_gpu_kernel dn__emu_op_product_right, dn__emu_op_product_early, dn__emu_op_product_late,
    dn__emu_op_product_stores, dn__emu_op_product_loads, dn__emu_op_product_short, dn__emu_op_sum_right,
    dn__emu_op_sum_early, dn__emu_op_sum_late, dn__emu_op_sum_branch, dn__emu_op_sum_tail, dn__emu_op_sum_packed,
    dn__emu_op_slice_right, dn__emu_op_slice_misaligned;

/* What the cases of an op say about a kernel. */
typedef struct verdict {
    int passed, caught;
    char what[1400]; /* the first failure's text */
} verdict;

/* The cases that the kernels of mutants/ are for. */
static bool is_plain(const op_case *c, dn_op_kind kind)
{
    if (c->op.kind != kind || op_case_is_bf16(c) || c->tf32 || c->heavy) return false;
    return kind != DN_OP_LINEAR || (c->op.in[2] < 0 && !c->op.args.conv.relu);
}

static verdict judge(dn_op_kind kind, const dn_gpu_kernel *kernel)
{
    verdict v = {0};
    op_gpu g;
    cr_assert_eq(op_gpu_open(&g, &dn__gpu_emulated), DN_OK, "%s", dn_error_last());
    size_t count = 0;
    op_case *cases = op_cases(&count);
    cr_assert_not_null(cases);
    for (size_t i = 0; i < count; i++) {
        if (!is_plain(&cases[i], kind)) continue;
        char what[1200];
        const double off = op_gpu_run(&g, kernel, &cases[i], what, sizeof what);
        cr_assert_not_null(g.gpu, "%s", what);
        v.passed += off <= 1;
        v.caught += !(off <= 1);
        if (v.caught == 1 && !(off <= 1)) snprintf(v.what, sizeof v.what, "%s: %s", cases[i].label, what);
    }
    dn_free(cases);
    op_gpu_close(&g);
    return v;
}

static void expect_passes(dn_op_kind kind, const dn_gpu_kernel *kernel)
{
    const verdict v = judge(kind, kernel);
    cr_expect_gt(v.passed, 0);
    cr_expect_eq(v.caught, 0, "the right kernel fails in %d cases: %s", v.caught, v.what);
}

/* @param how part of the text of the first failure */
static void expect_caught(dn_op_kind kind, const dn_gpu_kernel *kernel, const char *how)
{
    const verdict v = judge(kind, kernel);
    fprintf(stderr, "caught in %d cases of %d: %s\n", v.caught, v.caught + v.passed, v.what);
    cr_expect_gt(v.caught, 0, "the mistake has no consequence in %d cases", v.passed);
    cr_expect_not_null(strstr(v.what, how), "not caught for '%s': %s", how, v.what);
}

Test(cuda_mutants, product)
{
    expect_passes(DN_OP_LINEAR, &dn__emu_op_product_right);
    expect_caught(DN_OP_LINEAR, &dn__emu_op_product_early, "uninitialised");
    expect_caught(DN_OP_LINEAR, &dn__emu_op_product_late, "race");
    expect_caught(DN_OP_LINEAR, &dn__emu_op_product_stores, "overwritten");
    expect_caught(DN_OP_LINEAR, &dn__emu_op_product_loads, "output 0");
    expect_caught(DN_OP_LINEAR, &dn__emu_op_product_short, "output 0");
}

Test(cuda_mutants, sum)
{
    expect_passes(DN_OP_SUM_SQUARES, &dn__emu_op_sum_right);
    expect_caught(DN_OP_SUM_SQUARES, &dn__emu_op_sum_early, "uninitialised");
    expect_caught(DN_OP_SUM_SQUARES, &dn__emu_op_sum_late, "race");
    expect_caught(DN_OP_SUM_SQUARES, &dn__emu_op_sum_branch, "exited");
    expect_caught(DN_OP_SUM_SQUARES, &dn__emu_op_sum_tail, "output 0");
    expect_caught(DN_OP_SUM_SQUARES, &dn__emu_op_sum_packed, "output 0");
}

Test(cuda_mutants, slice)
{
    expect_passes(DN_OP_SLICE, &dn__emu_op_slice_right);
#if defined(__clang__)
    fprintf(stderr, "clang loads a vector's fields one by one: misalignment is not seen in this build\n");
#else
    expect_caught(DN_OP_SLICE, &dn__emu_op_slice_misaligned, "misaligned");
#endif
}
