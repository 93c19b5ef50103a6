/* Scoring the networks of an experiment. */
#include <stdio.h>

#include "apps/evaluate.h"
#include "apps/reproduce.h"
#include "apps/run.h"
#include "core/alloc.h"
#include "core/random.h"

const char *dn_reproduce_figure(dn_metric metric)
{
    static const char *const names[DN_METRIC_COUNT] = {
        [DN_METRIC_AUROC] = "AUROC",
        [DN_METRIC_AUPR_OUT] = "AUPR",
        [DN_METRIC_AUPR_IN] = "AUPR in",
        [DN_METRIC_FPR95] = "FPR95",
        [DN_METRIC_TNR95] = "TNR95",
        [DN_METRIC_DETECTION_ERROR] = "detection error",
        [DN_METRIC_BEST_ACCURACY] = "best accuracy",
        [DN_METRIC_BEST_THRESHOLD] = "best threshold",
    };
    return (unsigned)metric < DN_METRIC_COUNT ? names[metric] : "?";
}

/* ---- noise that breaks ties ---- */

enum { PURPOSE = 0x7e9001 }; /* of the draws: no other place has it */

/* @param which 0: the ID rows, 1...: the OOD sets in their order */
static double *with_noise(const double *scores, size_t n, double noise, uint64_t seed, uint32_t which)
{
    dn_random_sequence draw = {.seed = seed, .purpose = PURPOSE, .step = which};
    double *out = dn_calloc(n, sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        out[i] = scores[i] + (double)dn_random_next_uniform(&draw, 0.0f, (float)noise);
    return out;
}

static dn_status add_noise(dn_metrics *out, const dn_evaluation_row *row, const dn_score_request *q, uint64_t seed,
                           uint32_t set)
{
    const size_t n_id = row->metrics.n_id, n_ood = row->metrics.n_ood;
    double *id = with_noise(row->id_scores, n_id, q->noise, seed, 0);
    double *ood = with_noise(row->scores, n_ood, q->noise, seed, set + 1);
    const dn_status status = id && ood ? dn_metrics_compute(out, id, n_id, ood, n_ood, &q->metrics) : DN_ERROR_MEMORY;
    dn_free(ood);
    dn_free(id);
    return status;
}

/* ---- figures ---- */

static dn_status put_row(const dn_reproduction *r, const dn_score_request *q, const dn_evaluation_row *row, int set,
                         int score)
{
    dn_metrics metrics = row->metrics;
    if (score < q->n_noisy) DN_TRY(add_noise(&metrics, row, q, r->seed, (uint32_t)set));
    for (int f = 0; f < q->n_figures; f++)
        DN_TRY(dn_reproduce_put(r, q->ood[set].label, q->scores[score].label, dn_reproduce_figure(q->figures[f]),
                                dn_metrics_value(&metrics, q->figures[f])));
    return DN_OK;
}

/* Rows come by set, then by score, both in the order asked for. */
static dn_status put_rows(const dn_reproduction *r, const dn_score_request *q, const dn_evaluation *e)
{
    if (e->n_rows != q->n_ood * q->n_scores)
        return dn_fail(DN_ERROR_INTERNAL, "%s: %d rows for %d sets and %d scores", q->run, e->n_rows, q->n_ood,
                       q->n_scores);
    for (int i = 0; i < e->n_rows; i++) DN_TRY(put_row(r, q, &e->rows[i], i / q->n_scores, i % q->n_scores));
    return DN_OK;
}

static dn_status evaluate(const dn_reproduction *r, const dn_score_request *q, const dn_network *network,
                          const char **ood, dn_expression_list *list)
{
    for (int i = 0; i < q->n_scores; i++) DN_TRY(dn_expression_list_add(list, q->scores[i].expression));
    for (int i = 0; i < q->n_ood; i++) ood[i] = q->ood[i].expression;
    const dn_evaluation_options o = {.run = q->run,
                                     .data_dir = r->options->data_dir,
                                     .id = q->id,
                                     .ood = ood,
                                     .n_ood = q->n_ood,
                                     .list = list,
                                     .fit = q->fit,
                                     .layers = q->layers,
                                     .metrics = q->metrics,
                                     .keep_scores = q->n_noisy > 0,
                                     .quiet = r->options->quiet};
    dn_evaluation e = {0};
    DN_TRY(dn_evaluate(&e, network, &o));
    const dn_status status = put_rows(r, q, &e);
    dn_evaluation_close(&e);
    return status;
}

dn_status dn_reproduce_score(const dn_reproduction *r, const dn_score_request *request)
{
    dn_network *network = NULL;
    dn_expression_list list = {0};
    dn_reproduce_note(r, "%s: scoring", request->run);
    DN_TRY(dn_run_load(&network, request->run, r->device));
    const char **ood = dn_calloc((size_t)request->n_ood, sizeof *ood);
    const dn_status status = ood ? evaluate(r, request, network, ood, &list) : DN_ERROR_MEMORY;
    dn_expression_list_close(&list);
    dn_free(ood);
    dn_network_close(network);
    return status;
}
