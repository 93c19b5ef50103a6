/** What an ensemble's members say together about a block of rows: library-private. Planes: see planes.h. */
#ifndef DN_OOD_MEMBERS_H
#define DN_OOD_MEMBERS_H

#include "core/status.h"
#include "ood/rows.h"
#include "ood/workspace.h"

/** softmax(z_e) of every member, 0 at the classes that it leaves out. @param p [members, classes, rows] */
dn_status dn__member_planes(double *p, const dn_score_block *in, dn_workspace *space) DN_NODISCARD;

/** Mean over members. @param mean [plane] @param p [members, plane] */
void dn__planes_mean(double *mean, const double *p, size_t members, size_t plane);

/** Mean over members of softmax(z_e). @param mean [classes, rows] */
dn_status dn__mean_planes(double *mean, const dn_score_block *in, dn_workspace *space) DN_NODISCARD;

/** The same, row by row. @param mean [rows, classes] */
dn_status dn__mean_probabilities(double *mean, const dn_score_block *in, dn_workspace *space) DN_NODISCARD;

/** ln of these, without rounding them to 0 first: minus infinity only at a class that all members leave out.
 *  @param l [rows, classes] */
dn_status dn__log_mean_probabilities(double *l, const dn_score_block *in, dn_workspace *space) DN_NODISCARD;

#endif
