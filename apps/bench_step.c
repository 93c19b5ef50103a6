#include "apps/bench_step.h"

#include "apps/clock.h"
#include "core/alloc.h"

enum { WARM_UP = 2, USUAL_ROUNDS = 7, LEAST_STEPS = 3, MOST_STEPS = 200 };

static const char *const layouts[] = {"nchw", "channels_last"};

/* ---- one side's round ---- */

static dn_status run_own(const dn_workload *w, int steps, double *seconds)
{
    const double start = dn_seconds();
    DN_TRY(dn_executor_run(w->executor, steps));
    DN_TRY(dn_executor_wait(w->executor));
    *seconds = dn_seconds() - start;
    return DN_OK;
}

static dn_status run_side(const dn_step_report *r, const dn_workload *w, const dn_step_options *o, int side,
                          double *seconds)
{
    if (side == 0) return run_own(w, r->steps, seconds);
    const dn_network *n = w->network;
    const dn_peer_work work = {.model = o->peer_model ? o->peer_model : n->recipe->model.name,
                               .layout = r->sides[side].layout,
                               .dropout = n->recipe->model.dropout,
                               .width = n->recipe->model.width,
                               .members = n->members,
                               .batch = n->recipe->train.batch,
                               .classes = n->classes,
                               .steps = r->steps,
                               .images = w->data->n,
                               .shape = {n->height, n->width, n->channels}};
    return dn_peer_run(o->peer, &work, seconds);
}

/* ---- before the rounds ---- */

static dn_status warm_up(dn_step_report *r, const dn_workload *w, const dn_step_options *o)
{
    double seconds = 0.0;
    DN_TRY(run_own(w, WARM_UP, &seconds));
    DN_TRY(run_own(w, 1, &seconds));
    const double fit = 0.5 / seconds;
    r->rounds = o->rounds > 0 ? o->rounds : USUAL_ROUNDS;
    r->steps = o->steps > 0 ? o->steps : fit < LEAST_STEPS ? LEAST_STEPS : fit > MOST_STEPS ? MOST_STEPS : (int)fit;
    return DN_OK;
}

/* A peer trains a plain ensemble with Adam; what else the recipe asks for is work that it does not do. */
static dn_status compare_work(dn_step_report *r, const dn_recipe *recipe)
{
    if (recipe->ensemble.kind != DN_ENSEMBLE_DEEP)
        return dn_fail(
            DN_ERROR_ARGUMENT,
            "a peer trains plain ensembles only: recipe '%s' is of another kind, ensemble.kind=deep changes it",
            recipe->name);
    if (recipe->data.n_prepare > 0) r->differences[r->n_differences++] = "data.prepare: the peer only divides by 255";
    if (recipe->optimizer.l2 != 0.0) r->differences[r->n_differences++] = "optimizer.l2: the peer has none";
    if (recipe->optimizer.kind != DN_OPTIMIZER_ADAM)
        r->differences[r->n_differences++] = "optimizer.kind: the peer's is Adam";
    return DN_OK;
}

static dn_status make_sides(dn_step_report *r, const dn_step_options *o)
{
    r->n_sides = o->peer ? DN_BENCH_SIDES : 1;
    for (int s = 0; s < r->n_sides; s++) {
        r->sides[s].layout = s ? layouts[s - 1] : NULL;
        r->sides[s].ms = dn_calloc((size_t)r->rounds, sizeof *r->sides[s].ms);
        if (!r->sides[s].ms) return DN_ERROR_MEMORY;
    }
    return DN_OK;
}

/* The peer's first run of a configuration warms up: one step of each layout, which is not counted. */
static dn_status warm_up_peer(dn_step_report *r, const dn_workload *w, const dn_step_options *o)
{
    const int steps = r->steps;
    dn_status status = DN_OK;
    r->steps = 1;
    for (int s = 1; s < r->n_sides && status == DN_OK; s++) {
        double seconds = 0.0;
        status = run_side(r, w, o, s, &seconds);
    }
    r->steps = steps;
    return status;
}

/* ---- after them ---- */

static dn_status summarize(dn_step_report *r)
{
    double *ratios = dn_calloc((size_t)r->rounds, sizeof *ratios);
    dn_status status = ratios ? DN_OK : DN_ERROR_MEMORY;
    for (int s = 0; s < r->n_sides && status == DN_OK; s++) {
        dn_step_side *side = &r->sides[s];
        status = dn_spread_of(&side->spread, side->ms, r->rounds);
        for (int i = 0; i < r->rounds; i++) ratios[i] = side->ms[i] / r->sides[0].ms[i];
        if (status == DN_OK) status = dn_spread_of(&side->speedup, ratios, r->rounds);
        side->speedup_min = side->spread.min / r->sides[0].spread.min;
        if (s > 0 && (r->best == 0 || side->spread.median < r->sides[r->best].spread.median)) r->best = s;
    }
    dn_free(ratios);
    return status;
}

dn_status dn_bench_step(dn_step_report *r, const dn_workload *w, const dn_step_options *o)
{
    *r = (dn_step_report){0};
    if (o->peer) DN_TRY(compare_work(r, w->network->recipe));
    DN_TRY(warm_up(r, w, o));
    DN_TRY(make_sides(r, o));
    DN_TRY(warm_up_peer(r, w, o));
    for (int round = 0; round < r->rounds; round++)
        for (int turn = 0; turn < r->n_sides; turn++) {
            const int side = (round + turn) % r->n_sides;
            double seconds = 0.0;
            DN_TRY(run_side(r, w, o, side, &seconds));
            r->sides[side].ms[round] = 1e3 * seconds / r->steps;
        }
    return summarize(r);
}

void dn_step_report_close(dn_step_report *r)
{
    for (int s = 0; s < DN_BENCH_SIDES; s++) dn_free(r->sides[s].ms);
    *r = (dn_step_report){0};
}
