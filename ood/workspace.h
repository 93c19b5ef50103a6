/** Scratch memory of one thread: taken piece by piece, given back all at once.
 *
 * It grows to what is needed once and stays so: no allocation happens from the second block of rows on.
 */
#ifndef DN_OOD_WORKSPACE_H
#define DN_OOD_WORKSPACE_H

#include <stddef.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_workspace dn_workspace;

dn_status dn_workspace_open(dn_workspace **out) DN_NODISCARD;
void dn_workspace_close(dn_workspace *workspace); /**< NULL is allowed */

/** @return `count` doubles (64-byte aligned, not initialised), or NULL with an error text; valid until released */
double *dn_workspace_doubles(dn_workspace *workspace, size_t count);

/** @return a mark to release to */
size_t dn_workspace_mark(const dn_workspace *workspace);

/** Gives back everything that was taken since the mark. */
void dn_workspace_release(dn_workspace *workspace, size_t mark);

#ifdef __cplusplus
}
#endif
#endif
