/* Running: the first step is launched op by op, so that a launch that cannot be made is named and the kernels are
 * loaded; the second is captured as a graph, which is replayed from then on. Nothing waits, except with ",sync". */
#include <stdio.h>

#include "cuda/compiled.h"

/* Puts which op it was before the text of its failure. */
static dn_status fail_op(const dn_compiled *c, int index, dn_status status)
{
    char text[1024];
    if (!c->device->sync)
        (void)dn_fail(status, "%s; if an earlier op is to blame, `--device %s,sync` tells which", dn_error_last(),
                      c->device->base.name);
    return dn_fail_context(status, "program '%s', op %d, %s", c->program->name ? c->program->name : "?", index,
                           dn_program_op_text(c->program, index, text, sizeof text));
}

static dn_status launch(const dn_compiled *c, int first, int last)
{
    const dn_gpu_runtime *runtime = c->device->runtime;
    dn_gpu *gpu = c->device->gpu;
    for (int i = first; i < last; i++) {
        const dn_gpu_op *op = &c->ops[i];
        if (!op->kernel) continue;
        op->kernel->launch(&op->call, runtime->stream(gpu));
        dn_status status = runtime->check(gpu);
        if (status == DN_OK && c->device->sync) status = runtime->wait(gpu);
        if (status != DN_OK) return fail_op(c, i, status);
    }
    return DN_OK;
}

static dn_status capture(dn_compiled *c)
{
    const dn_gpu_runtime *runtime = c->device->runtime;
    dn_gpu *gpu = c->device->gpu;
    DN_TRY(dn__gpu_explain(&c->device->base, runtime->begin_capture(gpu)));
    const dn_status status = launch(c, 0, (int)c->program->n_ops);
    if (status == DN_OK) return dn__gpu_explain(&c->device->base, runtime->end_capture(gpu, &c->graph));
    /* The capture has to end all the same; its own text must not replace the one that names the op. */
    char text[1024];
    snprintf(text, sizeof text, "%s", dn_error_last());
    if (runtime->end_capture(gpu, &c->graph) == DN_OK) runtime->drop(gpu, c->graph);
    c->graph = NULL;
    return dn_fail(status, "%s", text);
}

static dn_status run_graph(dn_compiled *c, int64_t steps)
{
    if (steps > 0 && !c->warm) {
        c->warm = true;
        DN_TRY(launch(c, 0, (int)c->program->n_ops));
        steps--;
    }
    if (steps > 0 && !c->graph) DN_TRY(capture(c));
    const dn_gpu_device *d = c->device;
    for (int64_t step = 0; step < steps; step++)
        DN_TRY(dn__gpu_explain(&d->base, d->runtime->replay(d->gpu, c->graph)));
    return DN_OK;
}

dn_status dn__gpu_run(dn_compiled *c, int first, int last, int64_t steps)
{
    const bool whole = first == 0 && last == (int)c->program->n_ops;
    if (whole && !c->device->sync) return run_graph(c, steps);
    for (int64_t step = 0; step < steps; step++) DN_TRY(launch(c, first, last));
    return DN_OK;
}
