/* Neural collapse: the share of a feature vector's length that lies in the fit set's leading principal axes. */
#include <math.h>

#include "core/alloc.h"
#include "ood/linear_algebra.h"
#include "ood/methods.h"
#include "ood/moments.h"
#include "ood/probability.h"
#include "ood/projection.h"
#include "ood/row.h"

/** Principal axes of the standardised fit features, shared by all values of `dim`. */
typedef struct standard_axes {
    size_t dim;         /* D */
    const double *mean; /* [D] of the fit */
    double *scale;      /* [D] 1 / standard deviation */
    double *axes;       /* [D,D] as rows, eigenvalues falling */
} standard_axes;

typedef struct state {
    const standard_axes *standard; /* of the fit */
    size_t leading;
} state;

static void close_axes(void *part)
{
    standard_axes *s = part;
    if (!s) return;
    dn_free(s->scale);
    dn_free(s->axes);
    dn_free(s);
}

static dn_status compute(standard_axes *s, dn_fit *fit)
{
    const dn__moments *m;
    DN_TRY(dn__moments_get(&m, fit));
    const size_t d = s->dim = m->dim;
    s->mean = m->mean;
    s->scale = dn_calloc(d, sizeof *s->scale);
    s->axes = dn_calloc(d, d * sizeof *s->axes);
    double *values = dn_calloc(d, sizeof *values);
    dn_status status = s->scale && s->axes && values ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn__moments_total(s->axes, m);
    if (status == DN_OK) {
        for (size_t i = 0; i < d; i++) {
            const double deviation = sqrt(s->axes[i * d + i]);
            s->scale[i] = deviation < 1e-12 ? 1.0 : 1.0 / deviation;
        }
        for (size_t i = 0; i < d; i++) {
            for (size_t j = i; j < d; j++) s->axes[i * d + j] *= s->scale[i] * s->scale[j];
        }
        status = dn__eigen_symmetric(values, s->axes, d);
    }
    dn_free(values);
    return status;
}

static dn_status make_axes(void **part, dn_fit *fit)
{
    standard_axes *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    const dn_status status = compute(s, fit);
    if (status == DN_OK)
        *part = s;
    else
        close_axes(s);
    return status;
}

static dn_status choose_leading(size_t *out, double option, size_t dim)
{
    if (isnan(option) && dim < 2)
        return dn_fail(DN_ERROR_ARGUMENT, "dim is D/2 if it is not given, but D = %zu: give dim=1", dim);
    *out = isnan(option) ? dim / 2 < 100 ? dim / 2 : 100 : (size_t)option;
    if (*out <= dim) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "dim=%zu is out of range: these features have D = %zu, so that dim may be 1..%zu",
                   *out, dim, dim);
}

static dn_status fit_neco(void **out, dn_fit *fit, const double *option)
{
    static const dn_fit_part axes = {"principal axes of standardised features", make_axes, close_axes};
    size_t leading = 0;
    DN_TRY(choose_leading(&leading, option[0], dn_fit_dim(fit)));
    const void *part;
    DN_TRY(dn_fit_get(&part, fit, &axes));
    state *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    *s = (state){part, leading};
    *out = s;
    return DN_OK;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const state *s = by->state;
    const size_t d = s->standard->dim, leading = s->leading;
    double *x = dn_workspace_doubles(space, in->rows * d);
    double *along = dn_workspace_doubles(space, in->rows * leading);
    if (!x || !along) return DN_ERROR_MEMORY;
    dn__centre(x, in->features, in->rows, d, s->standard->mean, s->standard->scale);
    dn__multiply_transposed(along, x, s->standard->axes, in->rows, leading, d, 1.0, 0.0);
    for (size_t r = 0; r < in->rows; r++) {
        const double *z = in->logits + r * in->columns;
        const double norm = sqrt(dn__square(x + r * d, d));
        const double share =
            sqrt(dn__square(along + r * leading, leading)) / (norm > DN__LEAST_NORM ? norm : DN__LEAST_NORM);
        scores[r] = -(leading == d ? 1.0 : share) * z[dn__argmax(z, in->columns)];
    }
    return DN_OK;
}

const dn_method dn__method_neco = {
    .name = "neco",
    .text = "-(norm(A's) / norm(s)) max z, s = standardised f, A = `dim` leading principal axes of the fit features",
    .source = "Ben Ammar et al., NECO: NEural Collapse Based Out-of-distribution Detection, ICLR 2024",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FEATURES | DN_NEEDS_FIT_FEATURES,
    .option_count = 1,
    .option = {{.name = "dim",
                .text = "axes taken, at most D; if not given, D/2, at most 100",
                .low = 1,
                .high = 1e9,
                .integer = true,
                .automatic = true}},
    .fit = fit_neco,
    .close = dn_free,
    .score.single = score,
};
