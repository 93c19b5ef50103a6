#include "ood/score.h"

#include <string.h>

#include "core/nearest.h"

static const char *const reduce_names[] = {"default", "score", "prob", "logit", "min", "max"};
_Static_assert(sizeof reduce_names / sizeof *reduce_names == DN_REDUCE_COUNT, "every reduction has a name");

const char *dn_reduce_name(dn_reduce reduce)
{
    return (unsigned)reduce < DN_REDUCE_COUNT ? reduce_names[reduce] : "?";
}

dn_status dn_reduce_parse(dn_reduce *out, const char *name)
{
    for (int i = DN_REDUCE_SCORE; i < DN_REDUCE_COUNT; i++) {
        if (strcmp(name, reduce_names[i]) != 0) continue;
        *out = (dn_reduce)i;
        return DN_OK;
    }
    const char *nearest = dn_nearest(name, reduce_names + DN_REDUCE_SCORE, DN_REDUCE_COUNT - DN_REDUCE_SCORE);
    return dn_fail(DN_ERROR_ARGUMENT,
                   "there is no reduction '%s'; %s%s%schoose score (the mean of the members' scores), prob, logit, min "
                   "or max",
                   name, nearest ? "did you mean '" : "", nearest ? nearest : "", nearest ? "'? Else " : "");
}

dn_status dn_score(double *scores, const dn_score_expression *expression, const dn_score_input *input, dn_reduce reduce,
                   const dn_score_fit *fit)
{
    dn_scorer *scorer;
    DN_TRY(dn_scorer_open(&scorer, expression, 1, reduce, input, fit));
    const dn_status status = dn_scorer_run(scorer, &scores, input);
    dn_scorer_close(scorer);
    return status;
}
