/* Virtual-logit matching: the residual, scaled to the size of the largest logits, against the energy. */
#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/probability.h"
#include "ood/row.h"
#include "ood/subspace.h"

typedef struct state {
    const dn__subspace *subspace; /* of the fit */
    size_t leading;
    double alpha;
} state;

/** What alpha is made of, summed over the fit set. */
typedef struct sums {
    const state *state;
    dn_workspace *space;
    double top, norm;
} sums;

static dn_status add(void *context, const dn_score_rows *in, size_t first)
{
    (void)first;
    sums *s = context;
    const size_t mark = dn_workspace_mark(s->space);
    double *norms = dn_workspace_doubles(s->space, in->rows);
    if (!norms) return DN_ERROR_MEMORY;
    DN_TRY(dn__subspace_residual(norms, in, s->state->subspace, s->state->leading, s->space));
    for (size_t r = 0; r < in->rows; r++) {
        const double *z = in->logits + r * in->columns;
        s->top += z[dn__argmax(z, in->columns)];
        s->norm += norms[r];
    }
    dn_workspace_release(s->space, mark);
    return DN_OK;
}

/** alpha = mean(max zf) / mean norm(R'(ff-u)); the rows' number cancels, but for the floor of what divides. */
static dn_status find_alpha(state *s, dn_fit *fit)
{
    sums all = {.state = s};
    DN_TRY(dn_workspace_open(&all.space));
    const dn_status status = dn_fit_walk(fit, DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES, add, &all);
    dn_workspace_close(all.space);
    const double rows = (double)dn_fit_rows(fit), norm = all.norm / rows;
    s->alpha = all.top / rows / (norm > DN__LEAST_NORM ? norm : DN__LEAST_NORM);
    return status;
}

static dn_status fit_vim(void **out, dn_fit *fit, const double *option)
{
    state s;
    DN_TRY(dn__subspace_leading(&s.leading, option[0], dn_fit_dim(fit)));
    DN_TRY(dn__subspace_get(&s.subspace, fit));
    DN_TRY(find_alpha(&s, fit));
    state *made = dn_calloc(1, sizeof *made);
    if (!made) return DN_ERROR_MEMORY;
    *made = s;
    *out = made;
    return DN_OK;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const state *s = by->state;
    DN_TRY(dn__subspace_residual(scores, in, s->subspace, s->leading, space));
    for (size_t r = 0; r < in->rows; r++) {
        scores[r] = s->alpha * scores[r] - dn__log_sum_exp(in->logits + r * in->columns, in->columns, 1.0);
    }
    return DN_OK;
}

const dn_method dn__method_vim = {
    .name = "vim",
    .text =
        "alpha norm(R'(f - u)) - ln sum exp(z), u and R as for residual, alpha = mean(max zf) / mean norm(R'(ff - u))",
    .source = "Wang et al., ViM: Out-Of-Distribution with Virtual-logit Matching, CVPR 2022",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FEATURES | DN_NEEDS_HEAD | DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES,
    .option_count = 1,
    .option = {DN__SUBSPACE_DIM},
    .fit = fit_vim,
    .close = dn_free,
    .score.single = score,
};
