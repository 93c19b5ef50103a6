/** Class means over the fit rows whose largest logit is that of their label: library-private. */
#ifndef DN_OOD_CORRECT_MEANS_H
#define DN_OOD_CORRECT_MEANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ood/fit.h"

typedef struct dn__correct_means {
    size_t classes, dim; /**< C; D, or C where the means are those of logits */
    bool of_logits;
    double *mean;    /**< [C,dim], zeros for a class without such rows */
    size_t *count;   /**< [C] */
    int32_t *number; /**< [C] of each class, for messages */
} dn__correct_means;

dn_status dn__correct_means_init(dn__correct_means *out, dn_fit *fit, bool of_logits) DN_NODISCARD;
void dn__correct_means_clear(dn__correct_means *means);

/** @return the row's class if it is classified correctly, else -1 */
int32_t dn__correct_class(const dn_score_rows *rows, size_t r);

/** Notes the classes that have fewer than `least` such rows, and what follows from it. */
void dn__correct_means_note(dn_fit *fit, const dn__correct_means *means, size_t least, const char *consequence);

#endif
