/** The mean of all fit features, shared by the methods that need nothing more of them: library-private. */
#ifndef DN_OOD_FEATURE_MEAN_H
#define DN_OOD_FEATURE_MEAN_H

#include "ood/fit.h"

/** @param out receives the mean [D], made at the first call; borrowed from the fit */
dn_status dn__feature_mean_get(const double **out, dn_fit *fit) DN_NODISCARD;

#endif
