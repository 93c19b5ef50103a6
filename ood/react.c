/** ReAct: f' = min(f, c), c the q-quantile of all entries of the fit features. */
#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/quantile.h"

/** state: c. options: q */
static dn_status fit_react(void **state, dn_fit *fit, const double *option)
{
    double *most = dn_calloc(1, sizeof *most);
    *state = most;
    if (!most) return DN_ERROR_MEMORY;
    return dn__fit_quantiles(most, &option[0], 1, fit);
}

static dn_status shape(double *features, size_t rows, size_t dim, const dn_fitted *by, dn_workspace *space)
{
    (void)space;
    const double most = *(const double *)by->state;
    for (size_t i = 0; i < rows * dim; i++) features[i] = features[i] < most ? features[i] : most;
    return DN_OK;
}

const dn_method dn__method_react = {
    .name = "react",
    .text = "features cut at the q-quantile of all entries of the fit features",
    .source = "Sun, Guo and Li, ReAct: Out-of-distribution Detection With Rectified Activations, NeurIPS 2021",
    .kind = DN_METHOD_SHAPING,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_HEAD | DN_NEEDS_FIT_FEATURES,
    .option_count = 1,
    .option = {{.name = "q", .text = "quantile", .standard = .9, .low = 0, .high = 1}},
    .fit = fit_react,
    .close = dn_free,
    .score.shape = shape,
};
