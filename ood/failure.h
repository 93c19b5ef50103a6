/** Why a loop that threads share out failed: error texts belong to threads. Library-private. */
#ifndef DN_OOD_FAILURE_H
#define DN_OOD_FAILURE_H

#include <stddef.h>

#include "core/status.h"

/** All zero: nothing has failed. */
typedef struct dn__failure {
    dn_status status;
    size_t place; /**< of the loop: the first place that fails counts, whichever thread is faster */
    char text[1024];
} dn__failure;

/** Keeps the calling thread's last error, unless there is one of an earlier place. @param status that error's */
void dn__failure_keep(dn__failure *failure, size_t place, dn_status status);

/** Behind the loop. @return DN_OK if nothing failed; otherwise the error, with its text in this thread */
dn_status dn__failure_status(const dn__failure *failure) DN_NODISCARD;

#endif
