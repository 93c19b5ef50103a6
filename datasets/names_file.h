/** Class names in a text file, one a line. Library-private. */
#ifndef DN_DATASETS_NAMES_FILE_H
#define DN_DATASETS_NAMES_FILE_H

#include "core/status.h"

/** Reads exactly `classes` names; empty lines do not count.
 *  @param names receives [classes], each and the array to be freed with dn_free(); NULL if there is no such file
 *  @return DN_ERROR_FORMAT for another number of names or a name that is no printable word */
dn_status dn__names_read(char ***names, const char *path, int classes);

#endif
