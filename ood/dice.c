/** DICE: of the head only weights stay whose share in the logits of an average fit row, W_cd mean(f_d), is above the
 *  p-quantile of all of them. */
#include <string.h>

#include "core/alloc.h"
#include "ood/feature_mean.h"
#include "ood/methods.h"
#include "ood/quantile.h"

typedef struct contribution {
    double threshold;
    double mean[]; /* [D] of the fit features */
} contribution;

static dn_status find_threshold(contribution *c, dn_fit *fit, double p)
{
    const size_t dim = dn_fit_dim(fit), count = dn_fit_columns(fit) * dim;
    const double *weight = dn_fit_weight(fit);
    double *product = dn_calloc(count, sizeof *product);
    if (!product) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) product[i] = weight[i] * c->mean[i % dim];
    const dn_status status = dn__quantiles(&c->threshold, &p, 1, product, count);
    dn_free(product);
    return status;
}

/** options: p */
static dn_status fit_dice(void **state, dn_fit *fit, const double *option)
{
    const size_t dim = dn_fit_dim(fit);
    contribution *c = dn_calloc(1, sizeof *c + dim * sizeof *c->mean);
    *state = c;
    if (!c) return DN_ERROR_MEMORY;
    const double *mean;
    DN_TRY(dn__feature_mean_get(&mean, fit));
    memcpy(c->mean, mean, dim * sizeof *mean);
    return find_threshold(c, fit, option[0]);
}

static dn_status mask_head(double *weight, size_t columns, size_t dim, const dn_fitted *by)
{
    const contribution *c = by->state;
    for (size_t i = 0; i < columns * dim; i++) {
        if (!(weight[i] * c->mean[i % dim] > c->threshold)) weight[i] = 0.0;
    }
    return DN_OK;
}

const dn_method dn__method_dice = {
    .name = "dice",
    .text = "weights of the head -> 0 unless W_cd mean(f_d) is above the p-quantile of all those products",
    .source = "Sun and Li, DICE: Leveraging Sparsification for Out-of-Distribution Detection, ECCV 2022",
    .kind = DN_METHOD_SHAPING,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_HEAD | DN_NEEDS_FIT_FEATURES,
    .option_count = 1,
    .option = {{.name = "p", .text = "share of weights that go", .standard = .9, .low = 0, .high = 1}},
    .fit = fit_dice,
    .close = dn_free,
    .shape_head = mask_head,
};
