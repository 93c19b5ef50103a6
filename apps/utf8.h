/** Letters of texts of any origin. */
#ifndef DN_APPS_UTF8_H
#define DN_APPS_UTF8_H

#include <stddef.h>

/** @return bytes of the letter in UTF-8 that begins here; 0 if there is none, or one that XML cannot hold: control
 *  characters, surrogates, U+FFFE and its like */
size_t dn_utf8_length(const char *letter);

/** Puts '?' in place of control characters, with which a name from a file could drive a terminal.
 *  @param spared such as "\n\t": these stay */
void dn_text_disarm(char *text, const char *spared);

#endif
