/** Every method's constant, for the table in method.c: library-private. */
#ifndef DN_OOD_METHODS_H
#define DN_OOD_METHODS_H

#include "ood/method.h"

/* Scores of logits. */
extern const dn_method dn__method_msp, dn__method_max_logit, dn__method_energy, dn__method_entropy, dn__method_gen;
extern const dn_method dn__method_temp_scale, dn__method_kl_matching;

/* Scores of features. */
extern const dn_method dn__method_mahalanobis, dn__method_rmds, dn__method_knn, dn__method_vim, dn__method_residual,
    dn__method_she, dn__method_gradnorm, dn__method_nnguide, dn__method_fdbd, dn__method_nci, dn__method_neco,
    dn__method_gram, dn__method_openmax;

/* Shapings. */
extern const dn_method dn__method_react, dn__method_vra, dn__method_ash, dn__method_scale, dn__method_dice;

/* Scores that need more of the network than one pass. */
extern const dn_method dn__method_odin, dn__method_odin_entropy, dn__method_rankfeat, dn__method_mc_dropout;

/* Scores that combine members. */
extern const dn_method dn__method_predictive_entropy, dn__method_expected_entropy, dn__method_mutual_information,
    dn__method_ensemble_msp, dn__method_variance, dn__method_variation_ratio, dn__method_pairwise_kl,
    dn__method_leave_out;

#endif
