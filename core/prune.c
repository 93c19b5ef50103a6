/* Drops ops that nothing depends on: walks the list backward from what lasts. */
#include "core/alloc.h"
#include "core/graph.h"

/* The tensor whose memory t uses. */
static int root_of(const dn_program *p, int t)
{
    while (p->tensors[t].root != t) t = p->tensors[t].root;
    return t;
}

/* Whether the op writes what somebody needs, or what lasts longer than the step. */
static bool is_needed(const dn_program *p, const dn_op *op, const bool *needed)
{
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        if (op->out[k] < 0) continue;
        const int root = root_of(p, op->out[k]);
        if (needed[root] || p->tensors[root].kept || p->tensors[root].storage != DN_STORAGE_TEMPORARY) return true;
    }
    return false;
}

/* Marks what the op reads. @return whether the op stays */
static bool follow(const dn_program *p, const dn_op *op, bool *needed)
{
    if (!is_needed(p, op, needed)) return false;
    for (int k = 0; k < DN_OP_MAX_IN; k++)
        if (op->in[k] >= 0) needed[root_of(p, op->in[k])] = true;
    return true;
}

void dn_prune(dn_program *p)
{
    if (!dn__ready(p, NULL, 0)) return;
    bool *needed = dn_calloc(p->n_tensors + 1, sizeof *needed), *stays = dn_calloc(p->n_ops + 1, sizeof *stays);
    int *number = dn_calloc(p->n_ops + 1, sizeof *number);
    if (needed && stays && number) {
        for (size_t i = p->n_ops; i-- > 0;) stays[i] = follow(p, &p->ops[i], needed);
        size_t count = 0;
        for (size_t i = 0; i < p->n_ops; i++) {
            number[i] = stays[i] ? (int)count : -1;
            if (stays[i]) p->ops[count++] = p->ops[i];
        }
        p->n_ops = count;
        for (size_t t = 0; t < p->n_tensors; t++)
            if (p->tensors[t].writer >= 0) p->tensors[t].writer = number[p->tensors[t].writer];
    } else {
        dn_program_fail(p, DN_ERROR_MEMORY, "no memory to prune the program");
    }
    dn_free(number);
    dn_free(stays);
    dn_free(needed);
}
