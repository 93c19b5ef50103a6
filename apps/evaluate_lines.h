/** The lines of `dunlin evaluate`'s table: the rows of one or several runs (seeds of one recipe) side by side, and
 *  means over OOD sets, sorted by how well the scores tell the sets from known data. */
#ifndef DN_APPS_EVALUATE_LINES_H
#define DN_APPS_EVALUATE_LINES_H

#include "apps/evaluate.h"
#include "apps/metric_sets.h"

/** A score on an OOD set, or its mean over a group of sets, each with the same weight. */
typedef struct dn_evaluation_line {
    const char *set; /**< expression, or "mean", "near", "far" */
    bool is_mean;
    const char *method;
    dn_reduce reduce;
    int runs;
    double (*value)[DN_METRIC_COMPARABLE];  /**< [runs] */
    double mean[DN_METRIC_COMPARABLE];      /**< over the runs */
    double deviation[DN_METRIC_COMPARABLE]; /**< sample standard deviation over the runs; NaN for one run */
    const dn_interval *interval;            /**< [DN_METRIC_COUNT]; NULL: several runs, a mean, or not asked for */
    int order;                              /**< of the score, as asked for */
} dn_evaluation_line;

typedef struct dn_evaluation_lines {
    dn_evaluation_line *lines; /**< [count] set by set, then the means; within each by AUROC, the largest first */
    int count;
} dn_evaluation_lines;

/** @param runs [n] of the same OOD sets; a score is taken if all runs have it
 *  @param groups [number of OOD sets] in the order of the rows; NULL: there are none
 *  @param out borrows the runs; free with dn_evaluation_lines_close() */
dn_status dn_evaluation_lines_take(dn_evaluation_lines *out, const dn_evaluation *runs, int n,
                                   const dn_metric_group *groups) DN_NODISCARD;
void dn_evaluation_lines_close(dn_evaluation_lines *lines);

#endif
