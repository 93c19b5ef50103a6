/** Pieces of HTML. Texts of any origin become text and nothing else. */
#ifndef DN_APPS_HTML_H
#define DN_APPS_HTML_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

/** Writes a text that may stand between tags and within quoted attributes: & < > " ' become entities; bytes that are no
 *  UTF-8 and control characters become U+FFFD, line ends and tabs stay. NULL is the empty text. */
void dn_html_text(FILE *to, const char *text);

/** Writes a format whose %s are such texts, and %d an int; %% is a percent sign. Nothing else is known to it. */
void dn_html_put(FILE *to, const char *format, ...) DN_PRINTF(2, 3);

/** Writes bytes in base64 (RFC 4648), with padding. */
void dn_html_base64(FILE *to, const void *bytes, size_t count);

#endif
