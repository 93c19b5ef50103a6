#include "ood/methods.h"
#include "ood/planes.h"

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, in, 1.0, space));
    dn__softmax_entropy(scores, &p);
    return DN_OK;
}

const dn_method dn__method_entropy = {
    .name = "entropy",
    .text = "H(p)",
    .source = "Shannon, A Mathematical Theory of Communication, 1948",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .score.single = score,
};
