#include "ood/members.h"
#include "ood/methods.h"
#include "ood/planes.h"

/** Adds KL(p, q) + KL(q, p) of one class: (p - q) (ln p - ln q), never negative, so that nothing cancels. */
static void add_pair(double *restrict sum, const double *p, const double *q, const double *log_p, const double *log_q,
                     size_t n)
{
    for (size_t r = 0; r < n; r++) sum[r] += (p[r] - q[r]) * (log_p[r] - log_q[r]);
}

static dn_status score(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    const size_t n = in->rows, plane = in->classes * n;
    for (size_t r = 0; r < n; r++) scores[r] = 0.0;
    if (in->members == 1) return DN_OK;
    double *p = dn_workspace_doubles(space, 2 * in->members * plane);
    if (!p) return DN_ERROR_MEMORY;
    double *logs = p + in->members * plane;
    DN_TRY(dn__member_planes(p, in, space));
    dn__floored_logs(logs, p, in->members * plane, 1e-12);
    for (size_t i = 0; i < in->members; i++) {
        for (size_t j = 0; j < i; j++) {
            for (size_t c = 0; c < in->classes; c++) {
                const size_t a = i * plane + c * n, b = j * plane + c * n;
                add_pair(scores, p + a, p + b, logs + a, logs + b, n);
            }
        }
    }
    const double pairs = (double)in->members * (double)(in->members - 1);
    for (size_t r = 0; r < n; r++) scores[r] /= pairs;
    return DN_OK;
}

const dn_method dn__method_pairwise_kl = {
    .name = "pairwise_kl",
    .text = "mean KL(p_i, p_j) over ordered pairs of members, p at least 1e-12",
    .source = "Malinin and Gales, Uncertainty Estimation in Autoregressive Structured Prediction, ICLR 2021",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = score,
};
