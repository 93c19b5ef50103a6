/* Programs as text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/executor.h"
#include "core/graph.h"

static const char *const storage_names[DN_STORAGE_COUNT] = {
    [DN_STORAGE_VALUES] = "parameter",   [DN_STORAGE_STATES] = "state",          [DN_STORAGE_SLOT] = "slot",
    [DN_STORAGE_GRADIENTS] = "gradient", [DN_STORAGE_PERSISTENT] = "persistent", [DN_STORAGE_TEMPORARY] = "temporary",
    [DN_STORAGE_EXTERNAL] = "external"};

/* Appends to a text of limited size; what does not fit is cut off. */
static void add(char *text, size_t size, const char *piece)
{
    const size_t used = strlen(text);
    if (used + 1 < size) snprintf(text + used, size - used, "%s", piece);
}

static void add_tensor(const dn_program *p, int t, char *text, size_t size)
{
    const dn_tensor_info *info = &p->tensors[t];
    char shape[64], piece[192];
    snprintf(piece, sizeof piece, "%s%s%s", info->name ? info->name : "", dn_shape_text(&info->shape, shape),
             info->shared ? "" : "*");
    add(text, size, piece);
}

const char *dn_program_op_text(const dn_program *p, int number, char *text, size_t size)
{
    const dn_op *op = &p->ops[number];
    snprintf(text, size, "%s(", dn_op_name(op->kind));
    const char *separator = "";
    for (int i = 0; i < DN_OP_MAX_IN; i++) {
        if (op->in[i] < 0) continue;
        add(text, size, separator);
        add_tensor(p, op->in[i], text, size);
        separator = ", ";
    }
    separator = ") -> ";
    for (int i = 0; i < DN_OP_MAX_OUT; i++) {
        if (op->out[i] < 0) continue;
        add(text, size, separator);
        add_tensor(p, op->out[i], text, size);
        separator = ", ";
    }
    return text;
}

void dn_program_print(const dn_program *p, FILE *to)
{
    fprintf(to, "program %s: %d members, %zu ops, %zu tensors (* = a copy for each member)\n", p->name, p->members,
            p->n_ops, p->n_tensors);
    for (size_t i = 0; i < p->n_ops; i++) {
        char text[1024];
        const int out = p->ops[i].out[0];
        const dn_tensor_info *info = out < 0 ? NULL : &p->tensors[out];
        fprintf(to, "%4zu  %s", i, dn_program_op_text(p, (int)i, text, sizeof text));
        if (info && p->sealed && info->storage == DN_STORAGE_TEMPORARY)
            fprintf(to, "  @%zu, ops %d-%d", info->offset, info->first, info->last);
        else if (info)
            fprintf(to, "  %s", storage_names[info->storage]);
        fputc('\n', to);
    }
}

static void line(FILE *to, const char *label, size_t bytes)
{
    fprintf(to, "  %-28s %10.1f MiB\n", label, (double)bytes / (1024.0 * 1024.0));
}

void dn_plan_print(const dn_plan *plan, FILE *to)
{
    fprintf(to, "memory plan\n");
    line(to, "parameters and optimizer", plan->parameters);
    line(to, "gradients", plan->gradients);
    line(to, "inputs and counters", plan->persistent);
    line(to, "activations", plan->temporaries);
    line(to, "data sets", plan->external);
    line(to, "kernel workspace", plan->workspace);
    line(to, "total", plan->total);
    fprintf(to, "  (activations without reuse: %.1f MiB)\n", (double)plan->without_reuse / (1024.0 * 1024.0));
}
