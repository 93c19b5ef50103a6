/** RUN/threshold.json: where a run's score stops accepting images, and how that was found. */
#ifndef DN_APPS_THRESHOLD_H
#define DN_APPS_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ood/score.h"

typedef struct dn_threshold {
    char *method; /**< expression */
    dn_reduce reduce;
    double threshold;       /**< an image is accepted if its score is below it */
    double asked, reached;  /**< share of the calibration rows that is accepted */
    int64_t rows;           /**< calibration rows */
    bool half;              /**< these are the half of the set that half.h names; otherwise all rows */
    double others_accepted; /**< share of the set's other rows that is accepted; NaN if there are none */
    char *set;              /**< expression */
    uint64_t seed;
    char *fit;                         /**< expression that the score was fitted on; "": the recipe's training set */
    uint64_t fit_print, network_print; /**< fingerprints; see fingerprint.h */
} dn_threshold;

/** The lowest threshold that accepts at least this share.
 *  @param scores [n] finite, sorted here @param share above 0, at most 1 @param reached receives the share accepted */
double dn_threshold_choose(double *scores, size_t n, double share, double *reached);

dn_status dn_threshold_save(const dn_threshold *threshold, const char *path) DN_NODISCARD;

/** @param out free with dn_threshold_clear(), also after an error
 *  @return DN_ERROR_FILE if there is none, DN_ERROR_FORMAT for a file that does not say what it should */
dn_status dn_threshold_load(dn_threshold *out, const char *path) DN_NODISCARD;
void dn_threshold_clear(dn_threshold *threshold);

#endif
