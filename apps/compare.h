/** Several runs side by side: each is evaluated on the same known and unknown sets by one score. */
#ifndef DN_APPS_COMPARE_H
#define DN_APPS_COMPARE_H

#include "apps/evaluate.h"
#include "apps/progress.h"

typedef struct dn_comparison_options {
    const char *const *runs; /**< [n_runs] RUN or RUN:METHOD */
    int n_runs;
    const char *data_dir;
    const char *id;         /**< expression; NULL: the test set that all recipes must have in common */
    const char *const *ood; /**< [n_ood] expressions; 0 of them: those of the first run's recipe */
    int n_ood;
    bool keep_scores;
    dn_progress *progress; /**< a note for every run; NULL: none */
} dn_comparison_options;

typedef struct dn_compared_run {
    char *path, *name; /**< the name is the folder's own, or the whole path where two would have the same */
    char *method;
    dn_ensemble_kind kind;
    dn_evaluation result;          /**< one row for each OOD set */
    double mean_auroc, mean_fpr95; /**< over the OOD sets, each with the same weight */
} dn_compared_run;

typedef struct dn_comparison {
    dn_compared_run *runs; /**< [n_runs] */
    int n_runs;
    char **ood; /**< [n_ood] */
    int n_ood;
    char *id;
    uint64_t seed; /**< of the images that are drawn: the first run's, so that all runs see the same */
} dn_comparison;

/** @return the score that a run is judged by when none is asked for: what its kind of ensemble is made for */
const char *dn_comparison_method(const dn_recipe *recipe);

/** @return "deep", "mi" or "leave_out" */
const char *dn_ensemble_kind_name(dn_ensemble_kind kind);

/** Loads the runs one after the other and evaluates them. What can be checked is checked before the first evaluation.
 *  @param out free with dn_comparison_close() */
dn_status dn_compare(dn_comparison *out, dn_device *device, const dn_comparison_options *options) DN_NODISCARD;
void dn_comparison_close(dn_comparison *comparison);

#endif
