/** What `dunlin evaluate` shows: text, CSV. JSON is in evaluate_json.h. */
#ifndef DN_APPS_EVALUATE_REPORT_H
#define DN_APPS_EVALUATE_REPORT_H

#include "apps/csv.h"
#include "apps/evaluate_lines.h"

/** Prints accuracies and the table. */
dn_status dn_evaluation_print(const dn_evaluation *runs, int n, const dn_metric_group *groups) DN_NODISCARD;

/** Prints on stderr how much the network had to do and what took how long. */
void dn_evaluation_print_times(const dn_evaluation *runs, int n);

/** A line for each run, score and OOD set, with every metric. */
void dn_evaluation_csv(dn_csv *csv, const dn_evaluation *runs, int n, const dn_metric_group *groups);

#endif
