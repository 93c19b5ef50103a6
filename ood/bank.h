/** Fit features as rows of length 1, for neighbour searches: library-private.
 *
 * A row x stands for x / max(norm x, 1e-10). It is kept as the numbers that came in, times a power of two, so that
 * nothing is lost, and squares neither overflow nor vanish.
 */
#ifndef DN_OOD_BANK_H
#define DN_OOD_BANK_H

#include "ood/device_bank.h"
#include "ood/fit.h"

typedef struct dn__bank {
    size_t rows, dim;
    float *scaled;   /* [rows rounded up to DN__PRODUCT_GROUP, dim] largest entry of a row in [1/2, 1), or zeros */
    double *exact;   /* [rows, dim] the same, where single precision would lose digits; else NULL */
    double *divisor; /* [rows] max(norm, 1e-10), in the row's scale */
    dn__device_bank *device; /* computes products with `scaled` for this CPU; NULL: dn__products() does */
} dn__bank;

/** @param out receives the fit's bank, the same for all methods; borrowed */
dn_status dn__bank_get(const dn__bank **out, dn_fit *fit) DN_NODISCARD;

/** @return row j in double: `space` [dim] or the bank's own memory */
const double *dn__bank_row(const dn__bank *bank, size_t j, double *space);

/** Brings a row into its scale. @param scaled [dim] may be `x` itself @param x [dim]
 *  @return max(norm, 1e-10) in that scale */
double dn__scale_row(double *scaled, const double *x, size_t dim);

#endif
