/** Arrays that `dunlin metrics` reads, from .npy and HDF5 files of any framework: scores, logits, labels. Errors name
 *  the file. */
#ifndef DN_APPS_METRIC_ARRAYS_H
#define DN_APPS_METRIC_ARRAYS_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/** Reads scores, [N] or [N,1], float or integer. @param scores receives [n] finite doubles; free with dn_free()
 *  @return DN_ERROR_SHAPE for another shape or no rows, DN_ERROR_NUMERIC naming a row that is NaN or infinite, or as
 *  dn_array_file_open() */
dn_status dn_metric_scores_open(double **scores, size_t *n, const char *name) DN_NODISCARD;

/** Reads logits, [N,C] (then E = 1) or [E,N,C]. @param shape receives E, N, C
 *  @param logits receives [E,N,C]; free with dn_free() */
dn_status dn_metric_logits_open(double **logits, size_t shape[3], const char *name) DN_NODISCARD;

/** Reads labels, [N] or [N,1] integers. @param labels receives [n]; free with dn_free() */
dn_status dn_metric_labels_open(int32_t **labels, size_t *n, const char *name) DN_NODISCARD;

#endif
