#include "ood/methods.h"
#include "ood/planes.h"

static dn_status score(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    const size_t n = in->rows, mark = dn_workspace_mark(space);
    for (size_t r = 0; r < n; r++) scores[r] = 0.0;
    for (size_t e = 0; e < in->members; e++) {
        dn__softmax_planes p;
        double *entropy = dn_workspace_doubles(space, n);
        if (!entropy) return DN_ERROR_MEMORY;
        DN_TRY(dn__softmax_of(&p, &in->member[e], 1.0, space));
        dn__softmax_entropy(entropy, &p);
        for (size_t r = 0; r < n; r++) scores[r] += entropy[r];
        dn_workspace_release(space, mark);
    }
    for (size_t r = 0; r < n; r++) scores[r] /= (double)in->members;
    return DN_OK;
}

const dn_method dn__method_expected_entropy = {
    .name = "expected_entropy",
    .text = "mean of H(p) over members",
    .source = "Depeweg et al., Decomposition of Uncertainty in Bayesian Deep Learning, ICML 2018",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = score,
};
