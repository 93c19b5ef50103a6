/* Scoring sets with what is fitted. */
#include "apps/clock.h"
#include "apps/scoring_private.h"
#include "core/alloc.h"

dn_status dn_scoring_outputs(dn_outputs **out, dn_scoring *s, const char *set)
{
    const dn_output_request request = {
        .set = set, .seed = s->options.seed, .limit = s->options.limit, .layers = s->plain_layers};
    return dn_outputs_open(out, s->files, &request);
}

static dn_status run_scorer(double *const *scores, const dn__score_group *group, const dn_outputs *outputs)
{
    dn_matrix layer[DN_PASS_LAYERS_MAX];
    const dn_score_input input = dn_outputs_choose(outputs, group->layers, layer);
    return dn_scorer_run(group->scorer, scores, &input);
}

static dn_status run_group(double *const *scores, dn_scoring *s, const dn__score_group *group, const dn_outputs *plain)
{
    dn_outputs *own = NULL;
    if (group->pass != DN_PASS_NONE) DN_TRY(dn__group_outputs(&own, s, group, plain->set));
    const dn_outputs *outputs = own ? own : plain;
    const double start = dn_seconds();
    dn_status status = group->pass == DN_PASS_DROPOUT ? dn__group_run_dropout(scores[0], s, group, outputs)
                                                      : run_scorer(scores, group, outputs);
    s->seconds.score += dn_seconds() - start;
    dn_outputs_close(own);
    return status == DN_OK ? DN_OK : dn_fail_context(status, "%s", plain->set);
}

static dn_status run_all(dn_set_scores *out, double **of_group, dn_scoring *s, const dn_outputs *plain)
{
    for (size_t g = 0; g < s->n_groups; g++) {
        const dn__score_group *group = &s->groups[g];
        if (group->count == 0) continue;
        for (size_t i = 0; i < group->count; i++) {
            of_group[i] = out->score[group->index[i]] = dn_calloc(out->rows, sizeof **of_group);
            if (!of_group[i]) return DN_ERROR_MEMORY;
        }
        DN_TRY(run_group(of_group, s, group, plain));
    }
    return DN_OK;
}

dn_status dn_scoring_run(dn_set_scores *out, dn_scoring *s, const dn_outputs *plain)
{
    *out = (dn_set_scores){.count = s->options.list->count, .rows = (size_t)plain->rows};
    out->score = dn_calloc(out->count, sizeof *out->score);
    double **of_group = dn_calloc(out->count, sizeof *of_group);
    const dn_status status = out->score && of_group ? run_all(out, of_group, s, plain) : DN_ERROR_MEMORY;
    dn_free(of_group);
    if (status != DN_OK) dn_set_scores_close(out);
    return status;
}

void dn_set_scores_close(dn_set_scores *scores)
{
    for (size_t i = 0; scores->score && i < scores->count; i++) dn_free(scores->score[i]);
    dn_free(scores->score);
    *scores = (dn_set_scores){0};
}
