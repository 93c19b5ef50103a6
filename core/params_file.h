/** Parameter stores in files: parameters/NAME and states/NAME as plain arrays [E, shape], slots/NAME as [E,P]. */
#ifndef DN_CORE_PARAMS_FILE_H
#define DN_CORE_PARAMS_FILE_H

#include <stdbool.h>

#include "core/params.h"
#include "core/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Writes everything that a placed store holds. */
dn_status dn_params_save(const dn_params *params, dn_store *to) DN_NODISCARD;

/** Fills a placed store. Every entry of it must be in the file with its shape; the file may hold more.
 *  @param with_slots also the optimizer's slots (to go on training)
 *  @return DN_ERROR_FORMAT or DN_ERROR_SHAPE with the entry's name; the store's content is then undefined */
dn_status dn_params_load(dn_params *params, dn_store *from, bool with_slots) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
