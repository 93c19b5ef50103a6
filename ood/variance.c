#include "ood/members.h"
#include "ood/methods.h"

static dn_status score(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    const size_t n = in->rows, plane = in->classes * n;
    double *p = dn_workspace_doubles(space, (in->members + 1) * plane);
    if (!p) return DN_ERROR_MEMORY;
    double *mean = p + in->members * plane;
    DN_TRY(dn__member_planes(p, in, space));
    dn__planes_mean(mean, p, in->members, plane);
    for (size_t r = 0; r < n; r++) scores[r] = 0.0;
    for (size_t i = 0; i < in->members * in->classes; i++) {
        const double *of_member = p + i * n, *of_all = mean + i % in->classes * n;
        for (size_t r = 0; r < n; r++) {
            const double difference = of_member[r] - of_all[r];
            scores[r] += difference * difference;
        }
    }
    for (size_t r = 0; r < n; r++) scores[r] /= (double)in->members;
    return DN_OK;
}

const dn_method dn__method_variance = {
    .name = "variance",
    .text = "sum over classes of the variance of p over members",
    .source = "Smith and Gal, Understanding Measures of Uncertainty for Adversarial Example Detection, UAI 2018",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = score,
};
