/** The end of a training program: gradients, check, update, next step. */
#ifndef DN_OPTIM_OPTIMIZER_H
#define DN_OPTIM_OPTIMIZER_H

#include "core/ops.h"
#include "core/program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dn_minimize_kind { DN_ADAM, DN_SGD } dn_minimize_kind;

/** Start from one of the two constants below: a zeroed `schedule` would be tensor number 0. */
typedef struct dn_minimize_options {
    dn_minimize_kind kind;
    double rate;                  /**< constant learning rate, where there is no schedule */
    dn_tensor schedule;           /**< [1], see optim/schedule.h; DN_NONE: `rate` */
    const double *member_factors; /**< [E] multiplies the rate of each member; NULL: 1 for all */
    dn_update_options update;
    bool check_finite; /**< nothing changes from the first step with a NaN or infinity on */
} dn_minimize_options;

extern const dn_minimize_options dn_adam_defaults; /**< rate 1e-3, betas .9 and .999, epsilon 1e-8; checked */
extern const dn_minimize_options dn_sgd_defaults;  /**< rate 0.1, no momentum; checked */

/** Appends the backward pass of `loss` (see dn_differentiate()), the update of all parameters, and the step counter's
 *  advance: nothing that reads this step's number may be added afterwards.
 *  @return i32 [1], kept: 1 if the step was finite, 0 if nothing was changed; DN_NONE without check_finite */
dn_tensor dn_minimize(dn_program *p, dn_tensor loss, const dn_minimize_options *options);

#ifdef __cplusplus
}
#endif
#endif
