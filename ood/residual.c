/* How far features lie outside of the subspace in which those of the fit set vary most. */
#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/subspace.h"

typedef struct state {
    const dn__subspace *subspace; /* of the fit */
    size_t leading;
} state;

static dn_status fit_residual(void **out, dn_fit *fit, const double *option)
{
    state s;
    DN_TRY(dn__subspace_leading(&s.leading, option[0], dn_fit_dim(fit)));
    DN_TRY(dn__subspace_get(&s.subspace, fit));
    state *made = dn_calloc(1, sizeof *made);
    if (!made) return DN_ERROR_MEMORY;
    *made = s;
    *out = made;
    return DN_OK;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const state *s = by->state;
    return dn__subspace_residual(scores, in, s->subspace, s->leading, space);
}

const dn_method dn__method_residual = {
    .name = "residual",
    .text =
        "norm(R'(f - u)), u = -pinv(W) b, R = all but the `dim` leading principal axes of the fit features around u",
    .source = "Wang et al., ViM: Out-Of-Distribution with Virtual-logit Matching, CVPR 2022",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_HEAD | DN_NEEDS_FIT_FEATURES,
    .option_count = 1,
    .option = {DN__SUBSPACE_DIM},
    .fit = fit_residual,
    .close = dn_free,
    .score.single = score,
};
