/* Simplified Hopfield energy of two dense layers: digits 0-4 against 5-9. */
#include <math.h>

#include "apps/experiments.h"
#include "apps/reproduce_oodeel.h"

static const dn_published published[] = {
    {DN_OODEEL_MNIST, "-", "test accuracy", {0.9934, NAN}},
    {DN_OODEEL_MNIST, "SHE", "AUROC", {0.725269, 0.739956}},
    {DN_OODEEL_MNIST, "SHE", "FPR95", {0.688655, 0.647208}},
    {DN_OODEEL_MNIST, "SHE, images not moved", "AUROC", {NAN, NAN}},
    {DN_OODEEL_MNIST, "SHE, images not moved", "FPR95", {NAN, NAN}},
    {DN_OODEEL_MNIST, "MSP", "AUROC", {NAN, NAN}},
    {DN_OODEEL_MNIST, "MSP", "FPR95", {NAN, NAN}},
};

static const dn_labelled scores[] = {
    {"SHE", "she:rule=max,eps=.0014,layers=all"}, {"SHE, images not moved", "she:rule=max,layers=all"}, {"MSP", "msp"}};
enum { N_SCORES = sizeof scores / sizeof *scores };

static dn_status seed(const dn_reproduction *r)
{
    static const char *const overrides[] = {"model.outputs=10", "train.epochs=1", "train.limit=10000"};
    const dn_oodeel_half half = {.network = {.name = "mnist",
                                             .recipe = "mnist-toy-mlp",
                                             .overrides = overrides,
                                             .n_overrides = r->options->quick ? 3 : 1,
                                             .keep_best = true},
                                 .set = DN_OODEEL_MNIST,
                                 .ood = "mnist[5-9]:test",
                                 .scores = scores,
                                 .n_scores = N_SCORES,
                                 .layers = "dense1",
                                 .noise = 1e-5};
    return dn_oodeel_run(r, &half);
}

static const char *const mnist_sets[] = {"mnist[0-4]:train", "mnist[0-4]:test", "mnist[5-9]:test", NULL};

const dn_experiment dn_experiment_she = {
    .name = "she",
    .about = "simplified Hopfield energy (SHE) of several layers, digits 0-4 against 5-9",
    .source = "oodeel's notebook on SHE (the method: Zhang et al., ICLR 2023)",
    .address = "https://github.com/deel-ai/oodeel",
    .column = {"notebook", "later version"},
    .settings =
        "Dense layers of 300 and 150 units and ten outputs for five digits, pixels in 0..1, Adam .001, batch 128, 5 "
        "epochs; kept is the epoch with the best accuracy on the test set, as in the source. SHE: minus the largest "
        "inner "
        "product with a class's mean over correctly named training images, divided by the number of units, summed over "
        "both layers; images are moved by .0014 first; what is uniform in 0..1e-5 is added. FPR95 on every fourth "
        "threshold, at the first with TPR < .95, as the library reads it.",
    .reduced = "1 epoch instead of 5, on the first 10,000 of 30,596 training images",
    .published = published,
    .n_published = sizeof published / sizeof *published,
    .part = {{"mnist", mnist_sets}},
    .n_parts = 1,
    .seed = seed,
};
