/* The distance to the nearest class mean, in the metric of the covariance that the classes share. */
#include "core/alloc.h"
#include "ood/linear_algebra.h"
#include "ood/methods.h"
#include "ood/whitening.h"

typedef struct state {
    const dn__whitening *whitening; /* of the fit */
} state;

static dn_status fit_mahalanobis(void **out, dn_fit *fit, const double *option)
{
    (void)option;
    const dn__whitening *whitening;
    DN_TRY(dn__whitening_get(&whitening, fit));
    state *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    s->whitening = whitening;
    *out = s;
    return DN_OK;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const state *s = by->state;
    return dn__whitening_nearest(scores, NULL, in, s->whitening, space);
}

/** d/df |L (f - mu)|^2 = 2 L' L (f - mu), mu being the nearest class's mean. */
static dn_status gradient_of_score(double *gradient, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const dn__whitening *w = ((const state *)by->state)->whitening;
    double *distance = dn_workspace_doubles(space, in->rows), *offset;
    if (!distance) return DN_ERROR_MEMORY;
    DN_TRY(dn__whitening_nearest(distance, &offset, in, w, space));
    dn__multiply(gradient, offset, w->factor, in->rows, w->dim, w->rank, 2.0, 0.0);
    return DN_OK;
}

const dn_method dn__method_mahalanobis = {
    .name = "mahalanobis",
    .text = "least (f - mu_c)' P (f - mu_c) over classes, P = pseudo-inverse of the covariance within classes",
    .source =
        "Lee et al., A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks, "
        "NeurIPS 2018",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_FIT_FEATURES | DN_NEEDS_FIT_LABELS,
    .pass = DN_PASS_SCORE,
    .layered = true,
    .option_count = 1,
    .option = {{.name = "eps",
                .text = "step of the images against the score's gradient, below 0 along it",
                .low = -1,
                .high = 1}},
    .fit = fit_mahalanobis,
    .close = dn_free,
    .score.single = score,
    .gradient = gradient_of_score,
};
