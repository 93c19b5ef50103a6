#include "apps/network_head.h"

#include <string.h>

#include "core/alloc.h"

/* @return the parameter, or NULL with an error text */
static const dn_params_entry *find(const dn_params *params, const char *name)
{
    for (int i = 0; i < dn_params_count(params, DN_BLOCK_VALUES); i++)
        if (strcmp(dn_params_at(params, DN_BLOCK_VALUES, i)->name, name) == 0)
            return dn_params_at(params, DN_BLOCK_VALUES, i);
    dn_fail(DN_ERROR_INTERNAL, "the network has no parameter '%s'", name);
    return NULL;
}

/* @return [E, elements of the parameter], or NULL with an error text */
static double *read_values(const dn_network *n, const char *name)
{
    const dn_params_entry *entry = find(n->params, name);
    if (!entry) return NULL;
    const size_t count = (size_t)dn_shape_count(&entry->shape), members = (size_t)n->members;
    const size_t slice = (size_t)dn_params_slice(n->params, DN_BLOCK_VALUES);
    double *values = dn_calloc(members * count, sizeof *values);
    float *one = dn_calloc(count, sizeof *one); /* a network's parameters are f32 */
    dn_status status = values && one ? DN_OK : DN_ERROR_MEMORY;
    for (size_t e = 0; e < members && status == DN_OK; e++) {
        status = dn_buffer_download(dn_params_buffer(n->params, DN_BLOCK_VALUES, 0),
                                    (e * slice + entry->offset) * sizeof *one, one, count * sizeof *one);
        for (size_t i = 0; i < count; i++) values[e * count + i] = (double)one[i];
    }
    dn_free(one);
    if (status == DN_OK) return values;
    dn_free(values);
    return NULL;
}

dn_status dn_network_head_open(dn_network_head *out, const dn_network *network)
{
    out->weight = read_values(network, "head.weight");
    out->bias = out->weight ? read_values(network, "head.bias") : NULL;
    return out->bias ? DN_OK : DN_ERROR_INTERNAL;
}

void dn_network_head_close(dn_network_head *head)
{
    dn_free(head->weight);
    dn_free(head->bias);
    *head = (dn_network_head){0};
}
