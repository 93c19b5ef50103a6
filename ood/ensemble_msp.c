#include "ood/members.h"
#include "ood/methods.h"
#include "ood/planes.h"

static dn_status score(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    double *mean = dn_workspace_doubles(space, in->classes * in->rows);
    if (!mean) return DN_ERROR_MEMORY;
    DN_TRY(dn__mean_planes(mean, in, space));
    return dn__planes_rest(scores, mean, in->classes, in->rows, space);
}

const dn_method dn__method_ensemble_msp = {
    .name = "ensemble_msp",
    .text = "1 - max pm",
    .source =
        "Lakshminarayanan, Pritzel and Blundell, Simple and Scalable Predictive Uncertainty Estimation using Deep "
        "Ensembles, NeurIPS 2017",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = score,
};
