/* "Predictive Uncertainty via Degeneralization": a plain and a degeneralised ensemble of VGG16, and both as one system
 * that the degeneralised one guards and the plain one names by. */
#include <stdio.h>

#include "apps/combined.h"
#include "apps/experiments.h"
#include "apps/mi_curve.h"
#include "apps/mi_figures.h"
#include "apps/published_ensembles.h"
#include "core/alloc.h"

#define TIM "tiny_imagenet:resize"

enum {
    PLAIN,
    DEGENERALISED,
    PARTS,
    ENTROPY = 1,
    FULL_BLOCK = 1000,
    QUICK_BLOCK = 100,
    CURVE_ROWS = 10000,
    QUICK_CURVE_ROWS = 1000
};

static const char *const part_names[PARTS] = {"plain", "degeneralised"};
static const dn_labelled unknown[DN_MI_SETS] = {
    {"TIM", TIM}, {"SVHN", "svhn:test"}, {"Gaussian", "noise:gaussian@32x32x3"}};

/* ---- training ---- */

static int64_t block_of(const dn_reproduction *r)
{
    return r->options->quick ? QUICK_BLOCK : FULL_BLOCK;
}

/* Blocks of 100 iterations stand for those of 1000. */
static const char *const quick_overrides[] = {
    "model.width=16",
    "ensemble.members=3",
    "train.batch=64",
    "train.steps=1200",
    "train.checkpoint_every=100",
    "optimizer.schedule=[{step: 0, rate: 1e-3}, {step: 1000, rate: 3e-4}]",
};
static const char *const quick_mi_overrides[] = {
    "mi.batch=64", "mi.sources.1.redraw_every=10", "mi.period=700",
    "mi.switches=[{step: 0, source: 0}, {step: 200, source: 1}, {step: 300, source: 0}]"};

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
    return dn_reproduce_point(r, title, r->options->quick ? "iterations / 100" : "iterations / 1000", y_label, series,
                              x, y);
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
        const double block = dn_step_table_step(t, i) / (double)block_of(r);
        DN_TRY(add_point(r, accuracy_title, "accuracy", part_names[part], block,
                         dn_step_table_at(t, i, DN_MI_ACCURACY_COLUMN)));
        for (int s = 0; s < DN_MI_SETS; s++)
            DN_TRY(add_point(r, title, "AUROC", unknown[s].label, block,
                             dn_step_table_at(t, i, dn_mi_auroc_column(s, ENTROPY))));
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

/* ---- a part ---- */

static dn_status run_part(char **run, const dn_reproduction *r, int part)
{
    const char *overrides[MOST_OVERRIDES];
    char *path = dn_format("%s/%s/curve.csv", r->folder, part_names[part]);
    dn_mi_curve curve = {.path = path,
                         .data_dir = r->options->data_dir,
                         .id = "cifar10:test",
                         .ood = unknown,
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
    if (status == DN_OK) status = dn_mi_put_figures(r, trained.run, part_names[part], unknown);
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
        "mutual-information term. Unlike the source: TIM is the 10,000 test images of Tiny-ImageNet, resized to "
        "32x32 once and in RGB (source: 10,000 training images, drawn twice with replacement, bicubic, BGR); SVHN is "
        "its test set (source: training set); Gaussian noise has mean 127.5 and deviation 64, cut at 0 and 255, "
        "before each image is standardised (source: not cut). LSUN is left out: the source's LSUN figures come of "
        "images that were cut to whole numbers by mistake. FPR95 at the first point with TPR >= .95, OOD positive. "
        "'vs true': known images are drawn with replacement from those named rightly. The rule 'grid on test rows' "
        "chooses the threshold with the labels of the rows that are measured, as the source does; 'held-out half' "
        "does not. A block is 1000 iterations; the log's last rows are of 78,000, ours of 78,200. Adam adds its "
        "epsilon after the correction of bias, as published (TensorFlow, which the source uses, before).",
    .reduced =
        "3 members of VGG16 with a quarter of the width, batch 64, 1200 iterations; blocks of 100 iterations stand "
        "for the source's of 1000 (switches and learning rates too), 12 of 78; curve on 1000 images of each set",
    .published = dn__published_mi,
    .n_published = DN_MI_PUBLISHED,
    .part = {{"plain", sets}, {"degeneralised", sets}},
    .n_parts = PARTS,
    .seed = seed,
};
