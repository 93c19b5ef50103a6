/** One at a time, among all processes. Library-private. */
#ifndef DN_DATASETS_FETCH_LOCK_H
#define DN_DATASETS_FETCH_LOCK_H

#include "core/status.h"

typedef struct dn__lock {
    char *path;
    int file; /**< descriptor, locked; -1: none */
} dn__lock;

/** Waits for whoever holds the lock; one that died holds none. @param out dn__lock_close() it in any case
 *  @param path of a file that exists while somebody holds the lock
 *  @param go_on asked ten times a second while waiting; what it returns other than DN_OK is returned here */
dn_status dn__lock_open(dn__lock *out, const char *path, dn_status (*go_on)(void *context), void *context) DN_NODISCARD;
void dn__lock_close(dn__lock *lock);

#endif
