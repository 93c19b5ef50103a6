#include "ood/methods.h"
#include "ood/probability.h"

static dn_status score(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    double *votes = dn_workspace_doubles(space, in->classes);
    if (!votes) return DN_ERROR_MEMORY;
    const double members = (double)in->members;
    for (size_t r = 0; r < in->rows; r++) {
        for (size_t c = 0; c < in->classes; c++) votes[c] = 0.0;
        for (size_t e = 0; e < in->members; e++) {
            const dn_score_rows *member = &in->member[e];
            votes[member->classes[dn__argmax(member->logits + r * member->columns, member->columns)]] += 1.0;
        }
        scores[r] = (members - votes[dn__argmax(votes, in->classes)]) / members;
    }
    return DN_OK;
}

const dn_method dn__method_variation_ratio = {
    .name = "variation_ratio",
    .text = "1 - share of members that vote for the most voted class",
    .source = "Freeman, Elementary Applied Statistics, 1965",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = score,
};
