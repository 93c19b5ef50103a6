#include <math.h>

#include "core/alloc.h"
#include "ood/feature_mean.h"
#include "ood/methods.h"
#include "ood/probability.h"
#include "ood/row.h"

typedef struct fdbd {
    const double *mean; /* [D] of the fit features, borrowed from the fit */
    double *apart;      /* [C,C] norm(w_a - w_b), at least 1e-10 */
} fdbd;

static void close_fdbd(void *state)
{
    fdbd *s = state;
    dn_free(s->apart);
    dn_free(s);
}

static dn_status fill(fdbd *s, dn_fit *fit)
{
    const size_t classes = dn_fit_columns(fit), dim = dn_fit_dim(fit);
    const double *weight = dn_fit_weight(fit);
    s->apart = dn_calloc(classes, classes * sizeof *s->apart);
    if (!s->apart) return DN_ERROR_MEMORY;
    for (size_t a = 0; a < classes; a++) {
        for (size_t b = 0; b < a; b++) {
            const double norm = fmax(dn__distance(weight + a * dim, weight + b * dim, dim), DN__LEAST_NORM);
            s->apart[a * classes + b] = s->apart[b * classes + a] = norm;
        }
    }
    return dn__feature_mean_get(&s->mean, fit);
}

static dn_status fit_fdbd(void **state, dn_fit *fit, const double *option)
{
    (void)option;
    fdbd *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    const dn_status status = fill(s, fit);
    if (status != DN_OK) {
        close_fdbd(s);
        return status;
    }
    *state = s;
    return DN_OK;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)space;
    const fdbd *s = by->state;
    const size_t classes = in->columns;
    for (size_t r = 0; r < in->rows; r++) {
        const double *z = in->logits + r * classes;
        const size_t top = dn__argmax(z, classes);
        double sum = 0.0;
        for (size_t c = 0; c < classes; c++) {
            if (c != top) sum += (z[top] - z[c]) / s->apart[top * classes + c];
        }
        const double norm = fmax(dn__distance(in->features + r * in->dim, s->mean, in->dim), DN__LEAST_NORM);
        scores[r] = -sum / (double)(classes - 1) / norm;
    }
    return DN_OK;
}

const dn_method dn__method_fdbd = {
    .name = "fdbd",
    .text = "minus the mean distance to the decision boundaries, divided by the distance to the mean of fit features",
    .source = "Liu and Qin, Fast Decision Boundary based Out-of-Distribution Detector, ICML 2024",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FEATURES | DN_NEEDS_HEAD | DN_NEEDS_FIT_FEATURES,
    .fit = fit_fdbd,
    .close = close_fdbd,
    .score.single = score,
};
