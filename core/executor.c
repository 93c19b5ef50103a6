#include "core/executor.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/executor_private.h"

/* Storages whose block belongs to the executor. */
static const dn_storage own_storages[] = {DN_STORAGE_GRADIENTS, DN_STORAGE_PERSISTENT, DN_STORAGE_TEMPORARY};
enum { OWN_STORAGES = sizeof own_storages / sizeof *own_storages };

static size_t block_bytes(const dn_program *p, dn_storage storage)
{
    return p->slice[storage] * (size_t)p->members + p->shared[storage];
}

static void make_plan(dn_executor *ex)
{
    const dn_program *p = ex->program;
    dn_plan *plan = &ex->plan;
    plan->parameters = dn_params_bytes(p->params);
    plan->gradients = block_bytes(p, DN_STORAGE_GRADIENTS);
    plan->persistent = block_bytes(p, DN_STORAGE_PERSISTENT);
    plan->temporaries = block_bytes(p, DN_STORAGE_TEMPORARY);
    for (size_t i = 0; i < p->n_tensors; i++) {
        const dn_tensor_info *t = &p->tensors[i];
        if (t->storage == DN_STORAGE_EXTERNAL) plan->external += dn__bytes(t);
        if (t->storage == DN_STORAGE_TEMPORARY && t->root == (int)i)
            plan->without_reuse += dn__bytes(t) * (size_t)(t->shared ? 1 : p->members);
    }
    plan->workspace = ex->device->backend->workspace(ex->compiled);
    plan->total =
        plan->parameters + plan->gradients + plan->persistent + plan->temporaries + plan->external + plan->workspace;
}

dn_status dn_executor_open(dn_executor **out, dn_program *program, dn_device *device)
{
    *out = NULL;
    if (!program->sealed) return dn_fail(DN_ERROR_ARGUMENT, "%s is not sealed", program->name);
    dn_executor *ex = dn_calloc(1, sizeof *ex);
    if (!ex) return DN_ERROR_MEMORY;
    ex->program = program;
    ex->device = device;
    const dn_status status = device->backend->compile(&ex->compiled, device, program);
    if (status != DN_OK) {
        dn_free(ex);
        return status;
    }
    ex->memory.external = dn_calloc(program->n_tensors, sizeof *ex->memory.external);
    if (!ex->memory.external) {
        dn_executor_close(ex);
        return DN_ERROR_MEMORY;
    }
    make_plan(ex);
    *out = ex;
    return DN_OK;
}

void dn_executor_close(dn_executor *ex)
{
    if (!ex) return;
    ex->device->backend->discard(ex->compiled);
    for (int i = 0; i < OWN_STORAGES; i++) dn_buffer_close(ex->memory.block[own_storages[i]]);
    dn_free(ex->memory.external);
    dn_free(ex);
}

const dn_plan *dn_executor_plan(const dn_executor *ex)
{
    return &ex->plan;
}

/* ---- starting ---- */

/* What start() has yet to allocate: the data sets are there, and a store that another program uses as well. */
static size_t bytes_to_come(const dn_executor *ex)
{
    const bool placed = dn_params_buffer(ex->program->params, DN_BLOCK_VALUES, 0) != NULL;
    return ex->plan.total - ex->plan.external - (placed ? ex->plan.parameters : 0);
}

/* Writes a batch that fits, or what else to do. Only what grows with the batch can shrink with it. A share of 1 or
 * more: there is enough, but not in one piece. */
static void advise(const dn_executor *ex, size_t needed, size_t available, char text[96])
{
    const int batch = ex->program->batch;
    const size_t growing = ex->plan.temporaries + ex->plan.workspace, fixed = needed - growing;
    const double share = fixed < available ? (double)(available - fixed) / (double)growing : 0.0;
    if (batch > 1 && share < 1.0 && floor(batch * share) >= 1.0)
        snprintf(text, 96, "a batch of %d fits", (int)floor(batch * share));
    else
        snprintf(text, 96, "use fewer members or a smaller network");
}

/* Names the largest temporaries and a batch that fits. */
static dn_status fail_too_big(const dn_executor *ex, size_t needed, size_t available)
{
    const dn_program *p = ex->program;
    char largest[400] = "";
    size_t below = SIZE_MAX;
    for (int rank = 0; rank < 3; rank++) {
        const dn_tensor_info *best = NULL;
        for (size_t i = 0; i < p->n_tensors; i++) {
            const dn_tensor_info *t = &p->tensors[i];
            if (t->root == (int)i && dn__bytes(t) < below && (!best || dn__bytes(t) > dn__bytes(best))) best = t;
        }
        if (!best) break;
        below = dn__bytes(best);
        char shape[64];
        const size_t used = strlen(largest);
        const char *made_by = best->writer < 0 ? "input" : dn_op_name(p->ops[best->writer].kind);
        snprintf(largest + used, sizeof largest - used, "%s%s %s (%.1f MiB%s)", rank ? ", " : "",
                 best->name ? best->name : made_by, dn_shape_text(&best->shape, shape), (double)below / 1048576.0,
                 best->shared ? "" : " for each member");
    }
    char advice[96];
    advise(ex, needed, available, advice);
    return dn_fail(DN_ERROR_MEMORY, "%s needs %.1f MiB, '%s' has %.1f MiB free; the largest tensors: %s; %s", p->name,
                   (double)needed / 1048576.0, dn_device_name(ex->device), (double)available / 1048576.0, largest,
                   advice);
}

/* Has the device take everything as one block, where it can. */
static dn_status reserve(const dn_executor *ex)
{
    enum { MOST = 2 + 4 + OWN_STORAGES + 1 };
    const dn_program *p = ex->program;
    const dn_backend *backend = ex->device->backend;
    size_t pieces[MOST];
    int count = 0;
    if (!backend->reserve) return DN_OK;
    if (!dn_params_buffer(p->params, DN_BLOCK_VALUES, 0)) {
        const size_t each = dn_dtype_size(dn_params_dtype(p->params)) * (size_t)p->members;
        const size_t values = (size_t)dn_params_slice(p->params, DN_BLOCK_VALUES) * each;
        const int slots = dn_params_count(p->params, DN_BLOCK_SLOTS);
        pieces[count++] = values;
        pieces[count++] = (size_t)dn_params_slice(p->params, DN_BLOCK_STATES) * each;
        for (int i = 0; i < slots; i++) pieces[count++] = values;
    }
    for (int i = 0; i < OWN_STORAGES; i++) pieces[count++] = block_bytes(p, own_storages[i]);
    pieces[count++] = ex->plan.workspace;
    return backend->reserve(ex->device, pieces, count);
}

static dn_status write_initial(dn_executor *ex)
{
    const dn_program *p = ex->program;
    for (size_t i = 0; i < p->n_tensors; i++) {
        const dn_tensor_info *t = &p->tensors[i];
        const size_t bytes = dn__bytes(t) * (size_t)(t->shared ? 1 : p->members);
        if (t->initial) DN_TRY(dn_executor_write(ex, (dn_tensor){(int)i}, t->initial, bytes));
    }
    return DN_OK;
}

dn_status dn_executor_start(dn_executor *ex)
{
    if (ex->started) return DN_OK;
    const dn_program *p = ex->program;
    const size_t available = dn_device_available(ex->device), needed = bytes_to_come(ex);
    if (needed > available) return fail_too_big(ex, needed, available);
    const dn_status reserved = reserve(ex);
    if (reserved == DN_ERROR_MEMORY) return fail_too_big(ex, needed, dn_device_available(ex->device));
    if (reserved != DN_OK) return reserved;
    DN_TRY(dn_params_place(p->params, ex->device));
    ex->memory.block[DN_STORAGE_VALUES] = dn_params_buffer(p->params, DN_BLOCK_VALUES, 0);
    ex->memory.block[DN_STORAGE_STATES] = dn_params_buffer(p->params, DN_BLOCK_STATES, 0);
    for (int i = 0; i < dn_params_count(p->params, DN_BLOCK_SLOTS); i++)
        ex->memory.slots[i] = dn_params_buffer(p->params, DN_BLOCK_SLOTS, i);
    for (int i = 0; i < OWN_STORAGES; i++) {
        const size_t bytes = block_bytes(p, own_storages[i]);
        dn_buffer **block = &ex->memory.block[own_storages[i]];
        if (bytes && !*block) DN_TRY(dn_buffer_new(block, ex->device, bytes));
    }
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i].storage == DN_STORAGE_EXTERNAL && !ex->memory.external[i])
            return dn_fail(DN_ERROR_ARGUMENT, "%s: no buffer is bound to '%s'", p->name, p->tensors[i].name);
    DN_TRY(ex->device->backend->attach(ex->compiled, &ex->memory));
    ex->started = true;
    return write_initial(ex);
}

dn_status dn_executor_bind(dn_executor *ex, dn_tensor tensor, dn_buffer *buffer)
{
    if (tensor.id < 0 || (size_t)tensor.id >= ex->program->n_tensors)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: no such tensor", ex->program->name);
    const dn_tensor_info *t = dn__info(ex->program, tensor);
    if (t->storage != DN_STORAGE_EXTERNAL || ex->started)
        return dn_fail(DN_ERROR_ARGUMENT, "'%s' is not an external tensor, or the program runs already",
                       t->name ? t->name : "a result");
    if (dn__bytes(t) > dn_buffer_bytes(buffer))
        return dn_fail(DN_ERROR_SHAPE, "'%s' needs %zu bytes, the buffer has %zu", t->name, dn__bytes(t),
                       dn_buffer_bytes(buffer));
    ex->memory.external[tensor.id] = buffer;
    return DN_OK;
}

/* ---- where a tensor is ---- */

size_t dn__member_stride(const dn_program *p, const dn_tensor_info *t)
{
    return t->shared ? 0 : p->slice[t->storage];
}

dn_buffer *dn__locate(const dn_program *p, const dn_memory *memory, int tensor, int member, size_t *offset)
{
    const dn_tensor_info *t = &p->tensors[tensor];
    *offset = t->offset;
    if (t->storage == DN_STORAGE_EXTERNAL) return memory->external[t->root];
    if (t->shared)
        *offset += p->slice[t->storage] * (size_t)p->members;
    else
        *offset += p->slice[t->storage] * (size_t)member;
    return t->storage == DN_STORAGE_SLOT ? memory->slots[t->slot] : memory->block[t->storage];
}

char *dn__address(const dn_program *p, const dn_memory *memory, int tensor, int member)
{
    size_t offset = 0;
    const dn_buffer *buffer = dn__locate(p, memory, tensor, member, &offset);
    return buffer ? (char *)buffer->data + offset : NULL;
}

static dn_status check_transfer(dn_executor *ex, dn_tensor tensor, size_t bytes)
{
    const dn_program *p = ex->program;
    if (tensor.id < 0 || (size_t)tensor.id >= p->n_tensors)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: no such tensor", p->name);
    const dn_tensor_info *t = dn__info(p, tensor);
    const size_t wanted = dn__bytes(t) * (size_t)(t->shared ? 1 : p->members);
    if (bytes == wanted) return dn_executor_start(ex);
    char shape[64];
    return dn_fail(DN_ERROR_SHAPE, "'%s' %s%s of %s has %zu bytes, not %zu", t->name ? t->name : "a result",
                   dn_shape_text(&t->shape, shape), t->shared ? "" : " for each member", dn_dtype_name(t->dtype),
                   wanted, bytes);
}

dn_status dn_executor_write(dn_executor *ex, dn_tensor tensor, const void *from, size_t bytes)
{
    DN_TRY(check_transfer(ex, tensor, bytes));
    const int copies = dn__info(ex->program, tensor)->shared ? 1 : ex->program->members;
    const size_t each = bytes / (size_t)copies;
    for (int e = 0; e < copies; e++) {
        size_t offset = 0;
        dn_buffer *buffer = dn__locate(ex->program, &ex->memory, tensor.id, e, &offset);
        DN_TRY(dn_buffer_upload(buffer, offset, (const char *)from + each * (size_t)e, each));
    }
    return DN_OK;
}

dn_status dn_executor_read(dn_executor *ex, dn_tensor tensor, void *to, size_t bytes)
{
    DN_TRY(check_transfer(ex, tensor, bytes));
    const int copies = dn__info(ex->program, tensor)->shared ? 1 : ex->program->members;
    const size_t each = bytes / (size_t)copies;
    for (int e = 0; e < copies; e++) {
        size_t offset = 0;
        const dn_buffer *buffer = dn__locate(ex->program, &ex->memory, tensor.id, e, &offset);
        DN_TRY(dn_buffer_download(buffer, offset, (char *)to + each * (size_t)e, each));
    }
    return DN_OK;
}

/* ---- running ---- */

dn_status dn_executor_run(dn_executor *ex, int64_t steps)
{
    DN_TRY(dn_executor_start(ex));
    return ex->device->backend->run(ex->compiled, 0, (int)ex->program->n_ops, steps);
}

dn_status dn_executor_run_op(dn_executor *ex, int op, int64_t times)
{
    if (op < 0 || (size_t)op >= ex->program->n_ops)
        return dn_fail(DN_ERROR_ARGUMENT, "%s has ops 0 to %zu, there is no op %d", ex->program->name,
                       ex->program->n_ops - 1, op);
    DN_TRY(dn_executor_start(ex));
    return ex->device->backend->run(ex->compiled, op, op + 1, times);
}

dn_status dn_executor_wait(dn_executor *ex)
{
    const dn_backend *backend = ex->device->backend;
    return backend->wait ? backend->wait(ex->device) : DN_OK;
}

static bool is_finite(const void *values, dn_dtype dtype, size_t i)
{
    enum { EXPONENT = 0x7f80 }; /* of bf16: all ones in NaN and infinity */
    switch (dtype) {
    case DN_F32: return isfinite(((const float *)values)[i]);
    case DN_F64: return isfinite(((const double *)values)[i]);
    case DN_BF16: return (((const uint16_t *)values)[i] & EXPONENT) != EXPONENT;
    default: return true;
    }
}

/* Whether all floating-point outputs of an op are finite. */
static dn_status check_outputs(dn_executor *ex, const dn_op *op, bool *finite)
{
    const dn_program *p = ex->program;
    *finite = true;
    for (int k = 0; k < DN_OP_MAX_OUT && *finite; k++) {
        if (op->out[k] < 0) continue;
        const dn_tensor_info *t = &p->tensors[op->out[k]];
        if (t->dtype == DN_U8 || t->dtype == DN_I32) continue;
        const size_t count = (size_t)dn_shape_count(&t->shape) * (size_t)(t->shared ? 1 : p->members);
        void *values = dn_calloc(count, dn_dtype_size(t->dtype));
        if (!values) return DN_ERROR_MEMORY;
        const dn_status status = dn_executor_read(ex, (dn_tensor){op->out[k]}, values, count * dn_dtype_size(t->dtype));
        for (size_t i = 0; i < count && *finite; i++) *finite = is_finite(values, t->dtype, i);
        dn_free(values);
        DN_TRY(status);
    }
    return DN_OK;
}

dn_status dn_executor_find_nonfinite(dn_executor *ex, int *op)
{
    *op = -1;
    DN_TRY(dn_executor_start(ex));
    for (size_t i = 0; i < ex->program->n_ops; i++) {
        bool finite = true;
        DN_TRY(dn_executor_run_op(ex, (int)i, 1));
        DN_TRY(check_outputs(ex, &ex->program->ops[i], &finite));
        if (finite) continue;
        *op = (int)i;
        return DN_OK;
    }
    return DN_OK;
}

const char *dn_executor_kernel(const dn_executor *ex, int op)
{
    return ex->device->backend->kernel_name(ex->compiled, op);
}
