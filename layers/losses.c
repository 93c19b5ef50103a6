#include "layers/losses.h"

#include <string.h>

dn_tensor dn_loss_entropy_margin(dn_program *p, dn_tensor in, dn_tensor out, double beta, double margin)
{
    const dn_tensor known = dn_mean(p, dn_entropy(p, in), DN_ALL_AXES);
    const dn_tensor unknown = dn_mean(p, dn_entropy(p, out), DN_ALL_AXES);
    const dn_tensor difference = dn_add(p, known, dn_scale(p, unknown, -1.0, DN_NONE));
    const dn_tensor excess = dn_add(p, difference, dn_fill(p, DN_SHAPE(1), true, margin));
    return dn_scale(p, dn_relu(p, excess), beta, DN_NONE);
}

dn_tensor dn_loss_mutual_information(dn_program *p, dn_tensor logits)
{
    return dn_mean(p, dn_mutual_information(p, logits), DN_ALL_AXES);
}

static bool ends_with(const char *name, const char *suffix)
{
    const size_t length = strlen(name), tail = strlen(suffix);
    return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

bool dn_weights(const char *name)
{
    return ends_with(name, ".weight");
}

bool dn_weights_and_biases(const char *name)
{
    return ends_with(name, ".weight") || ends_with(name, ".bias");
}

dn_tensor dn_loss_l2(dn_program *p, double factor, dn_parameter_filter *filter)
{
    const dn_params *params = dn_program_params(p);
    dn_tensor sum = DN_NONE;
    for (int i = 0; i < dn_params_count(params, DN_BLOCK_VALUES); i++) {
        const dn_params_entry *entry = dn_params_at(params, DN_BLOCK_VALUES, i);
        if (!filter(entry->name) || dn_is_none(dn_find(p, entry->name))) continue;
        const dn_tensor squares = dn_sum_squares(p, dn_parameter(p, entry->name, entry->shape, entry->init));
        sum = dn_is_none(sum) ? squares : dn_add(p, sum, squares);
    }
    if (dn_is_none(sum))
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "L2: the program has no parameters that the filter lets through");
    return dn_scale(p, sum, factor, DN_NONE);
}
