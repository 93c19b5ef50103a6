/** How far a classifier's answers can be believed: calibration and selective figures of logits and labels. */
#ifndef DN_APPS_METRIC_LABELS_H
#define DN_APPS_METRIC_LABELS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "apps/csv.h"
#include "ood/calibration.h"
#include "ood/selective.h"

enum { DN_COVERAGES = 10 /**< 0.1, 0.2, ... 1 */ };

/** Names are arrays, as dn_array_file_open() takes them; borrowed. */
typedef struct dn_label_request {
    const char *logits, *labels;
    const char *scores; /**< of the same rows; NULL: 1 - the largest mean probability */
    const char *ood;    /**< scores of rows that are never right, NULL without; needs `scores` */
    bool has_threshold; /**< selective figures are wanted */
    double threshold;
} dn_label_request;

typedef struct dn_label_result {
    size_t members, classes, n_ood;
    dn_calibration calibration;
    double aurc;
    double accuracy_at[DN_COVERAGES];
    dn_selective_figures selective; /**< if a threshold was given */
} dn_label_result;

/** Reads the arrays and computes. */
dn_status dn_metric_labels_compute(dn_label_result *out, const dn_label_request *request) DN_NODISCARD;

dn_status dn_metric_labels_print(const dn_label_result *result, const dn_label_request *request) DN_NODISCARD;

/** @return the tree, or NULL without memory; free with cJSON_Delete() */
cJSON *dn_metric_labels_json(const dn_label_result *result, const dn_label_request *request);

/** A line for each figure. */
void dn_metric_labels_csv(dn_csv *csv, const dn_label_result *result, const dn_label_request *request);

#endif
