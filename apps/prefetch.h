/** Reading ahead: threads prepare what each step needs, in a ring of a few steps, while the steps before it run. */
#ifndef DN_APPS_PREFETCH_H
#define DN_APPS_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct dn_prefetch dn_prefetch;

typedef struct dn_prefetch_options {
    int64_t first, end; /**< the steps first .. end-1 */
    size_t bytes;       /**< of one step */
    /** Prepares a step; called by several threads at once, for different steps. @param to [bytes] */
    dn_status (*read)(const void *context, int64_t step, void *to);
    const void *context; /**< must outlive the prefetch, and not change */
} dn_prefetch_options;

/** @return about the bytes that reading ahead takes, 0 for nothing to read */
size_t dn_prefetch_bytes(size_t bytes_of_a_step);

/** Starts the threads: four, each of which may share out its work to a quarter of the OpenMP threads that the caller
 *  has.
 *  @param out free with dn_prefetch_close() */
dn_status dn_prefetch_open(dn_prefetch **out, const dn_prefetch_options *options) DN_NODISCARD;

/** Ends the threads when they have done what they are at. NULL is allowed. */
void dn_prefetch_close(dn_prefetch *prefetch);

/** Waits for the next step, in order. @param data receives where it is, until the next call
 *  @return the status of reading it, with its text; DN_ERROR_ARGUMENT behind the last step */
dn_status dn_prefetch_next(dn_prefetch *prefetch, const void **data) DN_NODISCARD;

#endif
