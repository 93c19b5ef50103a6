/* The CUDA kernels, on the emulator and on a GPU where there is one, against the reference in double.
 *
 * Every case runs twice: once launched, its operands between sentinels; once captured in a graph and replayed, its
 * operands in memory of exactly their size (on the emulator: with the threads in another order). Both times the results
 * must be the same bytes. DN_TEST_OPS=conv,pool runs only the ops whose name holds one of these; DN_TEST_PARTIAL=1
 * forgives kernels that are missing.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "cuda/gpu.h"
#include "tests/op_run.h"

enum { MOST_FAILURES = 12 /* told in full for each op */ };

typedef struct rig {
    const dn_gpu_runtime *runtime;
    dn_gpu *gpu;
} rig;

/* The device's copy of one case: an operand each, then the workspace. */
typedef struct copy {
    char *device; /* NULL: none */
    char *host;   /* where its bytes come from and go to */
    size_t bytes;
    size_t before; /* sentinel bytes before the first member's copy */
} copy;

typedef struct stage {
    copy operand[OP_OPERANDS], workspace;
    dn_call call;
} stage;

static void clear_stage(const rig *r, stage *s)
{
    for (int k = 0; k < OP_OPERANDS; k++)
        if (s->operand[k].device) r->runtime->release(r->gpu, s->operand[k].device);
    if (s->workspace.device) r->runtime->release(r->gpu, s->workspace.device);
    dn_free(s->workspace.host);
    *s = (stage){0};
}

static dn_status put(const rig *r, copy *to)
{
    void *device = NULL;
    DN_TRY(r->runtime->allocate(r->gpu, to->bytes, &device));
    to->device = device;
    return r->runtime->upload(r->gpu, device, to->host, to->bytes);
}

/* Scratch memory of exactly the size that is asked for, poisoned. */
static dn_status put_workspace(const rig *r, stage *s, const dn_gpu_kernel *kernel, bool bare)
{
    const size_t bytes = kernel->workspace ? kernel->workspace(&s->call) : 0;
    if (bytes == 0) return DN_OK;
    const size_t guard = bare ? 0 : 1024; /* a workspace stands at a multiple of 256 bytes */
    s->workspace = (copy){.bytes = bytes + 2 * guard, .before = guard};
    s->workspace.host = dn_calloc(1, s->workspace.bytes);
    if (!s->workspace.host) return DN_ERROR_MEMORY;
    memset(s->workspace.host, OP_PATTERN, s->workspace.bytes);
    memset(s->workspace.host + guard, OP_POISON, bytes);
    DN_TRY(put(r, &s->workspace));
    s->call.workspace = s->workspace.device + guard;
    return DN_OK;
}

/* Uploads all operands of a run that has been reset, and aims the call at them. */
static dn_status set_stage(const rig *r, stage *s, op_run *run, const op_case *c, bool bare)
{
    s->call = *op_run_reset(run);
    for (int k = 0; k < OP_OPERANDS; k++) {
        const op_image image = op_run_image(run, k);
        if (!image.data) continue;
        const size_t guard = bare ? 0 : OP_GUARD;
        s->operand[k] = (copy){.host = image.data - guard, .bytes = image.bytes + 2 * guard, .before = guard};
        DN_TRY(put(r, &s->operand[k]));
    }
    for (int k = 0; k < DN_OP_MAX_IN; k++)
        if (s->call.in[k]) s->call.in[k] = s->operand[k].device + s->operand[k].before;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        const copy *home = &s->operand[op_case_home(c, DN_OP_MAX_IN + k)];
        if (s->call.out[k]) s->call.out[k] = home->device + home->before;
    }
    return put_workspace(r, s, r->runtime->kernels[c->op.kind], bare);
}

static dn_status launch(const rig *r, const dn_call *call, bool captured)
{
    const dn_gpu_runtime *t = r->runtime;
    const dn_gpu_kernel *kernel = t->kernels[call->op->kind];
    if (!captured) {
        kernel->launch(call, t->stream(r->gpu));
        DN_TRY(t->check(r->gpu));
        return t->wait(r->gpu);
    }
    dn_gpu_graph *graph = NULL;
    DN_TRY(t->begin_capture(r->gpu));
    kernel->launch(call, t->stream(r->gpu));
    DN_TRY(t->end_capture(r->gpu, &graph));
    dn_status status = t->replay(r->gpu, graph);
    if (status == DN_OK) status = t->wait(r->gpu);
    t->drop(r->gpu, graph);
    return status;
}

static dn_status fetch(const rig *r, const stage *s)
{
    for (int k = 0; k < OP_OPERANDS; k++)
        if (s->operand[k].device)
            DN_TRY(r->runtime->download(r->gpu, s->operand[k].host, s->operand[k].device, s->operand[k].bytes));
    if (s->workspace.device)
        DN_TRY(r->runtime->download(r->gpu, s->workspace.host, s->workspace.device, s->workspace.bytes));
    for (size_t i = 0; i < s->workspace.before; i++)
        if ((unsigned char)s->workspace.host[i] != OP_PATTERN ||
            (unsigned char)s->workspace.host[s->workspace.bytes - 1 - i] != OP_PATTERN)
            return dn_fail(DN_ERROR_INTERNAL, "bytes around the workspace were overwritten");
    return DN_OK;
}

/* One run of a case from upload to comparison. @return the error in units of the tolerance, infinity with a fault */
static double run_once(const rig *r, op_run *run, const op_case *c, bool second, char *what, size_t size)
{
    stage s = {0};
    dn_status status = set_stage(r, &s, run, c, second);
    if (status == DN_OK) status = launch(r, &s.call, second);
    if (status == DN_OK) status = fetch(r, &s);
    clear_stage(r, &s);
    if (status == DN_OK) return op_run_compare(run, 1, what, size);
    snprintf(what, size, "%s", dn_error_last());
    return INFINITY;
}

/* After a fault a device is good for nothing. */
static void reopen(rig *r)
{
    r->runtime->close(r->gpu);
    r->gpu = NULL;
    cr_assert_eq(r->runtime->open(&r->gpu, 0), DN_OK, "%s", dn_error_last());
}

static double run_case(rig *r, const op_case *c, char *what, size_t size)
{
    op_run *run = op_run_new(c);
    cr_assert_not_null(run);
    double off = run_once(r, run, c, false, what, size);
    if (off <= 1) {
        op_run_keep(run);
        const double again = run_once(r, run, c, true, what, size);
        if (again > off) off = again;
        if (off <= 1 && !op_run_same(run, what, size)) off = INFINITY;
    }
    op_run_close(run);
    if (!(off <= 1)) reopen(r);
    return off;
}

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

static void check_case(rig *r, const op_case *c, tally *t)
{
    char what[1200];
    const double off = run_case(r, c, what, sizeof what);
    t->cases++;
    if (off > t->worst) t->worst = off;
    if (off <= 1) return;
    if (++t->failures <= MOST_FAILURES)
        cr_expect(off <= 1, "%s: error %.3g times the tolerance: %s", c->label, off, what);
}

static void check_op(rig *r, const op_case *cases, size_t count, dn_op_kind kind, bool heavy)
{
    if ((dn_op_flags(kind) & DN_OP_VIEW) || !is_wanted(kind)) return;
    const char *const name = dn_op_name(kind);
    const dn_gpu_kernel *kernel = r->runtime->kernels[kind];
    if (!kernel) {
        fprintf(stderr, "%-10s %-24s is missing\n", r->runtime->name, name);
        cr_expect(getenv("DN_TEST_PARTIAL") != NULL, "%s has no kernel on %s", name, r->runtime->name);
        return;
    }
    tally t = {0};
    for (size_t i = 0; i < count; i++)
        if (cases[i].op.kind == kind && (heavy || !cases[i].heavy)) check_case(r, &cases[i], &t);
    fprintf(stderr, "%-10s %-24s %4d cases, largest error %.3f of the tolerance%s\n", r->runtime->name, name, t.cases,
            t.worst, t.failures ? ", FAILED" : "");
    cr_expect_gt(t.cases, 0, "%s has no case", name);
    cr_expect_eq(t.failures, 0, "%s: %d of %d cases failed", name, t.failures, t.cases);
}

static void check_all(const dn_gpu_runtime *runtime, bool heavy)
{
    rig r = {.runtime = runtime};
    const dn_status opened = runtime->open(&r.gpu, 0);
    if (opened != DN_OK) cr_skip("%s", dn_error_last());
    size_t count = 0;
    op_case *cases = op_cases(&count);
    cr_assert_not_null(cases);
    for (int kind = 0; kind < DN_OP_COUNT; kind++) check_op(&r, cases, count, (dn_op_kind)kind, heavy);
    dn_free(cases);
    runtime->close(r.gpu);
}

Test(cuda_kernels, emulated)
{
    check_all(&dn__gpu_emulated, getenv("DN_TEST_HEAVY") != NULL);
}

Test(cuda_kernels, gpu)
{
    check_all(&dn__gpu_cuda, true);
}
