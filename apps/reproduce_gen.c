/* Generalised entropy. */
#include <math.h>

#include "apps/experiments.h"
#include "apps/reproduce_oodeel.h"

static const dn_published published[] = {
    {DN_OODEEL_MNIST, "-", "test accuracy", {0.9979, NAN}},   {DN_OODEEL_MNIST, "GEN", "AUROC", {0.914862, 0.927143}},
    {DN_OODEEL_MNIST, "GEN", "FPR95", {0.529675, 0.427710}},  {DN_OODEEL_MNIST, "MSP", "AUROC", {NAN, 0.938834}},
    {DN_OODEEL_MNIST, "MSP", "FPR95", {NAN, 0.416813}},       {DN_OODEEL_MNIST, "max logit", "AUROC", {NAN, 0.931308}},
    {DN_OODEEL_MNIST, "max logit", "FPR95", {NAN, 0.403775}}, {DN_OODEEL_MNIST, "energy", "AUROC", {NAN, 0.929433}},
    {DN_OODEEL_MNIST, "energy", "FPR95", {NAN, 0.408251}},    {DN_OODEEL_MNIST, "entropy", "AUROC", {NAN, 0.939085}},
    {DN_OODEEL_MNIST, "entropy", "FPR95", {NAN, 0.418369}},   {DN_OODEEL_CIFAR, "-", "test accuracy", {0.9275, NAN}},
    {DN_OODEEL_CIFAR, "GEN", "AUROC", {0.969413, 0.969417}},  {DN_OODEEL_CIFAR, "GEN", "FPR95", {0.133700, 0.133400}},
    {DN_OODEEL_CIFAR, "MSP", "AUROC", {NAN, 0.932143}},       {DN_OODEEL_CIFAR, "MSP", "FPR95", {NAN, 0.209000}},
    {DN_OODEEL_CIFAR, "max logit", "AUROC", {NAN, 0.915850}}, {DN_OODEEL_CIFAR, "max logit", "FPR95", {NAN, 0.205700}},
    {DN_OODEEL_CIFAR, "energy", "AUROC", {NAN, 0.909189}},    {DN_OODEEL_CIFAR, "energy", "FPR95", {NAN, 0.206900}},
    {DN_OODEEL_CIFAR, "entropy", "AUROC", {NAN, 0.942945}},   {DN_OODEEL_CIFAR, "entropy", "FPR95", {NAN, 0.205500}},
};

static const dn_labelled scores[] = {
    {"GEN", "gen"}, {"MSP", "msp"}, {"max logit", "max_logit"}, {"energy", "energy"}, {"entropy", "entropy"}};

static dn_status seed(const dn_reproduction *r)
{
    static const dn_oodeel_scores scored = {
        .recipe = "mnist-toy-convnet", .scores = scores, .n_scores = sizeof scores / sizeof *scores};
    return dn_oodeel_run(r, &scored);
}

const dn_experiment dn_experiment_gen = {
    .name = "gen",
    .about = "generalised entropy (GEN), digits 0-4 against 5-9 and CIFAR-10 against SVHN",
    .source = "oodeel's notebook on GEN (the method: Liu, Lochman and Zach, CVPR 2023)",
    .address = "https://github.com/deel-ai/oodeel",
    .column = {"notebook", "later version"},
    .settings =
        "Digits: two convolutions and one dense layer with ten outputs for five digits, dropout .5, pixels in 0..1, "
        "Adam .001, batch 128, 5 epochs; kept is the epoch with the best accuracy on the test set, as in the source. "
        "CIFAR-10: the residual network of the Keras examples, trained here as they do, where the source has a "
        "weight file (--weights reads it). GEN with gamma .1 on all classes. FPR95 on every fourth threshold, at the "
        "first with TPR < .95, as the library reads it. The later version also publishes the other scores: of the "
        "same CIFAR-10 network, and of networks for the digits that were trained in the same way.",
    .reduced = DN_OODEEL_REDUCED,
    .published = published,
    .n_published = sizeof published / sizeof *published,
    .part = DN_OODEEL_PARTS,
    .n_parts = 2,
    .weights = "cifar",
    .seed = seed,
};
