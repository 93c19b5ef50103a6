/** Scores of the single rows of a trained run's sets: where an experiment has conventions of its own, which the figures
 *  of dn_reproduce_score() do not have. */
#ifndef DN_APPS_REPRODUCE_ROWS_H
#define DN_APPS_REPRODUCE_ROWS_H

#include "apps/reproduce.h"
#include "apps/scoring.h"

typedef struct dn_rows {
    dn_network *network;
    dn_output_files files;
    dn_expression_list list;
    dn_scoring *scoring;
} dn_rows;

/** @param expressions [count] scores, none of which is fitted @param limit the first so many rows of each set; 0: all
 *  @param out must not move; clear with dn_rows_close(), also after a failure */
dn_status dn_rows_open(dn_rows *out, const dn_reproduction *r, const char *run, const char *const *expressions,
                       size_t count, int64_t limit) DN_NODISCARD;
void dn_rows_close(dn_rows *rows);

/** Scores a set. @param out free with dn_set_scores_close()
 *  @param right [out->rows] 1 where the ensemble names the row's class, else 0; free with dn_free(); NULL: not wanted
 *  @return DN_ERROR_ARGUMENT if `right` is wanted of a set without labels of the network's classes */
dn_status dn_rows_take(dn_set_scores *out, uint8_t **right, dn_rows *rows, const char *set) DN_NODISCARD;

#endif
