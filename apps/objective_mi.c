/* Degeneralization: the members are pushed to disagree on a batch of pseudo-OOD images that all of them share.
 *
 * The images go through the same networks with batch norm in inference mode. A recipe may have several sources of
 * images, each with its own weight alpha, and switch between them by the step number; the switching is part of the
 * program (schedules read the step counter), so that it replays without the host. */
#include "apps/objective_mi.h"

#include <stdio.h>

#include "core/alloc.h"
#include "core/ops.h"
#include "layers/losses.h"
#include "optim/schedule.h"

/* ---- switching between sources ---- */

enum { MOST_ROWS = 4096 };

/* Writes the schedule of a quantity that each source has its own value of, with the switches repeated every `period`
 * steps up to the end of training. */
static dn_tensor by_source(const dn_objective *o, const dn_recipe_mi *mi, const double *values)
{
    const dn_recipe_switch always = {.step = 0, .source = 0};
    const unsigned n_switches = mi->n_switches ? mi->n_switches : 1;
    const dn_recipe_switch *switches = mi->n_switches ? mi->switches : &always;
    dn_segment *rows = dn_calloc(MOST_ROWS, sizeof *rows);
    if (!rows) return dn_program_fail(o->program, DN_ERROR_MEMORY, "%s", dn_error_last());
    int count = 0;
    for (int64_t base = 0; base < o->steps; base += mi->period ? mi->period : o->steps)
        for (unsigned i = 0; i < n_switches && count < MOST_ROWS; i++)
            rows[count++] = (dn_segment){.start = base + switches[i].step, .value = values[switches[i].source]};
    const dn_tensor t = count == MOST_ROWS
                            ? dn_program_fail(o->program, DN_ERROR_ARGUMENT,
                                              "mi.switches with mi.period make more than %d switches", MOST_ROWS)
                            : dn_schedule_segments(o->program, rows, count);
    dn_free(rows);
    return t;
}

/* ---- sources ---- */

/* Items of the training set, or of a set of its own, the same for all members. */
static dn_tensor draw_shared(dn_objective *o, const dn_resident *from, dn_tensor images, const dn_recipe_source *source,
                             dn_tensor step, const dn_recipe *r)
{
    const int64_t hold = source->redraw_every > 1 ? source->redraw_every : 1;
    const dn_indices_options options = {.batch = r->mi.batch,
                                        .count = from->shape.dim[0],
                                        .pool = DN_NONE,
                                        .pool_size = DN_NONE,
                                        .replace = true,
                                        .members_share = true};
    return dn__draw_images(o, from, images, dn_indices(o->program, step, &options), hold, -1);
}

/* A data set of its own: opened, made resident, standing in the program as an external tensor; DN_NONE if its images
 * stay in their file. */
static dn_tensor open_set(dn_objective *o, const dn_network *n, unsigned index, const char *data_dir)
{
    const char *expression = n->recipe->mi.sources[index].data;
    const dn_dataset_options options = {.data_dir = data_dir, .seed = n->recipe->train.seed, .stream = true};
    dn_dataset *set = NULL;
    dn_status status = dn_dataset_open(&set, expression, &options);
    if (status == DN_OK && (set->height != n->height || set->width != n->width || set->channels != n->channels))
        status = dn_fail(DN_ERROR_SHAPE, "mi.sources.%u: '%s' has images of %dx%dx%d, the training set %dx%dx%d", index,
                         expression, set->height, set->width, set->channels, n->height, n->width, n->channels);
    if (status == DN_OK) status = dn_resident_take(&o->sources[index], n->device, set);
    if (status == DN_OK && o->sources[index].streamed)
        o->sources[index].own = set;
    else
        dn_dataset_close(set);
    if (status != DN_OK) return dn_program_fail(o->program, status, "%s", dn_error_last());
    if (o->sources[index].streamed) return DN_NONE;
    char name[64];
    snprintf(name, sizeof name, "images of source %u", index);
    return o->source_images[index] = dn_resident_tensor(o->program, name, &o->sources[index]);
}

static dn_tensor draw_set(dn_objective *o, const dn_network *n, unsigned index, dn_tensor step, const char *data_dir)
{
    const dn_tensor images = open_set(o, n, index, data_dir);
    return draw_shared(o, &o->sources[index], images, &n->recipe->mi.sources[index], step, n->recipe);
}

/* The pseudo-OOD batch of source `index`, prepared. */
static dn_tensor draw_source(dn_objective *o, const dn_network *n, unsigned index, const char *data_dir)
{
    const dn_recipe *r = n->recipe;
    const dn_recipe_source *source = &r->mi.sources[index];
    dn_program *p = o->program;
    const dn_tensor step = source->redraw_every > 1 ? dn_hold(p, o->step, source->redraw_every) : o->step;
    const dn_shape shape = DN_SHAPE(r->mi.batch, n->height, n->width, n->channels);
    switch (source->kind) {
    case DN_SOURCE_PATCH_SHUFFLE:
        return dn_prepare(
            p, &r->data,
            dn_patch_shuffle(p, draw_shared(o, &o->train, o->train_images, source, step, r), step, source->patch),
            DN_NONE);
    case DN_SOURCE_TRAIN:
        return dn_prepare(p, &r->data, draw_shared(o, &o->train, o->train_images, source, step, r), step);
    case DN_SOURCE_UNIFORM:
        return dn_prepare(p, &r->data, dn_noise(p, step, shape, true, DN_NOISE_UNIFORM, 0.0, 1.0), DN_NONE);
    case DN_SOURCE_GAUSSIAN: return dn_noise(p, step, shape, true, DN_NOISE_NORMAL, 0.0, 1.0);
    case DN_SOURCE_DATA: return dn_prepare(p, &r->data, draw_set(o, n, index, step, data_dir), DN_NONE);
    }
    return DN_NONE;
}

/* The batch of the source whose turn it is. All of them are drawn: that costs little beside a forward pass. */
static dn_tensor draw_batch(dn_objective *o, const dn_network *n, const char *data_dir)
{
    const dn_recipe_mi *mi = &n->recipe->mi;
    dn_tensor batch = draw_source(o, n, 0, data_dir);
    for (unsigned i = 1; i < mi->n_sources; i++) {
        double turn[64] = {0};
        turn[i] = 1.0;
        const dn_tensor choice = by_source(o, mi, turn);
        batch = dn_select(o->program, choice, batch, draw_source(o, n, i, data_dir));
    }
    return batch;
}

/* ---- the loss ---- */

static dn_status make_room(dn_objective *o, unsigned n_sources)
{
    o->sources = dn_calloc(n_sources, sizeof *o->sources);
    o->source_images = dn_calloc(n_sources, sizeof *o->source_images);
    o->n_sources = o->sources ? n_sources : 0;
    return o->sources && o->source_images ? DN_OK : DN_ERROR_MEMORY;
}

dn_tensor dn__mi_loss(dn_objective *o, const dn_network *n, dn_tensor ce, const char *data_dir)
{
    const dn_recipe_mi *mi = &n->recipe->mi;
    dn_program *p = o->program;
    double alpha[64], gate[64];
    if (mi->n_sources < 1 || mi->n_sources > 64)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "mi.sources: %u sources, 1 to 64 are needed", mi->n_sources);
    if (make_room(o, mi->n_sources) != DN_OK) return dn_program_fail(p, DN_ERROR_MEMORY, "%s", dn_error_last());
    bool gated = false;
    for (unsigned i = 0; i < mi->n_sources; i++) {
        alpha[i] = mi->sources[i].alpha;
        gate[i] = mi->sources[i].stop_norm_gradient ? 0.0 : 1.0;
        gated |= mi->sources[i].stop_norm_gradient;
    }
    const dn_tensor images = draw_batch(o, n, data_dir);
    dn_forward forward = dn_forward_infer;
    forward.prefix = "pseudo-OOD/";
    if (gated) forward.norm_gate = by_source(o, mi, gate);
    const dn_tensor logits = dn_network_build(n, p, images, &forward);
    const dn_tensor spread = n->members > 1 ? dn_loss_mutual_information(p, logits)
                                            : dn_mean_members(p, dn_mean(p, dn_entropy(p, logits), DN_ALL_AXES));
    o->mutual_information = dn_record(p, "mutual information history", spread, o->step, DN_HISTORY);
    const dn_tensor weighted = dn_scale(p, spread, -1.0, by_source(o, mi, alpha));
    return dn_add(p, dn_mean_members(p, ce), weighted);
}
