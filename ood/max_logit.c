#include "ood/methods.h"

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    (void)space;
    for (size_t r = 0; r < in->rows; r++) {
        const double *z = in->logits + r * in->columns;
        double top = z[0];
        for (size_t c = 1; c < in->columns; c++) top = z[c] > top ? z[c] : top;
        scores[r] = -top;
    }
    return DN_OK;
}

const dn_method dn__method_max_logit = {
    .name = "max_logit",
    .text = "-max z",
    .source = "Hendrycks et al., Scaling Out-of-Distribution Detection for Real-World Settings, ICML 2022",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .score.single = score,
};
