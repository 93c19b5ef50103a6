#include <math.h>

#include "core/alloc.h"
#include "ood/feature_mean.h"
#include "ood/methods.h"
#include "ood/probability.h"
#include "ood/row.h"

typedef struct nci {
    const double *mean;   /* [D] of the fit features, borrowed from the fit */
    const double *weight; /* [C,D], borrowed from the fit */
} nci;

static dn_status fit_nci(void **state, dn_fit *fit, const double *option)
{
    (void)option;
    const double *mean = NULL;
    DN_TRY(dn__feature_mean_get(&mean, fit));
    nci *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    *s = (nci){mean, dn_fit_weight(fit)};
    *state = s;
    return DN_OK;
}

/** options: alpha */
static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)space;
    const nci *s = by->state;
    for (size_t r = 0; r < in->rows; r++) {
        const double *f = in->features + r * in->dim;
        const double *w = s->weight + dn__argmax(in->logits + r * in->columns, in->columns) * in->dim;
        double inner = 0.0;
        for (size_t d = 0; d < in->dim; d++) inner += w[d] * (f[d] - s->mean[d]);
        const double norm = fmax(dn__distance(f, s->mean, in->dim), DN__LEAST_NORM);
        scores[r] = -(inner / norm + by->option[0] * dn__sum_abs(f, in->dim));
    }
    return DN_OK;
}

const dn_method dn__method_nci = {
    .name = "nci",
    .text = "minus the projection of the predicted class's weights on f - mean ff, minus alpha norm1(f)",
    .source = "Liu and Qin, Detecting Out-of-Distribution through the Lens of Neural Collapse, CVPR 2025",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FEATURES | DN_NEEDS_HEAD | DN_NEEDS_FIT_FEATURES,
    .option_count = 1,
    .option = {{.name = "alpha", .text = "weight of norm1(f)", .standard = 1e-4, .low = 0, .high = 1e6}},
    .fit = fit_nci,
    .close = dn_free,
    .score.single = score,
};
