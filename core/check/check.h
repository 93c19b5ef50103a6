/** The device "check:A,B": two devices run a program side by side, and the first op whose results differ is named.
 *
 * Memory of the check device is a piece of A's and a piece of B's memory of the same size; its address is A's. Ops run
 * one by one: on A, on B, then every output is fetched from both and compared. What A has computed is then written to
 * B, so that both start the next op from the same bits, and rounding errors do not build up over a training run.
 */
#ifndef DN_CORE_CHECK_CHECK_H
#define DN_CORE_CHECK_CHECK_H

#include <stdint.h>

#include "core/backend.h"

enum { DN_CHECK_A, DN_CHECK_B, DN_CHECK_SIDES };

typedef struct dn_check_region {
    char *data[DN_CHECK_SIDES];
    size_t bytes;
} dn_check_region;

typedef struct dn_check_device {
    dn_device base;
    dn_device *side[DN_CHECK_SIDES];
    dn_check_region *regions; /**< all memory that is allocated */
    size_t n_regions, capacity;
} dn_check_device;

struct dn_compiled {
    dn_check_device *device;
    const dn_program *program;
    dn_compiled *side[DN_CHECK_SIDES]; /**< each of its own backend's kind */
    dn_memory memory[DN_CHECK_SIDES];
    dn_buffer *buffers[DN_CHECK_SIDES]; /**< what `memory` points to */
    char **names;                       /**< [n_ops] "A's kernel | B's kernel" */
    void *fetched[DN_CHECK_SIDES];      /**< one member's copy of a tensor, on the host */
    size_t room;                        /**< bytes of each */
    int64_t step;                       /**< how often the program has been run */
};

/** @return B's address of what is A's address `data`; NULL: the check device has no such memory */
char *dn__check_partner(const dn_check_device *check, const void *data);

dn_status dn__check_compile(dn_compiled **out, dn_device *device, const dn_program *program);
void dn__check_discard(dn_compiled *compiled);
size_t dn__check_workspace(const dn_compiled *compiled);
const char *dn__check_kernel_name(const dn_compiled *compiled, int op);
dn_status dn__check_attach(dn_compiled *compiled, const dn_memory *memory);
dn_status dn__check_run(dn_compiled *compiled, int first, int last, int64_t steps);

/** Fetches member e's copy of a tensor into compiled->fetched[side]. */
dn_status dn__check_fetch(dn_compiled *compiled, int side, int tensor, int member);

/* ---- how far two correct kernels may be apart ---- */

/** |a - b| <= relative * max(|a|, rms of all a, scale) + extra[i] */
typedef struct dn_check_limit {
    double relative;
    double scale;
    const double *extra; /**< [n], or NULL: 0 */
} dn_check_limit;

typedef struct dn_check_difference {
    int64_t count;   /**< how many elements are too far apart */
    int64_t element; /**< the worst of them */
    double a, b;
    double times; /**< how many times the limit; infinity for integers and where only one is a number */
} dn_check_difference;

/** Compares a [n] with b [n]: integers exactly, floating-point numbers within the limit. */
void dn__check_compare(dn_check_difference *out, dn_dtype dtype, const void *a, const void *b, int64_t n,
                       const dn_check_limit *limit);

/** @return element i of any type */
double dn__check_value(dn_dtype dtype, const void *data, int64_t i);

/** @return the sum of squares of the numbers of an array that are of ordinary size: NaN, infinities and the -1e30 of
 *  masked logits say nothing about the others' size. `count` grows by how many there are */
double dn__check_squares(dn_dtype dtype, const void *data, int64_t n, int64_t *count);

/** @return the inputs (bit k: input k) whose rms dn__check_limit() needs */
unsigned dn__check_measured(dn_op_kind kind);

/** The limit for output k of an op, all but `extra`. One side's rounding error is taken as 4 eps sqrt(terms) of the
 *  output's size, where `terms` rounded numbers are added up; both sides' errors add. Where terms cancel, their size
 *  counts and not the sum's: it is derived from the inputs'.
 *  @param rms of the inputs that dn__check_measured() names
 *  @param factor both kernels' dn__check_factor(), added up */
dn_check_limit dn__check_limit(const dn_program *program, const dn_op *op, int output, const double rms[DN_OP_MAX_IN],
                               double factor);

/** @return how many times the plain form's rounding error a kernel may have, by its name: Winograd's form, tf32 */
double dn__check_factor(const char *kernel);

/** The gradient of batch norm with relu switches where gamma * xhat + beta passes 0, and either side of it is right
 *  within rounding. Computes how much such elements may change each output. Call before the op runs.
 *  @param extra receives arrays [E,n] for the outputs it concerns, else NULL; free with dn_free() */
dn_status dn__check_kinks(dn_compiled *compiled, const dn_op *op, double *extra[DN_OP_MAX_OUT]);

#endif
