/** A system of two runs: one accepts or rejects an image by a score, the other names the class of what is accepted. */
#ifndef DN_APPS_COMBINED_H
#define DN_APPS_COMBINED_H

#include <cjson/cJSON.h>

#include "apps/csv.h"
#include "apps/scoring.h"
#include "ood/selective.h"

/** Which rows choose the threshold, for the best accuracy of ID or OOD. */
typedef enum dn_threshold_on {
    DN_THRESHOLD_ON_HALF, /**< a random half of each set; the other half is measured */
    DN_THRESHOLD_ON_TEST, /**< the very rows that are measured */
    DN_THRESHOLD_ON_GRID  /**< those too, among 1000 values from 0 to 1 (grid_threshold.h): the published rule */
} dn_threshold_on;

typedef struct dn_combined_options {
    const char *acceptor, *classifier; /**< runs */
    const char *data_dir, *id;         /**< NULL: the acceptor's data.test */
    const char *const *ood;            /**< [n_ood]; 0 of them: the acceptor's data.ood */
    int n_ood;
    const dn_expression_list *list; /**< of one score; NULL or empty: predictive_entropy */
    dn_reduce reduce;
    const char *fit, *layers; /**< see dn_scoring_options */
    dn_threshold_on threshold;
    bool refresh, quiet;
} dn_combined_options;

/** Who accepts and who names. */
typedef enum dn_combined_system {
    DN_SYSTEM_COMBINED,
    DN_SYSTEM_ACCEPTOR,   /**< alone: it also names */
    DN_SYSTEM_CLASSIFIER, /**< alone: it also accepts */
    DN_SYSTEM_COUNT
} dn_combined_system;

typedef struct dn_combined_row {
    const char *ood; /**< borrowed from the result */
    dn_combined_system system;
    size_t n_id, n_ood;             /**< rows measured */
    double detection;               /**< share of them rightly taken for ID or OOD */
    double aurc;                    /**< over them */
    dn_selective_figures selective; /**< at the threshold, of them */
} dn_combined_row;

typedef struct dn_combined {
    char *id, *method;
    char **ood; /**< [n_ood] */
    int n_ood;
    double accuracy, acceptor_accuracy; /**< of the classifier and the acceptor on all ID rows */
    dn_combined_row *rows;              /**< [n_rows] by OOD set, then by system */
    int n_rows;
    int64_t images; /**< that went through the networks */
} dn_combined;

/** @return DN_ERROR_ARGUMENT if the ID set has no labels of the classes of both runs
 *  @param out free with dn_combined_close() */
dn_status dn_combine(dn_combined *out, dn_device *device, const dn_combined_options *options) DN_NODISCARD;
void dn_combined_close(dn_combined *combined);

/** Prints the table, and how the threshold was chosen. */
dn_status dn_combined_print(const dn_combined *combined, const dn_combined_options *options) DN_NODISCARD;
cJSON *dn_combined_json(const dn_combined *combined, const dn_combined_options *options);
void dn_combined_csv(dn_csv *csv, const dn_combined *combined, const dn_combined_options *options);

#endif
