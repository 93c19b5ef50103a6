/* From a program to calls of kernels: one per op, for all members. */
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "cuda/compiled.h"

static const char *name_of(const dn_program *program)
{
    return program->name ? program->name : "?";
}

/* How many outputs an op has, and how many of them members share. */
static void count_outputs(const dn_call *call, int *outputs, int *shared)
{
    *outputs = *shared = 0;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        if (!call->out_info[k]) continue;
        ++*outputs;
        *shared += call->out_info[k]->shared;
    }
}

/* All that a kernel may decide from; addresses come later. */
static dn_status describe_call(dn_call *call, const dn_program *program, size_t index)
{
    const dn_op *op = &program->ops[index];
    *call = (dn_call){.op = op,
                      .seed = dn_params_seed(program->params),
                      .threads = 1,
                      .tf32 = program->precision == DN_PRECISION_TF32};
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        call->in_info[k] = op->in[k] < 0 ? NULL : &program->tensors[op->in[k]];
        call->in_stride[k] = call->in_info[k] ? dn__member_stride(program, call->in_info[k]) : 0;
    }
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        call->out_info[k] = op->out[k] < 0 ? NULL : &program->tensors[op->out[k]];
        call->out_stride[k] = call->out_info[k] ? dn__member_stride(program, call->out_info[k]) : 0;
    }
    int outputs = 0, shared = 0;
    count_outputs(call, &outputs, &shared);
    const bool joins = dn_op_flags(op->kind) & DN_OP_JOINS, once = shared == outputs;
    if (!joins && !once && shared > 0)
        return dn_fail(DN_ERROR_INTERNAL, "op %s: %d of its %d outputs are shared by the members; all or none must be",
                       dn_op_name(op->kind), shared, outputs);
    call->members = once && !joins ? 1 : program->members;
    call->member = once ? 0 : dn_params_first_member(program->params);
    return DN_OK;
}

static dn_status compile_op(dn_compiled *c, size_t index)
{
    dn_gpu_op *op = &c->ops[index];
    const dn_op_kind kind = c->program->ops[index].kind;
    op->kernel = c->device->runtime->kernels[kind];
    const bool view = dn_op_flags(kind) & DN_OP_VIEW;
    snprintf(op->name, sizeof op->name, "%s", view ? "view" : dn_op_name(kind));
    if (view) {
        op->kernel = NULL;
        return DN_OK;
    }
    if (!op->kernel || !op->kernel->launch) {
        char text[512];
        return dn_fail(DN_ERROR_UNSUPPORTED, "program '%s': device '%s' has no kernel for op %zu, %s; use device 'cpu'",
                       name_of(c->program), c->device->base.name, index,
                       dn_program_op_text(c->program, (int)index, text, sizeof text));
    }
    DN_TRY(describe_call(&op->call, c->program, index));
    if (op->kernel->describe) op->kernel->describe(&op->call, op->name, sizeof op->name);
    if (op->kernel->workspace) op->workspace = op->kernel->workspace(&op->call);
    if (op->workspace > c->workspace_bytes) c->workspace_bytes = op->workspace;
    return DN_OK;
}

dn_status dn__gpu_compile(dn_compiled **out, dn_device *device, const dn_program *program)
{
    if (program->real != DN_F32)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "program '%s' computes in %s, but device '%s' computes in f32, tf32 and bf16; use device 'ref' "
                       "for f64",
                       name_of(program), dn_dtype_name(program->real), device->name);
    dn_compiled *c = dn_calloc(1, sizeof *c);
    if (!c) return DN_ERROR_MEMORY;
    *c = (dn_compiled){.device = dn__gpu_device(device), .program = program};
    c->ops = dn_calloc(program->n_ops, sizeof *c->ops);
    dn_status status = c->ops ? DN_OK : DN_ERROR_MEMORY;
    for (size_t i = 0; status == DN_OK && i < program->n_ops; i++) status = compile_op(c, i);
    if (status == DN_OK)
        *out = c;
    else
        dn__gpu_discard(c);
    return status;
}

void dn__gpu_discard(dn_compiled *c)
{
    if (!c) return;
    const dn_gpu_runtime *runtime = c->device->runtime;
    /* Steps may still be running, in memory that is about to be released. */
    dn__gpu_settle(c->device);
    if (c->graph) runtime->drop(c->device->gpu, c->graph);
    dn__gpu_release(&c->device->base, c->workspace);
    dn_free(c->ops);
    dn_free(c);
}

size_t dn__gpu_workspace(const dn_compiled *c)
{
    return c->workspace_bytes;
}

const char *dn__gpu_kernel_name(const dn_compiled *c, int op)
{
    return c->ops[op].name;
}

dn_status dn__gpu_attach(dn_compiled *c, const dn_memory *memory)
{
    if (c->workspace_bytes > 0) DN_TRY(dn__gpu_allocate(&c->device->base, c->workspace_bytes, &c->workspace));
    for (size_t i = 0; i < c->program->n_ops; i++) {
        const dn_op *op = &c->program->ops[i];
        dn_call *call = &c->ops[i].call;
        if (!c->ops[i].kernel) continue;
        for (int k = 0; k < DN_OP_MAX_IN; k++)
            if (op->in[k] >= 0) call->in[k] = dn__address(c->program, memory, op->in[k], 0);
        for (int k = 0; k < DN_OP_MAX_OUT; k++)
            if (op->out[k] >= 0) call->out[k] = dn__address(c->program, memory, op->out[k], 0);
        call->workspace = c->ops[i].workspace ? c->workspace : NULL;
    }
    return DN_OK;
}
