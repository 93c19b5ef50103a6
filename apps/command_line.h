/** A command as it could be typed again. */
#ifndef DN_APPS_COMMAND_LINE_H
#define DN_APPS_COMMAND_LINE_H

/** Joins a command's name and its arguments, in quotes where a shell needs them. @param argv [argc]
 *  @return NULL with an error text; free with dn_free() */
char *dn_command_line(int argc, char *const *argv);

#endif
