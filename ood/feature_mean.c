#include "ood/feature_mean.h"

#include "core/alloc.h"
#include "ood/method.h"

static dn_status add_rows(void *context, const dn_score_rows *rows, size_t first)
{
    (void)first;
    double *sum = context;
    for (size_t r = 0; r < rows->rows; r++) {
        const double *f = rows->features + r * rows->dim;
        for (size_t d = 0; d < rows->dim; d++) sum[d] += f[d];
    }
    return DN_OK;
}

static dn_status make_mean(void **part, dn_fit *fit)
{
    const size_t dim = dn_fit_dim(fit);
    double *mean = dn_calloc(dim, sizeof *mean);
    if (!mean) return DN_ERROR_MEMORY;
    const dn_status status = dn_fit_walk(fit, DN_NEEDS_FIT_FEATURES, add_rows, mean);
    if (status != DN_OK) {
        dn_free(mean);
        return status;
    }
    for (size_t d = 0; d < dim; d++) mean[d] /= (double)dn_fit_rows(fit);
    *part = mean;
    return DN_OK;
}

dn_status dn__feature_mean_get(const double **out, dn_fit *fit)
{
    static const dn_fit_part part = {"feature mean", make_mean, dn_free};
    const void *mean = NULL;
    DN_TRY(dn_fit_get(&mean, fit, &part));
    *out = mean;
    return DN_OK;
}
