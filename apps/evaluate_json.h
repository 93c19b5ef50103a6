/** An evaluation as JSON, as `dunlin evaluate --json` and `dunlin compare --json` write it. */
#ifndef DN_APPS_EVALUATE_JSON_H
#define DN_APPS_EVALUATE_JSON_H

#include <cjson/cJSON.h>

#include "apps/evaluate.h"

/** @param run names the run in it @return the tree, free with cJSON_Delete() */
cJSON *dn_evaluation_json(const dn_evaluation *evaluation, const char *run);

#endif
