/** What the two experiments after the notebooks of the library oodeel have in common. */
#ifndef DN_APPS_REPRODUCE_OODEEL_H
#define DN_APPS_REPRODUCE_OODEEL_H

#include "apps/reproduce.h"

#define DN_OODEEL_MNIST "MNIST 0-4 / 5-9"

/** One of the two halves. */
typedef struct dn_oodeel_half {
    dn_part_request network;
    const char *set;           /**< what the table calls it */
    const char *id, *ood;      /**< expressions */
    const dn_labelled *scores; /**< [n_scores] */
    int n_scores;
    const char *layers; /**< see dn_scoring_options */
    double noise;       /**< see dn_score_request */
} dn_oodeel_half;

/** Trains the network, keeping the checkpoint of the best test accuracy as the source's training function does, puts
 *  its accuracy, scores, and puts AUROC and FPR95 as the library reads them. */
dn_status dn_oodeel_run(const dn_reproduction *r, const dn_oodeel_half *half) DN_NODISCARD;

#endif
