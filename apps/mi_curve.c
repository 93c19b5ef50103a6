#include "apps/mi_curve.h"

#include "apps/network_logits.h"
#include "core/alloc.h"
#include "ood/metrics.h"

const char *const dn_mi_scores[DN_MI_SCORES] = {"ensemble_msp", "predictive_entropy", "mutual_information"};

static const char *const names[DN_MI_COLUMNS] = {"accuracy",
                                                 "id_p",
                                                 "id_entropy",
                                                 "id_mi",
                                                 "tim_p",
                                                 "tim_entropy",
                                                 "tim_mi",
                                                 "svhn_p",
                                                 "svhn_entropy",
                                                 "svhn_mi",
                                                 "gaussian_p",
                                                 "gaussian_entropy",
                                                 "gaussian_mi",
                                                 "auroc_tim_p",
                                                 "auroc_tim_entropy",
                                                 "auroc_tim_mi",
                                                 "auroc_svhn_p",
                                                 "auroc_svhn_entropy",
                                                 "auroc_svhn_mi",
                                                 "auroc_gaussian_p",
                                                 "auroc_gaussian_entropy",
                                                 "auroc_gaussian_mi"};

static size_t mean_column(int set, int score)
{
    return 1 + (size_t)set * DN_MI_SCORES + (size_t)score;
}

size_t dn_mi_auroc_column(int set, int score)
{
    return mean_column(1 + DN_MI_SETS, 0) + (size_t)set * DN_MI_SCORES + (size_t)score;
}

/* ---- one row ---- */

/* The scores of one set. */
typedef struct scored {
    size_t rows;
    double *score[DN_MI_SCORES]; /* [rows] */
} scored;

static void close_scored(scored *s)
{
    for (int k = 0; k < DN_MI_SCORES; k++) dn_free(s->score[k]);
    *s = (scored){0};
}

static dn_status score_all(scored *out, const dn_logits *logits)
{
    out->rows = logits->rows;
    for (int k = 0; k < DN_MI_SCORES; k++) {
        if (!(out->score[k] = dn_calloc(out->rows, sizeof **out->score))) return DN_ERROR_MEMORY;
        DN_TRY(dn_logits_score(out->score[k], logits, -1, dn_mi_scores[k]));
    }
    return DN_OK;
}

static dn_status measure_accuracy(double *out, const dn_logits *logits, const int32_t *labels)
{
    const dn_score_input input = dn_logits_input(logits, -1);
    int32_t *named = dn_calloc(logits->rows, sizeof *named);
    const dn_status status =
        named ? dn_ensemble_predict(&(dn_ensemble_prediction){.labels = named}, &input) : DN_ERROR_MEMORY;
    size_t right = 0;
    for (size_t i = 0; i < logits->rows && status == DN_OK; i++) right += named[i] == labels[i];
    *out = (double)right / (double)logits->rows;
    dn_free(named);
    return status;
}

/* @param accuracy NULL: not wanted */
static dn_status look_at(scored *out, double *accuracy, const dn_network *network, const dn_dataset *set)
{
    dn_logits logits = {0};
    DN_TRY(dn_logits_open(&logits, network, set));
    dn_status status = score_all(out, &logits);
    if (status == DN_OK && accuracy) status = measure_accuracy(accuracy, &logits, set->labels);
    dn_logits_close(&logits);
    return status;
}

/* Of max p, not of 1 - max p, which is the score. */
static double mean_of(const scored *s, int score)
{
    double sum = 0.0;
    for (size_t i = 0; i < s->rows; i++) sum += s->score[score][i];
    const double mean = sum / (double)s->rows;
    return score == 0 ? 1.0 - mean : mean;
}

static dn_status compare(double *row, const scored *id, const scored *ood, int set)
{
    dn_metrics metrics;
    for (int k = 0; k < DN_MI_SCORES; k++) {
        DN_TRY(dn_metrics_compute(&metrics, id->score[k], id->rows, ood->score[k], ood->rows, NULL));
        row[dn_mi_auroc_column(set, k)] = metrics.auroc;
        row[mean_column(1 + set, k)] = mean_of(ood, k);
    }
    return DN_OK;
}

static dn_status fill_row(double *row, const dn_mi_curve *c, const dn_network *network)
{
    scored id = {0}, ood = {0};
    dn_status status = look_at(&id, &row[DN_MI_ACCURACY_COLUMN], network, c->sets[0]);
    for (int k = 0; k < DN_MI_SCORES && status == DN_OK; k++) row[mean_column(0, k)] = mean_of(&id, k);
    for (int s = 0; s < DN_MI_SETS && status == DN_OK; s++) {
        status = look_at(&ood, NULL, network, c->sets[1 + s]);
        if (status == DN_OK) status = compare(row, &id, &ood, s);
        close_scored(&ood);
    }
    close_scored(&id);
    return status;
}

/* ---- the curve ---- */

dn_status dn_mi_curve_open(dn_mi_curve *c, int64_t last)
{
    DN_TRY(dn_step_table_open(&c->table, c->path, names, DN_MI_COLUMNS, last));
    c->open = true;
    return DN_OK;
}

void dn_mi_curve_close(dn_mi_curve *c)
{
    if (c->open) dn_step_table_close(&c->table);
    for (int s = 0; s <= DN_MI_SETS; s++) {
        dn_dataset_close(c->sets[s]);
        c->sets[s] = NULL;
    }
    c->open = false;
}

static dn_status open_sets(dn_mi_curve *c, const dn_network *network)
{
    const dn_dataset_options o = {.data_dir = c->data_dir, .seed = c->seed, .limit = c->rows};
    for (int s = 0; s <= DN_MI_SETS; s++)
        if (!c->sets[s]) DN_TRY(dn_dataset_open(&c->sets[s], s == 0 ? c->id : c->ood[s - 1].expression, &o));
    if (dn_network_knows(network, c->sets[0])) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "'%s' has no labels of the network's classes", c->id);
}

dn_status dn_mi_curve_look(void *curve, const dn_network *network, const dn_history *history)
{
    dn_mi_curve *c = curve;
    double row[DN_MI_COLUMNS];
    const int64_t every = network->recipe->train.checkpoint_every, step = history->steps;
    if (!c->open) DN_TRY(dn_mi_curve_open(c, step));
    if (step == 0 || every == 0 || step % every != 0 || dn_step_table_find(&c->table, step)) return DN_OK;
    DN_TRY(open_sets(c, network));
    DN_TRY(fill_row(row, c, network));
    return dn_step_table_add(&c->table, step, row);
}
