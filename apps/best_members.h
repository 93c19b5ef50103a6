/** The best checkpoint of each member on its own: members that are trained together but chosen one by one, as
 *  classifiers are that a publication trained one after the other. */
#ifndef DN_APPS_BEST_MEMBERS_H
#define DN_APPS_BEST_MEMBERS_H

#include "apps/checkpoint.h"

/** Puts the members named into the run RUN/best, which `dunlin evaluate` takes like any other; others stay in it as
 *  they are. The first time RUN/checkpoint.h5 is where the others come from. @param better [E] */
dn_status dn_best_members_keep(const char *run, const dn_network *network, const dn_history *history,
                               const bool *better) DN_NODISCARD;

#endif
