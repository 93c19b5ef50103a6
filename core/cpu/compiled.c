/* From a program to kernels, scratch memory and ready-made calls. */
#include "core/cpu/compiled.h"

#include <string.h>

#include "core/alloc.h"

static dn_call shapes_of(const dn_program *program, const dn_op *op)
{
    dn_call call = {.op = op, .members = program->members, .seed = dn_params_seed(program->params)};
    for (int k = 0; k < DN_OP_MAX_IN; k++) call.in_info[k] = op->in[k] < 0 ? NULL : &program->tensors[op->in[k]];
    for (int k = 0; k < DN_OP_MAX_OUT; k++) call.out_info[k] = op->out[k] < 0 ? NULL : &program->tensors[op->out[k]];
    return call;
}

/* Sets `once`; an op whose outputs are partly shared would be written by several members at the same time. */
static dn_status find_once(bool *once, const dn_call *shapes)
{
    int shared = 0, outputs = 0;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        if (!shapes->out_info[k]) continue;
        outputs++;
        shared += shapes->out_info[k]->shared;
    }
    const int flags = dn_op_flags(shapes->op->kind);
    *once = !(flags & DN_OP_VIEW) && ((flags & DN_OP_JOINS) || shared == outputs);
    if (!*once && !(flags & DN_OP_VIEW) && shared > 0)
        return dn_fail(DN_ERROR_INTERNAL, "op %s: %d of its %d outputs are shared by the members; all or none must be",
                       dn_op_name(shapes->op->kind), shared, outputs);
    return DN_OK;
}

static dn_status compile_op(dn_compiled *c, size_t index, bool tuned)
{
    const dn_program *program = c->program;
    dn_cpu_op *op = &c->ops[index];
    dn_call shapes = shapes_of(program, &program->ops[index]);
    DN_TRY(find_once(&op->once, &shapes));
    const int threads = c->device->threads, alone = dn__cpu_members_alone(program->members, threads);
    const bool wanted[DN_CPU_MODES] = {
        [DN_CPU_ALONE] = op->once ? threads == 1 : alone > 0,
        [DN_CPU_TOGETHER] = threads > 1 && (op->once || alone < program->members),
    };
    for (int mode = 0; mode < DN_CPU_MODES; mode++) {
        if (!wanted[mode]) continue;
        shapes.threads = mode == DN_CPU_ALONE ? 1 : threads;
        dn_cpu_prepared *kernel = &op->mode[mode];
        DN_TRY(dn__cpu_prepare(kernel, &shapes, tuned, program->real == DN_F64));
        const size_t line = 64, need = (kernel->workspace + line - 1) / line * line;
        const size_t copies = mode == DN_CPU_ALONE ? (size_t)threads : 1;
        if (mode == DN_CPU_ALONE && need > c->workspace_stride) c->workspace_stride = need;
        if (need * copies > c->workspace_bytes) c->workspace_bytes = need * copies;
    }
    return DN_OK;
}

dn_status dn__cpu_compile(dn_compiled **out, dn_device *device, const dn_program *program)
{
    const bool tuned = device->backend == &dn__backend_cpu;
    if (program->real != DN_F32 && (tuned || program->real != DN_F64))
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "program '%s' computes in %s, but device '%s' computes in f32; use device 'ref' for f64",
                       program->name ? program->name : "?", dn_dtype_name(program->real), device->name);
    if (program->precision != DN_PRECISION_F32)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "program '%s' asks for precision %s, which device '%s' does not have: CUDA devices do; f32 "
                       "works everywhere",
                       program->name ? program->name : "?", dn_precision_name(program->precision), device->name);
    dn_compiled *c = dn_calloc(1, sizeof *c);
    if (!c) return DN_ERROR_MEMORY;
    c->device = device;
    c->program = program;
    c->ops = dn_calloc(program->n_ops, sizeof *c->ops);
    dn_status status = c->ops ? DN_OK : DN_ERROR_MEMORY;
    for (size_t i = 0; status == DN_OK && i < program->n_ops; i++) status = compile_op(c, i, tuned);
    if (status == DN_OK)
        *out = c;
    else
        dn__cpu_discard(c);
    return status;
}

void dn__cpu_discard(dn_compiled *c)
{
    if (!c) return;
    for (size_t i = 0; c->ops && i < c->program->n_ops; i++)
        for (int mode = 0; mode < DN_CPU_MODES; mode++) dn__cpu_release(&c->ops[i].mode[mode]);
    dn_free(c->ops);
    dn_free(c->calls);
    dn_free(c->workspace);
    dn_free(c);
}

size_t dn__cpu_workspace(const dn_compiled *c)
{
    return c->workspace_bytes;
}

const char *dn__cpu_kernel_name(const dn_compiled *c, int op)
{
    const dn_cpu_prepared *mode = c->ops[op].mode;
    return mode[mode[DN_CPU_ALONE].name[0] ? DN_CPU_ALONE : DN_CPU_TOGETHER].name;
}

/* One operand's address and stride; an external tensor must have its buffer by now. */
static dn_status locate(const dn_compiled *c, const dn_memory *memory, int tensor, int member, void **data,
                        size_t *stride)
{
    if (tensor < 0) return DN_OK;
    const dn_tensor_info *info = &c->program->tensors[tensor];
    if (c->program->tensors[info->root].storage == DN_STORAGE_EXTERNAL && !memory->external[info->root])
        return dn_fail(DN_ERROR_ARGUMENT, "program '%s': no buffer is bound to external tensor '%s'",
                       c->program->name ? c->program->name : "?", info->name ? info->name : "?");
    *data = dn__address(c->program, memory, tensor, member);
    *stride = dn__member_stride(c->program, info);
    return DN_OK;
}

static dn_status attach_op(dn_compiled *c, const dn_memory *memory, size_t index)
{
    const dn_program *program = c->program;
    const dn_op *op = &program->ops[index];
    const int members = c->ops[index].once ? 1 : program->members;
    for (int e = 0; e < members; e++) {
        dn_call *call = &c->calls[index * (size_t)program->members + (size_t)e];
        *call = shapes_of(program, op);
        call->member = c->ops[index].once ? 0 : dn_params_first_member(program->params) + e;
        for (int k = 0; k < DN_OP_MAX_IN; k++) {
            void *data = NULL;
            DN_TRY(locate(c, memory, op->in[k], e, &data, &call->in_stride[k]));
            call->in[k] = data;
        }
        for (int k = 0; k < DN_OP_MAX_OUT; k++)
            DN_TRY(locate(c, memory, op->out[k], e, &call->out[k], &call->out_stride[k]));
    }
    return DN_OK;
}

dn_status dn__cpu_attach(dn_compiled *c, const dn_memory *memory)
{
    const dn_program *program = c->program;
    c->calls = dn_calloc(program->n_ops * (size_t)program->members, sizeof *c->calls);
    c->workspace = dn_calloc_aligned(c->workspace_bytes);
    if (!c->calls || !c->workspace) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < program->n_ops; i++) DN_TRY(attach_op(c, memory, i));
    return DN_OK;
}

dn_status dn__cpu_run(dn_compiled *c, int first, int last, int64_t steps)
{
    for (int64_t step = 0; step < steps; step++) dn__cpu_run_once(c, first, last);
    for (int op = first; op < last; op++)
        for (int mode = 0; mode < DN_CPU_MODES; mode++) {
            const dn_cpu_prepared *kernel = &c->ops[op].mode[mode];
            if (kernel->check) DN_TRY(kernel->check(kernel->state));
        }
    return DN_OK;
}
