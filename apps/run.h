/** Run folders: what `dunlin train --out RUN` leaves and the other commands read. */
#ifndef DN_APPS_RUN_H
#define DN_APPS_RUN_H

#include "apps/network.h"
#include "apps/recipe.h"

/** @return RUN/checkpoint.h5, or the path itself if it names a file; NULL with an error text (also for the empty name,
 *  which would be the root folder); free with dn_free() */
char *dn_run_checkpoint(const char *run);

/** @return DN_ERROR_ARGUMENT if a run cannot be written to RUN: it has no name or is a file */
dn_status dn_run_check(const char *run);

/** What dn_run_make() made that was not there before. */
typedef struct dn_run_made {
    int folders; /**< RUN and those above it */
    bool recipe;
} dn_run_made;

/** Creates the folder RUN and those above it, and writes RUN/recipe.yaml, for people: the checkpoint holds the same
 *  text. @param made also says after an error what is there */
dn_status dn_run_make(dn_run_made *made, const char *run, const dn_recipe *recipe);

/** Creates a folder and those above it, without a recipe. */
dn_status dn_run_make_folder(dn_run_made *made, const char *folder);

/** Makes a run of a network that was trained elsewhere, or writes it anew. */
dn_status dn_run_save(const char *run, const dn_network *network);

/** Removes what was made, as far as nothing else is in it. */
void dn_run_unmake(const dn_run_made *made, const char *run);

/** Names runs for people: by the last part of their paths (the last two of RUN/best), or by the whole path where two
 *  would have the same name.
 *  @param names [n] receives texts to be freed with dn_free(); all NULL after an error */
dn_status dn_run_names(char **names, const char *const *runs, int n) DN_NODISCARD;

/** @return whether the run has a checkpoint */
bool dn_run_exists(const char *run);

/** Finds the checkpoint of a trained run. @param checkpoint free with dn_free()
 *  @return DN_ERROR_FILE if there is none */
dn_status dn_run_find(char **checkpoint, const char *run) DN_NODISCARD;

/** Loads the trained network of a run. @param device must outlive it @param out free with dn_network_close() */
dn_status dn_run_load(dn_network **out, const char *run, dn_device *device);

#endif
