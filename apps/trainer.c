#include "apps/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/clock.h"
#include "apps/memory.h"
#include "apps/objective.h"
#include "apps/prefetch.h"
#include "core/mailbox.h"

/* What a letter holds: the program's counter, and its rings of losses as they are after a chunk of steps. */
enum { STEP, LOSS, ACCURACY, MUTUAL_INFORMATION, MOST_TENSORS };

/* Steps that were asked for and whose letter has not been read. */
typedef struct chunk {
    int64_t steps;
    double asked; /* when */
} chunk;

typedef struct trainer {
    dn_network *network;
    const dn_training_options *options;
    dn_objective objective;
    dn_executor *executor;
    dn_history *history;
    int64_t checkpoint_every;
    dn_mailbox *mailbox;
    dn_prefetch *prefetch;   /* of images that stay in their files; NULL: there are none */
    chunk sent[2];           /* those under way, oldest first */
    int64_t asked;           /* steps asked for; history->steps of them are known to be done */
    double last_letter;      /* when it came */
    double seconds_per_step; /* of the last chunk; 0: none yet */
} trainer;

/* ---- losses ---- */

/* Copies steps first..first+count-1 of a ring [E or 1, DN_HISTORY] into rows of `to` [steps, E or 1]. */
static void copy_ring(const float *ring, int copies, int64_t first, int64_t count, float *to)
{
    for (int64_t s = first; s < first + count; s++)
        for (int e = 0; e < copies; e++) to[s * copies + e] = ring[e * DN_HISTORY + s % DN_HISTORY];
}

static void copy_losses(const trainer *t, const void *const *letter, int64_t first, int64_t count)
{
    const int members = t->network->members;
    copy_ring(letter[LOSS], members, first, count, t->history->loss);
    copy_ring(letter[ACCURACY], members, first, count, t->history->accuracy);
    if (!dn_is_none(t->objective.mutual_information))
        copy_ring(letter[MUTUAL_INFORMATION], 1, first, count, t->history->mutual_information);
    else
        for (int64_t s = first; s < first + count; s++) t->history->mutual_information[s] = NAN;
}

/* Of nothing it is NaN. */
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
    if (!t->options->on_news) return;
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
    enum { PIECE = 1 << 15 };
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

static bool is_due(const trainer *t, int64_t step)
{
    return step % t->checkpoint_every == 0 || step == t->objective.steps;
}

/* Not of a checkpoint that there is only because training was interrupted: it would not be the same training. */
static dn_status call_checkpoint(const trainer *t)
{
    const dn_training_options *o = t->options;
    if (!o->on_checkpoint || !is_due(t, t->history->steps)) return DN_OK;
    return o->on_checkpoint(o->context, t->network, t->history);
}

/* A step with a finite loss may still have blown up the parameters or the moving statistics. */
static dn_status save(const trainer *t, int64_t saved)
{
    const dn_params *params = t->network->params;
    for (int block = DN_BLOCK_VALUES; block <= DN_BLOCK_STATES; block++)
        for (int i = 0; i < dn_params_count(params, block); i++) DN_TRY(check_entry(t, block, i, saved));
    DN_TRY(dn_checkpoint_save(t->options->checkpoint, t->network, t->history));
    return t->history->steps > saved ? call_checkpoint(t) : DN_OK;
}

/* ---- the loop ---- */

/* How many steps to ask for at once: up to the next checkpoint, as far as the ring reaches (a letter is of the moment
 * after its own chunk), about a fifth of a second. */
static int64_t choose_chunk(const trainer *t)
{
    int64_t steps = t->seconds_per_step > 0.0 ? (int64_t)(0.2 / t->seconds_per_step) : 1;
    const int64_t to_checkpoint = t->checkpoint_every - t->asked % t->checkpoint_every;
    const int64_t to_end = t->objective.steps - t->asked;
    if (steps < 1 || t->prefetch) steps = 1; /* each has images of its own */
    if (steps > DN_HISTORY) steps = DN_HISTORY;
    if (steps > to_checkpoint) steps = to_checkpoint;
    return steps > to_end ? to_end : steps;
}

/* The images of the next step. */
static dn_status feed(trainer *t, int64_t saved)
{
    const void *images = NULL;
    const dn_status status = dn_prefetch_next(t->prefetch, &images);
    if (status == DN_OK) return dn_objective_feed(&t->objective, t->executor, images);
    return dn_fail_context(status, "step %lld: the images cannot be read, the checkpoint of step %lld is kept",
                           (long long)t->asked, (long long)saved);
}

static dn_status ask(trainer *t, int64_t saved)
{
    const chunk c = {.steps = choose_chunk(t), .asked = dn_seconds()};
    if (t->prefetch) DN_TRY(feed(t, saved));
    DN_TRY(dn_executor_run(t->executor, c.steps));
    t->sent[dn_mailbox_waiting(t->mailbox)] = c;
    t->asked += c.steps;
    return dn_mailbox_post(t->mailbox);
}

/* Reads the oldest letter. */
static dn_status hear(trainer *t, int64_t saved)
{
    const void *letter[MOST_TENSORS];
    const chunk c = t->sent[0];
    DN_TRY(dn_mailbox_collect(t->mailbox, letter));
    t->sent[0] = t->sent[1];
    /* The device began the chunk when it was asked to, or when it was done with the one before. */
    const double begun = c.asked > t->last_letter ? c.asked : t->last_letter;
    t->last_letter = dn_seconds();
    t->seconds_per_step = (t->last_letter - begun) / (double)c.steps;

    const int64_t before = t->history->steps;
    const int32_t step = *(const int32_t *)letter[STEP];
    copy_losses(t, letter, before, step - before);
    t->history->steps = step;
    if (step > before) tell(t, before);
    return step == before + c.steps ? DN_OK : fail_nonfinite(t, step, saved);
}

/* Reads letters until `left` of them are under way. */
static dn_status hear_until(trainer *t, int left, int64_t saved)
{
    while (dn_mailbox_waiting(t->mailbox) > left) DN_TRY(hear(t, saved));
    return DN_OK;
}

/* One chunk is always asked for before the one before it is looked at, so that a GPU does not wait for the host. */
static dn_status loop(trainer *t)
{
    int64_t saved = t->history->steps;
    t->asked = saved;
    tell(t, saved);
    while (t->asked < t->objective.steps) {
        DN_TRY(ask(t, saved));
        const bool due = is_due(t, t->asked);
        /* A program that stands still at a step must not see the images of the next one. */
        DN_TRY(hear_until(t, due || t->prefetch ? 0 : dn_mailbox_room(t->mailbox) - 1, saved));
        const bool stop = t->options->stop && t->options->stop(t->options->context);
        if (stop || due) {
            DN_TRY(hear_until(t, 0, saved));
            DN_TRY(save(t, saved));
            saved = t->history->steps;
        }
        if (stop && saved < t->objective.steps)
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
    const size_t ahead = dn_prefetch_bytes(dn_objective_feed_bytes(&t->objective));
    return dn_memory_now() + ahead + (steps + DN_HISTORY) * (2 * members + 1) * sizeof(float) + LIBRARIES;
}

static dn_status open_mailbox(trainer *t)
{
    const dn_objective *o = &t->objective;
    const dn_tensor tensors[MOST_TENSORS] = {
        [STEP] = o->step, [LOSS] = o->loss, [ACCURACY] = o->accuracy, [MUTUAL_INFORMATION] = o->mutual_information};
    return dn_mailbox_open(&t->mailbox, t->executor, tensors,
                           dn_is_none(o->mutual_information) ? MUTUAL_INFORMATION : MOST_TENSORS);
}

static dn_status read_ahead(const void *objective, int64_t step, void *to)
{
    return dn_objective_read_ahead(objective, step, to);
}

static dn_status open_prefetch(trainer *t, int64_t step)
{
    const dn_objective *o = &t->objective;
    const dn_prefetch_options options = {
        .first = step, .end = o->steps, .bytes = dn_objective_feed_bytes(o), .read = read_ahead, .context = o};
    return o->n_feeds > 0 ? dn_prefetch_open(&t->prefetch, &options) : DN_OK;
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
    DN_TRY(dn_objective_load(o, t->executor, t->network, train));
    DN_TRY(open_mailbox(t));
    if (t->options->resume) DN_TRY(dn_checkpoint_resume(t->options->checkpoint, t->network, t->history));
    const int32_t step = (int32_t)t->history->steps;
    DN_TRY(dn_executor_write(t->executor, o->step, &step, sizeof step));
    DN_TRY(open_prefetch(t, step));
    if (t->options->begin) DN_TRY(t->options->begin(t->options->context, t->network));
    if (!t->options->resume) DN_TRY(dn_checkpoint_save(t->options->checkpoint, t->network, t->history));
    return call_checkpoint(t);
}

dn_status dn_train(dn_network *network, dn_dataset *train, const dn_training_options *options, dn_history *history)
{
    trainer t = {.network = network, .options = options, .history = history};
    *history = (dn_history){0};
    dn_status status = start(&t, train);
    if (status == DN_OK && !options->plan_only) status = loop(&t);
    dn_prefetch_close(t.prefetch);
    dn_mailbox_close(t.mailbox);
    dn_executor_close(t.executor);
    dn_objective_close(&t.objective);
    return status;
}
