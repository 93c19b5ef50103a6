/** What the two experiments after the notebooks of the library oodeel have in common. */
#ifndef DN_APPS_REPRODUCE_OODEEL_H
#define DN_APPS_REPRODUCE_OODEEL_H

#include "apps/reproduce.h"

#define DN_OODEEL_MNIST "MNIST 0-4 / 5-9"
#define DN_OODEEL_CIFAR "CIFAR-10 / SVHN"
#define DN_OODEEL_PARTS                   \
    {                                     \
        {"mnist", dn_oodeel_mnist_sets},  \
        {                                 \
            "cifar", dn_oodeel_cifar_sets \
        }                                 \
    }
#define DN_OODEEL_REDUCED                                                                                              \
    "1 epoch instead of 5 on the first 10,000 of 30,596 digits; for CIFAR-10 a network of depth 8 instead of 56, 300 " \
    "steps of batch 32 instead of 312,600, on the first 9,600 of 50,000 images"

extern const char *const dn_oodeel_mnist_sets[], *const dn_oodeel_cifar_sets[];

/** What is scored. */
typedef struct dn_oodeel_scores {
    const char *recipe;        /**< of the digits' network */
    const dn_labelled *scores; /**< [n_scores] */
    int n_scores;
    const char *layers; /**< of the digits' network, see dn_scoring_options */
    bool all_layers;    /**< of the other network: those that the notebook on SHE names, else the last */
    double noise;       /**< see dn_score_request */
    int n_noisy;
} dn_oodeel_scores;

/** Runs the parts that are asked for.
 *
 * Digits: ten outputs for five classes, and the checkpoint of the best test accuracy is kept, as the source's training
 * function does. CIFAR-10: the residual network of the Keras examples, trained here or read from --weights.
 * Puts accuracies, AUROC, and FPR95 as the library reads it. */
dn_status dn_oodeel_run(const dn_reproduction *r, const dn_oodeel_scores *scores) DN_NODISCARD;

#endif
