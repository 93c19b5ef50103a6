/** How well a network knows what it does not know: accuracy on ID data, metrics of each score on each OOD set. */
#ifndef DN_APPS_EVALUATE_H
#define DN_APPS_EVALUATE_H

#include "apps/network.h"
#include "apps/scoring.h"
#include "ood/bootstrap.h"
#include "ood/metrics.h"

typedef struct dn_evaluation_options {
    const char *run; /**< RUN or its checkpoint: where outputs are kept */
    const char *data_dir;
    const char *id;         /**< expression; NULL: the recipe's data.test */
    const char *const *ood; /**< [n_ood] expressions; 0 of them: the recipe's data.ood */
    int n_ood;
    const dn_expression_list *list; /**< NULL or empty: dn_evaluation_methods() */
    dn_reduce reduce;               /**< for single-model methods */
    const char *fit, *layers;       /**< see dn_scoring_options */
    dn_metrics_options metrics;
    size_t bootstrap;     /**< resamples for intervals; 0: none */
    const uint64_t *seed; /**< of the images that are drawn; NULL: the recipe's train.seed */
    bool keep_scores;     /**< rows get their scores */
    bool refresh, quiet;  /**< see dn_output_files_open() */
} dn_evaluation_options;

/** One score on one OOD set. */
typedef struct dn_evaluation_row {
    char *ood, *method;
    dn_reduce reduce; /**< DN_REDUCE_DEFAULT: none, the method combines the members itself or there is only one */
    dn_metrics metrics;
    dn_interval *interval;   /**< [DN_METRIC_COUNT] 95 %; NULL: not asked for */
    const double *id_scores; /**< [metrics.n_id], borrowed from the evaluation; NULL unless kept */
    double *scores;          /**< [metrics.n_ood]; NULL unless kept */
} dn_evaluation_row;

/** A score that was asked for by `all` and that this run cannot give. */
typedef struct dn_left_out {
    char *method, *reason;
} dn_left_out;

typedef struct dn_evaluation {
    char *run, *id;
    uint64_t seed;
    int64_t n_id;
    int members;
    bool labelled;           /**< the ID set has labels of the network's classes: there are accuracies */
    double accuracy;         /**< of the ensemble */
    double *member_accuracy; /**< [E] */
    dn_evaluation_row *rows; /**< [n_rows] by OOD set, then by method, both in the order asked for */
    int n_rows;
    dn_left_out *left_out; /**< [n_left_out] */
    int n_left_out;
    dn_set_scores id_scores; /**< empty unless kept */
    int64_t images;          /**< that went through the network: 0 if all outputs were there already */
    struct {
        double network, fit, score, metrics;
    } seconds;
} dn_evaluation;

/** @return the methods that are run when none are asked for, by the kind and size of the ensemble, its own score first;
 *  [*count], static */
const char *const *dn_evaluation_methods(const dn_recipe *recipe, int *count);

/** @return the reduction of a row in a word, "-" for none */
const char *dn_evaluation_reduce_text(dn_reduce reduce);

/** Runs the network over the sets whose outputs are not there yet, then fits and scores.
 *  @param out free with dn_evaluation_close() */
dn_status dn_evaluate(dn_evaluation *out, const dn_network *network, const dn_evaluation_options *options);
void dn_evaluation_close(dn_evaluation *evaluation);

#endif
