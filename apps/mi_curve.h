/** How an ensemble does while it is trained: accuracy, and AUROC of three scores on three unknown sets. */
#ifndef DN_APPS_MI_CURVE_H
#define DN_APPS_MI_CURVE_H

#include "apps/checkpoint.h"
#include "apps/reproduce.h"
#include "apps/step_table.h"
#include "datasets/dataset.h"

enum {
    DN_MI_SETS = 3,
    DN_MI_SCORES = 3,
    /* accuracy; of the known set, then of each unknown one, the means of max p, entropy and MI; AUROCs by set, score */
    DN_MI_COLUMNS = 1 + DN_MI_SCORES * (1 + DN_MI_SETS) + DN_MI_SETS * DN_MI_SCORES
};

/** What is looked at. */
typedef struct dn_mi_curve {
    const char *path; /**< the CSV file */
    const char *data_dir;
    const char *id;                   /**< expression; labelled */
    const dn_labelled *ood;           /**< [DN_MI_SETS] */
    uint64_t seed;                    /**< of sets that are drawn */
    int64_t rows;                     /**< the first so many of each set; 0: all */
    dn_dataset *sets[1 + DN_MI_SETS]; /**< opened when they are first needed */
    dn_step_table table;
    bool open;
} dn_mi_curve;

/** Scores of the curve, as expressions: max p, entropy, mutual information. */
extern const char *const dn_mi_scores[DN_MI_SCORES];

/** @return the column of an AUROC, or of the accuracy */
size_t dn_mi_auroc_column(int set, int score);
enum { DN_MI_ACCURACY_COLUMN = 0 };

/** Reads what the file holds. @param last up to this step */
dn_status dn_mi_curve_open(dn_mi_curve *curve, int64_t last) DN_NODISCARD;
void dn_mi_curve_close(dn_mi_curve *curve);

/** For dn_training_options.on_checkpoint: adds a row where the step is a multiple of the recipe's
 *  train.checkpoint_every and has none. @param curve a dn_mi_curve, open or not */
dn_status dn_mi_curve_look(void *curve, const dn_network *network, const dn_history *history);

#endif
