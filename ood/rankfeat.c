/* The map has lost its first singular component already: see DN_PASS_RANKFEAT. */
#include "ood/methods.h"
#include "ood/planes.h"

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, in, 1.0, space));
    dn__softmax_log_sum(scores, &p, 1.0);
    for (size_t r = 0; r < in->rows; r++) scores[r] = -scores[r];
    return DN_OK;
}

const dn_method dn__method_rankfeat = {
    .name = "rankfeat",
    .text = "-ln sum exp(z'), z' from the last feature map without its first singular component",
    .source = "Song, Sebe and Wang, RankFeat: Rank-1 Feature Removal for Out-of-distribution Detection, NeurIPS 2022",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .pass = DN_PASS_RANKFEAT,
    .score.single = score,
};
