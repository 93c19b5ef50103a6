/** What an ensemble's members say together about a block of rows: library-private. */
#ifndef DN_OOD_MEMBERS_H
#define DN_OOD_MEMBERS_H

#include "core/status.h"
#include "ood/rows.h"
#include "ood/workspace.h"

/** Mean over members of softmax(z_e), 0 at the classes that a member leaves out. @param mean [rows, classes] */
dn_status dn__mean_probabilities(double *mean, const dn_score_block *in, dn_workspace *space) DN_NODISCARD;

/** ln of these, without rounding them to 0 first: minus infinity only at a class that all members leave out.
 *  @param l [rows, classes] */
dn_status dn__log_mean_probabilities(double *l, const dn_score_block *in, dn_workspace *space) DN_NODISCARD;

#endif
