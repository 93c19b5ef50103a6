/** Scores of one set of known and several sets of unknown data, held against each other: what `dunlin metrics` shows.
 */
#ifndef DN_APPS_METRIC_SETS_H
#define DN_APPS_METRIC_SETS_H

#include <stdbool.h>

#include "ood/bootstrap.h"
#include "ood/metrics.h"

enum {
    DN_METRIC_SETS_MOST = 64,
    /** Numbers that have a mean over sets and a difference of methods: all but the threshold, which is on the scale of
     *  its method's scores on its set. */
    DN_METRIC_COMPARABLE = DN_METRIC_BEST_THRESHOLD
};

typedef enum dn_metric_group { DN_GROUP_NONE, DN_GROUP_NEAR, DN_GROUP_FAR, DN_GROUP_COUNT } dn_metric_group;

/** What is asked for. Names are arrays, as dn_array_file_open() takes them; borrowed. */
typedef struct dn_metric_request {
    const char *id, *ood[DN_METRIC_SETS_MOST];
    dn_metric_group group[DN_METRIC_SETS_MOST];
    int n_ood;
    /** A second method's scores of the same rows, [n_ood] in the order of `ood`; NULL and 0 if there is none. */
    const char *versus_id, *versus_ood[DN_METRIC_SETS_MOST];
    int n_versus;
    dn_bootstrap_options bootstrap; /**< resamples = 0: no intervals */
} dn_metric_request;

/** One number of every metric with its interval. */
typedef struct dn_metric_figures {
    double value[DN_METRIC_COUNT];
    dn_interval interval[DN_METRIC_COUNT];
} dn_metric_figures;

typedef struct dn_metric_set {
    dn_metrics metrics;
    dn_metric_figures figures;
    dn_metric_figures difference; /**< this method minus the other */
} dn_metric_set;

/** Means over the sets of a group, in [DN_METRIC_COMPARABLE] numbers. */
typedef struct dn_metric_group_means {
    int sets; /**< 0: no such group */
    dn_metric_figures figures, difference;
} dn_metric_group_means;

typedef struct dn_metric_result {
    dn_metric_set set[DN_METRIC_SETS_MOST]; /**< [n_ood] of the request */
    dn_metric_group_means group[DN_GROUP_COUNT];
    size_t n_id;
} dn_metric_result;

/** @return "near", "far", or "" */
const char *dn_metric_group_name(dn_metric_group group);

/** Reads the arrays, one set after another, and computes. */
dn_status dn_metric_sets_compute(dn_metric_result *out, const dn_metric_request *request) DN_NODISCARD;

#endif
