/* Three scores of one small network: largest probability, Monte Carlo dropout, ReAct with energy. */
#include <math.h>

#include "apps/experiments.h"

#define AGAINST "CIFAR-10 / MNIST"
#define TRAINED "CIFAR-10, 10th epoch"

static const dn_published published[] = {
    {AGAINST, "MSP", "AUROC", {0.64310357, NAN}},
    {AGAINST, "MSP", "AUPR", {0.5806254718909908, NAN}},
    {AGAINST, "MSP", "FPR95", {0.7788, NAN}},
    {AGAINST, "MC dropout", "AUROC", {0.717056355, NAN}},
    {AGAINST, "MC dropout", "AUPR", {0.6321278668951666, NAN}},
    {AGAINST, "MC dropout", "FPR95", {0.6845, NAN}},
    {AGAINST, "ReAct + energy", "AUROC", {0.89320782, NAN}},
    {AGAINST, "ReAct + energy", "AUPR", {0.8177956025178723, NAN}},
    {AGAINST, "ReAct + energy", "FPR95", {0.2679, NAN}},
    {AGAINST, "energy", "AUROC", {NAN, NAN}},
    {AGAINST, "energy", "AUPR", {NAN, NAN}},
    {AGAINST, "energy", "FPR95", {NAN, NAN}},
    {TRAINED, "-", "training loss", {0.8633091169245103, NAN}},
    {TRAINED, "-", "training accuracy", {0.6980199999999999, NAN}},
    {TRAINED, "-", "test accuracy", {NAN, NAN}},
};

static dn_status score(const dn_reproduction *r, const char *run)
{
    static const dn_labelled sets[] = {{AGAINST, "mnist:test@32x32x3"}};
    static const dn_labelled scores[] = {{"MSP", "msp"},
                                         {"MC dropout", "mc_dropout:T=20"},
                                         {"ReAct + energy", "react:q=.9+energy"},
                                         {"energy", "energy"}};
    static const dn_metric figures[] = {DN_METRIC_AUROC, DN_METRIC_AUPR_OUT, DN_METRIC_FPR95};
    const dn_score_request request = {.run = run,
                                      .ood = sets,
                                      .n_ood = 1,
                                      .scores = scores,
                                      .n_scores = 4,
                                      .metrics = {DN_FPR_FIRST, DN_POSITIVE_OOD},
                                      .figures = figures,
                                      .n_figures = 3};
    return dn_reproduce_score(r, &request);
}

static dn_status put_training(const dn_reproduction *r, const dn_part *part)
{
    DN_TRY(dn_reproduce_put(r, TRAINED, "-", "training loss", part->loss));
    DN_TRY(dn_reproduce_put(r, TRAINED, "-", "training accuracy", part->train_accuracy));
    return dn_reproduce_put(r, TRAINED, "-", "test accuracy", part->accuracy);
}

static dn_status seed(const dn_reproduction *r)
{
    static const char *const overrides[] = {"data.ood=mnist:test@32x32x3", "train.limit=10000", "train.epochs=2"};
    const dn_part_request request = {
        .name = "network", .recipe = "cifar10-cnn3", .overrides = overrides, .n_overrides = r->options->quick ? 3 : 1};
    dn_part part = {0};
    DN_TRY(dn_reproduce_train(&part, r, &request));
    dn_status status = put_training(r, &part);
    if (status == DN_OK) status = score(r, part.run);
    if (status == DN_OK) status = dn_reproduce_show(r, part.run);
    dn_part_close(&part);
    return status;
}

static const char *const sets[] = {"cifar10:train", "cifar10:test", "mnist:test@32x32x3", NULL};

const dn_experiment dn_experiment_mc_dropout_react = {
    .name = "mc-dropout-react",
    .about = "MSP, Monte Carlo dropout and ReAct + energy of a small network, CIFAR-10 against MNIST",
    .source = "a notebook that compares three scores of one network, without a paper",
    .address = "no stable address; methods: Hendrycks and Gimpel 2017, Gal and Ghahramani 2016, Sun et al. 2021",
    .column = {"notebook", NULL},
    .settings =
        "Network cnn3 with dropout .3, CIFAR-10 in 0..1 without augmentation, Adam .001, batch 128, 10 epochs. MNIST "
        "resized to 32x32 and repeated in three channels. MC dropout: entropy of the mean of 20 passes. ReAct: the .9 "
        "quantile of the 256 features over all training images, all units pooled. OOD is the positive class; FPR95 at "
        "the first point with TPR >= .95. Energy without ReAct is not in the source.",
    .reduced = "2 epochs instead of 10, on the first 10,000 of 50,000 training images",
    .published = published,
    .n_published = sizeof published / sizeof *published,
    .part = {{"mnist", sets}},
    .n_parts = 1,
    .seed = seed,
};
