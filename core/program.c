#include "core/program.h"

#include <stdarg.h>
#include <string.h>

#include "core/alloc.h"
#include "core/graph.h"

dn_program *dn_program_new(dn_params *params, const dn_program_options *options)
{
    dn_program *p = dn_calloc(1, sizeof *p);
    if (!p) return NULL;
    p->name = dn_strdup(options && options->name ? options->name : "program");
    if (!p->name) {
        dn_free(p);
        return NULL;
    }
    p->params = params;
    p->members = dn_params_members(params);
    p->batch = options ? options->batch : 0;
    p->real = dn_params_dtype(params);
    p->precision = options ? options->precision : DN_PRECISION_F32;
    p->step = DN_NONE;
    return p;
}

const char *dn_precision_name(dn_precision precision)
{
    static const char *const names[DN_PRECISION_COUNT] = {"f32", "tf32", "bf16"};
    return names[precision];
}

dn_precision dn_program_precision(const dn_program *p)
{
    return p->precision;
}

void dn_program_close(dn_program *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->n_tensors; i++) {
        dn_free(p->tensors[i].name);
        dn_free(p->tensors[i].initial);
    }
    dn_free(p->tensors);
    dn_free(p->ops);
    dn_free(p->error);
    dn_free(p->name);
    dn_free(p);
}

dn_tensor dn_program_fail(dn_program *p, dn_status code, const char *format, ...)
{
    if (!p || p->status != DN_OK) return DN_NONE;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    p->status = code;
    p->error = dn_format("%s, op %zu: %s", p->name, p->n_ops, text);
    return DN_NONE;
}

/* Takes over an error that a called function left behind. */
static dn_tensor fail_with_last(dn_program *p, dn_status code)
{
    return dn_program_fail(p, code, "%s", dn_error_last());
}

bool dn__ready(dn_program *p, const dn_tensor *inputs, int count)
{
    if (!p || p->status != DN_OK) return false;
    if (p->sealed) {
        dn_program_fail(p, DN_ERROR_ARGUMENT, "the program is sealed, nothing can be added");
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (inputs[i].id >= 0 && (size_t)inputs[i].id < p->n_tensors) continue;
        dn_program_fail(p, DN_ERROR_ARGUMENT, "input %d of the op is no tensor of this program", i);
        return false;
    }
    return true;
}

/* ---- tensors ---- */

static dn_tensor add_tensor(dn_program *p, dn_tensor_info info)
{
    if (info.shape.rank < 1 || info.shape.rank > DN_MAX_RANK)
        return dn_program_fail(p, DN_ERROR_SHAPE, "'%s' has %d dimensions, it needs 1 to %d",
                               info.name ? info.name : "a result", info.shape.rank, DN_MAX_RANK);
    for (int i = 0; i < info.shape.rank; i++) {
        char text[64];
        if (info.shape.dim[i] < 1 || info.shape.dim[i] > INT32_MAX)
            return dn_program_fail(p, DN_ERROR_SHAPE, "shape %s of '%s': every size must be 1 or more",
                                   dn_shape_text(&info.shape, text), info.name ? info.name : "a result");
    }
    if (dn_grow((void **)&p->tensors, &p->tensor_capacity, p->n_tensors, sizeof info) != DN_OK)
        return fail_with_last(p, DN_ERROR_MEMORY);
    if (info.name) {
        info.name = dn_strdup(info.name);
        if (!info.name) return fail_with_last(p, DN_ERROR_MEMORY);
    }
    const int id = (int)p->n_tensors++;
    info.root = id;
    info.gradient = info.writer = info.first = info.last = -1;
    p->tensors[id] = info;
    return (dn_tensor){id};
}

dn_tensor dn__temporary(dn_program *p, dn_dtype dtype, dn_shape shape, bool shared)
{
    if (p->status != DN_OK) return DN_NONE;
    return add_tensor(
        p, (dn_tensor_info){.shape = shape, .dtype = dtype, .shared = shared, .storage = DN_STORAGE_TEMPORARY});
}

dn_tensor dn_input(dn_program *p, const char *name, dn_dtype dtype, dn_shape shape, bool members_share)
{
    if (!dn__ready(p, NULL, 0)) return DN_NONE;
    return add_tensor(p, (dn_tensor_info){.name = (char *)name,
                                          .shape = shape,
                                          .dtype = dtype,
                                          .shared = members_share,
                                          .storage = DN_STORAGE_PERSISTENT});
}

dn_tensor dn_constant(dn_program *p, const char *name, dn_shape shape, bool members_share, const double *values)
{
    if (!dn__ready(p, NULL, 0)) return DN_NONE;
    const dn_tensor t = dn_input(p, name, p->real, shape, members_share);
    if (dn_is_none(t)) return t;
    const size_t count = (size_t)dn_shape_count(&shape) * (size_t)(members_share ? 1 : p->members);
    void *initial = dn_calloc(count, dn_dtype_size(p->real));
    if (!initial) return fail_with_last(p, DN_ERROR_MEMORY);
    for (size_t i = 0; i < count; i++) {
        if (p->real == DN_F64)
            ((double *)initial)[i] = values[i];
        else
            ((float *)initial)[i] = (float)values[i];
    }
    dn__info(p, t)->initial = initial;
    return t;
}

dn_tensor dn_external(dn_program *p, const char *name, dn_dtype dtype, dn_shape shape)
{
    const dn_tensor t = dn_input(p, name, dtype, shape, true);
    if (!dn_is_none(t)) dn__info(p, t)->storage = DN_STORAGE_EXTERNAL;
    return t;
}

/* A tensor for an entry of the store: one tensor per program and entry. */
static dn_tensor store_tensor(dn_program *p, const dn_params_entry *entry, dn_storage storage)
{
    for (size_t i = 0; i < p->n_tensors; i++) {
        const dn_tensor_info *t = &p->tensors[i];
        if (t->storage == storage && t->name && strcmp(t->name, entry->name) == 0) return (dn_tensor){(int)i};
    }
    const dn_tensor t = add_tensor(p, (dn_tensor_info){.name = entry->name,
                                                       .shape = entry->shape,
                                                       .dtype = p->real,
                                                       .wants_gradient = storage == DN_STORAGE_VALUES,
                                                       .storage = storage});
    if (!dn_is_none(t)) dn__info(p, t)->offset = entry->offset * dn_dtype_size(p->real);
    return t;
}

dn_tensor dn_parameter(dn_program *p, const char *name, dn_shape shape, dn_init init)
{
    if (!dn__ready(p, NULL, 0)) return DN_NONE;
    int index = -1;
    const dn_status status = dn_params_value(p->params, name, &shape, init, &index);
    if (status != DN_OK) return fail_with_last(p, status);
    return store_tensor(p, dn_params_at(p->params, DN_BLOCK_VALUES, index), DN_STORAGE_VALUES);
}

dn_tensor dn_state(dn_program *p, const char *name, dn_shape shape, double initial)
{
    if (!dn__ready(p, NULL, 0)) return DN_NONE;
    int index = -1;
    const dn_status status = dn_params_state(p->params, name, &shape, initial, &index);
    if (status != DN_OK) return fail_with_last(p, status);
    return store_tensor(p, dn_params_at(p->params, DN_BLOCK_STATES, index), DN_STORAGE_STATES);
}

dn_tensor dn__flat(dn_program *p, dn_storage storage, int slot)
{
    for (size_t i = 0; i < p->n_tensors; i++) {
        const dn_tensor_info *t = &p->tensors[i];
        if (t->flat && t->storage == storage && t->slot == slot) return (dn_tensor){(int)i};
    }
    const char *name = storage == DN_STORAGE_VALUES      ? "all parameters"
                       : storage == DN_STORAGE_GRADIENTS ? "all gradients"
                                                         : "all of an optimizer slot";
    return add_tensor(p, (dn_tensor_info){.name = (char *)name,
                                          .shape = DN_SHAPE(1), /* [P], known when the program is sealed */
                                          .dtype = p->real,
                                          .flat = true,
                                          .slot = slot,
                                          .storage = storage});
}

dn_tensor dn_step(dn_program *p)
{
    if (!dn__ready(p, NULL, 0)) return DN_NONE;
    if (dn_is_none(p->step)) p->step = dn_input(p, "step", DN_I32, DN_SHAPE(1), true);
    return p->step;
}

dn_tensor dn_keep(dn_program *p, dn_tensor t)
{
    if (!dn__ready(p, &t, 1)) return DN_NONE;
    dn__info(p, (dn_tensor){dn__info(p, t)->root})->kept = true;
    return t;
}

dn_tensor dn_want_gradient(dn_program *p, dn_tensor t)
{
    if (!dn__ready(p, &t, 1)) return DN_NONE;
    const dn_dtype dtype = dn__info(p, t)->dtype;
    if (dtype != p->real)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "a gradient with respect to %s elements is not defined",
                               dn_dtype_name(dtype));
    dn__info(p, t)->wants_gradient = dn__info(p, t)->asked = true;
    return t;
}

dn_tensor dn_name(dn_program *p, dn_tensor t, const char *format, ...)
{
    if (!dn__ready(p, &t, 1)) return DN_NONE;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dn_free(dn__info(p, t)->name);
    dn__info(p, t)->name = dn_strdup(text);
    return t;
}

dn_tensor dn_find(const dn_program *p, const char *name)
{
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i].name && strcmp(p->tensors[i].name, name) == 0) return (dn_tensor){(int)i};
    return DN_NONE;
}

/* ---- ops ---- */

dn_op dn__op(dn_op_kind kind, const dn_tensor *inputs, int count)
{
    dn_op op = {.kind = kind};
    for (int i = 0; i < DN_OP_MAX_IN; i++) op.in[i] = i < count ? inputs[i].id : -1;
    for (int i = 0; i < DN_OP_MAX_OUT; i++) op.out[i] = -1;
    return op;
}

/* The gradient ops themselves are not differentiated: nothing that they make wants a gradient. */
static bool wants_gradient(const dn_program *p, const dn_op *op)
{
    if (p->differentiated) return false;
    for (int i = 0; i < DN_OP_MAX_IN; i++)
        if (op->in[i] >= 0 && p->tensors[op->in[i]].wants_gradient) return true;
    return false;
}

dn_tensor dn__append(dn_program *p, dn_op op)
{
    if (p->status != DN_OK) return DN_NONE;
    if (dn_grow((void **)&p->ops, &p->op_capacity, p->n_ops, sizeof op) != DN_OK)
        return fail_with_last(p, DN_ERROR_MEMORY);
    const bool wants = wants_gradient(p, &op);
    for (int i = 0; i < DN_OP_MAX_OUT; i++) {
        if (op.out[i] < 0) continue;
        dn_tensor_info *out = &p->tensors[op.out[i]];
        if (out->writer < 0) out->writer = (int)p->n_ops;
        if (out->storage == DN_STORAGE_TEMPORARY && (out->dtype == p->real || out->dtype == DN_BF16))
            out->wants_gradient = wants;
    }
    if (dn_op_flags(op.kind) & DN_OP_VIEW) p->tensors[op.out[0]].root = p->tensors[op.in[0]].root;
    p->ops[p->n_ops++] = op;
    return (dn_tensor){op.out[0]};
}

/* ---- sealing ---- */

/* The shape of the views of whole blocks, now that P is known. */
static void set_flat_shapes(dn_program *p)
{
    const int64_t slice = dn_params_slice(p->params, DN_BLOCK_VALUES);
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i].flat) p->tensors[i].shape = DN_SHAPE(slice);
}

dn_status dn_program_seal(dn_program *p)
{
    if (p->sealed) return dn_fail(DN_ERROR_ARGUMENT, "%s is sealed already", p->name);
    if (p->status != DN_OK) return dn_fail(p->status, "%s", p->error ? p->error : "out of memory");
    if (p->n_ops == 0) return dn_fail(DN_ERROR_ARGUMENT, "%s has no ops", p->name);
    dn_params_freeze(p->params);
    set_flat_shapes(p);
    DN_TRY(dn__plan_memory(p));
    p->sealed = true;
    return DN_OK;
}

/* ---- asking ---- */

int dn_program_members(const dn_program *p)
{
    return p->members;
}

static const dn_tensor_info *look(const dn_program *p, dn_tensor t)
{
    return p && t.id >= 0 && (size_t)t.id < p->n_tensors ? &p->tensors[t.id] : NULL;
}

dn_shape dn_shape_of(const dn_program *p, dn_tensor t)
{
    const dn_tensor_info *info = look(p, t);
    return info ? info->shape : (dn_shape){0};
}

dn_dtype dn_dtype_of(const dn_program *p, dn_tensor t)
{
    const dn_tensor_info *info = look(p, t);
    return info ? info->dtype : DN_F32;
}

bool dn_is_shared(const dn_program *p, dn_tensor t)
{
    const dn_tensor_info *info = look(p, t);
    return info && info->shared;
}

dn_params *dn_program_params(const dn_program *p)
{
    return p->params;
}

int dn_program_ops(const dn_program *p)
{
    return (int)p->n_ops;
}
