/** The principal axes of the fit features around the head's own origin, for vim and residual: library-private. */
#ifndef DN_OOD_SUBSPACE_H
#define DN_OOD_SUBSPACE_H

#include <stddef.h>

#include "core/status.h"
#include "ood/fit.h"
#include "ood/rows.h"
#include "ood/workspace.h"

typedef struct dn__subspace {
    size_t dim;     /**< D */
    double *origin; /**< [D] u = -pinv(W) b */
    double *axes;   /**< [D,D] eigenvectors of (1/M)(ff-u)'(ff-u) as rows, eigenvalues falling */
} dn__subspace;

/** Made at the first call. @param out borrowed from the fit */
dn_status dn__subspace_get(const dn__subspace **out, dn_fit *fit) DN_NODISCARD;

/** The option `dim`, the same for both. */
#define DN__SUBSPACE_DIM                                                                                        \
    {                                                                                                           \
        .name = "dim",                                                                                          \
        .text = "leading axes left out, below D; if not given, 1000 for D >= 2048, 512 for D >= 768, else D/2", \
        .low = 1, .high = 1e9, .integer = true, .automatic = true                                               \
    }

/** How many leading axes are left out. @param option value of `dim`, NAN if it was not given @param out from 1 to D-1
 *  @return DN_ERROR_ARGUMENT for a value out of range, with D in the text */
dn_status dn__subspace_leading(size_t *out, double option, size_t dim) DN_NODISCARD;

/** Length of each row's part outside of the leading axes. @param norms [rows] */
dn_status dn__subspace_residual(double *norms, const dn_score_rows *in, const dn__subspace *subspace, size_t leading,
                                dn_workspace *space) DN_NODISCARD;

#endif
