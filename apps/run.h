/** Run folders: what `dunlin train --out RUN` leaves and the other commands read. */
#ifndef DN_APPS_RUN_H
#define DN_APPS_RUN_H

#include "apps/network.h"
#include "apps/recipe.h"

/** @return RUN/checkpoint.h5, or the path itself if it names a file; NULL with an error text; free with dn_free() */
char *dn_run_checkpoint(const char *run);

/** Creates the folder RUN and those above it. */
dn_status dn_run_make(const char *run);

/** @return whether the run has a checkpoint */
bool dn_run_exists(const char *run);

/** Loads the trained network of a run. @param device must outlive it @param out free with dn_network_close() */
dn_status dn_run_load(dn_network **out, const char *run, dn_device *device);

/** Writes RUN/recipe.yaml, for people: the checkpoint holds the same text. */
dn_status dn_run_write_recipe(const char *run, const dn_recipe *recipe);

#endif
