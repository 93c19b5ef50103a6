#include "optim/schedule.h"

#include <inttypes.h>
#include <math.h>

#include "core/alloc.h"

enum { LAST_STEP = 1 << 24 };

static bool check_segments(dn_program *p, const dn_segment *segments, int count)
{
    if (count < 1 || segments[0].start != 0) {
        dn_program_fail(p, DN_ERROR_ARGUMENT, "schedule: the first segment must start at step 0");
        return false;
    }
    for (int i = 0; i < count; i++) {
        const int64_t start = segments[i].start;
        if (start > LAST_STEP || (i > 0 && start <= segments[i - 1].start)) {
            dn_program_fail(p, DN_ERROR_ARGUMENT,
                            "schedule: segment %d starts at step %" PRId64
                            ", it must start after the one before and at %d at the latest",
                            i, start, LAST_STEP);
            return false;
        }
        if (!isfinite(segments[i].value) || segments[i].shape < DN_SEGMENT_HOLD ||
            segments[i].shape > DN_SEGMENT_COSINE) {
            dn_program_fail(p, DN_ERROR_ARGUMENT, "schedule: segment %d has value %g and shape %d", i,
                            segments[i].value, (int)segments[i].shape);
            return false;
        }
    }
    return true;
}

dn_tensor dn_schedule_segments(dn_program *p, const dn_segment *segments, int count)
{
    if (!check_segments(p, segments, count)) return DN_NONE;
    double *table = dn_calloc((size_t)count, 3 * sizeof *table); /* [count,3] */
    if (!table) return dn_program_fail(p, DN_ERROR_MEMORY, "%s", dn_error_last());
    for (int i = 0; i < count; i++) {
        table[3 * i] = (double)segments[i].start;
        table[3 * i + 1] = segments[i].value;
        table[3 * i + 2] = (double)segments[i].shape;
    }
    const dn_tensor rows = dn_constant(p, "schedule", DN_SHAPE(count, 3), true, table);
    dn_free(table);
    return dn_schedule(p, dn_step(p), rows);
}

dn_tensor dn_schedule_constant(dn_program *p, double value)
{
    return dn_schedule_segments(p, &(dn_segment){.value = value}, 1);
}

dn_tensor dn_schedule_piecewise(dn_program *p, const int64_t *boundaries, const double *values, int count)
{
    if (count < 1) return dn_program_fail(p, DN_ERROR_ARGUMENT, "schedule: %d values, at least 1 is needed", count);
    dn_segment *segments = dn_calloc((size_t)count, sizeof *segments);
    if (!segments) return dn_program_fail(p, DN_ERROR_MEMORY, "%s", dn_error_last());
    for (int i = 0; i < count; i++) segments[i] = (dn_segment){.start = i ? boundaries[i - 1] : 0, .value = values[i]};
    const dn_tensor result = dn_schedule_segments(p, segments, count);
    dn_free(segments);
    return result;
}

dn_tensor dn_schedule_decay(dn_program *p, double value, double factor, int64_t every, int64_t last)
{
    enum { MOST_ROWS = 1 << 16 };
    if (every < 1 || last < 0 || last / every >= MOST_ROWS)
        return dn_program_fail(p, DN_ERROR_ARGUMENT,
                               "schedule: a change every %" PRId64 " steps until step %" PRId64 ", at most %d fit",
                               every, last, MOST_ROWS);
    const int count = (int)(last / every) + 1;
    dn_segment *segments = dn_calloc((size_t)count, sizeof *segments);
    if (!segments) return dn_program_fail(p, DN_ERROR_MEMORY, "%s", dn_error_last());
    for (int i = 0; i < count; i++) segments[i] = (dn_segment){.start = i * every, .value = value * pow(factor, i)};
    const dn_tensor result = dn_schedule_segments(p, segments, count);
    dn_free(segments);
    return result;
}

static dn_tensor ramp(dn_program *p, double from, double to, int64_t steps, dn_segment_shape shape)
{
    const dn_segment segments[2] = {{0, from, shape}, {steps, to, DN_SEGMENT_HOLD}};
    return dn_schedule_segments(p, segments, 2);
}

dn_tensor dn_schedule_linear(dn_program *p, double from, double to, int64_t steps)
{
    return ramp(p, from, to, steps, DN_SEGMENT_LINEAR);
}

dn_tensor dn_schedule_cosine(dn_program *p, double from, double to, int64_t steps)
{
    return ramp(p, from, to, steps, DN_SEGMENT_COSINE);
}

dn_tensor dn_schedule_members(dn_program *p, dn_tensor schedule, const double *factors)
{
    const dn_tensor own = dn_constant(p, "member factors", DN_SHAPE(1), false, factors);
    return dn_scale(p, own, 1.0, schedule);
}
