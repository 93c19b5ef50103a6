/** Out-of-distribution scores of one model or an ensemble. Higher score = more out-of-distribution.
 *
 * A scorer is fitted once and scores any number of sets, block by block; what methods have in common is fitted once.
 *
 * A leave-out ensemble gives a class map: which class each output column of each member stands for. Its members'
 * probabilities then cover different classes and meet in the probabilities of all classes, 0 where a member leaves a
 * class out; a member is fitted on the rows of its own classes. docs/scores.md has the formulas.
 */
#ifndef DN_OOD_SCORE_H
#define DN_OOD_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "ood/expression.h"
#include "ood/matrix.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a single-model method scores an ensemble. */
typedef enum dn_reduce {
    DN_REDUCE_DEFAULT, /**< `score` for single-model methods; ensemble methods need none */
    DN_REDUCE_SCORE,   /**< mean of the members' scores; fits are each member's own */
    DN_REDUCE_PROB,    /**< score of ln pm as logits, pm = mean of the members' probabilities; fits are of those too */
    DN_REDUCE_LOGIT,   /**< score of the mean logits; fits are of those too; not with a class map */
    DN_REDUCE_MIN,     /**< least of the members' scores */
    DN_REDUCE_MAX,     /**< largest of the members' scores */
    DN_REDUCE_COUNT
} dn_reduce;

enum { DN_SCORE_LAYERS_MAX = 64 };

/** A model's outputs for a set of images, borrowed. [N,C] arrays have members = 1. */
typedef struct dn_score_input {
    dn_matrix logits;       /**< [E,N,C], C >= 2; of a fit set it may be absent */
    const dn_matrix *layer; /**< [layers] pooled features [E,N,D] of each layer; the last are the penultimate ones */
    size_t layers;
    const int32_t *labels; /**< [N] class of each row (fit sets), or NULL */
    /** [E,C] class of each column, or -1 for a column that is not used at all (its values may be anything); NULL if
     *  column c is class c for all members. A member uses at least two columns and no class twice. */
    const int32_t *class_map;
    size_t classes; /**< number of all classes; without a class map 0 or C */
} dn_score_input;

/** What scores are fitted on, borrowed as long as the scorer is being opened. */
typedef struct dn_score_fit {
    const dn_score_input *set; /**< ID training rows; NULL: none */
    const double *weight;      /**< [E,C,D] of the last layer; NULL: not known */
    const double *bias;        /**< [E,C] */
    bool passes;               /**< what is scored comes from the pass that each expression asks for; false: expressions
                                    that ask for one are refused */
    /** Where the heavy products run: covariances of fits, neighbour searches. NULL, or a device that is this host
     *  (dn_device_is_host()): on this CPU, by kernels of their own. It must outlive the scorer. Neighbours are the same
     *  to the bit whatever the device; what covariances go into agrees to rounding. */
    dn_device *device;
} dn_score_fit;

typedef struct dn_scorer dn_scorer;

/** Fits the expressions. @param expressions [count] copied @param form a set like those that will be scored: its sizes,
 *  types and class map count, its numbers are not read @param fit NULL: nothing to fit on
 *  @param out receives the scorer; free with dn_scorer_close()
 *  @return DN_ERROR_ARGUMENT for a reduction that an expression rules out, for arrays that an expression needs and are
 *  not there (the text names them), an option out of range for this fit set; DN_ERROR_SHAPE (sizes, class map, labels);
 *  DN_ERROR_NUMERIC (a NaN or infinite number, named by array, member and row); DN_ERROR_MEMORY */
dn_status dn_scorer_open(dn_scorer **out, const dn_score_expression *expressions, size_t count, dn_reduce reduce,
                         const dn_score_input *form, const dn_score_fit *fit) DN_NODISCARD;
void dn_scorer_close(dn_scorer *scorer); /**< NULL is allowed */

/** Scores every row by every expression.
 *  @param scores [count] pointers to [N], written on DN_OK; otherwise their content is undefined
 *  @param input of the form that the scorer was opened with
 *  @return DN_OK; as dn_scorer_open(); DN_ERROR_NUMERIC also for a score beyond the range of double */
dn_status dn_scorer_run(const dn_scorer *scorer, double *const *scores, const dn_score_input *input) DN_NODISCARD;

/** The gradient of a fitted score by one member's features of one layer, for passes that move images by it.
 *  @param expression number of the expression; its method must have a gradient, without shapings; the scores of several
 *  layers must be summed @param layer counts the layers that the expression reads
 *  @param gradient [rows,D] @param logits [rows,C] used columns in class order @param features [rows,D] */
dn_status dn_scorer_gradient(const dn_scorer *scorer, size_t expression, size_t member, size_t layer, double *gradient,
                             const double *logits, const double *features, size_t rows) DN_NODISCARD;

/** @return what the user should be told once about the fits, one a line ("class 9 has no fit rows..."); "" for nothing
 */
const char *dn_scorer_notes(const dn_scorer *scorer);

/** All three in one, for one expression. @param scores [N] @param fit may be NULL */
dn_status dn_score(double *scores, const dn_score_expression *expression, const dn_score_input *input, dn_reduce reduce,
                   const dn_score_fit *fit) DN_NODISCARD;

/** Does the expression accept this reduction and these arrays? Numbers are not read. @return as dn_scorer_open() */
dn_status dn_score_check(const dn_score_expression *expression, dn_reduce reduce, const dn_score_input *form,
                         const dn_score_fit *fit) DN_NODISCARD;

/** @return number of classes that the members know together */
size_t dn_score_input_classes(const dn_score_input *input);

/** What an ensemble names a row; arrays are the caller's, NULL for what is not wanted. */
typedef struct dn_ensemble_prediction {
    int32_t *labels;        /**< [N] argmax of the mean probabilities, the lowest class on ties */
    double *probabilities;  /**< [N,classes] mean over members, 0 where a member leaves a class out */
    int32_t *member_labels; /**< [E,N] class of each member's largest logit, the lowest class on ties */
} dn_ensemble_prediction;

/** Predicts classes. @return as dn_scorer_run() */
dn_status dn_ensemble_predict(const dn_ensemble_prediction *out, const dn_score_input *input) DN_NODISCARD;

/** @return "score", "prob", "logit", "min", "max" or "default"; "?" for another value */
const char *dn_reduce_name(dn_reduce reduce);
dn_status dn_reduce_parse(dn_reduce *out, const char *name) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
