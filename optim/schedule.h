/** Schedules: numbers that follow the step counter, such as learning rates and loss weights.
 *
 * All give a shared tensor [1] that is computed on the device at every step, so that a program never changes while it
 * runs. Steps count from 0, at most 2^24 (so that f32 holds them exactly).
 */
#ifndef DN_OPTIM_SCHEDULE_H
#define DN_OPTIM_SCHEDULE_H

#include "core/ops.h"
#include "core/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a segment gets from its value to the next one's. */
typedef enum dn_segment_shape {
    DN_SEGMENT_HOLD = 0,   /**< not at all: it jumps at the next start */
    DN_SEGMENT_LINEAR = 1, /**< in a straight line */
    DN_SEGMENT_COSINE = 2  /**< along half a cosine, slowly at both ends */
} dn_segment_shape;

/** From step `start` on: `value`. */
typedef struct dn_segment {
    int64_t start;
    double value;
    dn_segment_shape shape;
} dn_segment;

/** @param segments [count] the first starts at 0, the others later than the one before; the last one holds its value */
dn_tensor dn_schedule_segments(dn_program *p, const dn_segment *segments, int count);

dn_tensor dn_schedule_constant(dn_program *p, double value);

/** values[0] before step boundaries[0], values[i] from boundaries[i - 1] on.
 *  @param boundaries [count - 1] rising  @param values [count] */
dn_tensor dn_schedule_piecewise(dn_program *p, const int64_t *boundaries, const double *values, int count);

/** value * factor^floor(step / every), up to step `last`; from there on constant. */
dn_tensor dn_schedule_decay(dn_program *p, double value, double factor, int64_t every, int64_t last);

/** From `from` at step 0 to `to` at step `steps`, then constant. */
dn_tensor dn_schedule_linear(dn_program *p, double from, double to, int64_t steps);
dn_tensor dn_schedule_cosine(dn_program *p, double from, double to, int64_t steps);

/** Each member its own multiple of a schedule: [1] shared -> [1] of each member. @param factors [E] */
dn_tensor dn_schedule_members(dn_program *p, dn_tensor schedule, const double *factors);

#ifdef __cplusplus
}
#endif
#endif
