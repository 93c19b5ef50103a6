/** What every benchmark says of itself: program, machine, compiler, memory. */
#ifndef DN_APPS_BENCH_REPORT_H
#define DN_APPS_BENCH_REPORT_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "apps/bench_spread.h"
#include "apps/bench_workload.h"

/** Prints the two lines that head a report. */
void dn_bench_print_head(const dn_workload *workload, const char *what, FILE *to);

/** Prints planned and used memory; to be called after steps have run. */
void dn_bench_print_memory(const dn_workload *workload, FILE *to);

/** @return an object that begins with what was run on which machine; free with cJSON_Delete() */
cJSON *dn_bench_json(const dn_workload *workload, const char *what);

/** Adds {n, min, low, median, high} under a name. */
void dn_bench_add_spread(cJSON *object, const char *name, const dn_spread *spread);

#endif
