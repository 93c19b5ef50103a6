/* "Out-of-Distribution Detection Using an Ensemble of Self Supervised Leave-out Classifiers": five classifiers, each
 * without a fifth of the classes, and what they say to images that moved against a gradient. Two networks and two known
 * sets make four experiments. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/eloc_metrics.h"
#include "apps/experiments.h"
#include "apps/member_choice.h"
#include "apps/published_ensembles.h"
#include "apps/reproduce_rows.h"
#include "apps/train_run.h"
#include "core/alloc.h"

/* The rows that choose epochs are test images: they are left out of every figure, by their numbers. */
enum { PERMUTATION = 3, TEST_ROWS = 10000, CHOOSING = 1000, QUICK_ROWS = 2000, STEPS_PER_EPOCH = 400, SETS = 4 };

/* What makes an experiment one of the four. */
typedef struct variant {
    const dn_experiment *experiment;
    const char *recipe, *train, *test;
    double epsilon[SETS]; /* of the implementation, by set */
} variant;

/* ---- unknown sets ---- */

/* The images of the publications, and a choice of our own where those are not there. */
static const struct {
    const char *label, *expression, *own_label, *own;
} unknown[SETS] = {
    {"TIN crop", "tiny_imagenet_odin:crop", "TIN crop, other images", "tiny_imagenet:crop"},
    {"TIN resize", "tiny_imagenet_odin:resize", "TIN resize, other images", "tiny_imagenet:resize"},
    {"LSUN crop", "lsun:crop", NULL, NULL},
    {"LSUN resize", "lsun:resize", NULL, NULL},
};

/* What is there but damaged is an error, not another choice of sets. @param expression NULL: none */
static dn_status look_for(bool *there, const dn_reproduction *r, const char *expression)
{
    dn_dataset *set = NULL;
    const dn_dataset_options o = {.data_dir = r->options->data_dir, .limit = 1};
    *there = false;
    if (!expression) return DN_OK;
    const dn_status status = dn_dataset_open(&set, expression, &o);
    *there = status == DN_OK;
    dn_dataset_close(set);
    return status == DN_ERROR_FILE ? DN_OK : status;
}

/* @param own whether a choice of our own stands in @param out NULL: neither is there */
static dn_status find_unknown(const char **out, bool *own, const dn_reproduction *r, int s)
{
    bool there = false;
    *out = unknown[s].expression, *own = false;
    DN_TRY(look_for(&there, r, *out));
    if (there) return DN_OK;
    *out = unknown[s].own, *own = true;
    DN_TRY(look_for(&there, r, *out));
    if (!there) *out = NULL;
    return DN_OK;
}

/* The set that chooses epochs. */
static dn_status find_choosing(const char **out, const dn_reproduction *r)
{
    static const char *const sets[] = {"isun:resize", "textures:resize"};
    bool there = false;
    for (int i = 0; i < 2 && !there; i++) {
        *out = sets[i];
        DN_TRY(look_for(&there, r, *out));
    }
    if (there) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "%s: neither isun:resize nor textures:resize is there, by which epochs are chosen",
                   r->experiment->name);
}

/* Hours of training should not end at sets that are missing. */
static dn_status check_sets(const dn_reproduction *r)
{
    int count = 0;
    for (int s = 0; s < SETS; s++) {
        const char *expression = NULL;
        bool own = false;
        DN_TRY(find_unknown(&expression, &own, r, s));
        count += expression != NULL;
    }
    if (count > 0) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "%s: none of the unknown sets is there (%s, %s, %s, ...): see `dunlin data list`",
                   r->experiment->name, unknown[0].expression, unknown[0].own, unknown[2].expression);
}

/* Of a training that goes on: it must have chosen by the same set so far. */
static dn_status check_choice(dn_member_choice *c)
{
    const dn_status status = dn_member_choice_open(c, INT64_MAX);
    dn_member_choice_close(c);
    return status;
}

/* ---- training ---- */

static const char *const quick_overrides[] = {
    "train.limit=10000",
    "train.batch=50",
    "leave_out.batch=50",
    "train.epochs=4",
    "model.width=12",
    "train.checkpoint_every=160",
    "model.depth=10",
    "data.ood=[tiny_imagenet:resize]",
    "optimizer.schedule=[{epoch: 0, rate: 0.1}, {epoch: 2, rate: 0.01}, {epoch: 3, rate: 0.001}]",
};

enum { MOST_OVERRIDES = 16 };

static dn_status train(dn_part *out, const dn_reproduction *r, const variant *v, dn_member_choice *choice)
{
    const char *overrides[MOST_OVERRIDES] = {"train.checkpoint_every=400"};
    int count = 1;
    const size_t n_quick = sizeof quick_overrides / sizeof *quick_overrides;
    _Static_assert(STEPS_PER_EPOCH == 400, "a checkpoint at the end of each epoch");
    char *train_set = dn_format("data.train=%s", v->train), *test_set = dn_format("data.test=%s", v->test);
    overrides[count++] = train_set;
    overrides[count++] = test_set;
    for (size_t i = 0; i < n_quick && r->options->quick; i++) overrides[count++] = quick_overrides[i];
    const dn_part_request request = {.name = "classifiers",
                                     .recipe = v->recipe,
                                     .overrides = overrides,
                                     .n_overrides = count,
                                     .on_checkpoint = dn_member_choice_look,
                                     .context = choice};
    const dn_status status = train_set && test_set ? dn_reproduce_train(out, r, &request) : DN_ERROR_MEMORY;
    dn_free(test_set);
    dn_free(train_set);
    return status;
}

/* ---- the epochs that were chosen ---- */

static dn_status show_choice(const dn_reproduction *r, dn_member_choice *c)
{
    char set[32], series[32];
    dn_member_choice_close(c);
    DN_TRY(dn_member_choice_open(c, INT64_MAX));
    const double steps_per_epoch = c->table.rows ? dn_step_table_step(&c->table, 0) : 1.0;
    for (int e = 0; e < DN_CHOICE_MEMBERS && c->table.rows > 0; e++) {
        const size_t best = dn_member_choice_best(c, e);
        snprintf(set, sizeof set, "fold %d, choosing", e + 1);
        snprintf(series, sizeof series, "fold %d", e + 1);
        DN_TRY(dn_reproduce_put(r, set, "MSP", "AUROC", dn_step_table_at(&c->table, best, (size_t)e)));
        DN_TRY(dn_reproduce_put(r, set, "-", "epoch", dn_step_table_step(&c->table, best) / steps_per_epoch));
        for (size_t i = 0; i < c->table.rows; i++)
            DN_TRY(dn_reproduce_point(r, "AUROC of each fold on the images that choose its epoch", "epoch", "AUROC",
                                      series, dn_step_table_step(&c->table, i) / steps_per_epoch,
                                      dn_step_table_at(&c->table, i, (size_t)e)));
    }
    return DN_OK;
}

/* ---- figures ---- */

/* Moves the rows that did not choose to the front. @return how many */
static size_t drop_choosing(double *scores, size_t rows, const uint8_t *chose)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows; i++)
        if (!chose[i]) scores[kept++] = scores[i];
    return kept;
}

static dn_status put_figures(const dn_reproduction *r, dn_set_scores *id, dn_set_scores *ood, const char *set)
{
    static const char *const gradients[] = {"CE gradient", "entropy gradient"};
    static const char *const figures[DN_ELOC_FIGURES] = {"FPR95", "detection error", "AUROC", "AUPR in", "AUPR out"};
    const size_t most = id->rows > ood->rows ? id->rows : ood->rows;
    uint8_t *chose = dn_calloc(most, sizeof *chose);
    dn_status status = chose ? dn_rows_that_chose(chose, most, TEST_ROWS, CHOOSING, PERMUTATION) : DN_ERROR_MEMORY;
    for (size_t g = 0; g < id->count && status == DN_OK; g++) {
        double value[DN_ELOC_FIGURES];
        const size_t n_id = drop_choosing(id->score[g], id->rows, chose);
        const size_t n_ood = drop_choosing(ood->score[g], ood->rows, chose);
        status = dn_eloc_metrics(value, id->score[g], n_id, ood->score[g], n_ood);
        for (int f = 0; f < DN_ELOC_FIGURES && status == DN_OK; f++)
            status = dn_reproduce_put(r, set, gradients[g], figures[f], value[f]);
    }
    dn_free(chose);
    return status;
}

static dn_status score_set(const dn_reproduction *r, const variant *v, const char *run, const char *label,
                           const char *expression, double epsilon)
{
    char *scores[] = {dn_format("leave_out:T=1000,eps=%g", epsilon),
                      dn_format("leave_out:T=1000,eps=%g,gradient=entropy", epsilon)};
    dn_rows rows = {0};
    dn_set_scores id = {0}, ood = {0};
    dn_reproduce_note(r, "%s: %s, images move by %g", run, expression, epsilon);
    dn_status status = scores[0] && scores[1] ? dn_rows_open(&rows, r, run, (const char *const *)scores, 2,
                                                             r->options->quick ? QUICK_ROWS : 0)
                                              : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_rows_take(&id, NULL, &rows, v->test);
    if (status == DN_OK) status = dn_rows_take(&ood, NULL, &rows, expression);
    if (status == DN_OK) status = put_figures(r, &id, &ood, label);
    dn_set_scores_close(&ood);
    dn_set_scores_close(&id);
    dn_rows_close(&rows);
    dn_free(scores[1]);
    dn_free(scores[0]);
    return status;
}

static dn_status score_sets(const dn_reproduction *r, const variant *v, const char *run)
{
    for (int s = 0; s < SETS; s++) {
        const char *expression = NULL;
        bool own = false;
        DN_TRY(find_unknown(&expression, &own, r, s));
        if (expression)
            DN_TRY(score_set(r, v, run, own ? unknown[s].own_label : unknown[s].label, expression, v->epsilon[s]));
        else
            dn_reproduce_note(r, "%s is left out: '%s' is not among the data", unknown[s].label, unknown[s].expression);
    }
    return DN_OK;
}

/* By the mean of the members' probabilities, 0 where a class is left out. */
static dn_status put_accuracy(const dn_reproduction *r, const variant *v, const char *run)
{
    dn_rows rows;
    dn_accuracy_report report = {0};
    static const char *const plain[] = {"leave_out"};
    dn_status status = dn_rows_open(&rows, r, run, plain, 1, 0);
    if (status == DN_OK) status = dn_train_measure(&report, rows.network, run, r->options->data_dir, v->test);
    double mean = 0.0;
    for (int e = 0; status == DN_OK && e < rows.network->members; e++) mean += report.member[e] / rows.network->members;
    dn_free(report.member);
    dn_rows_close(&rows);
    if (status == DN_OK) status = dn_reproduce_put(r, "test images", "-", "accuracy", report.ensemble);
    return status == DN_OK ? dn_reproduce_put(r, "test images", "-", "members' mean accuracy, own classes", mean)
                           : status;
}

/* ---- one seed ---- */

static dn_status run_variant(const dn_reproduction *r, const variant *v)
{
    char *run = dn_format("%s/classifiers", r->folder), *path = dn_format("%s/classifiers/choice.csv", r->folder);
    char *best = dn_format("%s/classifiers/best", r->folder);
    dn_member_choice choice = {.run = run,
                               .path = path,
                               .data_dir = r->options->data_dir,
                               .id = v->test,
                               .permutation = PERMUTATION,
                               .rows = CHOOSING};
    dn_part trained = {0};
    dn_status status = run && path && best ? check_sets(r) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = find_choosing(&choice.ood, r);
    if (status == DN_OK) status = check_choice(&choice);
    if (status == DN_OK) dn_reproduce_note(r, "epochs are chosen by %s", choice.ood);
    if (status == DN_OK) status = train(&trained, r, v, &choice);
    if (status == DN_OK) status = show_choice(r, &choice);
    if (status == DN_OK) status = put_accuracy(r, v, best);
    if (status == DN_OK) status = score_sets(r, v, best);
    if (status == DN_OK) status = dn_reproduce_show(r, best);
    dn_part_close(&trained);
    dn_member_choice_close(&choice);
    dn_free(best);
    dn_free(path);
    dn_free(run);
    return status;
}

static const variant variants[] = {
    {&dn_experiment_leave_out, "cifar10-densenet-leave-out", "cifar10:train", "cifar10:test", {.002, .002, .002, .002}},
    {&dn_experiment_leave_out_cifar100,
     "cifar10-densenet-leave-out",
     "cifar100:train",
     "cifar100:test",
     {.002, .002, .003, .003}},
    {&dn_experiment_leave_out_wrn, "cifar10-wrn-leave-out", "cifar10:train", "cifar10:test", {.003, .003, .001, .002}},
    {&dn_experiment_leave_out_wrn_cifar100,
     "cifar10-wrn-leave-out",
     "cifar100:train",
     "cifar100:test",
     {.002, .002, .002, .002}},
};

static dn_status seed(const dn_reproduction *r)
{
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (variants[i].experiment == r->experiment) return run_variant(r, &variants[i]);
    return dn_fail(DN_ERROR_INTERNAL, "%s is no leave-out experiment", r->experiment->name);
}

/* ---- the experiments ---- */

static const char settings[] =
    "5 classifiers, folds of NumPy's permutation by seed 3, 100 epochs of 400 steps with batches of 100 known and 100 "
    "left-out images, all of it as the recipe says. Score: sum over classifiers of max p - H(p), T = 1000, of images "
    "moved by the epsilon of the implementation for each set, against the gradient of the cross entropy (as the "
    "implementation does) and of the entropy (as the paper says). Each classifier's epoch is the one of the best AUROC "
    "of its largest probability, 1000 test images against 1000 of iSUN, where that set is there, else of the textures "
    "(then unlike the source); the rows that chose are left out of all figures. Figures are computed as the "
    "implementation does, ID positive. Where ODIN's Tiny-ImageNet images are not there, other windows and other test "
    "images of Tiny-ImageNet stand in, in rows of their own: they are not the published sets. The five are trained "
    "together here, each on its own batches.";
static const char source[] =
    "Vyas et al., Out-of-Distribution Detection Using an Ensemble of Self Supervised Leave-out "
    "Classifiers, ECCV 2018, and its public implementation";
static const char address[] =
    "https://arxiv.org/abs/1809.03576, https://github.com/YU1ut/Ensemble-of-Leave-out-Classifiers";

#define REDUCED                                                                                                     \
    ", 4 epochs of 160 steps instead of 100 of 400, on the first 10,000 of 50,000 training images, batches of 50, " \
    "rates "                                                                                                        \
    "divided by 10 after 2 and 3 epochs; figures on the first 2,000 images of each set without those that chose"
#define SHARED                                                                                                       \
    .source = source, .address = address, .column = {"paper", "implementation"}, .settings = settings, .seed = seed, \
    .n_published = DN_LEAVE_OUT_PUBLISHED, .n_parts = 1

static const char *const needs10[] = {"cifar10:train", "cifar10:test", NULL};
static const char *const needs100[] = {"cifar100:train", "cifar100:test", NULL};

const dn_experiment dn_experiment_leave_out = {
    .name = "leave-out",
    .about = "leave-out classifiers: DenseNet-BC-100-12 on CIFAR-10",
    .reduced = "DenseNet-BC-10-12" REDUCED,
    .published = dn__published_dn10,
    .part = {{"classifiers", needs10}},
    SHARED,
};

const dn_experiment dn_experiment_leave_out_cifar100 = {
    .name = "leave-out-cifar100",
    .about = "leave-out classifiers: DenseNet-BC-100-12 on CIFAR-100",
    .reduced = "DenseNet-BC-10-12" REDUCED,
    .published = dn__published_dn100,
    .part = {{"classifiers", needs100}},
    SHARED,
};

const dn_experiment dn_experiment_leave_out_wrn = {
    .name = "leave-out-wrn",
    .about = "leave-out classifiers: WRN-28-10 on CIFAR-10",
    .reduced = "WRN-10 of 12 filters" REDUCED,
    .published = dn__published_wrn10,
    .part = {{"classifiers", needs10}},
    SHARED,
};

const dn_experiment dn_experiment_leave_out_wrn_cifar100 = {
    .name = "leave-out-wrn-cifar100",
    .about = "leave-out classifiers: WRN-28-10 on CIFAR-100",
    .reduced = "WRN-10 of 12 filters" REDUCED,
    .published = dn__published_wrn100,
    .part = {{"classifiers", needs100}},
    SHARED,
};
