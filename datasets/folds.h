/** Leave-out folds: which classes each member of a leave-out ensemble treats as in-distribution.
 *
 * The classes are permuted as numpy.random.RandomState(seed).permutation(classes) does it, and cut into `folds` runs.
 * Fold f leaves out run f. The other classes keep the permutation's order, and that order numbers a member's outputs.
 * Runs differ by at most one in length; with classes divisible by folds they are those of Vyas et al., "Out-of-
 * distribution detection using an ensemble of self supervised leave-out classifiers", ECCV 2018 (seed 3, 5 folds).
 */
#ifndef DN_DATASETS_FOLDS_H
#define DN_DATASETS_FOLDS_H

#include <stdint.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_folds {
    int classes, folds;
    int *permutation; /**< [classes] */
    int *order;       /**< [folds,classes]: the fold's ID classes, then those it leaves out, both as permuted */
    int *id_count;    /**< [folds]: how many of a row of `order` are ID classes */
} dn_folds;

/** @param out receives the folds; free with dn_folds_close()
 *  @return DN_ERROR_ARGUMENT unless 2 <= folds <= classes <= 2^20 */
dn_status dn_folds_open(dn_folds **out, int classes, int folds, uint32_t seed);

/** NULL is allowed. */
void dn_folds_close(dn_folds *folds);

/** @return the ID classes of a fold, output index -> class, [*count]; borrowed */
const int *dn_folds_id(const dn_folds *folds, int fold, int *count);

/** @return the classes that a fold leaves out, [*count]; borrowed */
const int *dn_folds_left_out(const dn_folds *folds, int fold, int *count);

/** Fills numbers [classes] with each class's output index in a fold, -1 where left out: the label map of a member. */
void dn_folds_numbers(const dn_folds *folds, int fold, int32_t *numbers);

#ifdef __cplusplus
}
#endif
#endif
