/** Shared by the files of report.h: what is known of the runs, and the parts of the page. */
#ifndef DN_APPS_REPORT_PRIVATE_H
#define DN_APPS_REPORT_PRIVATE_H

#include <stdint.h>
#include <stdio.h>

#include "apps/chart.h"
#include "apps/checkpoint.h"
#include "apps/evaluate.h"
#include "apps/report.h"

/* ---- what is gathered ---- */

/** A data set that a run saw. */
typedef struct dn__report_set {
    char *name, *provenance; /**< expression; where it comes from */
    int64_t rows;
} dn__report_set;

/** An image that a run got wrong. */
typedef struct dn__report_pick {
    int64_t row;
    char *item;          /**< what the set calls it, or its row */
    char *named, *truth; /**< classes; truth is NULL where nobody knows it */
    double probability;  /**< of `named` */
    double score;        /**< by the run's first score */
    unsigned char *png;  /**< [png_bytes] */
    size_t png_bytes;
} dn__report_pick;

enum { DN__REPORT_PICKS = 12 };

typedef struct dn__report_picks {
    dn__report_pick pick[DN__REPORT_PICKS]; /**< [n] the worst first */
    int n;
    int width, height; /**< of the images */
    int64_t wrong;     /**< images of the known set named wrongly; of an unknown set accepted */
} dn__report_picks;

/** Penultimate features of the first member, along the two axes of the largest spread of the known set. */
typedef struct dn__report_cloud {
    double *x, *y;   /**< [n] */
    int32_t *colour; /**< [n] class; NULL: has none */
    size_t n;
} dn__report_cloud;

typedef struct dn__report_map {
    size_t fitted, dims; /**< rows that the axes are fitted on, and their length */
    double *mean;        /**< [dims] */
    double *axes;        /**< [2,dims] */
    double share[2];     /**< of the variance, along each axis */
} dn__report_map;

typedef struct dn__report_run {
    char *path, *name, *recipe, *description, *kind;
    char *class_names; /**< one a line; "" or NULL: numbers */
    int classes;
    dn_evaluation result; /**< with scores */
    double ece;           /**< of the ensemble; NaN: not known */
    double threshold;     /**< of the first score */
    char *threshold_text; /**< where it comes from */
    dn_history history;
    dn__report_set *sets; /**< [n_sets] the known set, the unknown ones, the training set */
    int n_sets;
    int n_ood, n_methods;
    dn__report_picks known;
    dn__report_picks *unknown; /**< [n_ood] */
    dn__report_map map;
    dn__report_cloud known_cloud;
    dn__report_cloud *unknown_cloud; /**< [n_ood] */
} dn__report_run;

/** @return the row of an OOD set and a score */
const dn_evaluation_row *dn__report_row(const dn__report_run *run, int ood, int method);

/** Writes the class's name, or its number. @return text */
const char *dn__report_class(const dn__report_run *run, int32_t class, char *text, size_t size);

/** Evaluates a run and gathers all that the page says of it. @param name is taken over, also after an error
 *  @param out dn__report_run_close() it in any case */
dn_status dn__report_run_open(dn__report_run *out, const char *path, char *name, dn_device *device,
                              const dn_report_options *options) DN_NODISCARD;
void dn__report_run_close(dn__report_run *run);

/** Fits the axes to features [rows,dims]. @param out dn__report_map_close() it in any case */
dn_status dn__report_map_fit(dn__report_map *out, const double *features, size_t rows, size_t dims) DN_NODISCARD;
void dn__report_map_close(dn__report_map *map);

/** Where a row lies. @param features [dims] */
void dn__report_map_place(const dn__report_map *map, const double *features, double *x, double *y);

/** Fits the map if it is empty, then places rows of a set on it, at most as many as a picture can show; which ones
 *  depends on the number of rows only. @param labels [N] or NULL; copied */
dn_status dn__report_cloud_take(dn__report_cloud *out, dn__report_map *map, const dn_outputs *outputs) DN_NODISCARD;
void dn__report_cloud_close(dn__report_cloud *cloud);

/** Chooses the images of the known set that are named wrongly with the highest probability.
 *  @param set the images that the outputs are of @param scores [N] by the run's first score */
dn_status dn__report_picks_known(dn__report_picks *out, const dn__report_run *run, const dn_outputs *outputs,
                                 const dn_dataset *set, const double *scores) DN_NODISCARD;

/** Chooses the images of an unknown set with the lowest score. */
dn_status dn__report_picks_unknown(dn__report_picks *out, const dn__report_run *run, const dn_outputs *outputs,
                                   const dn_dataset *set, const double *scores) DN_NODISCARD;
void dn__report_picks_close(dn__report_picks *picks);

/* ---- curves ---- */

/** Points of a line. */
typedef struct dn__report_line {
    double *x, *y; /**< [n] */
    size_t n;
} dn__report_line;
void dn__report_line_close(dn__report_line *line);

/** Leaves out points, in place, from which the line through the others is nowhere further away than the tolerance
 *  (Ramer 1972; Douglas and Peucker 1973). The first and the last point stay. */
dn_status dn__report_thin(dn__report_line *line, double tolerance) DN_NODISCARD;

/** ROC curve: share of known images flagged (x) and of unknown images flagged (y), from (0,0) to (1,1); thinned. */
dn_status dn__report_roc(dn__report_line *out, const dn_evaluation_row *row) DN_NODISCARD;

/** Precision (y) over recall (x) of the unknown images; thinned. */
dn_status dn__report_precision(dn__report_line *out, const dn_evaluation_row *row) DN_NODISCARD;

/** @param scores [n] sorted, ascending @param share 0..1 @return the score that so many scores do not exceed */
double dn__report_quantile(const double *scores, size_t n, double share);

/** Training in at most `most` intervals of equal length: means over each. */
typedef struct dn__report_training {
    size_t n;
    int members;
    double *step;               /**< [n] the last step of each */
    double *loss, *accuracy;    /**< [members,n] */
    double *mutual_information; /**< [n] NaN where there is none */
} dn__report_training;
dn_status dn__report_training_take(dn__report_training *out, const dn_history *history, size_t most) DN_NODISCARD;
void dn__report_training_close(dn__report_training *training);

/* ---- the page ---- */

typedef struct dn__report {
    const dn_report_options *options;
    const dn_device *device;
    dn__report_run *runs; /**< [n_runs] */
    int n_runs;
    FILE *to;
} dn__report;

/** A colour of its own for every series of a figure, and a dash where colours come again. */
dn_chart_series dn__report_series(int index, const dn__report_line *line);

/** Begins a figure: its heading, and the chart. What stands below it follows; dn__report_figure_end() ends it. */
dn_status dn__report_figure(FILE *to, const char *title, const dn_chart *chart) DN_NODISCARD;
void dn__report_figure_end(FILE *to);

/** A line of a legend. @param value NULL: none */
void dn__report_key(FILE *to, const dn_chart_series *series, const char *name, const char *value);

void dn__report_begin(const dn__report *report);
void dn__report_end(const dn__report *report);
void dn__report_table_write(FILE *to, const dn_report_table *table);
dn_status dn__report_curve_write(FILE *to, const dn_report_curve *curve) DN_NODISCARD;
void dn__report_summary(const dn__report *report);
dn_status dn__report_comparison(const dn__report *report) DN_NODISCARD;

/** The figures of a run on one set of unknown images. */
dn_status dn__report_scores(FILE *to, const dn__report_run *run, int ood) DN_NODISCARD;

/** The figures of a run's training. */
dn_status dn__report_training_write(FILE *to, const dn_history *history) DN_NODISCARD;

/** The maps of a run's features, one for each set of unknown images. */
dn_status dn__report_maps_write(FILE *to, const dn__report_run *run) DN_NODISCARD;

/** The images that a run got wrong. */
void dn__report_picks_write(FILE *to, const dn__report_run *run);

dn_status dn__report_run_write(const dn__report *report, const dn__report_run *run, int index) DN_NODISCARD;
void dn__report_about(const dn__report *report);

#endif
