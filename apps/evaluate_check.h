/** What can be found wrong before a network runs over any set. */
#ifndef DN_APPS_EVALUATE_CHECK_H
#define DN_APPS_EVALUATE_CHECK_H

#include "apps/network.h"
#include "ood/expression.h"

/** Reads the recipe that a run was trained by. @param out free with dn_recipe_close() */
dn_status dn_run_recipe(dn_recipe **out, const char *run) DN_NODISCARD;

/** @param runs [n] @param id_named the known set is not the recipes' own
 *  @return DN_ERROR_ARGUMENT if a run is named twice, or if they are not seeds of one recipe: kind, members, model
 *  (with its width, depth, outputs and dropout), training set, and test set unless `id_named` */
dn_status dn_runs_check(const char *const *runs, int n, bool id_named) DN_NODISCARD;

/** The sets that a network is to run over. */
typedef struct dn_wanted_sets {
    const char *data_dir, *id;
    const char *const *ood; /**< [n_ood] */
    int n_ood;
    const char *fit;                /**< NULL: the recipe's data.train, if a score is fitted */
    const dn_expression_list *list; /**< the scores */
    bool tell;                      /**< prints why the known set has no accuracy, if it has labels */
} dn_wanted_sets;

/** Opens the first image of each set. @return the error of the first set that is not known, not there, or of images
 *  that the network cannot take */
dn_status dn_sets_check(const dn_network *network, const dn_wanted_sets *wanted) DN_NODISCARD;

#endif
