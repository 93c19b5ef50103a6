/* Simplified Hopfield energy of several layers. */
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
    {DN_OODEEL_CIFAR, "-", "test accuracy", {0.9278, NAN}},
    {DN_OODEEL_CIFAR, "SHE", "AUROC", {0.988420, 0.949659}},
    {DN_OODEEL_CIFAR, "SHE", "FPR95", {0.055000, 0.252100}},
    {DN_OODEEL_CIFAR, "SHE, images not moved", "AUROC", {NAN, NAN}},
    {DN_OODEEL_CIFAR, "SHE, images not moved", "FPR95", {NAN, NAN}},
    {DN_OODEEL_CIFAR, "MSP", "AUROC", {NAN, NAN}},
    {DN_OODEEL_CIFAR, "MSP", "FPR95", {NAN, NAN}},
};

/* The source moves images along the gradient of the score: away from the patterns. */
static const dn_labelled scores[] = {{"SHE", "she:rule=max,eps=-.0014,layers=all"},
                                     {"SHE, images not moved", "she:rule=max,layers=all"},
                                     {"MSP", "msp"}};

static dn_status seed(const dn_reproduction *r)
{
    static const dn_oodeel_scores scored = {.recipe = "mnist-toy-mlp",
                                            .scores = scores,
                                            .n_scores = sizeof scores / sizeof *scores,
                                            .layers = "dense1",
                                            .all_layers = true,
                                            .noise = 1e-5,
                                            .n_noisy = 2};
    return dn_oodeel_run(r, &scored);
}

const dn_experiment dn_experiment_she = {
    .name = "she",
    .about = "simplified Hopfield energy (SHE) of several layers, digits 0-4 against 5-9 and CIFAR-10 against SVHN",
    .source = "oodeel's notebook on SHE (the method: Zhang et al., ICLR 2023)",
    .address = "https://github.com/deel-ai/oodeel",
    .column = {"notebook", "later version"},
    .settings =
        "Digits: dense layers of 300 and 150 units and ten outputs for five digits, pixels in 0..1, Adam .001, batch "
        "128, 5 epochs; kept is the epoch with the best accuracy on the test set, as in the source; both dense "
        "layers are scored. CIFAR-10: the residual network of the Keras examples, trained here as they do, where the "
        "source has a weight file (--weights reads it); two layers of each stage and the last one are scored. SHE: "
        "minus the largest inner product with a class's mean over correctly named training images, divided by the "
        "number of units, summed over layers; images are moved by .0014 first; what is uniform in 0..1e-5 is added. "
        "FPR95 on every fourth threshold, at the first with TPR < .95, as the library reads it. The later version "
        "moves images by another gradient and divides each layer's score by its deviation.",
    .reduced = DN_OODEEL_REDUCED,
    .published = published,
    .n_published = sizeof published / sizeof *published,
    .part = DN_OODEEL_PARTS,
    .n_parts = 2,
    .weights = "cifar",
    .seed = seed,
};
