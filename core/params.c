#include "core/params.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"

enum { MOST_SLOTS = 4, ALIGNMENT = 64, INIT_PURPOSE = 0x10000 /* streams of ops count from 0 */ };

typedef struct entry_list {
    dn_params_entry *items;
    size_t count, capacity;
    size_t slice; /* elements of one member */
} entry_list;

struct dn_params {
    dn_params_options options;
    entry_list lists[3]; /* by dn_params_block; of the slots only names are kept */
    bool frozen;
    dn_device *device; /* NULL: not placed yet */
    dn_buffer *values, *states, *slots[MOST_SLOTS];
};

dn_status dn_params_new(dn_params **out, const dn_params_options *options)
{
    *out = NULL;
    if (options->members < 1)
        return dn_fail(DN_ERROR_ARGUMENT, "an ensemble of %d members: at least 1 is needed", options->members);
    if (options->dtype != DN_F32 && options->dtype != DN_F64)
        return dn_fail(DN_ERROR_ARGUMENT, "parameters are f32 or f64, not %s", dn_dtype_name(options->dtype));
    dn_params *params = dn_calloc(1, sizeof *params);
    if (!params) return DN_ERROR_MEMORY;
    params->options = *options;
    *out = params;
    return DN_OK;
}

void dn_params_close(dn_params *params)
{
    if (!params) return;
    dn_buffer_close(params->values);
    dn_buffer_close(params->states);
    for (int i = 0; i < MOST_SLOTS; i++) dn_buffer_close(params->slots[i]);
    for (int b = 0; b < 3; b++) {
        for (size_t i = 0; i < params->lists[b].count; i++) dn_free(params->lists[b].items[i].name);
        dn_free(params->lists[b].items);
    }
    dn_free(params);
}

/* Finds or adds an entry. */
static dn_status find_or_add(dn_params *params, dn_params_block block, const dn_params_entry *wanted, int *index)
{
    entry_list *list = &params->lists[block];
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, wanted->name) != 0) continue;
        if (!dn_shape_equal(&list->items[i].shape, &wanted->shape)) {
            char have[64], want[64];
            return dn_fail(DN_ERROR_SHAPE, "'%s' has shape %s in the store, this program wants %s", wanted->name,
                           dn_shape_text(&list->items[i].shape, have), dn_shape_text(&wanted->shape, want));
        }
        *index = (int)i;
        return DN_OK;
    }
    if (params->frozen)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "'%s' is not in the store, and the store's layout is fixed since its first program was sealed",
                       wanted->name);
    DN_TRY(dn_grow((void **)&list->items, &list->capacity, list->count, sizeof *list->items));
    dn_params_entry *entry = &list->items[list->count];
    *entry = *wanted;
    entry->name = dn_strdup(wanted->name);
    if (!entry->name) return DN_ERROR_MEMORY;
    entry->offset = list->slice;
    const size_t unit = ALIGNMENT / dn_dtype_size(params->options.dtype);
    list->slice += ((size_t)dn_shape_count(&wanted->shape) + unit - 1) / unit * unit;
    *index = (int)list->count++;
    return DN_OK;
}

dn_status dn_params_value(dn_params *params, const char *name, const dn_shape *shape, dn_init init, int *index)
{
    const dn_params_entry wanted = {.name = (char *)name, .shape = *shape, .init = init};
    return find_or_add(params, DN_BLOCK_VALUES, &wanted, index);
}

dn_status dn_params_state(dn_params *params, const char *name, const dn_shape *shape, double initial, int *index)
{
    const dn_params_entry wanted = {
        .name = (char *)name, .shape = *shape, .init = {.kind = DN_INIT_CONSTANT, .value = initial}};
    return find_or_add(params, DN_BLOCK_STATES, &wanted, index);
}

dn_status dn_params_slot(dn_params *params, const char *name, int *index)
{
    const dn_params_entry wanted = {.name = (char *)name};
    const size_t before = params->lists[DN_BLOCK_SLOTS].count;
    DN_TRY(find_or_add(params, DN_BLOCK_SLOTS, &wanted, index));
    if (params->lists[DN_BLOCK_SLOTS].count > MOST_SLOTS) {
        params->lists[DN_BLOCK_SLOTS].count = before;
        return dn_fail(DN_ERROR_UNSUPPORTED, "optimizer slot '%s': a store has at most %d slots", name, MOST_SLOTS);
    }
    return DN_OK;
}

void dn_params_freeze(dn_params *params)
{
    params->frozen = true;
}

/* ---- initial values ---- */

static double init_bound(const dn_params_entry *entry)
{
    const dn_shape *shape = &entry->shape;
    const double k = (double)shape->dim[0], per_output = (double)dn_shape_count(shape) / k;
    const double taps = shape->rank == 4 ? (double)(shape->dim[1] * shape->dim[2]) : 1.0;
    switch (entry->init.kind) {
    case DN_INIT_CONSTANT: return 0.0;
    case DN_INIT_GLOROT_UNIFORM: return sqrt(6.0 / (per_output + taps * k));
    case DN_INIT_HE_NORMAL: return sqrt(2.0 / per_output);
    case DN_INIT_FAN_OUT_NORMAL: return sqrt(2.0 / (taps * k));
    case DN_INIT_UNIFORM: return entry->init.value;
    }
    return 0.0;
}

static double init_draw(const dn_params_entry *entry, double bound, dn_random_sequence *random)
{
    switch (entry->init.kind) {
    case DN_INIT_CONSTANT: return entry->init.value;
    case DN_INIT_HE_NORMAL:
    case DN_INIT_FAN_OUT_NORMAL: return bound * dn_random_next_normal(random);
    case DN_INIT_GLOROT_UNIFORM:
    case DN_INIT_UNIFORM: return bound * (2.0 * dn_random_to_uniform(dn_random_next(random)) - 1.0);
    }
    return 0.0;
}

/* Writes one member's slice of a list: [slice] elements. */
static void init_member(const dn_params *params, const entry_list *list, int member, void *slice)
{
    for (size_t i = 0; i < list->count; i++) {
        const dn_params_entry *entry = &list->items[i];
        dn_random_sequence random = {.seed = params->options.seed,
                                     .purpose = INIT_PURPOSE + (uint32_t)i,
                                     .member = (uint32_t)(params->options.first_member + member)};
        const int64_t count = dn_shape_count(&entry->shape);
        const double bound = init_bound(entry);
        for (int64_t k = 0; k < count; k++) {
            const double value = init_draw(entry, bound, &random);
            if (params->options.dtype == DN_F64)
                ((double *)slice)[entry->offset + (size_t)k] = value;
            else
                ((float *)slice)[entry->offset + (size_t)k] = (float)value;
        }
    }
}

static dn_status place_list(dn_params *params, dn_params_block block, dn_device *device, dn_buffer **out)
{
    const entry_list *list = &params->lists[block];
    const size_t bytes = list->slice * dn_dtype_size(params->options.dtype);
    if (bytes == 0) return DN_OK;
    DN_TRY(dn_buffer_new(out, device, bytes * (size_t)params->options.members));
    void *slice = dn_calloc(bytes, 1);
    if (!slice) return DN_ERROR_MEMORY;
    dn_status status = DN_OK;
    for (int e = 0; e < params->options.members && status == DN_OK; e++) {
        init_member(params, list, e, slice);
        status = dn_buffer_upload(*out, bytes * (size_t)e, slice, bytes);
    }
    dn_free(slice);
    return status;
}

dn_status dn_params_place(dn_params *params, dn_device *device)
{
    if (params->device == device) return DN_OK;
    if (params->device)
        return dn_fail(DN_ERROR_ARGUMENT, "the parameters live on '%s', they cannot be used on '%s' too",
                       dn_device_name(params->device), dn_device_name(device));
    params->frozen = true;
    DN_TRY(place_list(params, DN_BLOCK_VALUES, device, &params->values));
    DN_TRY(place_list(params, DN_BLOCK_STATES, device, &params->states));
    const size_t bytes = params->lists[DN_BLOCK_VALUES].slice * dn_dtype_size(params->options.dtype);
    for (size_t i = 0; i < params->lists[DN_BLOCK_SLOTS].count; i++)
        DN_TRY(dn_buffer_new(&params->slots[i], device, bytes * (size_t)params->options.members));
    params->device = device;
    return DN_OK;
}

/* ---- asking ---- */

int dn_params_members(const dn_params *params)
{
    return params->options.members;
}

int dn_params_first_member(const dn_params *params)
{
    return params->options.first_member;
}

uint64_t dn_params_seed(const dn_params *params)
{
    return params->options.seed;
}

dn_dtype dn_params_dtype(const dn_params *params)
{
    return params->options.dtype;
}

int dn_params_count(const dn_params *params, dn_params_block block)
{
    return (int)params->lists[block].count;
}

const dn_params_entry *dn_params_at(const dn_params *params, dn_params_block block, int index)
{
    return &params->lists[block].items[index];
}

int64_t dn_params_slice(const dn_params *params, dn_params_block block)
{
    return (int64_t)params->lists[block == DN_BLOCK_SLOTS ? DN_BLOCK_VALUES : block].slice;
}

size_t dn_params_bytes(const dn_params *params)
{
    const size_t blocks = 1 + params->lists[DN_BLOCK_SLOTS].count;
    const size_t elements = blocks * params->lists[DN_BLOCK_VALUES].slice + params->lists[DN_BLOCK_STATES].slice;
    return elements * dn_dtype_size(params->options.dtype) * (size_t)params->options.members;
}

dn_buffer *dn_params_buffer(const dn_params *params, dn_params_block block, int slot)
{
    switch (block) {
    case DN_BLOCK_VALUES: return params->values;
    case DN_BLOCK_STATES: return params->states;
    case DN_BLOCK_SLOTS: return params->slots[slot];
    }
    return NULL;
}
