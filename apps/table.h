/** Text tables with aligned columns. */
#ifndef DN_APPS_TABLE_H
#define DN_APPS_TABLE_H

#include <stdio.h>

#include "core/status.h"

typedef struct dn_table dn_table;

/** @param columns one letter for each: 'l' aligns left, 'r' right, as in "lrr" @param out free with dn_table_close() */
dn_status dn_table_open(dn_table **out, const char *columns) DN_NODISCARD;
void dn_table_close(dn_table *table);

/** Adds the next cell (printf style), row by row; '?' stands for control characters. What goes wrong is reported by
 *  dn_table_print(). */
void dn_table_cell(dn_table *table, const char *format, ...) DN_PRINTF(2, 3);

/** Fills the row that was begun with empty cells; then draws a line across the table below it. */
void dn_table_rule(dn_table *table);

/** Prints the table; the last row may be short. No line ends in spaces. */
dn_status dn_table_print(const dn_table *table, FILE *file) DN_NODISCARD;

#endif
