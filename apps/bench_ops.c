#include "apps/bench_ops.h"

#include <math.h>
#include <string.h>

#include "apps/clock.h"
#include "core/alloc.h"
#include "core/backend.h"

enum { WARM_UP = 2, LEAST_REPEATS = 10, MOST_REPEATS = 1000, MOST_RUNS = 20 };

static const double least_ms = 0.5; /* of what the clock is started for where launches do not wait */

typedef struct measurement {
    const dn_workload *workload;
    int n_ops, repeats;
    int *runs;       /* [n_ops] how often in a row */
    double *op_ms;   /* [n_ops, repeats] */
    double *step_ms; /* [repeats] */
    double *sum_ms;  /* [repeats] */
} measurement;

static dn_status time_step(const dn_workload *w, double *ms)
{
    const double start = dn_seconds();
    DN_TRY(dn_executor_run(w->executor, 1));
    DN_TRY(dn_executor_wait(w->executor));
    *ms = 1e3 * (dn_seconds() - start);
    return DN_OK;
}

/* @param ms receives the time of one of `runs` runs */
static dn_status time_op(const dn_workload *w, int op, int runs, double *ms)
{
    const double start = dn_seconds();
    DN_TRY(dn_executor_run_op(w->executor, op, runs));
    DN_TRY(dn_executor_wait(w->executor));
    *ms = 1e3 * (dn_seconds() - start) / runs;
    return DN_OK;
}

/* One repetition: the step as a whole, then op by op. */
static dn_status repeat(const measurement *m, int r)
{
    DN_TRY(time_step(m->workload, &m->step_ms[r]));
    for (int op = 0; op < m->n_ops; op++) {
        double *ms = &m->op_ms[op * m->repeats + r];
        DN_TRY(time_op(m->workload, op, m->runs[op], ms));
        m->sum_ms[r] += *ms;
    }
    return DN_OK;
}

/* Where running does not wait, the way to the device and back is longer than many an op: such ops run several times
 * before the clock is stopped. @param ms receives what one repetition's ops will take */
static dn_status choose_runs(measurement *m, double *ms)
{
    const bool waits = m->workload->device->backend->wait == NULL;
    *ms = 0.0;
    m->runs = dn_calloc((size_t)m->n_ops, sizeof *m->runs);
    if (!m->runs) return DN_ERROR_MEMORY;
    for (int op = 0; op < m->n_ops; op++) {
        double one = 0.0;
        DN_TRY(time_op(m->workload, op, 1, &one));
        const double fit = waits || one <= 0.0 ? 1.0 : ceil(least_ms / one);
        m->runs[op] = fit > MOST_RUNS ? MOST_RUNS : (int)fit;
        *ms += one * m->runs[op];
    }
    return DN_OK;
}

static dn_status choose_repeats(measurement *m, int asked)
{
    double ms = 0.0, ops_ms = 0.0;
    DN_TRY(dn_executor_run(m->workload->executor, WARM_UP));
    DN_TRY(dn_executor_wait(m->workload->executor));
    DN_TRY(time_step(m->workload, &ms));
    DN_TRY(choose_runs(m, &ops_ms));
    const double fit = 3e3 / (ms + ops_ms);
    m->repeats = asked > 0 ? asked : fit < LEAST_REPEATS ? LEAST_REPEATS : fit > MOST_REPEATS ? MOST_REPEATS : (int)fit;
    return DN_OK;
}

static dn_status measure(measurement *m)
{
    const size_t repeats = (size_t)m->repeats;
    m->op_ms = dn_calloc((size_t)m->n_ops * repeats, sizeof *m->op_ms);
    m->step_ms = dn_calloc(repeats, sizeof *m->step_ms);
    m->sum_ms = dn_calloc(repeats, sizeof *m->sum_ms);
    if (!m->op_ms || !m->step_ms || !m->sum_ms) return DN_ERROR_MEMORY;
    for (int r = 0; r < m->repeats; r++) DN_TRY(repeat(m, r));
    return DN_OK;
}

static dn_status summarize(dn_ops_report *out, const measurement *m)
{
    const dn_workload *w = m->workload;
    const dn_program *program = w->objective.program;
    out->rows = dn_calloc((size_t)m->n_ops, sizeof *out->rows);
    if (!out->rows) return DN_ERROR_MEMORY;
    DN_TRY(dn_spread_of(&out->step_ms, m->step_ms, m->repeats));
    DN_TRY(dn_spread_of(&out->sum_ms, m->sum_ms, m->repeats));
    for (int op = 0; op < m->n_ops; op++) {
        const char *kernel = dn_executor_kernel(w->executor, op);
        if (strcmp(kernel, "view") == 0) continue;
        dn_op_time *row = &out->rows[out->n_rows++];
        *row = (dn_op_time){.op = op,
                            .kernel = kernel,
                            .runs = m->runs[op],
                            .cost = dn_op_cost_of(program, op),
                            .slow_fallback = dn_is_slow_fallback(program, op, kernel)};
        DN_TRY(dn_spread_of(&row->ms, m->op_ms + op * m->repeats, m->repeats));
    }
    return DN_OK;
}

dn_status dn_bench_ops(dn_ops_report *out, const dn_workload *w, int repeats)
{
    *out = (dn_ops_report){0};
    measurement m = {.workload = w, .n_ops = dn_program_ops(w->objective.program)};
    dn_status status = choose_repeats(&m, repeats);
    if (status == DN_OK) status = measure(&m);
    if (status == DN_OK) status = summarize(out, &m);
    dn_free(m.runs);
    dn_free(m.op_ms);
    dn_free(m.step_ms);
    dn_free(m.sum_ms);
    return status;
}

void dn_ops_report_close(dn_ops_report *report)
{
    dn_free(report->rows);
    *report = (dn_ops_report){0};
}
