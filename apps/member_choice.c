#include "apps/member_choice.h"

#include <string.h>

#include "apps/best_members.h"
#include "apps/network_logits.h"
#include "core/alloc.h"
#include "datasets/folds.h"
#include "ood/metrics.h"

/* ---- the sets that choose ---- */

dn_status dn_rows_that_chose(uint8_t *chose, size_t rows, int of, int chosen, uint32_t seed)
{
    dn_folds *folds = NULL;
    memset(chose, 0, rows);
    DN_TRY(dn_folds_open(&folds, of, 2, seed));
    for (int i = 0; i < chosen && i < of; i++)
        if ((size_t)folds->permutation[i] < rows) chose[folds->permutation[i]] = 1;
    dn_folds_close(folds);
    return DN_OK;
}

static dn_status open_set(dn_dataset **out, const dn_member_choice *c, const char *expression, uint64_t seed)
{
    const dn_dataset_options o = {.data_dir = c->data_dir, .seed = seed};
    if (*out) return DN_OK;
    DN_TRY(dn_dataset_open(out, expression, &o));
    uint8_t *wanted = dn_calloc((size_t)(*out)->n, 1);
    dn_status status = wanted ? dn_rows_that_chose(wanted, (size_t)(*out)->n, (int)(*out)->n, c->rows, c->permutation)
                              : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_dataset_keep(*out, wanted);
    if (status == DN_OK && (*out)->n == 0)
        status = dn_fail(DN_ERROR_ARGUMENT, "'%s' has no images to choose by", expression);
    dn_free(wanted);
    return status;
}

/* ---- choosing ---- */

static dn_status measure_member(double *auroc, const dn_logits *known, const dn_logits *unknown, int member)
{
    dn_metrics metrics = {0};
    double *id = dn_calloc(known->rows, sizeof *id), *ood = dn_calloc(unknown->rows, sizeof *ood);
    dn_status status = id && ood ? dn_logits_score(id, known, member, "msp") : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_logits_score(ood, unknown, member, "msp");
    if (status == DN_OK) status = dn_metrics_compute(&metrics, id, known->rows, ood, unknown->rows, NULL);
    *auroc = metrics.auroc;
    dn_free(ood);
    dn_free(id);
    return status;
}

static dn_status measure(double *auroc, const dn_member_choice *c, const dn_network *network)
{
    dn_logits known = {0}, unknown = {0};
    dn_status status = dn_logits_open(&known, network, c->known);
    if (status == DN_OK) status = dn_logits_open(&unknown, network, c->unknown);
    for (int e = 0; e < network->members && status == DN_OK; e++)
        status = measure_member(&auroc[e], &known, &unknown, e);
    dn_logits_close(&unknown);
    dn_logits_close(&known);
    return status;
}

size_t dn_member_choice_best(const dn_member_choice *c, int member)
{
    const dn_step_table *t = &c->table;
    size_t best = t->rows;
    for (size_t r = 0; r < t->rows; r++)
        if (best == t->rows || dn_step_table_at(t, r, (size_t)member) > dn_step_table_at(t, best, (size_t)member))
            best = r;
    return best;
}

static dn_status choose(dn_member_choice *c, const dn_network *network, const dn_history *history)
{
    double auroc[DN_CHOICE_MEMBERS] = {0};
    bool better[DN_CHOICE_MEMBERS] = {false};
    DN_TRY(open_set(&c->known, c, c->id, network->recipe->train.seed));
    DN_TRY(open_set(&c->unknown, c, c->ood, network->recipe->train.seed));
    DN_TRY(measure(auroc, c, network));
    for (int e = 0; e < network->members; e++) {
        const size_t best = dn_member_choice_best(c, e);
        better[e] = best == c->table.rows || auroc[e] > dn_step_table_at(&c->table, best, (size_t)e);
    }
    /* The table comes last: what a crash leaves undone is done again. */
    DN_TRY(dn_best_members_keep(c->run, network, history, better));
    return dn_step_table_add(&c->table, history->steps, auroc);
}

dn_status dn_member_choice_look(void *choice, const dn_network *network, const dn_history *history)
{
    dn_member_choice *c = choice;
    const int64_t every = network->recipe->train.checkpoint_every, step = history->steps;
    if (network->members > DN_CHOICE_MEMBERS)
        return dn_fail(DN_ERROR_ARGUMENT, "%d members, the best epoch is chosen of at most %d", network->members,
                       DN_CHOICE_MEMBERS);
    if (!c->open) DN_TRY(dn_member_choice_open(c, step));
    if (step == 0 || every == 0 || step % every != 0 || dn_step_table_find(&c->table, step)) return DN_OK;
    return choose(c, network, history);
}

static void free_names(dn_member_choice *c)
{
    for (int e = 0; e < DN_CHOICE_MEMBERS; e++) {
        dn_free(c->names[e]);
        c->names[e] = NULL;
    }
}

dn_status dn_member_choice_open(dn_member_choice *c, int64_t last)
{
    dn_status status = DN_OK;
    for (int e = 0; e < DN_CHOICE_MEMBERS && status == DN_OK; e++)
        if (!(c->names[e] = dn_format("member%d by %s", e + 1, c->ood))) status = DN_ERROR_MEMORY;
    if (status == DN_OK)
        status = dn_step_table_open(&c->table, c->path, (const char *const *)c->names, DN_CHOICE_MEMBERS, last);
    c->open = status == DN_OK;
    if (!c->open) free_names(c);
    return status;
}

void dn_member_choice_close(dn_member_choice *c)
{
    if (c->open) dn_step_table_close(&c->table);
    free_names(c);
    dn_dataset_close(c->known);
    dn_dataset_close(c->unknown);
    c->known = c->unknown = NULL;
    c->open = false;
}
