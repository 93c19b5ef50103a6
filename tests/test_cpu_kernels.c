/* The CPU's tuned and oneDNN kernels, and the float reference, against the reference in double. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu/select.h"
#include "tests/op_run.h"

static op_case *all_cases(size_t *count)
{
    op_case *cases = op_cases(count);
    cr_assert_not_null(cases, "%s", dn_error_last());
    return cases;
}

/* The CPU computes in f32, save for casts and Gram matrices; network layers run for one member, which is what takes
 * time. */
static bool is_for_cpu(const op_case *c)
{
    if (c->tile.lines[0] > 0) return false;
    return !c->tf32 && (!op_case_is_bf16(c) || c->op.kind == DN_OP_CAST) && (!c->heavy || c->members == 1);
}

/* Winograd's transforms, whose coefficients reach 8 in F(4x4,3x3), enlarge the rounding error about 6 times. */
static double error_factor(const dn_cpu_prepared *kernel)
{
    return strstr(kernel->name, "wino") ? 8 : 1;
}

/* Runs a kernel in a workspace that is as large as it asked for, between sentinels, as often as there are members. */
static double run_case(op_run *run, const op_case *c, const dn_cpu_prepared *kernel, int threads, char *what,
                       size_t size)
{
    char *workspace = dn_calloc_aligned(kernel->workspace + 2 * OP_GUARD);
    cr_assert_not_null(workspace);
    memset(workspace, OP_PATTERN, kernel->workspace + 2 * OP_GUARD);
    const dn_call *all = op_run_reset(run);
    for (int e = 0; e < op_calls(c); e++) {
        dn_call call = op_call_of(c, all, e);
        call.threads = threads;
        call.prepared = kernel->state;
        call.workspace = workspace + OP_GUARD;
        kernel->run(&call);
    }
    double off = op_run_compare(run, error_factor(kernel), what, size);
    for (size_t i = 0; i < OP_GUARD; i++)
        if ((unsigned char)workspace[i] != OP_PATTERN ||
            (unsigned char)workspace[OP_GUARD + kernel->workspace + i] != OP_PATTERN) {
            snprintf(what, size, "the workspace's sentinels were overwritten");
            off = INFINITY;
        }
    dn_free(workspace);
    return off;
}

static void check_kernel(op_run *run, const op_case *c, const dn_cpu_prepared *kernel, int threads, double *worst)
{
    char what[160];
    const double off = run_case(run, c, kernel, threads, what, sizeof what);
    cr_expect(off <= 1, "%s on %d threads (%s): error %.3g times the tolerance, %s", c->label, threads, kernel->name,
              off, what);
    if (kernel->check) cr_expect_eq(kernel->check(kernel->state), DN_OK, "%s: %s", c->label, dn_error_last());
    if (off > *worst) *worst = off;
}

/* One case on one and three threads; @return its largest error in units of the tolerance */
static double check_case(const op_case *c, dn_cpu_offer *offer)
{
    double worst = -1;
    op_run *run = op_run_new(c);
    cr_assert_not_null(run);
    for (int threads = 1; threads <= 3; threads += 2) {
        dn_call shapes = *op_run_reset(run);
        shapes.threads = threads;
        shapes.members = c->members;
        dn_cpu_prepared kernel = {0};
        if (offer)
            cr_assert_eq(offer(&kernel, &shapes), DN_OK, "%s: %s", c->label, dn_error_last());
        else
            kernel.run = dn__ref_kernels_f32[c->op.kind];
        if (kernel.run) check_kernel(run, c, &kernel, threads, &worst);
        dn__cpu_release(&kernel);
    }
    op_run_close(run);
    return worst;
}

/* All cases that the offer has a kernel for; prints the worst error of each op. */
static void check_all(const char *name, dn_cpu_offer *offer, int expected_ops)
{
    size_t count = 0;
    op_case *cases = all_cases(&count);
    double worst[DN_OP_COUNT];
    for (int op = 0; op < DN_OP_COUNT; op++) worst[op] = -1;
    for (size_t i = 0; i < count; i++) {
        if (!is_for_cpu(&cases[i])) continue;
        const double off = check_case(&cases[i], offer);
        if (off > worst[cases[i].op.kind]) worst[cases[i].op.kind] = off;
    }
    int ops = 0;
    for (int op = 0; op < DN_OP_COUNT; op++) {
        if (worst[op] < 0) continue;
        ops++;
        fprintf(stderr, "%-10s %-24s largest error %.3f of the tolerance\n", name, dn_op_name((dn_op_kind)op),
                worst[op]);
    }
    cr_expect_geq(ops, expected_ops);
    dn_free(cases);
}

Test(cpu_kernels, every_op_has_a_case)
{
    size_t count = 0, of_kind[DN_OP_COUNT] = {0};
    op_case *cases = all_cases(&count);
    for (size_t i = 0; i < count; i++) of_kind[cases[i].op.kind]++;
    for (int kind = 0; kind < DN_OP_COUNT; kind++)
        cr_expect(of_kind[kind] > 0 || (dn_op_flags((dn_op_kind)kind) & DN_OP_VIEW), "no case of op '%s'",
                  dn_op_name((dn_op_kind)kind));
    dn_free(cases);
}

Test(cpu_kernels, float_reference)
{
    check_all("ref", NULL, DN_OP_COUNT - 2);
}

Test(cpu_kernels, tuned)
{
    check_all("tuned", dn__offer_tuned, 25);
}

Test(cpu_kernels, onednn)
{
    const bool built = strncmp(dn__onednn_version(), "oneDNN", 6) == 0;
    check_all("onednn", dn__offer_onednn, built ? 6 : 0);
}

/* A silent fall-back to a slow kernel would pass every other test. */
Test(cpu_kernels, no_fall_back_in_small_networks)
{
    if (strncmp(dn__onednn_version(), "oneDNN", 6) != 0) return;
    size_t count = 0;
    op_case *cases = all_cases(&count);
    for (size_t i = 0; i < count; i++) {
        const op_case *c = &cases[i];
        const bool convolution = c->op.kind >= DN_OP_CONV2D && c->op.kind <= DN_OP_CONV2D_WEIGHT_GRAD;
        /* The rows with four images are the network's. */
        if (!convolution || c->in[0].shape.dim[0] != 4 || c->members != 1 || !is_for_cpu(c)) continue;
        dn_call shapes = {.op = &c->op, .members = 1, .threads = 1};
        for (int k = 0; k < 3; k++) shapes.in_info[k] = c->op.in[k] < 0 ? NULL : &c->in[k];
        for (int k = 0; k < 2; k++) shapes.out_info[k] = c->op.out[k] < 0 ? NULL : &c->out[k];
        dn_cpu_prepared kernel = {0};
        cr_assert_eq(dn__cpu_prepare(&kernel, &shapes, true, false), DN_OK);
        cr_expect(strncmp(kernel.name, "onednn ", 7) == 0 && !strstr(kernel.name, "gemm"), "%s runs on '%s'", c->label,
                  kernel.name);
        dn__cpu_release(&kernel);
    }
    dn_free(cases);
}
