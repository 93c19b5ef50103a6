/** Results as text files. */
#ifndef DN_APPS_TEXT_FILE_H
#define DN_APPS_TEXT_FILE_H

#include <stdbool.h>

#include "core/status.h"

/** Writes the text: to standard output if the path is "-", else to a file, which appears whole or not at all. */
dn_status dn_text_write(const char *text, const char *path) DN_NODISCARD;

/** Looks, before work is done for it, whether the text could be written; leaves nothing behind.
 *  @return DN_ERROR_FILE, naming the path, if its folder does not exist or cannot be written, or if it is a folder */
dn_status dn_text_check(const char *path) DN_NODISCARD;

/** @return whether the path stands for standard output; NULL does not */
bool dn_text_is_standard_output(const char *path);

/** Checks what `--json` and `--csv` name; NULL: not asked for.
 *  @return DN_ERROR_ARGUMENT if both are standard output, else see dn_text_check() */
dn_status dn_text_check_outputs(const char *json, const char *csv) DN_NODISCARD;

#endif
