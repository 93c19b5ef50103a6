/** The frame of a .mat file, looked at without libmatio. Shared by the files of mat.h. */
#ifndef DN_DATASETS_MAT_PRIVATE_H
#define DN_DATASETS_MAT_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/** Looks at the head of the file and at the tags of its elements: all must lie within the file.
 *  @param file_bytes receives the file's length */
dn_status dn__mat_check_frame(const char *path, uint64_t *file_bytes) DN_NODISCARD;

/** Unpacks every packed element to see whether it ends where it should, with the right checksum. For a child. */
dn_status dn__mat_check_packed(const char *path) DN_NODISCARD;

#endif
