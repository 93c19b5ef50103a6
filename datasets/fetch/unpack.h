/** Unpacking archives that nobody vouches for. Library-private.
 *
 * Tar (plain or gzip) and zip. Regular files and folders below the target only: an absolute name, "..", a link, a
 * device or a second file of the same name makes the whole archive an error, so do limits on what comes out of it.
 * Rights, owners and times of the archive count for nothing. */
#ifndef DN_DATASETS_FETCH_UNPACK_H
#define DN_DATASETS_FETCH_UNPACK_H

#include "datasets/fetch/job.h"

typedef struct dn__unpack_limits {
    int64_t bytes;   /**< of all files together */
    int64_t entries; /**< files and folders */
} dn__unpack_limits;

/** @return limits for an archive of this size: photographs and whole numbers do not become 16 times smaller */
dn__unpack_limits dn__unpack_limits_for(int64_t archive_bytes);

/** Unpacks into a new folder. After an error it is not there.
 *  @param folder must not exist
 *  @return DN_ERROR_FORMAT for an archive that is damaged, truncated or not harmless; DN_ERROR_FILE for the disk */
dn_status dn__unpack(const dn__job *job, const char *archive, const char *folder,
                     const dn__unpack_limits *limits) DN_NODISCARD;

/** Removes a file or a folder with everything in it, without following links. What is not there is removed already. */
dn_status dn__remove_tree(const char *path) DN_NODISCARD;

#endif
