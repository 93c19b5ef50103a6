/** Files that appear whole or not at all: written beside their place, then renamed, so that a full disk or a crash
 *  leaves the old file. Devices, pipes and links are written to as they are: a name such as /dev/null stays. */
#ifndef DN_CORE_WHOLE_FILE_H
#define DN_CORE_WHOLE_FILE_H

#include <stdio.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_whole_file {
    FILE *file;             /**< where to write */
    char *path, *temporary; /**< temporary: NULL where the path is written to as it is */
} dn_whole_file;

/** @param out dn_whole_file_close() it in any case */
dn_status dn_whole_file_open(dn_whole_file *out, const char *path) DN_NODISCARD;

/** Writes everything to the disk and gives the file its name, replacing an older one.
 *  @return DN_ERROR_FILE also if an earlier write failed; the older file is then untouched */
dn_status dn_whole_file_commit(dn_whole_file *file) DN_NODISCARD;

/** Frees; a file that was not committed leaves nothing behind. */
void dn_whole_file_close(dn_whole_file *file);

#ifdef __cplusplus
}
#endif
#endif
