/** Pictures drawn by the program gnuplot, which gets its script through a pipe. */
#ifndef DN_APPS_GNUPLOT_H
#define DN_APPS_GNUPLOT_H

#include <stdio.h>

#include "core/status.h"

/** Writes the commands that draw the picture; the terminal is set before them. @param what as given to the caller */
typedef void dn_gnuplot_script(FILE *to, const void *what);

/** Finds out beforehand, where the work before the picture is long, whether it can be drawn at all: by the file's
 *  ending (.svg, .png), by gnuplot itself and by the folder. Leaves nothing behind.
 *  @return DN_OK, DN_ERROR_ARGUMENT (ending), DN_ERROR_UNSUPPORTED (no gnuplot), DN_ERROR_FILE (folder) */
dn_status dn_gnuplot_check(const char *path) DN_NODISCARD;

/** Draws a picture of width x height pixels on white. The file appears whole or not at all.
 *  @return as dn_gnuplot_check(); what gnuplot says of an error is in the text */
dn_status dn_gnuplot_draw(const char *path, int width, int height, dn_gnuplot_script *script,
                          const void *what) DN_NODISCARD;

/** @return DN_ERROR_UNSUPPORTED, with the cure in the text, if there is no gnuplot that runs */
dn_status dn_gnuplot_check_program(void) DN_NODISCARD;

/** Draws as SVG without a background. @param to receives it at its descriptor, behind stdio's back: rewind() it then
 *  @return as dn_gnuplot_draw() */
dn_status dn_gnuplot_svg(FILE *to, int width, int height, dn_gnuplot_script *script, const void *what) DN_NODISCARD;

/** Writes a text of any origin as a quoted string that means nothing else to gnuplot and to SVG: bytes that are no
 *  UTF-8 and control characters become '?'. @param letters longer texts are cut to so many and end in "..." */
void dn_gnuplot_text(FILE *to, const char *text, int letters);

#endif
