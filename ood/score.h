/** Out-of-distribution scores of logits from one model or an ensemble. Higher score = more out-of-distribution.
 *
 * A leave-out ensemble gives a class map: which class each output column of each member stands for. Its members'
 * probabilities then cover different classes and meet in the probabilities of all classes, 0 where a member leaves a
 * class out. All arithmetic is in double. docs/scores.md has the formulas.
 */
#ifndef DN_OOD_SCORE_H
#define DN_OOD_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"
#include "ood/method.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a single-model method scores an ensemble. */
typedef enum dn_reduce {
    DN_REDUCE_DEFAULT, /**< `score` for single-model methods; ensemble methods need none */
    DN_REDUCE_SCORE,   /**< mean of the members' scores */
    DN_REDUCE_PROB,    /**< score of ln pm as logits, pm = mean of the members' probabilities */
    DN_REDUCE_LOGIT,   /**< score of the mean logits; not with a class map */
    DN_REDUCE_MIN,     /**< least of the members' scores */
    DN_REDUCE_MAX,     /**< largest of the members' scores */
    DN_REDUCE_COUNT
} dn_reduce;

/** Logits, borrowed. [N,C] arrays have members = 1. */
typedef struct dn_score_input {
    size_t members, rows, columns; /**< E, N, C; C >= 2 */
    dn_dtype type;                 /**< DN_F32 or DN_F64 */
    const void *logits;            /**< [E,N,C] */
    /** [E,C] class of each column, or -1 for a column that is not used at all (its values may be anything); NULL if
     *  column c is class c for all members. A member uses at least two columns and no class twice. */
    const int32_t *class_map;
    size_t classes; /**< number of all classes; without a class map 0 or C */
} dn_score_input;

/** @return number of classes that the members know together */
size_t dn_score_input_classes(const dn_score_input *input);

/** Scores every row.
 *  @param scores [N], written on DN_OK; otherwise its content is undefined
 *  @param call from dn_method_parse()
 *  @return DN_OK; DN_ERROR_SHAPE (sizes, class map); DN_ERROR_NUMERIC (a NaN or infinite logit, named by member and
 *  row; a score beyond the range of double); DN_ERROR_ARGUMENT (a reduction that the method or the class map rules
 *  out); DN_ERROR_MEMORY */
DN_NODISCARD dn_status dn_score(double *scores, const dn_method_call *call, const dn_score_input *input,
                                dn_reduce reduce);

/** The same without scoring: does the method accept this reduction on this input's form? Logits are not read. */
DN_NODISCARD dn_status dn_score_check(const dn_method_call *call, const dn_score_input *input, dn_reduce reduce);

/** What an ensemble names a row; arrays are the caller's, NULL for what is not wanted. */
typedef struct dn_ensemble_prediction {
    int32_t *labels;        /**< [N] argmax of the mean probabilities, the lowest class on ties */
    double *probabilities;  /**< [N,classes] mean over members, 0 where a member leaves a class out */
    int32_t *member_labels; /**< [E,N] class of each member's largest logit, the lowest class on ties */
} dn_ensemble_prediction;

/** Predicts classes. @return as dn_score() */
DN_NODISCARD dn_status dn_ensemble_predict(const dn_ensemble_prediction *out, const dn_score_input *input);

/** @return "score", "prob", "logit", "min", "max" or "default"; "?" for another value */
const char *dn_reduce_name(dn_reduce reduce);
DN_NODISCARD dn_status dn_reduce_parse(dn_reduce *out, const char *name);

#ifdef __cplusplus
}
#endif
#endif
