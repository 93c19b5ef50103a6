#include "apps/reproduce_oodeel.h"

static dn_status score(const dn_reproduction *r, const dn_oodeel_half *half, const char *run)
{
    static const dn_metric figures[] = {DN_METRIC_AUROC, DN_METRIC_FPR95};
    const dn_labelled ood = {half->set, half->ood};
    const dn_score_request request = {.run = run,
                                      .id = half->id,
                                      .ood = &ood,
                                      .n_ood = 1,
                                      .scores = half->scores,
                                      .n_scores = half->n_scores,
                                      .layers = half->layers,
                                      .metrics = {DN_FPR_OODEEL, DN_POSITIVE_OOD},
                                      .noise = half->noise,
                                      .figures = figures,
                                      .n_figures = 2};
    return dn_reproduce_score(r, &request);
}

dn_status dn_oodeel_run(const dn_reproduction *r, const dn_oodeel_half *half)
{
    dn_part part = {0};
    DN_TRY(dn_reproduce_train(&part, r, &half->network));
    dn_status status = dn_reproduce_put(r, half->set, "-", "test accuracy", part.accuracy);
    if (status == DN_OK) status = score(r, half, part.run);
    if (status == DN_OK) status = dn_reproduce_show(r, part.run);
    dn_part_close(&part);
    return status;
}
