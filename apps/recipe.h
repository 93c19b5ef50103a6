/** Recipes: what to train on what, as YAML. The fields below are the keys of the file; docs/recipes.md lists them. */
#ifndef DN_APPS_RECIPE_H
#define DN_APPS_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/program.h"

typedef enum dn_prepare_step {
    DN_PREPARE_STANDARDIZE, /**< each image by its own mean and deviation */
    DN_PREPARE_NORMALIZE,   /**< each channel by data.mean and data.deviation */
    DN_PREPARE_CROP,        /**< training only: data.crop_padding, data.crop_choices */
    DN_PREPARE_FLIP         /**< training only */
} dn_prepare_step;

typedef struct dn_recipe_data {
    char *train, *test; /**< expressions, see docs/datasets.md */
    char **ood;         /**< [n_ood] what `evaluate` compares with when it is not told */
    unsigned n_ood;
    dn_prepare_step *prepare; /**< [n_prepare] in this order, after pixels / 255 */
    unsigned n_prepare;
    double *mean, *deviation; /**< [n_mean], [n_deviation]: one for each channel, of pixels / 255 */
    unsigned n_mean, n_deviation;
    int crop_padding, crop_choices; /**< 4; 0: all 2 padding + 1 offsets */
    bool replace;                   /**< draw batches with replacement instead of one permutation after the other */
} dn_recipe_data;

typedef struct dn_recipe_model {
    char *name;     /**< a row of the table in layers/models/models.h */
    double dropout; /**< -1: the model's own */
    int width;      /**< 0: the model's own */
    int depth;      /**< 0: the model's own */
    int outputs;    /**< 0: as many as data.train has classes; those above it never get an image */
} dn_recipe_model;

typedef enum dn_ensemble_kind { DN_ENSEMBLE_DEEP, DN_ENSEMBLE_MI, DN_ENSEMBLE_LEAVE_OUT } dn_ensemble_kind;

typedef struct dn_recipe_ensemble {
    dn_ensemble_kind kind;
    int members; /**< leave_out: the number of folds */
} dn_recipe_ensemble;

typedef enum dn_source_kind {
    DN_SOURCE_PATCH_SHUFFLE, /**< training images in patches of patch x patch, shuffled */
    DN_SOURCE_TRAIN,         /**< training images as they are trained on, without labels */
    DN_SOURCE_UNIFORM,       /**< pixels uniform in [0, 1) */
    DN_SOURCE_GAUSSIAN,      /**< pixels of the standard normal distribution, after preparation */
    DN_SOURCE_DATA           /**< the set `data` */
} dn_source_kind;

/** One source of pseudo-OOD batches, shared by all members. */
typedef struct dn_recipe_source {
    dn_source_kind kind;
    int patch;               /**< patch_shuffle: side of a patch */
    char *data;              /**< data: an expression */
    double alpha;            /**< weight of the mutual information */
    int redraw_every;        /**< steps; 1: a new batch at every step */
    bool stop_norm_gradient; /**< no MI gradient to batch norm's scale and shift */
} dn_recipe_source;

typedef struct dn_recipe_switch {
    int64_t step; /**< from this step on */
    int source;   /**< this source, counted from 0 */
} dn_recipe_switch;

/** loss = mean over members of CE - alpha * mean over the pseudo-OOD batch of MI (Degeneralization, seed A). */
typedef struct dn_recipe_mi {
    int batch;                 /**< in a file 0: as train.batch, which then stands here */
    dn_recipe_source *sources; /**< [n_sources] at least one */
    unsigned n_sources;
    dn_recipe_switch *switches; /**< [n_switches] by step, the first at 0; none: source 0 throughout */
    unsigned n_switches;
    int64_t period; /**< steps after which the switches start again; 0: never */
} dn_recipe_mi;

/** loss = CE + beta * max(margin + mean H(in) - mean H(left out), 0) (Vyas et al., ECCV 2018). */
typedef struct dn_recipe_leave_out {
    double beta, margin;
    int batch;          /**< of the left-out stream; in a file 0: as train.batch, which then stands here */
    int64_t split_seed; /**< of the class permutation; 3 gives the published CIFAR folds */
} dn_recipe_leave_out;

typedef enum dn_optimizer_kind { DN_OPTIMIZER_ADAM, DN_OPTIMIZER_SGD } dn_optimizer_kind;
typedef enum dn_rate_shape { DN_RATE_HOLD, DN_RATE_LINEAR, DN_RATE_COSINE } dn_rate_shape;

/** From `epoch` (or `step`, if it is not negative) on the rate is `rate`, and moves to the next row's by `shape`. */
typedef struct dn_recipe_rate {
    double epoch;
    int64_t step;
    double rate;
    dn_rate_shape shape;
} dn_recipe_rate;

typedef struct dn_recipe_optimizer {
    dn_optimizer_kind kind;
    double rate;              /**< constant, where there is no schedule */
    dn_recipe_rate *schedule; /**< [n_schedule] */
    unsigned n_schedule;
    double *member_rates; /**< [n_member_rates] a factor for each member; none: 1 */
    unsigned n_member_rates;
    double beta1, beta2, epsilon; /**< Adam: .9 .999 1e-8 */
    double momentum;              /**< SGD: 0 */
    bool nesterov;
    double weight_decay; /**< times w added to the gradient, all parameters */
    double l2;           /**< times the sum of squares of all weights and dense biases added to the loss */
} dn_recipe_optimizer;

typedef struct dn_recipe_train {
    int batch;
    double epochs;
    int64_t steps;          /**< if positive, instead of epochs */
    dn_precision precision; /**< of training; testing is done in f32 */
    uint64_t seed;
    int64_t checkpoint_every; /**< steps; 0: once per epoch */
    int64_t limit;            /**< use only the first so many training images; 0: all */
} dn_recipe_train;

typedef struct dn_recipe {
    char *name, *description;
    dn_recipe_data data;
    dn_recipe_model model;
    dn_recipe_ensemble ensemble;
    dn_recipe_mi mi;
    dn_recipe_leave_out leave_out;
    dn_recipe_optimizer optimizer;
    dn_recipe_train train;
} dn_recipe;

/** Reads a recipe: a shipped one by name ("glyphs-mi"), or a file (a name with a '/' or ending in .yaml); then applies
 *  overrides "key.key=value". Unknown keys and values out of range are errors that name the line or key, what was
 *  found, and the nearest known key. @param out free with dn_recipe_close() */
dn_status dn_recipe_open(dn_recipe **out, const char *name, const char *const *overrides, int n_overrides);

/** The same from text, as it is stored in a run. @param label names it in errors */
dn_status dn_recipe_parse(dn_recipe **out, const char *yaml, const char *label, const char *const *overrides,
                          int n_overrides);
void dn_recipe_close(dn_recipe *recipe);

/** @return the resolved recipe as YAML, every key filled in; NULL with an error text; free with dn_free() */
char *dn_recipe_text(const dn_recipe *recipe);

/** Lists the shipped recipes by name. @return their number; names[i] and descriptions[i] are static */
int dn_recipe_list(const char *const **names, const char *const **descriptions);

#endif
