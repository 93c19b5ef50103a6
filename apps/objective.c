#include "apps/objective.h"

#include <math.h>

#include "apps/objective_mi.h"
#include "core/alloc.h"
#include "core/ops.h"
#include "layers/losses.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

/* ---- batches ---- */

typedef struct batch {
    dn_tensor images; /* [N,H,W,C] prepared */
    dn_tensor labels; /* i32 [N] */
} batch;

/* Each member's own batch, from its pool where it has one. */
static batch draw_batch(dn_objective *o, const dn_network *n, int64_t size, int pool)
{
    const bool pooled = !dn_is_none(o->pool[pool]);
    const dn_indices_options options = {.batch = size,
                                        .count = o->train.shape.dim[0],
                                        .pool = pooled ? o->pool[pool] : DN_NONE,
                                        .pool_size = pooled ? o->pool_size[pool] : DN_NONE,
                                        .replace = n->recipe->data.replace};
    const dn_tensor indices = dn_indices(o->program, o->step, &options);
    batch b;
    const dn_tensor images = dn__draw_images(o, &o->train, o->train_images, indices, 1, pooled ? pool : -1);
    b.images = dn_prepare(o->program, &n->recipe->data, images, o->step);
    b.labels = dn_gather(o->program, o->labels, indices);
    return b;
}

/* Outputs that stand for no class are taken out of the softmax. */
static dn_tensor mask_unused(dn_program *p, const dn_network *n, dn_tensor logits)
{
    if (!n->ragged) return logits;
    return dn_mask_logits(p, logits, dn_input(p, "used outputs", DN_U8, DN_SHAPE(n->columns), false));
}

/* ---- the kinds of ensemble: each adds its loss to the cross entropy [E] ---- */

static dn_tensor leave_out_loss(dn_objective *o, const dn_network *n, dn_tensor ce, dn_tensor logits)
{
    const dn_recipe *r = n->recipe;
    const batch out = draw_batch(o, n, r->leave_out.batch, 1);
    dn_forward forward = dn_forward_train;
    forward.prefix = "left out/";
    dn_tensor logits_out = dn_network_build(n, o->program, out.images, &forward);
    if (n->ragged) logits_out = dn_mask_logits(o->program, logits_out, dn_find(o->program, "used outputs"));
    return dn_add(o->program, ce,
                  dn_loss_entropy_margin(o->program, logits, logits_out, r->leave_out.beta, r->leave_out.margin));
}

/* @return the loss: [1] of each member, or shared where members meet */
static dn_tensor add_kind(dn_objective *o, const dn_network *n, dn_tensor ce, dn_tensor logits, const char *data_dir)
{
    switch (n->recipe->ensemble.kind) {
    case DN_ENSEMBLE_DEEP: return ce;
    case DN_ENSEMBLE_LEAVE_OUT: return leave_out_loss(o, n, ce, logits);
    case DN_ENSEMBLE_MI: return dn__mi_loss(o, n, ce, data_dir);
    }
    return DN_NONE;
}

/* ---- the update ---- */

static dn_tensor learning_rate(const dn_objective *o, const dn_recipe_optimizer *optimizer)
{
    enum { MOST = 64 };
    dn_segment segments[MOST] = {{.value = optimizer->rate}};
    const unsigned count = optimizer->n_schedule ? optimizer->n_schedule : 1;
    if (count > MOST)
        return dn_program_fail(o->program, DN_ERROR_ARGUMENT, "optimizer.schedule has %u rows, at most %d are taken",
                               count, MOST);
    for (unsigned i = 0; i < optimizer->n_schedule; i++) {
        const dn_recipe_rate *row = &optimizer->schedule[i];
        const double epoch_start = floor(row->epoch * (double)o->steps_per_epoch + 0.5);
        segments[i] = (dn_segment){.start = row->step >= 0 ? row->step : (int64_t)epoch_start,
                                   .value = row->rate,
                                   .shape = (dn_segment_shape)row->shape};
    }
    return dn_schedule_segments(o->program, segments, (int)count);
}

static void minimize(const dn_objective *o, const dn_network *n, dn_tensor loss)
{
    const dn_recipe_optimizer *r = &n->recipe->optimizer;
    dn_minimize_options options = r->kind == DN_OPTIMIZER_ADAM ? dn_adam_defaults : dn_sgd_defaults;
    options.schedule = learning_rate(o, r);
    options.member_factors = r->n_member_rates ? r->member_rates : NULL;
    options.update = (dn_update_options){.beta1 = r->beta1,
                                         .beta2 = r->beta2,
                                         .epsilon = r->epsilon,
                                         .momentum = r->momentum,
                                         .nesterov = r->nesterov,
                                         .weight_decay = r->weight_decay};
    dn_minimize(o->program, loss, &options);
}

/* ---- the program ---- */

/* An epoch is one pass over what a member is trained on: of leave-out members, over their own classes (as if all
 * classes were equally frequent). */
static dn_status count_steps(dn_objective *o, const dn_network *n)
{
    const dn_recipe_train *train = &n->recipe->train;
    enum { MOST = 1 << 24 }; /* schedules count in f32 */
    const int64_t items = o->train.shape.dim[0] * n->columns / n->classes;
    o->steps_per_epoch = (items + train->batch - 1) / train->batch;
    const double steps = train->steps > 0 ? (double)train->steps : ceil(train->epochs * (double)o->steps_per_epoch);
    if (steps > MOST)
        return dn_fail(DN_ERROR_ARGUMENT, "train.%s: that would be %.0f steps, at most %d can be done",
                       train->steps > 0 ? "steps" : "epochs", steps, MOST);
    o->steps = (int64_t)steps;
    return DN_OK;
}

static void add_data(dn_objective *o, const dn_network *n)
{
    const bool own = n->recipe->ensemble.kind == DN_ENSEMBLE_LEAVE_OUT;
    const dn_shape items = DN_SHAPE(o->train.shape.dim[0]);
    o->step = dn_step(o->program);
    o->train_images = DN_NONE;
    if (o->train.images) o->train_images = dn_resident_tensor(o->program, "training images", &o->train);
    o->labels = dn_input(o->program, "labels", DN_I32, items, !own);
    for (int k = 0; k < 2 && own; k++) {
        o->pool[k] = dn_input(o->program, k ? "left-out items" : "own items", DN_I32, items, false);
        o->pool_size[k] = dn_input(o->program, k ? "left-out count" : "own count", DN_I32, DN_SHAPE(1), false);
    }
}

static dn_status build(dn_objective *o, const dn_network *n, const char *data_dir)
{
    const dn_recipe *r = n->recipe;
    const dn_program_options options = {.name = r->name, .batch = r->train.batch, .precision = r->train.precision};
    dn_program *p = o->program = dn_program_new(n->params, &options);
    if (!p) return DN_ERROR_MEMORY;
    add_data(o, n);
    const batch in = draw_batch(o, n, r->train.batch, 0);
    dn_forward forward = dn_forward_train;
    forward.prefix = "train/";
    const dn_tensor logits = mask_unused(p, n, dn_network_build(n, p, in.images, &forward));
    dn_tensor ce = dn_cross_entropy(p, logits, in.labels);
    o->accuracy = dn_record(p, "accuracy history", dn_accuracy(p, logits, in.labels), o->step, DN_HISTORY);
    if (r->optimizer.l2 != 0.0) ce = dn_add(p, ce, dn_loss_l2(p, r->optimizer.l2, dn_weights_and_biases));
    const dn_tensor loss = add_kind(o, n, ce, logits, data_dir);
    /* What is written down is each member's own part; of MI the shared part has a history of its own. */
    const dn_tensor own = r->ensemble.kind == DN_ENSEMBLE_MI ? ce : loss;
    o->loss = dn_record(p, "loss history", own, o->step, DN_HISTORY);
    minimize(o, n, loss);
    return dn_program_seal(p);
}

dn_status dn_objective_open(dn_objective *o, const dn_network *n, dn_dataset *train, const char *data_dir)
{
    *o = (dn_objective){.step = DN_NONE, .mutual_information = DN_NONE, .pool = {DN_NONE, DN_NONE}};
    dn_status status = dn_resident_take(&o->train, n->device, train);
    if (status == DN_OK) status = count_steps(o, n);
    if (status == DN_OK) status = build(o, n, data_dir);
    if (status != DN_OK) dn_objective_close(o);
    return status;
}

void dn_objective_close(dn_objective *o)
{
    dn_program_close(o->program);
    dn_resident_close(&o->train);
    for (unsigned i = 0; i < o->n_sources; i++) dn_resident_close(&o->sources[i]);
    dn_free(o->sources);
    dn_free(o->source_images);
    dn_free(o->pools);
    dn_free(o->pool_sizes);
    *o = (dn_objective){.step = DN_NONE};
}
