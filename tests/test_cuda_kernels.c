/* The CUDA kernels, on the emulator and on a GPU where there is one, against the reference in double. op_gpu.h says
 * how a case is run.
 *
 * DN_TEST_OPS=conv,pool runs only the ops whose name holds one of these. DN_TEST_HEAVY=1 gives the emulator the cases
 * of real networks' sizes too, 0 takes them from the GPU. DN_TEST_GPU=1: that there is no GPU is a failure.
 *
 * `test_cuda_kernels plain cuda` (or emulated) runs one of them without Criterion, in this one process, which is what
 * other tools can watch. DN_TEST_SECONDS=60 ends it by then: every op gets its share of the time. Where a fault takes
 * the GPU away from the process, it starts itself anew with the next op.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static bool is_plain; /* Criterion's macros are not to be used */

__attribute__((format(printf, 2, 3))) static void expect(bool good, const char *format, ...)
{
    char text[1600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!is_plain)
        cr_expect(good, "%s", text);
    else if (!good)
        fprintf(stderr, "FAILED: %s\n", text);
}

typedef struct tally {
    int ops, cases, failures;
    double worst;
} tally;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void check_case(op_gpu *g, const op_case *c, tally *t)
{
    char what[1200];
    const double off = op_gpu_run(g, g->runtime->kernels[c->op.kind], c, what, sizeof what);
    t->cases++;
    if (off > t->worst) t->worst = off;
    t->failures += !(off <= 1);
    if (t->failures <= MOST_FAILURES) expect(off <= 1, "%s: error %.3g times the tolerance: %s", c->label, off, what);
}

/* @param until at least one case is run, others while there is time @return the op's tally, all 0: left out */
static tally check_op(op_gpu *g, const op_case *cases, size_t count, dn_op_kind kind, bool heavy, double until)
{
    tally t = {0};
    if ((dn_op_flags(kind) & DN_OP_VIEW) || !is_wanted(kind)) return t;
    const char *const name = dn_op_name(kind);
    t.ops = 1;
    if (!g->runtime->kernels[kind]) {
        expect(false, "%s has no kernel on %s", name, g->runtime->name);
        t.failures = 1;
        return t;
    }
    const clock_t begin = clock();
    for (size_t i = 0; i < count && g->gpu && (t.cases == 0 || now() < until); i++)
        if (cases[i].op.kind == kind && (heavy || !cases[i].heavy)) check_case(g, &cases[i], &t);
    fprintf(stderr, "%-10s %-24s %4d cases in %5.2f s of CPU, largest error %.3f of the tolerance%s\n",
            g->runtime->name, name, t.cases, (double)(clock() - begin) / CLOCKS_PER_SEC, t.worst,
            t.failures ? ", FAILED" : "");
    expect(t.cases > 0, "%s has no case", name);
    expect(t.failures == 0, "%s: %d of %d cases failed", name, t.failures, t.cases);
    t.failures += t.cases == 0;
    return t;
}

/* @param kind the first op to check; receives the one after which the device was lost, or DN_OP_COUNT
 * @param end no op is begun after it */
static tally check_from(op_gpu *g, int *kind, double end)
{
    const char *const wish = getenv("DN_TEST_HEAVY");
    const bool heavy = wish ? strcmp(wish, "0") != 0 : g->runtime == &dn__gpu_cuda;
    tally all = {0};
    size_t count = 0;
    op_case *cases = op_cases(&count);
    const double begin = now();
    for (; cases && *kind < DN_OP_COUNT && g->gpu && now() < end; ++*kind) {
        const double until = begin + (end - begin) * (*kind + 1) / DN_OP_COUNT;
        const tally t = check_op(g, cases, count, (dn_op_kind)*kind, heavy, until);
        all.ops += t.ops;
        all.cases += t.cases;
        all.failures += t.failures;
    }
    all.failures += !cases;
    dn_free(cases);
    return all;
}

static void check_all(const dn_gpu_runtime *runtime)
{
    op_gpu g;
    if (op_gpu_open(&g, runtime) != DN_OK) {
        cr_assert(runtime == &dn__gpu_emulated || !getenv("DN_TEST_GPU"), "%s", dn_error_last());
        fprintf(stderr, "%-10s skipped: %s\n", runtime->name, dn_error_last());
        cr_skip("%s", dn_error_last());
    }
    int kind = 0;
    const tally all = check_from(&g, &kind, INFINITY);
    cr_expect_not_null(g.gpu, "after a fault the device did not open again: ops from number %d on were not run", kind);
    cr_expect_eq(all.failures, 0);
    op_gpu_close(&g);
}

Test(cuda_kernels, emulated)
{
    check_all(&dn__gpu_emulated);
}

Test(cuda_kernels, gpu)
{
    check_all(&dn__gpu_cuda);
}

/* ---- without Criterion ---- */

/* What a process hands on to the one that takes its place, in the environment. */
static double inherited(const char *name, double otherwise)
{
    const char *text = getenv(name);
    return text ? strtod(text, NULL) : otherwise;
}

static void bequeath(const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.3f", value);
    setenv(name, text, 1);
}

static int run_plain(char **argv)
{
    const dn_gpu_runtime *runtime = strcmp(argv[2], "emulated") == 0 ? &dn__gpu_emulated : &dn__gpu_cuda;
    const double end = now() + inherited("DN_TEST_SECONDS", INFINITY);
    op_gpu g;
    is_plain = true;
    if (op_gpu_open(&g, runtime) != DN_OK) {
        fprintf(stderr, "FAILED: %s\n", dn_error_last());
        return 2;
    }
    int kind = (int)inherited("DN_TEST_FROM", 0);
    tally all = check_from(&g, &kind, end);
    all.ops += (int)inherited("DN_TEST_OPS_DONE", 0);
    all.cases += (int)inherited("DN_TEST_CASES_DONE", 0);
    all.failures += (int)inherited("DN_TEST_FAILURES", 0);
    if (!g.gpu && kind < DN_OP_COUNT) {
        fprintf(stderr, "the device is lost to this process: going on in a new one\n");
        bequeath("DN_TEST_FROM", kind);
        bequeath("DN_TEST_OPS_DONE", all.ops);
        bequeath("DN_TEST_CASES_DONE", all.cases);
        bequeath("DN_TEST_FAILURES", all.failures);
        if (isfinite(end)) bequeath("DN_TEST_SECONDS", fmax(end - now(), 0.0));
        execv("/proc/self/exe", argv);
    }
    fprintf(stderr, "%d cases of %d ops, %d failures%s\n", all.cases, all.ops, all.failures,
            kind < DN_OP_COUNT ? ", then time was up" : "");
    op_gpu_close(&g);
    return all.failures > 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "plain") == 0) return run_plain(argv);
    struct criterion_test_set *tests = criterion_initialize();
    int status = 0;
    if (criterion_handle_args(argc, argv, true)) status = !criterion_run_all_tests(tests);
    criterion_finalize(tests);
    return status;
}
