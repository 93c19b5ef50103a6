/** Results as text files. */
#ifndef DN_APPS_TEXT_FILE_H
#define DN_APPS_TEXT_FILE_H

#include "core/status.h"

/** Writes the text: to standard output if the path is "-", else to a file, which appears whole or not at all. */
dn_status dn_text_write(const char *text, const char *path) DN_NODISCARD;

#endif
