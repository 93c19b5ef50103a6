#include "apps/mi_figures.h"

#include <math.h>
#include <stdio.h>

#include "apps/mi_curve.h"
#include "apps/reproduce_rows.h"
#include "apps/train_run.h"
#include "core/alloc.h"
#include "core/random.h"

static const char *const score_names[DN_MI_SCORES] = {"p", "entropy", "MI"};

/* "members' mean accuracy" and the like. */
static dn_status put_accuracies(const dn_reproduction *r, const dn_rows *rows, const char *run, const char *name)
{
    dn_accuracy_report report = {0};
    const dn_network *n = rows->network;
    DN_TRY(dn_train_measure(&report, n, run, r->options->data_dir, n->recipe->data.test));
    double mean = 0.0, worst = 1.0, best = 0.0;
    for (int e = 0; e < n->members; e++) {
        mean += report.member[e] / n->members;
        worst = fmin(worst, report.member[e]);
        best = fmax(best, report.member[e]);
    }
    dn_free(report.member);
    DN_TRY(dn_reproduce_put(r, name, "-", "accuracy", report.ensemble));
    DN_TRY(dn_reproduce_put(r, name, "-", "members' mean accuracy", mean));
    DN_TRY(dn_reproduce_put(r, name, "-", "worst member", worst));
    return dn_reproduce_put(r, name, "-", "best member", best);
}

/* Of max p rather than of the score 1 - max p. */
static dn_status put_means(const dn_reproduction *r, const dn_set_scores *scores, const char *set)
{
    for (int k = 0; k < DN_MI_SCORES; k++) {
        double sum = 0.0;
        for (size_t i = 0; i < scores->rows; i++) sum += scores->score[k][i];
        const double mean = sum / (double)scores->rows;
        DN_TRY(dn_reproduce_put(r, set, score_names[k], "mean", k == 0 ? 1.0 - mean : mean));
    }
    return DN_OK;
}

enum { AUROC_ONLY = 1, ALL_FIGURES = 3 };

static dn_status put_metrics(const dn_reproduction *r, const dn_set_scores *id, const dn_set_scores *ood,
                             const char *set, int n_figures)
{
    static const dn_metric figures[] = {DN_METRIC_AUROC, DN_METRIC_AUPR_OUT, DN_METRIC_FPR95};
    dn_metrics metrics;
    for (int k = 0; k < DN_MI_SCORES; k++) {
        DN_TRY(dn_metrics_compute(&metrics, id->score[k], id->rows, ood->score[k], ood->rows, NULL));
        for (int f = 0; f < n_figures; f++)
            DN_TRY(dn_reproduce_put(r, set, score_names[k], dn_reproduce_figure(figures[f]),
                                    dn_metrics_value(&metrics, figures[f])));
    }
    return DN_OK;
}

enum { PURPOSE = 0x7e9002 }; /* of the draws: no other place has it */

/* As many known rows as there are, drawn with replacement from those that are named rightly. */
static dn_status draw_right(dn_set_scores *out, const dn_reproduction *r, const dn_set_scores *id, const uint8_t *right)
{
    dn_random_sequence draw = {.seed = r->seed, .purpose = PURPOSE};
    *out = (dn_set_scores){.count = id->count, .rows = id->rows, .score = dn_calloc(id->count, sizeof *out->score)};
    size_t *kept = dn_calloc(id->rows, sizeof *kept), n = 0;
    for (size_t i = 0; kept && i < id->rows; i++)
        if (right[i]) kept[n++] = i;
    dn_status status = kept && out->score ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK && n == 0) status = dn_fail(DN_ERROR_NUMERIC, "no known image is named rightly");
    for (size_t k = 0; k < id->count && status == DN_OK; k++)
        if (!(out->score[k] = dn_calloc(id->rows, sizeof **out->score))) status = DN_ERROR_MEMORY;
    for (size_t i = 0; i < id->rows && status == DN_OK; i++) {
        const size_t from = kept[dn_random_next_below(&draw, (uint32_t)n)];
        for (size_t k = 0; k < id->count; k++) out->score[k][i] = id->score[k][from];
    }
    dn_free(kept);
    return status;
}

static dn_status compare(const dn_reproduction *r, dn_rows *rows, const dn_set_scores *id, const dn_set_scores *right,
                         const char *name, const dn_labelled *set)
{
    dn_set_scores ood = {0};
    char label[64], against_right[80];
    snprintf(label, sizeof label, "%s, %s", name, set->label);
    snprintf(against_right, sizeof against_right, "%s vs true", label);
    dn_status status = dn_rows_take(&ood, NULL, rows, set->expression);
    if (status == DN_OK) status = put_means(r, &ood, label);
    if (status == DN_OK) status = put_metrics(r, id, &ood, label, ALL_FIGURES);
    if (status == DN_OK) status = put_metrics(r, right, &ood, against_right, AUROC_ONLY);
    dn_set_scores_close(&ood);
    return status;
}

dn_status dn_mi_put_figures(const dn_reproduction *r, const char *run, const char *name, const dn_labelled *sets)
{
    dn_rows rows;
    dn_set_scores id = {0}, drawn = {0};
    uint8_t *right = NULL;
    char label[64];
    snprintf(label, sizeof label, "%s, ID", name);
    dn_reproduce_note(r, "%s: scoring", run);
    dn_status status = dn_rows_open(&rows, r, run, dn_mi_scores, DN_MI_SCORES, 0);
    if (status == DN_OK) status = put_accuracies(r, &rows, run, name);
    if (status == DN_OK) status = dn_rows_take(&id, &right, &rows, rows.network->recipe->data.test);
    if (status == DN_OK) status = put_means(r, &id, label);
    if (status == DN_OK) status = draw_right(&drawn, r, &id, right);
    for (int s = 0; s < DN_MI_SETS && status == DN_OK; s++) status = compare(r, &rows, &id, &drawn, name, &sets[s]);
    dn_free(right);
    dn_set_scores_close(&drawn);
    dn_set_scores_close(&id);
    dn_rows_close(&rows);
    return status;
}
