/* A program made ready for both devices of a check. */
#include <string.h>

#include "core/alloc.h"
#include "core/check/check.h"

static const dn_backend *backend_of(const dn_compiled *c, int side)
{
    return c->device->side[side]->backend;
}

static dn_status compile_sides(dn_compiled *c)
{
    const dn_program *program = c->program;
    for (int s = 0; s < DN_CHECK_SIDES; s++)
        DN_TRY(backend_of(c, s)->compile(&c->side[s], c->device->side[s], program));
    c->names = dn_calloc(program->n_ops, sizeof *c->names);
    if (!c->names) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < program->n_ops; i++) {
        const char *a = backend_of(c, DN_CHECK_A)->kernel_name(c->side[DN_CHECK_A], (int)i);
        const char *b = backend_of(c, DN_CHECK_B)->kernel_name(c->side[DN_CHECK_B], (int)i);
        c->names[i] = dn_format("%s | %s", a, b);
        if (!c->names[i]) return DN_ERROR_MEMORY;
    }
    return DN_OK;
}

dn_status dn__check_compile(dn_compiled **out, dn_device *device, const dn_program *program)
{
    dn_compiled *c = dn_calloc(1, sizeof *c);
    if (!c) return DN_ERROR_MEMORY;
    c->device = (dn_check_device *)device;
    c->program = program;
    const dn_status status = compile_sides(c);
    if (status == DN_OK)
        *out = c;
    else
        dn__check_discard(c);
    return status;
}

void dn__check_discard(dn_compiled *c)
{
    if (!c) return;
    for (int s = 0; s < DN_CHECK_SIDES; s++) {
        if (c->side[s]) backend_of(c, s)->discard(c->side[s]);
        dn_free(c->memory[s].external);
        dn_free(c->buffers[s]);
        dn_free(c->fetched[s]);
    }
    for (size_t i = 0; c->names && i < c->program->n_ops; i++) dn_free(c->names[i]);
    dn_free(c->names);
    dn_free(c);
}

/* The larger one: what is planned is there once for each side. */
size_t dn__check_workspace(const dn_compiled *c)
{
    const size_t a = backend_of(c, DN_CHECK_A)->workspace(c->side[DN_CHECK_A]);
    const size_t b = backend_of(c, DN_CHECK_B)->workspace(c->side[DN_CHECK_B]);
    return a > b ? a : b;
}

const char *dn__check_kernel_name(const dn_compiled *c, int op)
{
    return c->names[op];
}

/* ---- one memory for each side ---- */

/* Describes one side's half of a buffer of the check device in `half`. @return half, or NULL for none */
static dn_buffer *half_of(const dn_compiled *c, int side, const dn_buffer *whole, dn_buffer *half)
{
    if (!whole) return NULL;
    *half = *whole;
    half->device = c->device->side[side];
    if (side == DN_CHECK_B) half->data = dn__check_partner(c->device, whole->data);
    return half->data ? half : NULL;
}

static dn_status divide(dn_compiled *c, int side, const dn_memory *memory)
{
    enum { SLOTS = sizeof memory->slots / sizeof *memory->slots };
    const size_t n = c->program->n_tensors;
    dn_memory *to = &c->memory[side];
    dn_buffer *next = c->buffers[side] = dn_calloc(DN_STORAGE_COUNT + SLOTS + n, sizeof *next);
    to->external = dn_calloc(n, sizeof(dn_buffer *));
    if (!next || !to->external) return DN_ERROR_MEMORY;
    for (int i = 0; i < DN_STORAGE_COUNT; i++) to->block[i] = half_of(c, side, memory->block[i], next++);
    for (int i = 0; i < SLOTS; i++) to->slots[i] = half_of(c, side, memory->slots[i], next++);
    for (size_t i = 0; i < n; i++) to->external[i] = half_of(c, side, memory->external[i], next++);
    return DN_OK;
}

dn_status dn__check_attach(dn_compiled *c, const dn_memory *memory)
{
    for (size_t i = 0; i < c->program->n_tensors; i++) {
        const dn_tensor_info *t = &c->program->tensors[i];
        if (t->storage != DN_STORAGE_EXTERNAL && dn__bytes(t) > c->room) c->room = dn__bytes(t);
    }
    for (int s = 0; s < DN_CHECK_SIDES; s++) {
        DN_TRY(divide(c, s, memory));
        DN_TRY(backend_of(c, s)->attach(c->side[s], &c->memory[s]));
        c->fetched[s] = dn_calloc(c->room + 1, 1);
        if (!c->fetched[s]) return DN_ERROR_MEMORY;
    }
    return DN_OK;
}

dn_status dn__check_fetch(dn_compiled *c, int side, int tensor, int member)
{
    const char *from = dn__address(c->program, &c->memory[side], tensor, member);
    const size_t bytes = dn__bytes(&c->program->tensors[tensor]);
    return backend_of(c, side)->download(c->device->side[side], c->fetched[side], from, bytes);
}
