#include "ood/subspace.h"

#include <math.h>

#include "core/alloc.h"
#include "ood/linear_algebra.h"
#include "ood/moments.h"
#include "ood/projection.h"

static void close_subspace(void *part)
{
    dn__subspace *s = part;
    if (!s) return;
    dn_free(s->origin);
    dn_free(s->axes);
    dn_free(s);
}

/** (1/M)(ff-u)'(ff-u) is the covariance plus (m-u)(m-u)'. */
static dn_status compute(dn__subspace *s, dn_fit *fit)
{
    const dn__moments *m;
    DN_TRY(dn__moments_get(&m, fit));
    const size_t d = s->dim = m->dim, c = dn_fit_columns(fit);
    s->origin = dn_calloc(d, sizeof *s->origin);
    s->axes = dn_calloc(d, d * sizeof *s->axes);
    double *scratch = dn_calloc(d, sizeof *scratch);
    dn_status status = s->origin && s->axes && scratch ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn__least_squares(s->origin, dn_fit_weight(fit), dn_fit_bias(fit), c, d);
    if (status == DN_OK) status = dn__moments_total(s->axes, m);
    if (status == DN_OK) {
        for (size_t j = 0; j < d; j++) s->origin[j] = -s->origin[j];
        dn__centre(scratch, m->mean, 1, d, s->origin, NULL);
        dn__add_gram(s->axes, scratch, 1, d);
        status = dn__eigen_symmetric(scratch, s->axes, d);
    }
    dn_free(scratch);
    return status;
}

static dn_status make_subspace(void **part, dn_fit *fit)
{
    dn__subspace *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    const dn_status status = compute(s, fit);
    if (status == DN_OK)
        *part = s;
    else
        close_subspace(s);
    return status;
}

dn_status dn__subspace_get(const dn__subspace **out, dn_fit *fit)
{
    static const dn_fit_part subspace = {"principal axes around the head's origin", make_subspace, close_subspace};
    const void *part;
    DN_TRY(dn_fit_get(&part, fit, &subspace));
    *out = part;
    return DN_OK;
}

dn_status dn__subspace_leading(size_t *out, double option, size_t dim)
{
    if (dim < 2)
        return dn_fail(DN_ERROR_ARGUMENT, "features of D = %zu leave no residual space: D >= 2 is needed", dim);
    const size_t automatic = dim >= 2048 ? 1000 : dim >= 768 ? 512 : dim / 2;
    *out = isnan(option) ? automatic : (size_t)option;
    if (*out <= dim - 1) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "dim=%zu is out of range: these features have D = %zu, so that dim may be 1..%zu",
                   *out, dim, dim - 1);
}

dn_status dn__subspace_residual(double *norms, const dn_score_rows *in, const dn__subspace *s, size_t leading,
                                dn_workspace *space)
{
    const size_t count = s->dim - leading;
    double *residual = dn_workspace_doubles(space, in->rows * count);
    if (!residual) return DN_ERROR_MEMORY;
    DN_TRY(dn__project(residual, in->features, in->rows, s->dim, s->origin, s->axes + leading * s->dim, count, space));
    for (size_t r = 0; r < in->rows; r++) norms[r] = sqrt(dn__square(residual + r * count, count));
    return DN_OK;
}
