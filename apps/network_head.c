#include "apps/network_head.h"

#include <string.h>

#include "core/alloc.h"

static dn_status find(const dn_params_entry **out, const dn_params *params, const char *name)
{
    for (int i = 0; i < dn_params_count(params, DN_BLOCK_VALUES); i++) {
        *out = dn_params_at(params, DN_BLOCK_VALUES, i);
        if (strcmp((*out)->name, name) == 0) return DN_OK;
    }
    return dn_fail(DN_ERROR_INTERNAL, "the network has no parameter '%s'", name);
}

/* @param out receives [E, elements of the parameter] */
static dn_status read_values(double **out, const dn_network *n, const char *name)
{
    const dn_params_entry *entry = NULL;
    DN_TRY(find(&entry, n->params, name));
    const size_t count = (size_t)dn_shape_count(&entry->shape), members = (size_t)n->members;
    const size_t slice = (size_t)dn_params_slice(n->params, DN_BLOCK_VALUES);
    double *values = *out = dn_calloc(members * count, sizeof *values);
    float *one = dn_calloc(count, sizeof *one); /* a network's parameters are f32 */
    dn_status status = values && one ? DN_OK : DN_ERROR_MEMORY;
    for (size_t e = 0; e < members && status == DN_OK; e++) {
        status = dn_buffer_download(dn_params_buffer(n->params, DN_BLOCK_VALUES, 0),
                                    (e * slice + entry->offset) * sizeof *one, one, count * sizeof *one);
        for (size_t i = 0; i < count; i++) values[e * count + i] = (double)one[i];
    }
    dn_free(one);
    return status;
}

dn_status dn_network_head_open(dn_network_head *out, const dn_network *network)
{
    *out = (dn_network_head){0};
    DN_TRY(read_values(&out->weight, network, "head.weight"));
    return read_values(&out->bias, network, "head.bias");
}

void dn_network_head_close(dn_network_head *head)
{
    dn_free(head->weight);
    dn_free(head->bias);
    *head = (dn_network_head){0};
}
