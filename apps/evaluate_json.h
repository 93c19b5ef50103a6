/** The JSON of an evaluation, for `dunlin evaluate` and `dunlin compare`. */
#ifndef DN_APPS_EVALUATE_JSON_H
#define DN_APPS_EVALUATE_JSON_H

#include <cjson/cJSON.h>

#include "apps/evaluate_lines.h"

/** @param groups [number of OOD sets], or NULL @return the tree; free with cJSON_Delete() */
cJSON *dn_evaluation_json(const dn_evaluation *evaluation, const dn_metric_group *groups);

/** Several runs, each as above, and their summary. @return the tree, or NULL with an error text */
cJSON *dn_evaluations_json(const dn_evaluation *runs, int n, const dn_metric_group *groups);

#endif
