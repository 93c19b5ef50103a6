/* The distance to the nearest class mean less the distance to the mean of all. */
#include "core/alloc.h"
#include "ood/linear_algebra.h"
#include "ood/methods.h"
#include "ood/moments.h"
#include "ood/projection.h"
#include "ood/whitening.h"

typedef struct state {
    const dn__whitening *whitening; /* of the fit */
    size_t rank;
    double *factor; /* [rank,D] L, pinv(covariance of all) = L' L */
} state;

static void close_state(void *memory)
{
    state *s = memory;
    dn_free(s->factor);
    dn_free(s);
}

static dn_status take_factor(state *s, dn_fit *fit)
{
    const dn__moments *m;
    DN_TRY(dn__moments_get(&m, fit));
    s->factor = dn_calloc(m->dim, m->dim * sizeof *s->factor);
    if (!s->factor) return DN_ERROR_MEMORY;
    DN_TRY(dn__moments_total(s->factor, m));
    return dn__pseudo_inverse_factor(&s->rank, s->factor, m->dim);
}

static dn_status fit_rmds(void **out, dn_fit *fit, const double *option)
{
    (void)option;
    const dn__whitening *whitening;
    DN_TRY(dn__whitening_get(&whitening, fit));
    state *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    s->whitening = whitening;
    const dn_status status = take_factor(s, fit);
    if (status == DN_OK)
        *out = s;
    else
        close_state(s);
    return status;
}

/** The distance to the mean of all is the same for every class: it is taken from the least one. */
static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const state *s = by->state;
    const dn__whitening *w = s->whitening;
    DN_TRY(dn__whitening_nearest(scores, NULL, in, w, space));
    double *g = dn_workspace_doubles(space, in->rows * s->rank);
    if (!g) return DN_ERROR_MEMORY;
    DN_TRY(dn__project(g, in->features, in->rows, w->dim, w->centre, s->factor, s->rank, space));
    for (size_t r = 0; r < in->rows; r++) scores[r] -= dn__square(g + r * s->rank, s->rank);
    return DN_OK;
}

const dn_method dn__method_rmds = {
    .name = "rmds",
    .text = "mahalanobis less the same distance to the mean of all rows, in the metric of their covariance",
    .source = "Ren et al., A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection, ICML Workshop on "
              "Uncertainty and Robustness in Deep Learning 2021",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_FIT_FEATURES | DN_NEEDS_FIT_LABELS,
    .fit = fit_rmds,
    .close = close_state,
    .score.single = score,
};
