/** A fit set as one model sees it: the ID training rows that methods are fitted on, block by block, and what several
 *  methods need of them, computed once.
 *
 * The rows are as the method will meet them: shaped by the shapings before it, logits then made anew as W f + b; of a
 * leave-out member only rows of its own classes. Everything is in double.
 */
#ifndef DN_OOD_FIT_H
#define DN_OOD_FIT_H

#include <stddef.h>

#include "core/device.h"
#include "core/dtype.h"
#include "core/status.h"
#include "ood/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_fit dn_fit;

size_t dn_fit_rows(const dn_fit *fit);    /**< M, at least 1 where a method needs any fit array */
size_t dn_fit_columns(const dn_fit *fit); /**< C */
size_t dn_fit_dim(const dn_fit *fit);     /**< D of the layer in question; 0 without features */

/** @return the type that the features came in: what is kept as f32 loses nothing if it is DN_F32 */
dn_dtype dn_fit_type(const dn_fit *fit);

/** @return W [C,D] and b [C] of the head, as changed by shapings; NULL where there is no head */
const double *dn_fit_weight(const dn_fit *fit);
const double *dn_fit_bias(const dn_fit *fit);

/** @return where heavy products may run, with memory of its own; NULL: on this CPU */
dn_device *dn_fit_device(const dn_fit *fit);

/** Called for one block after the other, in order, by one thread; BLAS may use all threads inside.
 *  @param first number of the block's first row */
typedef dn_status dn_fit_visit_fn(void *context, const dn_score_rows *rows, size_t first);

/** Goes through all rows. @param needs DN_NEEDS_FIT_... bits: what the blocks must hold (others may be NULL)
 *  @return DN_OK, the visitor's error, or an error that names a NaN or infinite number */
dn_status dn_fit_walk(dn_fit *fit, unsigned needs, dn_fit_visit_fn *visit, void *context) DN_NODISCARD;

/** Something that several methods, or one method with several options, take from the same fit set. */
typedef struct dn_fit_part {
    const char *name; /**< for messages */
    dn_status (*make)(void **part, dn_fit *fit);
    void (*close)(void *part);
} dn_fit_part;

/** @param out receives the part, made at the first call and kept as long as the fit; borrowed */
dn_status dn_fit_get(const void **out, dn_fit *fit, const dn_fit_part *kind) DN_NODISCARD;

/** Notes something that the user should be told once, such as a class without rows (printf style). */
void dn_fit_note(dn_fit *fit, const char *format, ...) DN_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif
#endif
