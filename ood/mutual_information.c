#include <math.h>

#include "ood/members.h"
#include "ood/methods.h"
#include "ood/planes.h"

/** Both entropies by the same arithmetic: of one member, the difference is 0. */
static dn_status score(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    const size_t n = in->rows, plane = in->classes * n;
    double *p = dn_workspace_doubles(space, (in->members + 1) * plane + 2 * n);
    if (!p) return DN_ERROR_MEMORY;
    double *mean = p + in->members * plane, *own = mean + plane, *sum = own + n;
    DN_TRY(dn__member_planes(p, in, space));
    dn__planes_mean(mean, p, in->members, plane);
    for (size_t r = 0; r < n; r++) sum[r] = 0.0;
    for (size_t e = 0; e < in->members; e++) {
        DN_TRY(dn__planes_entropy(own, p + e * plane, in->classes, n, space));
        for (size_t r = 0; r < n; r++) sum[r] += own[r];
    }
    DN_TRY(dn__planes_entropy(scores, mean, in->classes, n, space));
    for (size_t r = 0; r < n; r++) scores[r] = fmax(0.0, scores[r] - sum[r] / (double)in->members);
    return DN_OK;
}

const dn_method dn__method_mutual_information = {
    .name = "mutual_information",
    .text = "H(pm) - mean of H(p), at least 0",
    .source = "Houlsby et al., Bayesian Active Learning for Classification and Preference Learning, 2011",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = score,
};
