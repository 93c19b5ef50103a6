/** How many ID and OOD scores stand at or above each distinct score: all that threshold metrics need to know.
 *
 * The scores of both sets are sorted once (O(n), as radix keys) and counted in one merged sweep. The counts are
 * integers, so that whatever is derived from them can be compared without rounding.
 */
#ifndef DN_OOD_CURVE_H
#define DN_OOD_CURVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_curve {
    size_t n_id, n_ood;
    size_t points;         /**< number of distinct scores, at least 1 */
    double *threshold;     /**< [points] the distinct scores, descending; -0 counts as 0 */
    uint32_t *id_flagged;  /**< [points] ID scores >= threshold */
    uint32_t *ood_flagged; /**< [points] OOD scores >= threshold */
} dn_curve;

/** Counts the scores; higher = more out-of-distribution.
 *  @param out receives the curve; free with dn_curve_close()
 *  @param id [n_id] and @param ood [n_ood] finite scores, 1 to 2^31 - 1 each
 *  @return DN_OK, DN_ERROR_ARGUMENT for an empty or too large set, DN_ERROR_NUMERIC naming set and row of a score that
 *  is NaN or infinite, DN_ERROR_MEMORY */
DN_NODISCARD dn_status dn_curve_open(dn_curve **out, const double *id, size_t n_id, const double *ood, size_t n_ood);

/** Frees the curve; NULL is allowed. */
void dn_curve_close(dn_curve *curve);

#ifdef __cplusplus
}
#endif
#endif
