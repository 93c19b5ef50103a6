/** The figures and curves of an experiment over its seeds. */
#ifndef DN_APPS_REPRODUCED_H
#define DN_APPS_REPRODUCED_H

#include <cjson/cJSON.h>

#include "apps/reproduce.h"

typedef struct dn_reproduced_row {
    char *set, *score, *figure;
    double published[DN_PUBLISHED_COLUMNS]; /**< NaN: not published */
    double *value;                          /**< [seeds] NaN: not run */
} dn_reproduced_row;

typedef struct dn_reproduced_series {
    char *title, *x_label, *y_label, *name;
    uint64_t seed;
    double *x, *y; /**< [n] */
    size_t n, x_capacity, y_capacity;
} dn_reproduced_series;

typedef struct dn_reproduced {
    dn_reproduced_row *rows; /**< [n_rows] the published ones first, in their order */
    size_t n_rows, rows_capacity;
    dn_reproduced_series *series; /**< [n_series] */
    size_t n_series, series_capacity;
    char **runs; /**< [n_runs] for the report */
    size_t n_runs, runs_capacity;
    size_t seeds, done; /**< asked for, and through */
} dn_reproduced;

/** @param out clear with dn_reproduced_close(), also after a failure */
dn_status dn_reproduced_open(dn_reproduced *out, const dn_experiment *experiment, size_t seeds) DN_NODISCARD;
void dn_reproduced_close(dn_reproduced *reproduced);

/** The table as texts: `set | score | figure | published ... | ours | difference ...`. */
typedef struct dn_reproduced_table {
    int columns, rows;
    char **cells; /**< [1 + rows,columns], the headings first */
} dn_reproduced_table;

/** @param quick the published figures are marked as those of another setting
 *  @param out clear with dn_reproduced_table_close(), also after a failure */
dn_status dn_reproduced_table_make(dn_reproduced_table *out, const dn_reproduced *reproduced,
                                   const dn_experiment *experiment, bool quick) DN_NODISCARD;
void dn_reproduced_table_close(dn_reproduced_table *table);

/** Writes the table, the curves and the runs of seed 0 as a page, see dn_report_write(). */
dn_status dn_reproduced_report(const char *path, dn_device *device, const dn_reproduce_options *options,
                               const dn_experiment *experiment, const dn_reproduced *reproduced,
                               const dn_reproduced_table *table) DN_NODISCARD;

/** @return the rows and curves in full precision; NULL without memory */
cJSON *dn_reproduced_json(const dn_reproduced *reproduced, const dn_experiment *experiment);

#endif
