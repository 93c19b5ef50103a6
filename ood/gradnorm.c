#include <math.h>

#include "ood/methods.h"
#include "ood/probability.h"
#include "ood/row.h"

/** The gradient of KL(uniform, p) by the last layer's weights is (p - 1/C) f': its entries' absolute values sum to a
 *  product of two sums. */
static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    double *p = dn_workspace_doubles(space, in->columns);
    if (!p) return DN_ERROR_MEMORY;
    const double uniform = 1.0 / (double)in->columns;
    for (size_t r = 0; r < in->rows; r++) {
        dn__softmax(p, in->logits + r * in->columns, in->columns, 1.0);
        double sum = 0.0;
        for (size_t c = 0; c < in->columns; c++) sum += fabs(p[c] - uniform);
        scores[r] = -sum * dn__sum_abs(in->features + r * in->dim, in->dim);
    }
    return DN_OK;
}

const dn_method dn__method_gradnorm = {
    .name = "gradnorm",
    .text = "-norm1(p - 1/C) norm1(f)",
    .source = "Huang, Geng and Li, On the Importance of Gradients for Detecting Distributional Shifts in the Wild, "
              "NeurIPS 2021",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FEATURES,
    .score.single = score,
};
