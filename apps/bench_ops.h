/** `dunlin bench ops`: the time of every op of a training step. */
#ifndef DN_APPS_BENCH_OPS_H
#define DN_APPS_BENCH_OPS_H

#include "apps/bench_cost.h"
#include "apps/bench_spread.h"
#include "apps/bench_workload.h"

typedef struct dn_op_time {
    int op;             /**< its number in the program */
    const char *kernel; /**< borrowed from the executor */
    int runs;           /**< how often in a row for each time; ms is of one */
    dn_spread ms;
    dn_op_cost cost;
    bool slow_fallback;
} dn_op_time;

typedef struct dn_ops_report {
    dn_op_time *rows; /**< [n_rows] in execution order; views, which have no kernel, are left out */
    int n_rows;
    dn_spread step_ms; /**< of the whole step */
    dn_spread sum_ms;  /**< of all ops one by one */
} dn_ops_report;

/** Runs the step as a whole and op by op in turns, so that both see the same machine; every op runs in its place, on
 *  the data that it meets in training. On a GPU short ops run up to 20 times in a row, at least 0.5 ms, before the
 *  clock is stopped: one launch and the wait for it take longer than they do.
 *  @param repeats 0: about three seconds, at least 10  @param out free with dn_ops_report_close() */
dn_status dn_bench_ops(dn_ops_report *out, const dn_workload *workload, int repeats) DN_NODISCARD;
void dn_ops_report_close(dn_ops_report *report);

/** @param sorted the longest first, instead of in execution order */
dn_status dn_bench_ops_print(const dn_ops_report *report, const dn_workload *workload, bool sorted,
                             FILE *to) DN_NODISCARD;
dn_status dn_bench_ops_json(const dn_ops_report *report, const dn_workload *workload, const char *path) DN_NODISCARD;

#endif
