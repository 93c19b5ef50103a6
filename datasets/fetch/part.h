/** A file that is being downloaded: its bytes so far in FILE.part, where they are from in FILE.part.from.
 *  Library-private. */
#ifndef DN_DATASETS_FETCH_PART_H
#define DN_DATASETS_FETCH_PART_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum { DN__VALIDATOR = 256 };

typedef struct dn__part {
    const char *path;
    int file;                      /**< descriptor, -1: not open */
    int64_t bytes;                 /**< that it has */
    char validator[DN__VALIDATOR]; /**< the server's word (ETag or date) for what these are bytes of; "": none */
} dn__part;

/** Opens the part, empty unless its bytes are from this address. @param out dn__part_close() it in any case
 *  @param path borrowed */
dn_status dn__part_open(dn__part *out, const char *path, const char *address) DN_NODISCARD;
void dn__part_close(dn__part *part);

/** Starts over: no bytes, and a note of what will come. @param validator may be "" */
dn_status dn__part_restart(dn__part *part, const char *address, const char *validator) DN_NODISCARD;

/** Adds bytes at the end. @return DN_ERROR_FILE with the disk's reason */
dn_status dn__part_add(dn__part *part, const void *from, size_t bytes) DN_NODISCARD;

/** Removes the part at `path` and its note. */
void dn__part_remove(const char *path);

#endif
