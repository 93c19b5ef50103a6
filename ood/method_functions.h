/** The score functions behind the table of methods: library-private. OOD score formulas: docs/scores.md. */
#ifndef DN_OOD_METHOD_FUNCTIONS_H
#define DN_OOD_METHOD_FUNCTIONS_H

#include "ood/method.h"

dn_score_single_fn dn__score_msp, dn__score_max_logit, dn__score_energy, dn__score_entropy, dn__score_gen;

dn_score_ensemble_fn dn__score_predictive_entropy, dn__score_expected_entropy, dn__score_mutual_information,
    dn__score_ensemble_msp, dn__score_variance, dn__score_variation_ratio, dn__score_pairwise_kl, dn__score_leave_out;

/** One row's probabilities over all classes, 0 at the classes that a member leaves out.
 *  @param p [members, classes] @param mean [classes] mean over members, may be NULL @param own [classes] scratch */
void dn__member_probabilities(double *p, double *mean, double *own, const dn_score_block *in, size_t row);

/** ln of the members' mean probabilities: minus infinity only at a class that all members leave out.
 *  @param l [classes] @param scratch dn_method_scratch() doubles */
void dn__log_mean_probabilities(double *l, const dn_score_block *in, size_t row, double *scratch);

#endif
