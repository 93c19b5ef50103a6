/** Whether a file is the published one. Library-private. */
#ifndef DN_DATASETS_FETCH_DIGEST_H
#define DN_DATASETS_FETCH_DIGEST_H

#include "datasets/fetch/job.h"

/** Compares the file's size and SHA-256 (MD5 where only that is published) with the catalogue's.
 *  @return DN_ERROR_FORMAT for another file, with what was found and expected; DN_ERROR_FILE if it cannot be read */
dn_status dn__digest_check(const dn__job *job, const char *path) DN_NODISCARD;

#endif
