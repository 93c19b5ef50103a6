/** How far predicted probabilities can be believed: accuracy, NLL, Brier score and ECE of one model or an ensemble.
 *
 * pm = mean over members of softmax(z_e); the predicted class is argmax pm, the lowest one on ties. Arithmetic is in
 * double; NLL is formed from logits, so that it stays finite where a probability underflows. Sums run over rows in
 * their order, whatever the number of threads. ECE: Guo et al., ICML 2017.
 */
#ifndef DN_OOD_CALIBRATION_H
#define DN_OOD_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_ECE_BINS = 15 };

/** Borrowed. A [N,C] array has members = 1. */
typedef struct dn_calibration_input {
    size_t members, rows, columns; /**< E, N, C; C >= 2 */
    const double *logits;          /**< [E,N,C] */
    const int32_t *labels;         /**< [N] true classes */
    /** [E,C] class of each column, -1 for a column that is not used (nor read), no class twice in a member; NULL if
     *  column c is class c for all members. */
    const int32_t *class_map;
    size_t classes; /**< number of all classes; without a class map 0 or C */
} dn_calibration_input;

typedef struct dn_calibration {
    size_t rows;
    double accuracy; /**< share of rows whose predicted class is the true one */
    double nll;      /**< mean of -ln pm_y */
    double brier;    /**< mean of sum_c (pm_c - [c = y])^2, 0 to 2 */
    double ece;      /**< DN_ECE_BINS bins (lo, hi] on max pm: abs(accuracy - mean max pm), weighted by share of rows */
} dn_calibration;

/** What selective figures need of each row; arrays are the caller's, NULL for what is not wanted. */
typedef struct dn_calibration_rows {
    uint8_t *right; /**< [N] 1: predicted is true */
    double *msp;    /**< [N] 1 - max pm, as the sum of the others */
} dn_calibration_rows;

/** Computes all figures. @param rows NULL if nothing of single rows is wanted; undefined on failure
 *  @return DN_OK; DN_ERROR_SHAPE (no members, rows or fewer than 2 columns; a class map that does not fit);
 *  DN_ERROR_NUMERIC naming a logit that is NaN or infinite; DN_ERROR_ARGUMENT naming a label that is no class, or one
 *  that no member knows; DN_ERROR_MEMORY; `out` is written on DN_OK only */
DN_NODISCARD dn_status dn_calibration_compute(dn_calibration *out, const dn_calibration_rows *rows,
                                              const dn_calibration_input *input);

#ifdef __cplusplus
}
#endif
#endif
