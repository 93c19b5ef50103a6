/* The CUDA kernels, on the emulator and on a GPU where there is one, against the reference in double. op_gpu.h says
 * how a case is run.
 *
 * DN_TEST_OPS=conv,pool runs only the ops whose name holds one of these. DN_TEST_HEAVY=1 gives the emulator the cases
 * of real networks' sizes too.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alloc.h"
#include "tests/op_gpu.h"

enum { MOST_FAILURES = 12 /* told in full for each op */ };

/* Whether DN_TEST_OPS, a list of parts of names, names this op. */
static bool is_wanted(dn_op_kind kind)
{
    const char *list = getenv("DN_TEST_OPS");
    if (!list) return true;
    while (*list) {
        const size_t length = strcspn(list, ",");
        char part[64];
        snprintf(part, sizeof part, "%.*s", (int)length, list);
        if (length > 0 && strstr(dn_op_name(kind), part)) return true;
        list += length + (list[length] == ',');
    }
    return false;
}

typedef struct tally {
    int cases, failures;
    double worst;
} tally;

static void check_case(op_gpu *g, const op_case *c, tally *t)
{
    char what[1200];
    cr_assert_not_null(g->gpu, "%s", dn_error_last());
    const double off = op_gpu_run(g, g->runtime->kernels[c->op.kind], c, what, sizeof what);
    t->cases++;
    if (off > t->worst) t->worst = off;
    t->failures += !(off <= 1);
    if (t->failures <= MOST_FAILURES)
        cr_expect(off <= 1, "%s: error %.3g times the tolerance: %s", c->label, off, what);
}

static void check_op(op_gpu *g, const op_case *cases, size_t count, dn_op_kind kind, bool heavy)
{
    if ((dn_op_flags(kind) & DN_OP_VIEW) || !is_wanted(kind)) return;
    const char *const name = dn_op_name(kind);
    const dn_gpu_kernel *kernel = g->runtime->kernels[kind];
    if (!kernel) {
        cr_expect(kernel != NULL, "%s has no kernel on %s", name, g->runtime->name);
        return;
    }
    tally t = {0};
    const clock_t begin = clock();
    for (size_t i = 0; i < count; i++)
        if (cases[i].op.kind == kind && (heavy || !cases[i].heavy)) check_case(g, &cases[i], &t);
    fprintf(stderr, "%-10s %-24s %4d cases in %5.2f s of CPU, largest error %.3f of the tolerance%s\n",
            g->runtime->name, name, t.cases, (double)(clock() - begin) / CLOCKS_PER_SEC, t.worst,
            t.failures ? ", FAILED" : "");
    cr_expect_gt(t.cases, 0, "%s has no case", name);
    cr_expect_eq(t.failures, 0, "%s: %d of %d cases failed", name, t.failures, t.cases);
}

static void check_all(const dn_gpu_runtime *runtime, bool heavy)
{
    op_gpu g;
    if (op_gpu_open(&g, runtime) != DN_OK) {
        fprintf(stderr, "%-10s skipped: %s\n", runtime->name, dn_error_last());
        cr_skip("%s", dn_error_last());
    }
    size_t count = 0;
    op_case *cases = op_cases(&count);
    cr_assert_not_null(cases);
    for (int kind = 0; kind < DN_OP_COUNT; kind++) check_op(&g, cases, count, (dn_op_kind)kind, heavy);
    dn_free(cases);
    op_gpu_close(&g);
}

Test(cuda_kernels, emulated)
{
    check_all(&dn__gpu_emulated, getenv("DN_TEST_HEAVY") != NULL);
}

Test(cuda_kernels, gpu)
{
    check_all(&dn__gpu_cuda, true);
}
