/** Numbers that are taken every so many steps of a training, kept in a CSV file beside the run: a training that is
 *  resumed goes on with it.
 *
 *     step,accuracy,auroc
 *     1000,0.5236,0.9426
 */
#ifndef DN_APPS_STEP_TABLE_H
#define DN_APPS_STEP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct dn_step_table {
    char *path;
    const char *const *names; /**< [columns] borrowed */
    size_t columns, rows, room;
    double *values; /**< [rows,1+columns]: the step, then the numbers; NaN: an empty field */
} dn_step_table;

/** Reads what the file holds up to a step; without a file the table is empty.
 *  @param names [columns] of the columns after the step @param last rows of later steps are left out
 *  @param out free with dn_step_table_close()
 *  @return DN_ERROR_FORMAT, naming the line, for a file with another heading or with something else than numbers */
dn_status dn_step_table_open(dn_step_table *out, const char *path, const char *const *names, size_t columns,
                             int64_t last) DN_NODISCARD;
void dn_step_table_close(dn_step_table *table);

/** @return the numbers of a step [columns], borrowed until the next row; NULL: there is no such row */
const double *dn_step_table_find(const dn_step_table *table, int64_t step);

/** Adds a row behind the last one and writes the file, whole or not at all. @param numbers [columns] */
dn_status dn_step_table_add(dn_step_table *table, int64_t step, const double *numbers) DN_NODISCARD;

/** @return one number of row `row`. @param column 0: the first after the step */
double dn_step_table_at(const dn_step_table *table, size_t row, size_t column);

/** @return the step of row `row` */
double dn_step_table_step(const dn_step_table *table, size_t row);

#endif
