#include "apps/fingerprint.h"

#include <string.h>

#include "core/alloc.h"
#include "core/hash.h"

uint64_t dn_fingerprint(uint64_t seed, const void *data, size_t bytes)
{
    return dn_hash_of(seed, data, bytes);
}

uint64_t dn_fingerprint_text(uint64_t seed, const char *text)
{
    return dn_fingerprint(seed, text, strlen(text));
}

/* Entries are taken one by one: what lies between them means nothing. */
static dn_status add_block(uint64_t *state, const dn_params *params, dn_params_block block)
{
    const size_t element = dn_dtype_size(dn_params_dtype(params)), slice = (size_t)dn_params_slice(params, block);
    const int count = dn_params_count(params, block);
    if (count == 0) return DN_OK;
    char *values = dn_calloc(slice, element); /* of one member */
    dn_status status = values ? DN_OK : DN_ERROR_MEMORY;
    for (int e = 0; e < dn_params_members(params) && status == DN_OK; e++) {
        status = dn_buffer_download(dn_params_buffer(params, block, 0), (size_t)e * slice * element, values,
                                    slice * element);
        for (int i = 0; i < count && status == DN_OK; i++) {
            const dn_params_entry *entry = dn_params_at(params, block, i);
            *state = dn_fingerprint_text(*state, entry->name);
            *state = dn_fingerprint(*state, values + entry->offset * element,
                                    (size_t)dn_shape_count(&entry->shape) * element);
        }
    }
    dn_free(values);
    return status;
}

dn_status dn_fingerprint_network(uint64_t *out, const dn_network *n)
{
    char *recipe = dn_recipe_text(n->recipe);
    if (!recipe) return DN_ERROR_MEMORY;
    *out = dn_fingerprint_text(0, recipe);
    dn_free(recipe);
    const size_t places = (size_t)n->members * (size_t)n->columns;
    if (n->class_map) *out = dn_fingerprint(*out, n->class_map, places * sizeof *n->class_map);
    DN_TRY(add_block(out, n->params, DN_BLOCK_VALUES));
    return add_block(out, n->params, DN_BLOCK_STATES);
}
