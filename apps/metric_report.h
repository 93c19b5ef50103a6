/** How `dunlin metrics` shows what it found: text tables, JSON, CSV. Numbers in JSON and CSV have 17 significant
 *  digits, which is all of them. */
#ifndef DN_APPS_METRIC_REPORT_H
#define DN_APPS_METRIC_REPORT_H

#include <cjson/cJSON.h>

#include "apps/csv.h"
#include "apps/metric_sets.h"

dn_status dn_metric_print(const dn_metric_result *result, const dn_metric_request *request) DN_NODISCARD;

/** With one set of unknown data its numbers stand at the top level, with more in the array "sets". @return the tree, or
 *  NULL without memory; free with cJSON_Delete() */
cJSON *dn_metric_json(const dn_metric_result *result, const dn_metric_request *request);

/** A line for each set and for each group's means. */
void dn_metric_csv(dn_csv *csv, const dn_metric_result *result, const dn_metric_request *request);

/** Adds a number with all its digits, null if it is not finite. */
void dn_metric_json_number(cJSON *object, const char *name, double value);

#endif
