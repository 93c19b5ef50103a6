/** Shared by the files of folder.h. */
#ifndef DN_DATASETS_FOLDER_PRIVATE_H
#define DN_DATASETS_FOLDER_PRIVATE_H

#include "datasets/folder.h"

enum {
    DN__MOST_FOLDER_CLASSES = 65536,
    DN__DEEPEST_FOLDER = 16 /**< below PATH; links may go around in circles */
};

/** Does something with one file; called by several threads at once. */
typedef dn_status dn__file_job(void *context, int64_t i);

/** Does it for i in 0..n-1. @return the error of the first that fails, whatever the threads did */
dn_status dn__for_files(dn__file_job *job, void *context, int64_t n) DN_NODISCARD;

/** Fills files, labels, class names and what was skipped: all images below folder->path. What lies in no sub-folder has
 *  the label -1. @param only the name of the only file that counts; NULL: all do */
dn_status dn__folder_list(dn_folder *folder, const char *only) DN_NODISCARD;

/** Drops all other files. @param keep [N] */
void dn__folder_keep(dn_folder *folder, const bool *keep);

/** Sets the sides and channels of folder->size to those of all images. */
dn_status dn__folder_measure(dn_folder *folder) DN_NODISCARD;

/** @return PATH/FILE, NULL without memory; free with dn_free() */
char *dn__folder_file(const dn_folder *folder, int64_t i);

#endif
