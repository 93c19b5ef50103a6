/** Class means and covariance of the fit features, shared by the methods that need them: library-private.
 *
 * Everything is in double. The covariance comes from features that are centred exactly, in one more walk through the
 * fit set; a constant feature has a variance of exactly 0.
 */
#ifndef DN_OOD_MOMENTS_H
#define DN_OOD_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "ood/fit.h"

typedef struct dn__moments {
    size_t rows, dim;   /**< M, D */
    size_t classes;     /**< C; 1 where there are no labels: all rows are one class then */
    bool labelled;      /**< classes are those of the labels */
    int32_t *number;    /**< [C] of each class, for messages */
    size_t *count;      /**< [C] rows of each class */
    double *class_mean; /**< [C,D], zeros for a class without rows */
    double *mean;       /**< [D] of all rows */
    double *within;     /**< [D,D], upper triangle: (1/M) sum of (f - mu_y)(f - mu_y)' */
} dn__moments;

/** The moments of a fit set, made at the first call: by class where there are labels, whoever asks first.
 *  @param out borrowed from the fit */
dn_status dn__moments_get(const dn__moments **out, dn_fit *fit) DN_NODISCARD;

/** The covariance of all rows, (1/M) sum of (f - m)(f - m)' with the mean m of all: within plus between classes, a sum
 *  in which nothing cancels. @param to [D,D], the upper triangle is written */
dn_status dn__moments_total(double *to, const dn__moments *moments) DN_NODISCARD;

/** Notes which classes have no rows, if there are any. */
void dn__moments_note_empty(dn_fit *fit, const dn__moments *moments);

#endif
