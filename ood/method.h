/** The methods: one table that drives the commands, their help, the documentation and the tests.
 *
 * A method is one file: a constant dn_method with its name, what it needs, its options, its fit and its score, and a
 * row in method.c. docs/add_a_score.md shows the way.
 *
 * Methods see blocks of rows of one model, as doubles; many threads score different blocks at once. Members,
 * reductions, shapings, layers, class maps, files and NaNs are the business of score.h.
 */
#ifndef DN_OOD_METHOD_H
#define DN_OOD_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "ood/fit.h"
#include "ood/rows.h"
#include "ood/workspace.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_METHOD_OPTIONS_MAX = 8 };

/** A number that a method takes, as in `gen:gamma=.1`, or a word, as in `she:rule=max`. */
typedef struct dn_method_option {
    const char *name, *text;
    double standard; /**< taken if it is not given; of a word: its index */
    double low, high;
    bool above_low; /**< the value must be greater than `low`; otherwise `low` itself is allowed */
    bool integer;
    bool automatic;          /**< NAN, as long as it is not given: the method chooses, `text` says how */
    const char *const *word; /**< NULL: a number; else the words, ending with NULL: the value is an index */
} dn_method_option;

/** What a method reads, as bits. */
typedef enum dn_method_need {
    DN_NEEDS_LOGITS = 1,        /**< z of the rows to score [N,C] */
    DN_NEEDS_FEATURES = 2,      /**< f of the rows to score [N,D] */
    DN_NEEDS_HEAD = 4,          /**< W [C,D] and b [C] of the last layer, z = W f + b */
    DN_NEEDS_FIT_LOGITS = 8,    /**< z of the ID training rows */
    DN_NEEDS_FIT_FEATURES = 16, /**< f of the ID training rows */
    DN_NEEDS_FIT_LABELS = 32    /**< y of the ID training rows */
} dn_method_need;

typedef enum dn_method_kind {
    DN_METHOD_SINGLE,   /**< scores one model's rows; an ensemble goes through a reduction */
    DN_METHOD_ENSEMBLE, /**< combines the members itself */
    DN_METHOD_SHAPING   /**< changes features or the head; a score of logits follows */
} dn_method_kind;

/** What the network has to do beyond one plain pass; see ood/pass.h. */
typedef enum dn_method_pass {
    DN_PASS_NONE,
    DN_PASS_ODIN,         /**< images moved against the gradient of CE(z/T, y^) */
    DN_PASS_ODIN_ENTROPY, /**< images moved against the gradient of H(softmax(z/T)) */
    DN_PASS_SCORE,        /**< images moved against the gradient of the method's own score, if its option eps > 0 */
    DN_PASS_RANKFEAT,     /**< the last feature map without its first singular component */
    DN_PASS_DROPOUT       /**< T passes with dropout on, each taken as a member */
} dn_method_pass;

/** A method's options and what its fit made, for one model. */
typedef struct dn_fitted {
    const double *option; /**< values in the order of the method's options */
    const void *state;    /**< NULL for a method without fit */
} dn_fitted;

/** Fits one model. @param state receives what the score needs; freed by the method's `close`, also after an error
 *  @param option values in the order of the method's options */
typedef dn_status dn_fit_fn(void **state, dn_fit *fit, const double *option);

/** Scores a block. @param scores [in->rows] @param space scratch of this thread
 *  @return DN_OK or an error; a score that is not finite is found by the caller */
typedef dn_status dn_score_single_fn(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space);
typedef dn_status dn_score_ensemble_fn(double *scores, const dn_score_block *in, const dn_fitted *by,
                                       dn_workspace *space);

/** Changes the features of a block in place. @param features [rows, dim] */
typedef dn_status dn_shape_fn(double *features, size_t rows, size_t dim, const dn_fitted *by, dn_workspace *space);

/** Changes the weights of the head in place. @param weight [columns, dim] */
typedef dn_status dn_shape_head_fn(double *weight, size_t columns, size_t dim, const dn_fitted *by);

/** The gradient of the scores with respect to what they are computed from: of row r's score by row r's features.
 *  @param gradient [in->rows, in->dim] */
typedef dn_status dn_score_gradient_fn(double *gradient, const dn_score_rows *in, const dn_fitted *by,
                                       dn_workspace *space);

typedef struct dn_method {
    const char *name;
    const char *text;   /**< one line for help and documentation: the outlier score */
    const char *source; /**< the publication */
    dn_method_kind kind;
    unsigned needs;      /**< dn_method_need bits */
    dn_method_pass pass; /**< DN_PASS_NONE: arrays are enough */
    bool layered;        /**< the features may be those of any layer: has the options `layers` and `combine`, see
                          expression.h */
    bool all_layers;     /**< `layers` is `all`, as long as it is not given */
    size_t option_count;
    dn_method_option option[DN_METHOD_OPTIONS_MAX];
    dn_fit_fn *fit;             /**< NULL: nothing to fit */
    void (*close)(void *state); /**< frees what `fit` made; NULL is never given */
    union {
        dn_score_single_fn *single;     /**< DN_METHOD_SINGLE */
        dn_score_ensemble_fn *ensemble; /**< DN_METHOD_ENSEMBLE */
        dn_shape_fn *shape;             /**< DN_METHOD_SHAPING; NULL: only the head changes */
    } score;
    dn_shape_head_fn *shape_head;   /**< DN_METHOD_SHAPING; NULL: the head stays */
    dn_score_gradient_fn *gradient; /**< of a single method with DN_PASS_SCORE */
} dn_method;

/** @return the table, in the order of the documentation; `*count` receives its length */
const dn_method *const *dn_methods(size_t *count);

/** @return the method of that name, or NULL */
const dn_method *dn_method_find(const char *name);

/** A method with its options' values. */
typedef struct dn_method_call {
    const dn_method *method;
    double option[DN_METHOD_OPTIONS_MAX]; /**< [method->option_count] */
} dn_method_call;

/** @return the value of the option of this name; the method must have it */
double dn_method_option_value(const dn_method_call *call, const char *name);

#ifdef __cplusplus
}
#endif
#endif
