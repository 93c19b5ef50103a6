/** Comma-separated values, built in memory so that a file appears whole or not at all (RFC 4180, lines end in \n). */
#ifndef DN_APPS_CSV_H
#define DN_APPS_CSV_H

#include <stddef.h>

#include "core/status.h"

/** All zero is empty. */
typedef struct dn_csv {
    char *text; /**< ends in '\0' once something was added */
    size_t used, room;
    dn_status status; /**< the first failure; nothing is added after it */
} dn_csv;

/** Adds text (printf style, 511 bytes at most). What goes wrong is reported by dn_csv_write(). */
void dn_csv_add(dn_csv *csv, const char *format, ...) DN_PRINTF(2, 3);

/** Adds one value of any length, quoted if it holds commas, quotes or line breaks. */
void dn_csv_add_text(dn_csv *csv, const char *value);

/** As dn_text_write(). */
dn_status dn_csv_write(const dn_csv *csv, const char *path) DN_NODISCARD;

void dn_csv_close(dn_csv *csv);

#endif
