#include "apps/network_logits.h"

#include <string.h>

#include "apps/interrupt.h"
#include "apps/network_pass.h"
#include "core/alloc.h"

/* ---- passing ---- */

/* Copies a batch [E,rows,K] into its place in [E,N,K]. */
static void place(dn_logits *to, const float *batch, size_t first, size_t rows)
{
    const size_t columns = (size_t)to->network->columns;
    for (size_t e = 0; e < (size_t)to->network->members; e++)
        memcpy(to->values + (e * to->rows + first) * columns, batch + e * rows * columns,
               rows * columns * sizeof *batch);
}

static dn_status run(dn_logits *to, dn_pass *pass, const dn_dataset *set, size_t most)
{
    const size_t image = (size_t)set->height * (size_t)set->width * (size_t)set->channels * dn_dtype_size(set->type);
    float *batch = dn_calloc((size_t)to->network->members * most, (size_t)to->network->columns * sizeof *batch);
    const dn_pass_out out = {.logits = batch};
    dn_status status = batch ? DN_OK : DN_ERROR_MEMORY;
    for (size_t first = 0; first < to->rows && status == DN_OK; first += most) {
        const size_t rows = to->rows - first < most ? to->rows - first : most;
        status = dn_interrupted() ? dn_fail(DN_ERROR_INTERRUPTED, "stopped while looking at '%s'", set->name)
                                  : dn_pass_run(pass, &out, (const char *)set->images + first * image, rows);
        if (status == DN_OK) place(to, batch, first, rows);
    }
    dn_free(batch);
    return status;
}

dn_status dn_logits_open(dn_logits *out, const dn_network *network, const dn_dataset *set)
{
    const dn_pass_network source = dn_network_pass(network);
    const dn_pass_options options = {.kind = DN_PASS_NONE, .type = set->type};
    dn_pass *pass = NULL;
    *out = (dn_logits){.network = network, .rows = (size_t)set->n};
    DN_TRY(dn_network_check_images(network, set));
    DN_TRY(dn_pass_open(&pass, &source, &options));
    out->values = dn_calloc((size_t)network->members * out->rows, (size_t)network->columns * sizeof *out->values);
    const dn_status status = out->values ? run(out, pass, set, (size_t)source.batch) : DN_ERROR_MEMORY;
    dn_pass_close(pass);
    if (status != DN_OK) dn_logits_close(out);
    return status;
}

void dn_logits_close(dn_logits *logits)
{
    dn_free(logits->values);
    *logits = (dn_logits){0};
}

/* ---- scores ---- */

dn_score_input dn_logits_input(const dn_logits *l, int member)
{
    const dn_network *n = l->network;
    const size_t columns = (size_t)n->columns, first = member < 0 ? 0 : (size_t)member;
    return (dn_score_input){.logits = {.members = member < 0 ? (size_t)n->members : 1,
                                       .rows = l->rows,
                                       .columns = columns,
                                       .type = DN_F32,
                                       .data = l->values + first * l->rows * columns},
                            .class_map = n->class_map ? n->class_map + first * columns : NULL,
                            .classes = (size_t)n->classes};
}

dn_status dn_logits_score(double *scores, const dn_logits *l, int member, const char *text)
{
    dn_score_expression expression;
    DN_TRY(dn_expression_parse(&expression, text));
    const dn_score_input input = dn_logits_input(l, member);
    return dn_score(scores, &expression, &input, DN_REDUCE_DEFAULT, NULL);
}
