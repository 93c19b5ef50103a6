/* Generalised entropy: digits 0-4 against 5-9. */
#include <math.h>

#include "apps/experiments.h"
#include "apps/reproduce_oodeel.h"

static const dn_published published[] = {
    {DN_OODEEL_MNIST, "-", "test accuracy", {0.9979, NAN}},   {DN_OODEEL_MNIST, "GEN", "AUROC", {0.914862, 0.927143}},
    {DN_OODEEL_MNIST, "GEN", "FPR95", {0.529675, 0.427710}},  {DN_OODEEL_MNIST, "MSP", "AUROC", {NAN, 0.938834}},
    {DN_OODEEL_MNIST, "MSP", "FPR95", {NAN, 0.416813}},       {DN_OODEEL_MNIST, "max logit", "AUROC", {NAN, 0.931308}},
    {DN_OODEEL_MNIST, "max logit", "FPR95", {NAN, 0.403775}}, {DN_OODEEL_MNIST, "energy", "AUROC", {NAN, 0.929433}},
    {DN_OODEEL_MNIST, "energy", "FPR95", {NAN, 0.408251}},    {DN_OODEEL_MNIST, "entropy", "AUROC", {NAN, 0.939085}},
    {DN_OODEEL_MNIST, "entropy", "FPR95", {NAN, 0.418369}},
};

static const dn_labelled scores[] = {
    {"GEN", "gen"}, {"MSP", "msp"}, {"max logit", "max_logit"}, {"energy", "energy"}, {"entropy", "entropy"}};
enum { N_SCORES = sizeof scores / sizeof *scores };

static dn_status seed(const dn_reproduction *r)
{
    static const char *const overrides[] = {"model.outputs=10", "train.epochs=1", "train.limit=10000"};
    const dn_oodeel_half half = {.network = {.name = "mnist",
                                             .recipe = "mnist-toy-convnet",
                                             .overrides = overrides,
                                             .n_overrides = r->options->quick ? 3 : 1,
                                             .keep_best = true},
                                 .set = DN_OODEEL_MNIST,
                                 .ood = "mnist[5-9]:test",
                                 .scores = scores,
                                 .n_scores = N_SCORES};
    return dn_oodeel_run(r, &half);
}

static const char *const mnist_sets[] = {"mnist[0-4]:train", "mnist[0-4]:test", "mnist[5-9]:test", NULL};

const dn_experiment dn_experiment_gen = {
    .name = "gen",
    .about = "generalised entropy (GEN), digits 0-4 against 5-9",
    .source = "oodeel's notebook on GEN (the method: Liu, Lochman and Zach, CVPR 2023)",
    .address = "https://github.com/deel-ai/oodeel",
    .column = {"notebook", "later version"},
    .settings =
        "Two convolutions and one dense layer with ten outputs for five digits, dropout .5, pixels in 0..1, Adam .001, "
        "batch 128, 5 epochs; kept is the epoch with the best accuracy on the test set, as in the source. GEN with "
        "gamma "
        ".1 on all classes. FPR95 on every fourth threshold, at the first with TPR < .95, as the library reads it. The "
        "later version also publishes the scores below GEN, for a network that it trained in the same way.",
    .reduced = "1 epoch instead of 5, on the first 10,000 of 30,596 training images",
    .published = published,
    .n_published = sizeof published / sizeof *published,
    .part = {{"mnist", mnist_sets}},
    .n_parts = 1,
    .seed = seed,
};
