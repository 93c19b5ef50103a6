/** The report: one HTML page that holds all that runs have shown, pictures included, and needs nothing beside it.
 *
 * Each run is evaluated on its known and unknown sets; what the network said before is used again (outputs.h). Texts of
 * any origin may stand in the options: they are shown as they are and mean nothing to the browser. docs/report.md says
 * how to read the page.
 */
#ifndef DN_APPS_REPORT_H
#define DN_APPS_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/device.h"
#include "core/status.h"
#include "ood/expression.h"

/** A table of the caller's own, such as "published | ours". Cells that read as numbers stand right. */
typedef struct dn_report_table {
    const char *title, *note;    /**< note: a sentence below the title, or NULL */
    const char *const *headings; /**< [columns] */
    const char *const *cells;    /**< [rows,columns]; NULL: an empty cell */
    int columns, rows;
} dn_report_table;

/** A line of a curve; where y is not finite it has a gap. */
typedef struct dn_report_series {
    const char *name;
    const double *x, *y; /**< [n] */
    size_t n;
} dn_report_series;

/** A figure of the caller's own, with lines in the order of `series`. */
typedef struct dn_report_curve {
    const char *title, *note; /**< note: a sentence below the picture, or NULL */
    const char *x_label, *y_label;
    bool log_x, log_y; /**< logarithmic axes: what is not above 0 is left out */
    const dn_report_series *series;
    int n_series; /**< 1 to DN_REPORT_SERIES_MAX */
} dn_report_curve;

enum { DN_REPORT_SERIES_MAX = 24 };

typedef struct dn_report_options {
    const char *title;       /**< NULL: of the runs' names */
    const char *about;       /**< a paragraph below the title, or NULL */
    const char *command;     /**< the command line that made the page, or NULL */
    const char *const *runs; /**< [n_runs] folders; 0 of them: the page has the tables and curves below only */
    int n_runs;
    const char *data_dir;   /**< NULL: see dn_dataset_options */
    const char *id;         /**< expression; NULL: each run's recipe's data.test */
    const char *const *ood; /**< [n_ood] expressions; 0 of them: each run's recipe's data.ood */
    int n_ood;
    const dn_expression_list *methods; /**< the first is drawn in full; NULL or empty: dn_evaluation_methods() */
    const dn_report_table *tables;     /**< [n_tables] shown first, in this order */
    int n_tables;
    const dn_report_curve *curves; /**< [n_curves] shown after the tables */
    int n_curves;
    bool quiet; /**< no progress and no notes */
} dn_report_options;

/** Looks beforehand, where the work before the report is long, whether the page can be written and drawn at all.
 *  @return DN_OK, DN_ERROR_UNSUPPORTED (no gnuplot), DN_ERROR_FILE (the folder) */
dn_status dn_report_check(const char *path) DN_NODISCARD;

/** Evaluates the runs and writes the page, whole or not at all.
 *  @param device where the networks run; may be NULL if there are no runs
 *  @return as dn_report_check(), dn_run_load() and dn_evaluate(); DN_ERROR_ARGUMENT for a curve with too many series */
dn_status dn_report_write(const char *path, dn_device *device, const dn_report_options *options) DN_NODISCARD;

#endif
