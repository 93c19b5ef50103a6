#include "apps/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "apps/memory.h"
#include "apps/objective.h"
#include "core/alloc.h"

typedef struct trainer {
    dn_network *network;
    const dn_training_options *options;
    dn_objective objective;
    dn_executor *executor;
    dn_history *history;
    int64_t checkpoint_every;
    float *ring; /* [E,DN_HISTORY] */
} trainer;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- losses ---- */

/* Copies steps first..first+count-1 of a ring [E or 1, DN_HISTORY] into rows of `to` [steps, E or 1]. */
static dn_status read_ring(trainer *t, dn_tensor ring, int copies, int64_t first, int64_t count, float *to)
{
    DN_TRY(dn_executor_read(t->executor, ring, t->ring, (size_t)copies * DN_HISTORY * sizeof *t->ring));
    for (int64_t s = first; s < first + count; s++)
        for (int e = 0; e < copies; e++) to[s * copies + e] = t->ring[e * DN_HISTORY + s % DN_HISTORY];
    return DN_OK;
}

static dn_status read_losses(trainer *t, int64_t first, int64_t count)
{
    const dn_objective *o = &t->objective;
    const int members = t->network->members;
    DN_TRY(read_ring(t, o->loss, members, first, count, t->history->loss));
    DN_TRY(read_ring(t, o->accuracy, members, first, count, t->history->accuracy));
    if (!dn_is_none(o->mutual_information))
        return read_ring(t, o->mutual_information, 1, first, count, t->history->mutual_information);
    for (int64_t s = first; s < first + count; s++) t->history->mutual_information[s] = NAN;
    return DN_OK;
}

static double mean(const float *values, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) sum += values[i];
    return sum / (double)count;
}

static void tell(const trainer *t, int64_t since)
{
    const dn_history *h = t->history;
    const int64_t count = h->steps - since, members = t->network->members;
    if (!t->options->on_news || count <= 0) return;
    const dn_training_news news = {.step = h->steps,
                                   .steps = t->objective.steps,
                                   .steps_per_epoch = t->objective.steps_per_epoch,
                                   .images_per_step = dn_objective_images_a_step(t->network->recipe),
                                   .loss = mean(h->loss + since * members, count * members),
                                   .accuracy = mean(h->accuracy + since * members, count * members),
                                   .mutual_information = mean(h->mutual_information + since, count)};
    t->options->on_news(t->options->context, &news);
}

/* ---- when it goes wrong ---- */

/* The program has stood still since the step with the first loss or gradient that is not finite. */
static dn_status fail_nonfinite(trainer *t, int64_t step, int64_t saved)
{
    int op = -1;
    char text[1024] = "", where[1100] = "no op shows it when the step is run again";
    DN_TRY(dn_executor_find_nonfinite(t->executor, &op));
    if (op >= 0) {
        dn_program_op_text(t->objective.program, op, text, sizeof text);
        snprintf(where, sizeof where, "the first op with such a value is %d: %s", op, text);
    }
    return dn_fail(
        DN_ERROR_NUMERIC,
        "step %lld: the loss or a gradient is NaN or infinite; %s; the checkpoint of step %lld is kept: try a "
        "smaller learning rate",
        (long long)step, where, (long long)saved);
}

/* Fails if an entry of the store holds a NaN or infinity in any member. */
static dn_status check_entry(const trainer *t, dn_params_block block, int index, int64_t saved)
{
    enum { PIECE = 4096 };
    float values[PIECE];
    const dn_params *params = t->network->params;
    const dn_params_entry *entry = dn_params_at(params, block, index);
    const size_t slice = (size_t)dn_params_slice(params, block), count = (size_t)dn_shape_count(&entry->shape);
    for (size_t e = 0; e < (size_t)t->network->members; e++)
        for (size_t done = 0; done < count; done += PIECE) {
            const size_t part = count - done < PIECE ? count - done : PIECE;
            DN_TRY(dn_buffer_download(dn_params_buffer(params, block, 0),
                                      (e * slice + entry->offset + done) * sizeof *values, values,
                                      part * sizeof *values));
            for (size_t i = 0; i < part; i++)
                if (!isfinite(values[i]))
                    return dn_fail(DN_ERROR_NUMERIC,
                                   "step %lld: '%s' of member %zu has become NaN or infinite; the checkpoint of step "
                                   "%lld is kept: try a smaller learning rate",
                                   (long long)t->history->steps, entry->name, e, (long long)saved);
        }
    return DN_OK;
}

/* A step with a finite loss may still have blown up the parameters or the moving statistics. */
static dn_status save(const trainer *t, int64_t saved)
{
    const dn_params *params = t->network->params;
    for (int block = DN_BLOCK_VALUES; block <= DN_BLOCK_STATES; block++)
        for (int i = 0; i < dn_params_count(params, block); i++) DN_TRY(check_entry(t, block, i, saved));
    return dn_checkpoint_save(t->options->checkpoint, t->network, t->history);
}

/* ---- the loop ---- */

/* How many steps to run at once: up to the next checkpoint, as far as the ring reaches, about a fifth of a second. */
static int64_t choose_chunk(const trainer *t, double seconds_per_step)
{
    const int64_t step = t->history->steps;
    int64_t chunk = seconds_per_step > 0.0 ? (int64_t)(0.2 / seconds_per_step) : 1;
    const int64_t to_checkpoint = t->checkpoint_every - step % t->checkpoint_every, to_end = t->objective.steps - step;
    if (chunk < 1) chunk = 1;
    if (chunk > DN_HISTORY) chunk = DN_HISTORY;
    if (chunk > to_checkpoint) chunk = to_checkpoint;
    return chunk > to_end ? to_end : chunk;
}

static dn_status run_chunk(trainer *t, int64_t chunk, int64_t saved)
{
    const int64_t before = t->history->steps;
    int32_t step = 0;
    DN_TRY(dn_executor_run(t->executor, chunk));
    DN_TRY(dn_executor_read(t->executor, t->objective.step, &step, sizeof step));
    DN_TRY(read_losses(t, before, step - before));
    t->history->steps = step;
    tell(t, before);
    return step == before + chunk ? DN_OK : fail_nonfinite(t, step, saved);
}

static dn_status loop(trainer *t)
{
    double seconds_per_step = 0.0;
    int64_t saved = t->history->steps;
    while (t->history->steps < t->objective.steps) {
        const int64_t chunk = choose_chunk(t, seconds_per_step);
        const double start = now();
        DN_TRY(run_chunk(t, chunk, saved));
        seconds_per_step = (now() - start) / (double)chunk;
        const bool stop = t->options->stop && t->options->stop(t->options->context);
        if (stop || t->history->steps % t->checkpoint_every == 0 || t->history->steps == t->objective.steps) {
            DN_TRY(save(t, saved));
            saved = t->history->steps;
        }
        if (stop && t->history->steps < t->objective.steps)
            return dn_fail(DN_ERROR_INTERRUPTED, "stopped at step %lld of %lld; `--resume` goes on from there",
                           (long long)saved, (long long)t->objective.steps);
    }
    return DN_OK;
}

/* ---- starting ---- */

/* What the process has now, the losses, and the code of libraries that is first touched while training runs: oneDNN's
 * kernels and HDF5, 6 to 9 MiB wherever it was measured. */
static size_t process_bytes(const trainer *t)
{
    enum { LIBRARIES = 6 << 20 };
    const size_t members = (size_t)t->network->members, steps = (size_t)t->objective.steps;
    return dn_memory_now() + (steps * (2 * members + 1) + members * DN_HISTORY) * sizeof(float) + LIBRARIES;
}

static dn_status start(trainer *t, dn_dataset *train)
{
    const dn_recipe_train *recipe = &t->network->recipe->train;
    dn_objective *o = &t->objective;
    DN_TRY(dn_objective_place(o, &t->executor, t->network, train, t->options->data_dir));
    if (t->options->on_plan) t->options->on_plan(t->options->context, dn_executor_plan(t->executor), process_bytes(t));
    if (t->options->plan_only) return DN_OK;
    t->checkpoint_every = recipe->checkpoint_every > 0 ? recipe->checkpoint_every : o->steps_per_epoch;
    DN_TRY(dn_history_new(t->history, t->network->members, o->steps));
    t->ring = dn_calloc((size_t)t->network->members * DN_HISTORY, sizeof *t->ring);
    if (!t->ring) return DN_ERROR_MEMORY;
    DN_TRY(dn_objective_load(o, t->executor, t->network, train));
    if (t->options->resume) DN_TRY(dn_checkpoint_resume(t->options->checkpoint, t->network, t->history));
    const int32_t step = (int32_t)t->history->steps;
    DN_TRY(dn_executor_write(t->executor, o->step, &step, sizeof step));
    if (t->options->begin) DN_TRY(t->options->begin(t->options->context, t->network));
    return t->options->resume ? DN_OK : dn_checkpoint_save(t->options->checkpoint, t->network, t->history);
}

dn_status dn_train(dn_network *network, dn_dataset *train, const dn_training_options *options, dn_history *history)
{
    trainer t = {.network = network, .options = options, .history = history};
    *history = (dn_history){0};
    dn_status status = start(&t, train);
    if (status == DN_OK && !options->plan_only) status = loop(&t);
    dn_executor_close(t.executor);
    dn_objective_close(&t.objective);
    dn_free(t.ring);
    return status;
}
