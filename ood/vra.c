/** VRA: entries below the q_lo-quantile of all entries of the fit features become 0, those above the q_hi-quantile
 *  become that quantile. */
#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/quantile.h"

typedef struct bounds {
    double value[2]; /* of the quantiles q_lo, q_hi */
} bounds;

/** options: q_lo, q_hi */
static dn_status fit_vra(void **state, dn_fit *fit, const double *option)
{
    if (option[0] > option[1]) {
        return dn_fail(DN_ERROR_ARGUMENT, "vra: q_lo is %g, but it must be at most q_hi, %g", option[0], option[1]);
    }
    bounds *b = dn_calloc(1, sizeof *b);
    *state = b;
    if (!b) return DN_ERROR_MEMORY;
    return dn__fit_quantiles(b->value, option, 2, fit);
}

static dn_status shape(double *features, size_t rows, size_t dim, const dn_fitted *by, dn_workspace *space)
{
    (void)space;
    const bounds *b = by->state;
    const double low = b->value[0], high = b->value[1];
    for (size_t i = 0; i < rows * dim; i++) {
        const double f = features[i];
        features[i] = f < low ? 0.0 : f > high ? high : f;
    }
    return DN_OK;
}

const dn_method dn__method_vra = {
    .name = "vra",
    .text = "features below the q_lo-quantile of all entries of the fit features -> 0, above the q_hi-quantile cut",
    .source = "Xu et al., VRA: Variational Rectified Activation for Out-of-distribution Detection, NeurIPS 2023",
    .kind = DN_METHOD_SHAPING,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_HEAD | DN_NEEDS_FIT_FEATURES,
    .option_count = 2,
    .option = {{.name = "q_lo", .text = "lower quantile, at most q_hi", .standard = .1, .low = 0, .high = 1},
               {.name = "q_hi", .text = "upper quantile", .standard = .9, .low = 0, .high = 1}},
    .fit = fit_vra,
    .close = dn_free,
    .score.shape = shape,
};
