#include "ood/methods.h"
#include "ood/planes.h"

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, in, 1.0, space));
    dn__softmax_rest(scores, &p);
    return DN_OK;
}

const dn_method dn__method_msp = {
    .name = "msp",
    .text = "1 - max p",
    .source =
        "Hendrycks and Gimpel, A Baseline for Detecting Misclassified and Out-of-Distribution Examples, ICLR 2017",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .score.single = score,
};
