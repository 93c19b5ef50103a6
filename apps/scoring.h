/** A run's scores of data sets: expressions of every kind, each with the pass through the network that it asks for.
 *
 * All scores of the plain pass share one file of outputs, one scorer and its fits; a score with a pass of its own has a
 * file for each set beside it. The fit set passes through the network only if a score asks for it.
 */
#ifndef DN_APPS_SCORING_H
#define DN_APPS_SCORING_H

#include "apps/outputs.h"
#include "ood/expression.h"

typedef struct dn_scoring_options {
    const dn_expression_list *list; /**< borrowed as long as the scoring is open, as all texts here are */
    dn_reduce reduce;               /**< of single-model methods */
    const char *fit;                /**< expression; NULL: the recipe's data.train, as far as it was trained on */
    const char *layers; /**< names, separated by commas, that layers=all means; NULL: all. The penultimate features are
                               always among them */
    uint64_t seed;
    int64_t limit; /**< only the first so many rows of each set that is scored; 0: all */
    bool quiet;    /**< no notes */
} dn_scoring_options;

typedef struct dn_scoring dn_scoring;

/** Fits the scores. @param files borrowed @param out free with dn_scoring_close() */
dn_status dn_scoring_open(dn_scoring **out, dn_output_files *files, const dn_scoring_options *options) DN_NODISCARD;
void dn_scoring_close(dn_scoring *scoring); /**< NULL is allowed */

/** @return why the expression was left out; NULL: it was not */
const char *dn_scoring_left_out(const dn_scoring *scoring, size_t expression);

/** @return the reduction that the expression's scores went through, DN_REDUCE_DEFAULT for none */
dn_reduce dn_scoring_reduce(const dn_scoring *scoring, size_t expression);

/** @return the fingerprint of the set that was fitted on; 0: nothing was fitted */
uint64_t dn_scoring_fit_print(const dn_scoring *scoring);

/** Opens the plain outputs of a set with the layers that the scores take. @param out free with dn_outputs_close() */
dn_status dn_scoring_outputs(dn_outputs **out, dn_scoring *scoring, const char *set) DN_NODISCARD;

/** Scores of one set. */
typedef struct dn_set_scores {
    size_t count, rows;
    double **score; /**< [count] [rows]; NULL for an expression that was left out */
} dn_set_scores;

/** Scores a set. @param plain its plain outputs, by dn_scoring_outputs()
 *  @param out free with dn_set_scores_close() */
dn_status dn_scoring_run(dn_set_scores *out, dn_scoring *scoring, const dn_outputs *plain) DN_NODISCARD;
void dn_set_scores_close(dn_set_scores *scores);

/** What took how long so far. */
typedef struct dn_scoring_seconds {
    double fit, score;
} dn_scoring_seconds;
dn_scoring_seconds dn_scoring_time(const dn_scoring *scoring);

#endif
