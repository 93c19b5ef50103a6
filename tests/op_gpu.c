#include "tests/op_gpu.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "cuda/emulator/emulator.h"

/* Not there in a build without the emulator. */
extern void dn__emu_set_seed(dn_gpu *gpu, uint64_t seed) __attribute__((weak));

dn_status op_gpu_open(op_gpu *g, const dn_gpu_runtime *runtime)
{
    *g = (op_gpu){.runtime = runtime};
    return runtime->open(&g->gpu, 0);
}

void op_gpu_close(op_gpu *g)
{
    if (g->gpu) g->runtime->close(g->gpu);
    g->gpu = NULL;
}

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
    dn_gpu_tile tile; /* what call.prepared points to, if the case says which */
} stage;

static void clear_stage(const op_gpu *g, stage *s)
{
    for (int k = 0; k < OP_OPERANDS; k++)
        if (s->operand[k].device) g->runtime->release(g->gpu, s->operand[k].device);
    if (s->workspace.device) g->runtime->release(g->gpu, s->workspace.device);
    dn_free(s->workspace.host);
    *s = (stage){0};
}

static dn_status put(const op_gpu *g, copy *to)
{
    void *device = NULL;
    DN_TRY(g->runtime->allocate(g->gpu, to->bytes, &device));
    to->device = device;
    return g->runtime->upload(g->gpu, device, to->host, to->bytes);
}

/* Scratch memory of exactly the size that is asked for, poisoned. */
static dn_status put_workspace(const op_gpu *g, stage *s, const dn_gpu_kernel *kernel, bool bare)
{
    const size_t bytes = kernel->workspace ? kernel->workspace(&s->call) : 0;
    if (bytes == 0) return DN_OK;
    const size_t guard = bare ? 0 : 1024; /* a workspace stands at a multiple of 256 bytes */
    s->workspace = (copy){.bytes = bytes + 2 * guard, .before = guard};
    s->workspace.host = dn_calloc(1, s->workspace.bytes);
    if (!s->workspace.host) return DN_ERROR_MEMORY;
    memset(s->workspace.host, OP_PATTERN, s->workspace.bytes);
    memset(s->workspace.host + guard, OP_POISON, bytes);
    DN_TRY(put(g, &s->workspace));
    s->call.workspace = s->workspace.device + guard;
    return DN_OK;
}

/* Whether the kernel takes the tile and the splits that it is told to, by what it says will run. */
static dn_status check_tile(const dn_gpu_kernel *kernel, const dn_call *call)
{
    const dn_gpu_tile *tile = call->prepared;
    const bool turned =
        call->op->kind == DN_OP_CONV2D_WEIGHT_GRAD && (call->tf32 || call->in_info[0]->dtype == DN_BF16);
    char text[128], lines[32], splits[32] = "";
    kernel->describe(call, text, sizeof text);
    snprintf(lines, sizeof lines, " %dx%dx", tile->lines[turned], tile->lines[!turned]);
    if (tile->splits > 1) snprintf(splits, sizeof splits, " split %d", tile->splits);
    if (strstr(text, lines) && strstr(text, splits) && (tile->splits > 1 || !strstr(text, "split"))) return DN_OK;
    return dn_fail(DN_ERROR_INTERNAL, "'%s' is to run instead of%s%s", text, lines, splits);
}

/* Uploads all operands of a run that has been reset, and aims the call at them. */
static dn_status set_stage(const op_gpu *g, stage *s, const dn_gpu_kernel *kernel, op_run *run, const op_case *c,
                           bool bare)
{
    s->call = *op_run_reset(run);
    for (int k = 0; k < OP_OPERANDS; k++) {
        const op_image image = op_run_image(run, k);
        if (!image.data) continue;
        const size_t guard = bare ? 0 : OP_GUARD;
        s->operand[k] = (copy){.host = image.data - guard, .bytes = image.bytes + 2 * guard, .before = guard};
        DN_TRY(put(g, &s->operand[k]));
    }
    for (int k = 0; k < DN_OP_MAX_IN; k++)
        if (s->call.in[k]) s->call.in[k] = s->operand[k].device + s->operand[k].before;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        const copy *home = &s->operand[op_case_home(c, DN_OP_MAX_IN + k)];
        if (s->call.out[k]) s->call.out[k] = home->device + home->before;
    }
    s->tile = c->tile;
    if (c->tile.lines[0] > 0) {
        s->call.prepared = &s->tile;
        DN_TRY(check_tile(kernel, &s->call));
    }
    return put_workspace(g, s, kernel, bare);
}

static dn_status launch(const op_gpu *g, const dn_gpu_kernel *kernel, const dn_call *call, bool captured)
{
    const dn_gpu_runtime *t = g->runtime;
    if (!captured) {
        kernel->launch(call, t->stream(g->gpu));
        DN_TRY(t->check(g->gpu));
        return t->wait(g->gpu);
    }
    dn_gpu_graph *graph = NULL;
    DN_TRY(t->begin_capture(g->gpu));
    kernel->launch(call, t->stream(g->gpu));
    DN_TRY(t->end_capture(g->gpu, &graph));
    dn_status status = t->replay(g->gpu, graph);
    if (status == DN_OK) status = t->wait(g->gpu);
    t->drop(g->gpu, graph);
    return status;
}

static dn_status fetch(const op_gpu *g, const stage *s)
{
    for (int k = 0; k < OP_OPERANDS; k++)
        if (s->operand[k].device)
            DN_TRY(g->runtime->download(g->gpu, s->operand[k].host, s->operand[k].device, s->operand[k].bytes));
    if (s->workspace.device)
        DN_TRY(g->runtime->download(g->gpu, s->workspace.host, s->workspace.device, s->workspace.bytes));
    for (size_t i = 0; i < s->workspace.before; i++)
        if ((unsigned char)s->workspace.host[i] != OP_PATTERN ||
            (unsigned char)s->workspace.host[s->workspace.bytes - 1 - i] != OP_PATTERN)
            return dn_fail(DN_ERROR_INTERNAL, "bytes around the workspace were overwritten");
    return DN_OK;
}

/* One run of a case from upload to comparison. @return the error in units of the tolerance, infinity with a fault */
static double run_once(const op_gpu *g, const dn_gpu_kernel *kernel, op_run *run, const op_case *c, bool second,
                       char *what, size_t size)
{
    stage s = {0};
    if (g->runtime == &dn__gpu_emulated && dn__emu_set_seed) dn__emu_set_seed(g->gpu, second ? 2 : 1);
    dn_status status = set_stage(g, &s, kernel, run, c, second);
    if (status == DN_OK) status = launch(g, kernel, &s.call, second);
    if (status == DN_OK) status = fetch(g, &s);
    clear_stage(g, &s);
    if (status == DN_OK) return op_run_compare(run, 1, what, size);
    snprintf(what, size, "%s", dn_error_last());
    return INFINITY;
}

double op_gpu_run(op_gpu *g, const dn_gpu_kernel *kernel, const op_case *c, char *what, size_t size)
{
    op_run *run = op_run_new(c);
    if (!run) {
        snprintf(what, size, "%s", dn_error_last());
        return INFINITY;
    }
    double off = run_once(g, kernel, run, c, false, what, size);
    if (off <= 1) {
        op_run_keep(run);
        const double again = run_once(g, kernel, run, c, true, what, size);
        if (!(again <= off)) off = again;
        if (off <= 1 && !op_run_same(run, what, size)) off = INFINITY;
    }
    op_run_close(run);
    if (off <= 1) return off;
    const dn_gpu_runtime *runtime = g->runtime;
    op_gpu_close(g);
    if (op_gpu_open(g, runtime) != DN_OK) snprintf(what, size, "the device does not open again: %s", dn_error_last());
    return off;
}
