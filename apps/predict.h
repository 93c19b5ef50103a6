/** Classes, scores and accept or reject for images, by a run and its stored threshold. */
#ifndef DN_APPS_PREDICT_H
#define DN_APPS_PREDICT_H

#include "apps/scoring.h"
#include "apps/threshold.h"

typedef struct dn_predict_options {
    const char *run, *data_dir;
    bool refresh, quiet;
} dn_predict_options;

typedef struct dn_calibration_options {
    const char *id;     /**< expression, all rows of which are used; NULL: a random half of the recipe's data.test */
    const char *method; /**< expression; NULL: the kind's own score */
    dn_reduce reduce;
    const char *fit; /**< NULL: the recipe's training set */
    double share;    /**< of the calibration rows to be accepted at least, above 0, at most 1 */
} dn_calibration_options;

/** @return RUN/threshold.json, or NULL; free with dn_free() */
char *dn_threshold_path(const char *run);

/** Chooses a threshold. @param out free with dn_threshold_clear(), also after an error */
dn_status dn_calibrate(dn_threshold *out, const dn_network *network, const dn_predict_options *options,
                       const dn_calibration_options *calibration) DN_NODISCARD;

typedef struct dn_prediction {
    size_t rows;
    int32_t *named;      /**< [N] class of the largest mean probability */
    int32_t *labels;     /**< [N], or NULL */
    char **item_names;   /**< [N] such as the images' files; NULL: they have none */
    double *probability; /**< [N] of that class */
    double *score;       /**< [N] */
    int64_t images;      /**< that went through the network */
} dn_prediction;

/** Predicts. @param out free with dn_prediction_close(), also after an error
 *  @return DN_ERROR_ARGUMENT if the threshold is not this network's any more */
dn_status dn_predict(dn_prediction *out, const dn_network *network, const dn_predict_options *options,
                     const dn_threshold *threshold, const char *set) DN_NODISCARD;
void dn_prediction_close(dn_prediction *prediction);

/** Writes the class's name, or its number where classes have none. @return text */
const char *dn_network_class_name(const dn_network *network, int32_t class, char *text, size_t size);

#endif
