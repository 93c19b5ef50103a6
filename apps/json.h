/** Machine-readable results. */
#ifndef DN_APPS_JSON_H
#define DN_APPS_JSON_H

#include <cjson/cJSON.h>

#include "core/status.h"

/** Writes the tree as text: to standard output if the path is "-", else to a file, which appears whole or not at all.
 *  JSON has no NaN and no infinity: both become null. */
dn_status dn_json_write(const cJSON *tree, const char *path) DN_NODISCARD;

/** Reads a small file of our own, up to 64 KiB. @param out free with cJSON_Delete()
 *  @return DN_ERROR_FILE or DN_ERROR_FORMAT, naming the path */
dn_status dn_json_read(cJSON **out, const char *path) DN_NODISCARD;

#endif
