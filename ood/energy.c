#include "ood/methods.h"
#include "ood/planes.h"

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const double temperature = by->option[0];
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, in, temperature, space));
    dn__softmax_log_sum(scores, &p, temperature);
    for (size_t r = 0; r < in->rows; r++) scores[r] = -scores[r];
    return DN_OK;
}

const dn_method dn__method_energy = {
    .name = "energy",
    .text = "-T ln sum exp(z / T)",
    .source = "Liu et al., Energy-based Out-of-distribution Detection, NeurIPS 2020",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .option_count = 1,
    .option = {{.name = "T", .text = "temperature", .standard = 1, .low = 0, .high = 1e6, .above_low = true}},
    .score.single = score,
};
