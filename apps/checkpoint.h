/** Checkpoints: everything that training needs to go on, in one HDF5 file that is replaced as a whole. */
#ifndef DN_APPS_CHECKPOINT_H
#define DN_APPS_CHECKPOINT_H

#include "apps/network.h"

/** How training went, step by step. */
typedef struct dn_history {
    int members;
    int64_t steps;             /**< done so far */
    int64_t room;              /**< steps that fit into the arrays */
    float *loss, *accuracy;    /**< [room,E] */
    float *mutual_information; /**< [room]; NaN where there is none */
} dn_history;

dn_status dn_history_new(dn_history *out, int members, int64_t steps);
void dn_history_close(dn_history *history);

/** Writes RUN/checkpoint.h5: a crash at any moment leaves the last good one. */
dn_status dn_checkpoint_save(const char *path, const dn_network *network, const dn_history *history);

/** Goes on from a checkpoint: fills the placed parameters, the optimizer's slots and the history.
 *  @return an error if the checkpoint is of another network or recipe */
dn_status dn_checkpoint_resume(const char *path, dn_network *network, dn_history *history);

/** Reads how training went. Of a checkpoint that holds no history, such as of imported weights, 0 steps.
 *  @param out free with dn_history_close() */
dn_status dn_checkpoint_history(const char *path, dn_history *out);

/** @return the recipe stored in a checkpoint, as text; free with dn_free(); NULL with an error text */
char *dn_checkpoint_recipe(const char *path);

#endif
