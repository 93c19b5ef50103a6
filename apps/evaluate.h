/** How well a network knows what it does not know: accuracy on ID data, metrics of each score on each OOD set. */
#ifndef DN_APPS_EVALUATE_H
#define DN_APPS_EVALUATE_H

#include "apps/network.h"
#include "ood/metrics.h"

typedef struct dn_evaluation_options {
    const char *data_dir;
    const char *id;         /**< expression; NULL: the recipe's data.test */
    const char *const *ood; /**< [n_ood] expressions; 0 of them: the recipe's data.ood */
    int n_ood;
    const char *const *methods; /**< [n_methods] expressions; 0 of them: dn_evaluation_methods() */
    int n_methods;
    dn_reduce reduce; /**< for single-model methods */
    dn_metrics_options metrics;
    const uint64_t *seed; /**< of the images that are drawn; NULL: the recipe's train.seed */
    bool keep_scores;     /**< rows get their scores */
} dn_evaluation_options;

/** One line of the table. */
typedef struct dn_evaluation_row {
    char *ood, *method;
    dn_reduce reduce; /**< DN_REDUCE_DEFAULT: none, the method combines the members itself or there is only one */
    dn_metrics metrics;
    const double *id_scores; /**< [metrics.n_id], borrowed from the evaluation; NULL unless kept */
    double *scores;          /**< [metrics.n_ood]; NULL unless kept */
} dn_evaluation_row;

typedef struct dn_evaluation {
    char *id;
    int64_t n_id;
    int members;
    bool labelled;           /**< the ID set has labels of the network's classes: there are accuracies */
    double accuracy;         /**< of the ensemble */
    double *member_accuracy; /**< [E] */
    dn_evaluation_row *rows; /**< [n_rows] by OOD set, then by method */
    int n_rows;
    double **id_scores; /**< [n_methods] [n_id]; NULL unless kept */
    int n_methods;
} dn_evaluation;

/** @return the methods that are run when none are asked for, by the kind and size of the ensemble, its own score first;
 *  [*count], static */
const char *const *dn_evaluation_methods(const dn_recipe *recipe, int *count);

/** @return the reduction of a row in a word, "-" for none */
const char *dn_evaluation_reduce_text(const dn_evaluation_row *row);

/** Runs the network once over each set, then scores. @param out free with dn_evaluation_close() */
dn_status dn_evaluate(dn_evaluation *out, const dn_network *network, const dn_evaluation_options *options);
void dn_evaluation_close(dn_evaluation *evaluation);

#endif
