/** The last step of fetching: what was checked gets its name. Library-private. */
#ifndef DN_DATASETS_FETCH_PLACE_H
#define DN_DATASETS_FETCH_PLACE_H

#include <stdbool.h>

#include "datasets/fetch/job.h"

/** @return whether everything that the file brings is below `directory`: an archive's folders, or the file in any
 *  spelling that the readers take */
bool dn__place_is_filled(const dn_fetch_file *file, const char *directory);

/** Makes the folders that `path` stands in. @return DN_ERROR_FILE */
dn_status dn__place_make_folders(const char *path) DN_NODISCARD;

/** Unpacks a checked archive to its folder below `directory`. A folder of that name becomes FOLDER.old. */
dn_status dn__place_archive(const dn__job *job, const char *directory, const char *archive) DN_NODISCARD;

/** Renames a checked file. @param from in the same file system as `to` */
dn_status dn__place_file(const char *from, const char *to) DN_NODISCARD;

#endif
