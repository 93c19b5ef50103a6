/* The mutual-information term of an ensemble's loss. */
#ifndef DN_APPS_OBJECTIVE_MI_H
#define DN_APPS_OBJECTIVE_MI_H

#include "apps/objective.h"

/* loss = mean over members of ce [1] - alpha * mean over the pseudo-OOD batch of MI -> [1], shared. One member has no
 * mutual information: the entropy of its prediction stands in, as in the single-network version of the source. */
dn_tensor dn__mi_loss(dn_objective *o, const dn_network *n, dn_tensor ce, const char *data_dir);

#endif
