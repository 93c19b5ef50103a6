/** The picture of a comparison: which ensemble knows what it does not know, at one glance.
 *
 * Every cell sorts the images of the known and of one unknown set by their score, both sets with equal weight, and
 * shows along that order which share of the images there is unknown. A perfect score gives two halves, one that knows
 * nothing gives a level line at one half. As with AUROC, only the order of the scores counts: every method and every
 * ensemble has the same axis.
 */
#ifndef DN_APPS_PLOT_H
#define DN_APPS_PLOT_H

#include <stddef.h>

#include "core/status.h"

enum { DN_PLOT_PANELS_MAX = 12, DN_PLOT_ROWS_MAX = 24 };

/** Scores of one run on one pair of sets, borrowed; higher = more out-of-distribution. */
typedef struct dn_plot_cell {
    const double *id;  /**< [n_id] */
    const double *ood; /**< [n_ood] */
    size_t n_id, n_ood;
    double auroc;
} dn_plot_cell;

/** One run: a column of cells below its heading. */
typedef struct dn_plot_panel {
    const char *title, *line1, *line2;
    const dn_plot_cell *cells; /**< [n_rows] */
} dn_plot_panel;

typedef struct dn_plot {
    const char *id;          /**< name of the known set */
    const char *const *rows; /**< [n_rows] names of the unknown sets */
    int n_rows;              /**< 1 to DN_PLOT_ROWS_MAX */
    const dn_plot_panel *panels;
    int n_panels; /**< 1 to DN_PLOT_PANELS_MAX */
} dn_plot;

/** Cuts the order of the scores in bins of equal weight, from the lowest score to the highest; images of one score
 *  spread evenly over their places. Exact: the shares' mean is 1/2.
 *  @param share [bins] receives the share of unknown images in each, 0..1
 *  @return as dn_curve_open() */
dn_status dn_plot_shares(double *share, int bins, const dn_plot_cell *cell) DN_NODISCARD;

/** Draws the picture, as SVG or PNG by the file's ending; three runs and four sets make 900 x 392 pixels.
 *  @return as dn_gnuplot_draw(); DN_ERROR_ARGUMENT for too many panels or rows */
dn_status dn_plot_draw(const dn_plot *plot, const char *path) DN_NODISCARD;

#endif
