/* "Predictive Uncertainty via Degeneralization": a plain and a degeneralised ensemble of VGG16, and both as one system
 * that the degeneralised one guards and the plain one names by. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/combined.h"
#include "apps/experiments.h"
#include "apps/mi_curve.h"
#include "apps/published_ensembles.h"
#include "apps/reproduce_rows.h"
#include "apps/train_run.h"
#include "core/alloc.h"
#include "core/random.h"

#define TIM "tiny_imagenet:resize"

enum {
    PLAIN,
    DEGENERALISED,
    PARTS,
    ENTROPY = 1,
    FULL_BLOCK = 1000,
    QUICK_BLOCK = 50,
    CURVE_ROWS = 10000,
    QUICK_CURVE_ROWS = 1000
};

static const char *const part_names[PARTS] = {"plain", "degeneralised"};
static const char *const set_names[DN_MI_SETS] = {"TIM", "SVHN", "Gaussian"};
static const char *const ood_sets[DN_MI_SETS] = {TIM, "svhn:test", "noise:gaussian@32x32x3"};
static const char *const score_names[DN_MI_SCORES] = {"p", "entropy", "MI"};

/* ---- training ---- */

static int64_t block_of(const dn_reproduction *r)
{
    return r->options->quick ? QUICK_BLOCK : FULL_BLOCK;
}

/* Blocks of 50 iterations stand for those of 1000. */
static const char *const quick_overrides[] = {
    "model.width=8",
    "ensemble.members=3",
    "train.batch=64",
    "train.steps=600",
    "train.checkpoint_every=50",
    "optimizer.schedule=[{step: 0, rate: 1e-3}, {step: 500, rate: 3e-4}]",
};
static const char *const quick_mi_overrides[] = {
    "mi.batch=64", "mi.sources.1.redraw_every=5", "mi.period=350",
    "mi.switches=[{step: 0, source: 0}, {step: 100, source: 1}, {step: 150, source: 0}]"};

enum { MOST_OVERRIDES = 16 };

static int choose_overrides(const char **to, const dn_reproduction *r, int part)
{
    int count = 0;
    const size_t n_quick = sizeof quick_overrides / sizeof *quick_overrides;
    const size_t n_mi = sizeof quick_mi_overrides / sizeof *quick_mi_overrides;
    to[count++] = "data.ood=[" TIM ", svhn:test, noise:gaussian@32x32x3]";
    if (part == PLAIN) to[count++] = "ensemble.kind=deep";
    for (size_t i = 0; i < n_quick && r->options->quick; i++) to[count++] = quick_overrides[i];
    for (size_t i = 0; i < n_mi && r->options->quick; i++) to[count++] = quick_mi_overrides[i];
    return count;
}

/* ---- the curve ---- */

static dn_status add_point(const dn_reproduction *r, const char *title, const char *y_label, const char *series,
                           double x, double y)
{
    return dn_reproduce_point(r, title, r->options->quick ? "iterations / 50" : "iterations / 1000", y_label, series, x,
                              y);
}

/* Figures that the log has too stand in the table, by block. */
static dn_status put_logged(const dn_reproduction *r, const dn_step_table *t)
{
    static const char *const names[] = {"", ", TIM", ", SVHN", ", Gaussian"};
    char set[64];
    for (int i = 0; i < DN_MI_LOGGED; i++) {
        const double *row = dn_step_table_find(t, (int64_t)dn__logged_mi[i].block * block_of(r));
        for (int s = 0; s <= DN_MI_SETS && row; s++) {
            snprintf(set, sizeof set, "degeneralised, block %g%s", dn__logged_mi[i].block, names[s]);
            const double value = row[s == 0 ? DN_MI_ACCURACY_COLUMN : dn_mi_auroc_column(s - 1, ENTROPY)];
            DN_TRY(s == 0 ? dn_reproduce_put(r, set, "-", "accuracy", value)
                          : dn_reproduce_put(r, set, "entropy", "AUROC", value));
        }
    }
    return DN_OK;
}

static const char accuracy_title[] = "accuracy of the ensemble while it is trained";

static dn_status draw_logged(const dn_reproduction *r, const char *title)
{
    for (int i = 0; i < DN_MI_LOGGED; i++) {
        const dn_logged *l = &dn__logged_mi[i];
        DN_TRY(add_point(r, accuracy_title, "accuracy", "degeneralised, published", l->block, l->accuracy));
        DN_TRY(add_point(r, title, "AUROC", "TIM, published", l->block, l->tim));
        DN_TRY(add_point(r, title, "AUROC", "SVHN, published", l->block, l->svhn));
        DN_TRY(add_point(r, title, "AUROC", "Gaussian, published", l->block, l->gaussian));
    }
    return DN_OK;
}

static dn_status draw(const dn_reproduction *r, const dn_step_table *t, int part)
{
    char title[64];
    snprintf(title, sizeof title, "AUROC by entropy, %s", part_names[part]);
    for (size_t i = 0; i < t->rows; i++) {
        const double *row = t->values + i * (1 + t->columns), block = row[0] / (double)block_of(r);
        DN_TRY(add_point(r, accuracy_title, "accuracy", part_names[part], block, row[1 + DN_MI_ACCURACY_COLUMN]));
        for (int s = 0; s < DN_MI_SETS; s++)
            DN_TRY(add_point(r, title, "AUROC", set_names[s], block, row[1 + dn_mi_auroc_column(s, ENTROPY)]));
    }
    return part == DEGENERALISED ? draw_logged(r, title) : DN_OK;
}

static dn_status show_curve(const dn_reproduction *r, dn_mi_curve *curve, int part)
{
    dn_mi_curve_close(curve);
    DN_TRY(dn_mi_curve_open(curve, INT64_MAX));
    if (part == DEGENERALISED) DN_TRY(put_logged(r, &curve->table));
    return draw(r, &curve->table, part);
}

/* ---- what a trained ensemble says ---- */

/* "members' mean accuracy" and the like. */
static dn_status put_accuracies(const dn_reproduction *r, const dn_rows *rows, const char *run, int part)
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
    DN_TRY(dn_reproduce_put(r, part_names[part], "-", "accuracy", report.ensemble));
    DN_TRY(dn_reproduce_put(r, part_names[part], "-", "members' mean accuracy", mean));
    DN_TRY(dn_reproduce_put(r, part_names[part], "-", "worst member", worst));
    return dn_reproduce_put(r, part_names[part], "-", "best member", best);
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

static dn_status put_metrics(const dn_reproduction *r, const dn_set_scores *id, const dn_set_scores *ood,
                             const char *set)
{
    static const dn_metric figures[] = {DN_METRIC_AUROC, DN_METRIC_AUPR_OUT, DN_METRIC_FPR95};
    dn_metrics metrics;
    for (int k = 0; k < DN_MI_SCORES; k++) {
        DN_TRY(dn_metrics_compute(&metrics, id->score[k], id->rows, ood->score[k], ood->rows, NULL));
        for (int f = 0; f < 3; f++)
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
                         int part, int set)
{
    dn_set_scores ood = {0};
    char label[64], against_right[80];
    snprintf(label, sizeof label, "%s, %s", part_names[part], set_names[set]);
    snprintf(against_right, sizeof against_right, "%s vs true", label);
    dn_status status = dn_rows_take(&ood, NULL, rows, ood_sets[set]);
    if (status == DN_OK) status = put_means(r, &ood, label);
    if (status == DN_OK) status = put_metrics(r, id, &ood, label);
    if (status == DN_OK) status = put_metrics(r, right, &ood, against_right);
    dn_set_scores_close(&ood);
    return status;
}

static dn_status score(const dn_reproduction *r, const char *run, int part)
{
    dn_rows rows;
    dn_set_scores id = {0}, drawn = {0};
    uint8_t *right = NULL;
    char label[64];
    snprintf(label, sizeof label, "%s, ID", part_names[part]);
    dn_reproduce_note(r, "%s: scoring", run);
    dn_status status = dn_rows_open(&rows, r, run, dn_mi_scores, DN_MI_SCORES, 0);
    if (status == DN_OK) status = put_accuracies(r, &rows, run, part);
    if (status == DN_OK) status = dn_rows_take(&id, &right, &rows, rows.network->recipe->data.test);
    if (status == DN_OK) status = put_means(r, &id, label);
    if (status == DN_OK) status = draw_right(&drawn, r, &id, right);
    for (int s = 0; s < DN_MI_SETS && status == DN_OK; s++) status = compare(r, &rows, &id, &drawn, part, s);
    dn_free(right);
    dn_set_scores_close(&drawn);
    dn_set_scores_close(&id);
    dn_rows_close(&rows);
    return status;
}

/* ---- a part ---- */

static dn_status run_part(char **run, const dn_reproduction *r, int part)
{
    const char *overrides[MOST_OVERRIDES];
    char *path = dn_format("%s/%s/curve.csv", r->folder, part_names[part]);
    dn_mi_curve curve = {.path = path,
                         .data_dir = r->options->data_dir,
                         .id = "cifar10:test",
                         .ood = ood_sets,
                         .seed = r->seed,
                         .rows = r->options->quick ? QUICK_CURVE_ROWS : CURVE_ROWS};
    const dn_part_request request = {.name = part_names[part],
                                     .recipe = "cifar10-vgg16-mi",
                                     .overrides = overrides,
                                     .n_overrides = choose_overrides(overrides, r, part),
                                     .on_checkpoint = dn_mi_curve_look,
                                     .context = &curve};
    dn_part trained = {0};
    dn_status status = path ? dn_reproduce_train(&trained, r, &request) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = show_curve(r, &curve, part);
    if (status == DN_OK) status = score(r, trained.run, part);
    if (status == DN_OK) status = dn_reproduce_show(r, trained.run);
    if (status == DN_OK && !(*run = dn_strdup(trained.run))) status = DN_ERROR_MEMORY;
    dn_part_close(&trained);
    dn_mi_curve_close(&curve);
    dn_free(path);
    return status;
}

/* ---- both as one system ---- */

static dn_status put_systems(const dn_reproduction *r, const dn_combined *c, const char *rule)
{
    static const char *const sets[DN_SYSTEM_COUNT] = {[DN_SYSTEM_COMBINED] = "combined, TIM",
                                                      [DN_SYSTEM_ACCEPTOR] = "degeneralised alone, TIM",
                                                      [DN_SYSTEM_CLASSIFIER] = "plain alone, TIM"};
    for (int i = 0; i < c->n_rows; i++) {
        const dn_combined_row *row = &c->rows[i];
        const dn_selective_figures *f = &row->selective;
        const char *set = sets[row->system];
        DN_TRY(dn_reproduce_put(r, set, rule, "threshold", f->threshold));
        DN_TRY(dn_reproduce_put(r, set, rule, "ID or OOD", row->detection));
        DN_TRY(dn_reproduce_put(r, set, rule, "accepted", (double)f->accepted));
        DN_TRY(dn_reproduce_put(r, set, rule, "precision", f->precision));
        DN_TRY(dn_reproduce_put(r, set, rule, "recall", f->recall));
        DN_TRY(dn_reproduce_put(r, set, rule, "F1", f->f1));
    }
    return DN_OK;
}

static dn_status combine(const dn_reproduction *r, char *const *runs)
{
    static const char *const ood[] = {TIM};
    static const struct {
        dn_threshold_on on;
        const char *name;
    } rules[] = {{DN_THRESHOLD_ON_GRID, "grid on test rows"}, {DN_THRESHOLD_ON_HALF, "held-out half"}};
    for (int i = 0; i < 2; i++) {
        dn_combined combined;
        const dn_combined_options o = {.acceptor = runs[DEGENERALISED],
                                       .classifier = runs[PLAIN],
                                       .data_dir = r->options->data_dir,
                                       .ood = ood,
                                       .n_ood = 1,
                                       .threshold = rules[i].on,
                                       .quiet = true};
        DN_TRY(dn_combine(&combined, r->device, &o));
        const dn_status status = put_systems(r, &combined, rules[i].name);
        dn_combined_close(&combined);
        DN_TRY(status);
    }
    return DN_OK;
}

static dn_status seed(const dn_reproduction *r)
{
    char *runs[PARTS] = {NULL};
    dn_status status = DN_OK;
    for (int p = 0; p < PARTS && status == DN_OK; p++)
        if (dn_reproduce_wants(r, part_names[p])) status = run_part(&runs[p], r, p);
    if (status == DN_OK && runs[PLAIN] && runs[DEGENERALISED]) status = combine(r, runs);
    for (int p = 0; p < PARTS; p++) dn_free(runs[p]);
    return status;
}

static const char *const sets[] = {"cifar10:train", "cifar10:test", TIM, "svhn:test", NULL};

const dn_experiment dn_experiment_mi_ensemble = {
    .name = "mi-ensemble",
    .about = "ensembles of 10 VGG16, plain and degeneralised, and both as one system",
    .source = "Predictive Uncertainty via Degeneralization, a notebook and a training log (paper under review in 2020)",
    .address = "https://github.com/degeneralization/uncertainty",
    .column = {"notebook", "training log"},
    .settings =
        "CIFAR-10, 78,200 iterations, as the recipe cifar10-vgg16-mi says it; plain: the same without the "
        "mutual-information term. Unlike the source: TIM is the 10,000 test images of Tiny-ImageNet, resized to 32x32 "
        "once and in RGB (source: 10,000 training images, drawn twice with replacement, bicubic, BGR); SVHN is its "
        "test "
        "set (source: training set); Gaussian noise has mean 127.5 and deviation 64, cut at 0 and 255, before each "
        "image is standardised (source: not cut). LSUN is left out: the source's LSUN figures come of images that were "
        "cut to whole numbers by mistake. FPR95 at the first point with TPR >= .95, OOD positive. 'vs true': known "
        "images are drawn with replacement from those named rightly. The rule 'grid on test rows' chooses the "
        "threshold "
        "with the labels of the rows that are measured, as the source does; 'held-out half' does not. A block is 1000 "
        "iterations; the log's last rows are of 78,000, ours of 78,200.",
    .reduced =
        "3 members of VGG16 with an eighth of the width, batch 64, 600 iterations; blocks of 50 iterations stand "
        "for the source's of 1000 (switches and learning rates too), 12 of 78; curve on 1000 images of each set",
    .published = dn__published_mi,
    .n_published = DN_MI_PUBLISHED,
    .part = {{"plain", sets}, {"degeneralised", sets}},
    .n_parts = PARTS,
    .seed = seed,
};
