/** Losses that are put together from ops. Natural logarithms. */
#ifndef DN_LAYERS_LOSSES_H
#define DN_LAYERS_LOSSES_H

#include "core/ops.h"
#include "core/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** beta * max(margin + mean H(in) - mean H(out), 0) -> [1] of each member: the entropy of what a member knows shall
 *  stay `margin` nats below that of what it does not know. @param in, out logits [N,C] and [M,C]
 *  Source: Vyas et al., ECCV 2018. */
dn_tensor dn_loss_entropy_margin(dn_program *p, dn_tensor in, dn_tensor out, double beta, double margin);

/** Mean over rows of the mutual information between class and member -> [1], shared. logits [N,C] of each member. */
dn_tensor dn_loss_mutual_information(dn_program *p, dn_tensor logits);

/** @return whether the parameter of this name counts */
typedef bool dn_parameter_filter(const char *name);

/** "<layer>.weight" and "<layer>.bias": all but batch norm's parameters */
dn_parameter_filter dn_weights_and_biases;
dn_parameter_filter dn_weights; /**< "<layer>.weight" */

/** factor * sum of squares (no 1/2) over those of the program's parameters that pass the filter -> [1] of each member.
 *  Call it when the model has been built. */
dn_tensor dn_loss_l2(dn_program *p, double factor, dn_parameter_filter *filter);

#ifdef __cplusplus
}
#endif
#endif
