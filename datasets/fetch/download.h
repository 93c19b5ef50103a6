/** One file from one address, with breaks. Library-private. */
#ifndef DN_DATASETS_FETCH_DOWNLOAD_H
#define DN_DATASETS_FETCH_DOWNLOAD_H

#include "datasets/fetch/job.h"

/** Downloads to `part`, going on where an earlier call broke off if the server still has the same file, which it is
 *  asked by its ETag or date; these and the address stand in PART.from. Broken connections are tried again.
 *  @return DN_OK when the part has all bytes (their digest is not checked here); DN_ERROR_FORMAT where this address
 *  does not give the file, DN_ERROR_FILE where the part cannot be written, DN_ERROR_INTERRUPTED; after an error a
 *  part that has bytes stays */
dn_status dn__download(const dn__job *job, const char *address, const char *part) DN_NODISCARD;

#endif
