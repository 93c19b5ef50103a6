/* The memory plan: which bytes each temporary uses.
 *
 * A tensor must live from the op that writes it to the last op that reads it. Two whose lives do not overlap may use
 * the same bytes. Greedy: the largest first, each at the lowest offset that is free during its life. Views and in-place
 * results use the bytes of their root.
 *
 * Offsets are within one member's slice (or the slice that members share), because members may run at their own pace:
 * member 1 may still be at op 3 when member 0 is at op 10, so they never touch each other's bytes. What members share
 * is written only at ops where all members have met. */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/graph.h"

enum { ALIGNMENT = 64 };

static size_t align(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static dn_tensor_info *root_of(const dn_program *p, int t)
{
    while (p->tensors[t].root != t) t = p->tensors[t].root;
    return &p->tensors[t];
}

static void extend(dn_tensor_info *t, int op)
{
    if (t->first < 0) t->first = op;
    t->last = op;
}

static void find_lifetimes(const dn_program *p)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        const dn_op *op = &p->ops[i];
        for (int k = 0; k < DN_OP_MAX_OUT; k++)
            if (op->out[k] >= 0) extend(root_of(p, op->out[k]), (int)i);
        for (int k = 0; k < DN_OP_MAX_IN; k++)
            if (op->in[k] >= 0) extend(root_of(p, op->in[k]), (int)i);
    }
    for (size_t t = 0; t < p->n_tensors; t++)
        if (p->tensors[t].kept) root_of(p, (int)t)->last = (int)p->n_ops - 1;
}

/* Lets the first output of an op take the bytes of the first input where the op allows it and nobody reads the input
 * afterwards. */
static void merge_in_place(const dn_program *p)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        const dn_op *op = &p->ops[i];
        if (!(dn_op_flags(op->kind) & DN_OP_INPLACE) || op->out[0] < 0) continue;
        dn_tensor_info *out = &p->tensors[op->out[0]], *in = root_of(p, op->in[0]);
        if (out->storage != DN_STORAGE_TEMPORARY || in->storage != DN_STORAGE_TEMPORARY) continue;
        if (out->root != op->out[0] || out->first != (int)i || in->last != (int)i || in->kept) continue;
        if (out->shared != in->shared || dn__bytes(out) != dn__bytes(in)) continue;
        bool twice = false;
        for (int k = 1; k < DN_OP_MAX_IN; k++) twice |= op->in[k] >= 0 && root_of(p, op->in[k]) == in;
        if (twice) continue;
        in->last = out->last;
        in->kept |= out->kept;
        out->root = (int)(in - p->tensors);
    }
}

/* ---- placing ---- */

typedef struct placed {
    const dn_tensor_info *info;
    size_t bytes;
    int id;
} placed;

static int larger_first(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static int lower_first(const void *a, const void *b)
{
    const placed *x = *(const placed *const *)a, *y = *(const placed *const *)b;
    return (x->info->offset > y->info->offset) - (x->info->offset < y->info->offset);
}

/* @return the lowest offset at which `bytes` fit between the neighbours, which are sorted by offset */
static size_t lowest_gap(const placed *const *neighbours, size_t count, size_t bytes)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t start = neighbours[i]->info->offset, end = start + neighbours[i]->bytes;
        if (at + bytes <= start) break;
        if (end > at) at = end;
    }
    return at;
}

/* Places the temporaries of one slice. @return bytes of the slice */
static size_t place(dn_program *p, placed *list, size_t count, const placed **neighbours)
{
    size_t size = 0;
    qsort(list, count, sizeof *list, larger_first);
    for (size_t i = 0; i < count; i++) {
        dn_tensor_info *t = &p->tensors[list[i].id];
        size_t n = 0;
        for (size_t j = 0; j < i; j++)
            if (list[j].info->last >= t->first && t->last >= list[j].info->first) neighbours[n++] = &list[j];
        qsort(neighbours, n, sizeof *neighbours, lower_first);
        t->offset = lowest_gap(neighbours, n, list[i].bytes);
        if (t->offset + list[i].bytes > size) size = t->offset + list[i].bytes;
    }
    return size;
}

/* @return the most bytes alive at one op */
static size_t peak(const placed *list, size_t count, size_t ops)
{
    size_t most = 0;
    for (int i = 0; i < (int)ops; i++) {
        size_t live = 0;
        for (size_t k = 0; k < count; k++)
            if (list[k].info->first <= i && i <= list[k].info->last) live += list[k].bytes;
        if (live > most) most = live;
    }
    return most;
}

static dn_status plan_temporaries(dn_program *p)
{
    placed *list = dn_calloc(p->n_tensors, sizeof *list);
    const placed **neighbours = dn_calloc(p->n_tensors, sizeof *neighbours);
    if (!list || !neighbours) {
        dn_free(list);
        dn_free(neighbours);
        return DN_ERROR_MEMORY;
    }
    p->live_peak = 0;
    for (int shared = 0; shared < 2; shared++) {
        size_t count = 0;
        for (size_t i = 0; i < p->n_tensors; i++) {
            const dn_tensor_info *t = &p->tensors[i];
            if (t->storage != DN_STORAGE_TEMPORARY || t->root != (int)i || t->first < 0) continue;
            if (t->shared == (bool)shared) list[count++] = (placed){t, align(dn__bytes(t)), (int)i};
        }
        const size_t size = place(p, list, count, neighbours);
        (shared ? p->shared : p->slice)[DN_STORAGE_TEMPORARY] = size;
        p->live_peak += peak(list, count, p->n_ops) * (size_t)(shared ? 1 : p->members);
    }
    dn_free(list);
    dn_free(neighbours);
    return DN_OK;
}

/* Inputs, constants and counters stand one after the other. */
static void plan_persistent(dn_program *p)
{
    for (size_t i = 0; i < p->n_tensors; i++) {
        dn_tensor_info *t = &p->tensors[i];
        if (t->storage != DN_STORAGE_PERSISTENT || t->root != (int)i) continue;
        size_t *size = t->shared ? &p->shared[DN_STORAGE_PERSISTENT] : &p->slice[DN_STORAGE_PERSISTENT];
        t->offset = *size;
        *size += align(dn__bytes(t));
    }
}

static bool has_gradient_block(const dn_program *p)
{
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i].storage == DN_STORAGE_GRADIENTS) return true;
    return false;
}

dn_status dn__plan_memory(dn_program *p)
{
    find_lifetimes(p);
    merge_in_place(p);
    plan_persistent(p);
    DN_TRY(plan_temporaries(p));
    const size_t real = dn_dtype_size(p->real);
    p->slice[DN_STORAGE_VALUES] = (size_t)dn_params_slice(p->params, DN_BLOCK_VALUES) * real;
    p->slice[DN_STORAGE_STATES] = (size_t)dn_params_slice(p->params, DN_BLOCK_STATES) * real;
    p->slice[DN_STORAGE_SLOT] = p->slice[DN_STORAGE_VALUES];
    p->slice[DN_STORAGE_GRADIENTS] = has_gradient_block(p) ? p->slice[DN_STORAGE_VALUES] : 0;
    /* Views and in-place results stand where their root stands. */
    for (size_t i = 0; i < p->n_tensors; i++) {
        const dn_tensor_info *root = root_of(p, (int)i);
        p->tensors[i].storage = root->storage;
        p->tensors[i].slot = root->slot;
        p->tensors[i].offset = root->offset;
        p->tensors[i].first = root->first;
        p->tensors[i].last = root->last;
    }
    return DN_OK;
}
