/** What other files of ood/ do with curves: library-private. */
#ifndef DN_OOD_CURVE_PRIVATE_H
#define DN_OOD_CURVE_PRIVATE_H

#include "ood/curve.h"

/** As dn_curve_open(), but either set, not both, may be empty, and sizes are not checked. */
DN_NODISCARD dn_status dn__curve_count(dn_curve **out, const double *id, size_t n_id, const double *ood, size_t n_ood);

/** A curve of as many rows, without points, and room for as many. */
DN_NODISCARD dn_status dn__curve_open_like(dn_curve **out, const dn_curve *curve);

#endif
