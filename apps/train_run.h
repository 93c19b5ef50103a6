/** Training by a recipe into a run's folder: what `dunlin train` and `dunlin reproduce` do. */
#ifndef DN_APPS_TRAIN_RUN_H
#define DN_APPS_TRAIN_RUN_H

#include "apps/checkpoint.h"
#include "apps/network.h"
#include "apps/outputs.h"

/** What is to be trained, and where. All texts are borrowed. */
typedef struct dn_train_request {
    const char *run;              /**< folder */
    const char *recipe;           /**< shipped name or file; NULL with `resume`: the run's own */
    const char *const *overrides; /**< [n_overrides] key=value */
    int n_overrides;
    const char *data_dir;
    bool resume;    /**< go on from the run's checkpoint, if there is one; it must be of this very recipe */
    bool plan_only; /**< print the memory plan and stop */
    bool quiet;     /**< no progress and no notes */
    /** See dn_training_options; NULL: nobody asks. */
    dn_status (*on_checkpoint)(void *context, const dn_network *network, const dn_history *history);
    void *context;
} dn_train_request;

typedef struct dn_train_result {
    dn_network *network; /**< trained */
    dn_history history;
    bool knows;                /**< the test set has labels of the network's classes: there is an accuracy */
    dn_accuracy_report report; /**< on the recipe's test set; NaN if there is none */
    size_t planned;            /**< bytes of the host's memory */
    bool on_host;              /**< the device's memory is the host's */
} dn_train_result;

/** Reads the recipe of a training and looks whether it can begin in its folder. A run that is to be resumed but is not
 *  there begins: `resume` is then taken back, with a note.
 *  @param out free with dn_recipe_close(), or give it to dn_train_run()
 *  @return DN_ERROR_ARGUMENT if the folder holds a run and `resume` is not set, or one of another recipe */
dn_status dn_train_recipe(dn_recipe **out, dn_train_request *request) DN_NODISCARD;

/** Trains to the end of the recipe and tests; a stop by the user leaves a checkpoint. What the network says of the test
 *  set stays in the run's folder.
 *  @param recipe by dn_train_recipe(); is taken over, also on failure @param device must outlive the result
 *  @param out free with dn_train_result_close(), also after a failure; without a network if only planned
 *  @return DN_ERROR_INTERRUPTED if the user stopped it, and other errors of dn_train() */
dn_status dn_train_run(dn_train_result *out, dn_recipe *recipe, dn_device *device,
                       const dn_train_request *request) DN_NODISCARD;
void dn_train_result_close(dn_train_result *result);

/** How often a network is right on a set, whose outputs stay in the run's folder.
 *  @param out free out->member with dn_free() */
dn_status dn_train_measure(dn_accuracy_report *out, const dn_network *network, const char *run, const char *data_dir,
                           const char *set) DN_NODISCARD;

#endif
