/** The figures of one trained ensemble as "Predictive Uncertainty via Degeneralization" has them. */
#ifndef DN_APPS_MI_FIGURES_H
#define DN_APPS_MI_FIGURES_H

#include "apps/reproduce.h"

/** Puts accuracies of ensemble and members, means of three scores, and AUROC, AUPR and FPR95 by them, against all known
 *  images, AUROC also against those named rightly.
 *  @param name of the ensemble in the table @param sets [DN_MI_SETS] unknown */
dn_status dn_mi_put_figures(const dn_reproduction *r, const char *run, const char *name,
                            const dn_labelled *sets) DN_NODISCARD;

#endif
