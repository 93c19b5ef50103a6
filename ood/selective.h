/** Selective classification: answer rows of low score, decline the others. Higher score = more out-of-distribution.
 *
 * A row is accepted if its score is below the threshold, that is, not flagged. An accepted ID row counts as right if
 * its predicted class is; an OOD row is never right. Source of AURC: Geifman, Uziel and El-Yaniv, ICLR 2019.
 */
#ifndef DN_OOD_SELECTIVE_H
#define DN_OOD_SELECTIVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "ood/curve.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The scored rows; borrowed. */
typedef struct dn_selective_rows {
    const double *id;     /**< [n_id] finite scores of ID rows */
    const uint8_t *right; /**< [n_id] 1: the predicted class is the true one, else 0 */
    size_t n_id;          /**< at least 1 */
    const double *ood;    /**< [n_ood] scores of OOD rows; NULL if n_ood is 0 */
    size_t n_ood;
} dn_selective_rows;

/** Rows sorted by score, with what is right among them. */
typedef struct dn_selective {
    size_t n_id, n_ood;
    dn_curve *curve; /**< right rows stand in for its ID rows, all others for its OOD rows */
} dn_selective;

typedef struct dn_selective_figures {
    double threshold;
    double precision; /**< right and accepted / accepted */
    double recall;    /**< right and accepted / all ID rows */
    double f1;        /**< 2 precision recall / (precision + recall); 0 / 0 = 0 in all three */
    double coverage;  /**< accepted / all rows */
    size_t accepted, right;
} dn_selective_figures;

/** Sorts the rows. @param out receives them; free with dn_selective_close()
 *  @return DN_ERROR_ARGUMENT (no ID rows, more than 2^31 - 1 rows, `right` above 1), DN_ERROR_NUMERIC naming set and
 *  row of a score that is NaN or infinite, DN_ERROR_MEMORY */
DN_NODISCARD dn_status dn_selective_open(dn_selective **out, const dn_selective_rows *rows);
/** NULL is allowed. */
void dn_selective_close(dn_selective *selective);

/** Precision, recall and F1 where rows below the threshold are accepted. @return DN_ERROR_NUMERIC for NaN */
DN_NODISCARD dn_status dn_selective_at(dn_selective_figures *out, const dn_selective *selective, double threshold);

/** Area under the risk-coverage curve: mean over n = 1..N of the share not right among the n lowest scores. Rows of
 *  equal score count as their mean, so that the order of rows does not matter. */
double dn_selective_aurc(const dn_selective *selective);

/** Share that is right among the ceil(coverage * N) rows of lowest score, rows of equal score counting as their mean.
 *  @param coverage above 0, at most 1 @return DN_ERROR_ARGUMENT for another coverage */
DN_NODISCARD dn_status dn_selective_accuracy(double *out, const dn_selective *selective, double coverage);

#ifdef __cplusplus
}
#endif
#endif
