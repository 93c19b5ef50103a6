/** Where a recipe's training goes: its losses at every step, and all that the store holds at the end, as doubles; for
 *  tests that compare devices over whole trainings. */
#ifndef DN_TESTS_TRAJECTORY_H
#define DN_TESTS_TRAJECTORY_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/objective.h"
#include "core/alloc.h"
#include "core/executor.h"
#include "core/random.h"

enum { MOST_OVERRIDES = 12, MOST_TENSORS = 128 };

/** What to train, and how. */
typedef struct plan {
    const char *recipe; /* by name */
    const char *overrides[MOST_OVERRIDES];
    const char *device;
    int threads;    /* 0: all */
    dn_dtype dtype; /* of the store; the initial values are those of f32 */
    double unit;    /* if not 0: in every step, weights are off by up to this part of themselves (see run_disturbed) */
    uint64_t disturb; /* seed of that */
    int64_t steps;    /* 0: the recipe's */
    int first_member; /* see dn_params_options */
} plan;

typedef struct kept_tensor {
    char name[96];
    size_t count;   /* of all members */
    double *values; /* [E, elements of a member] */
} kept_tensor;

typedef struct trajectory {
    int64_t steps;
    int members, columns; /* columns: members, and one for the mutual information where there is one */
    double *losses;       /* [steps,columns] */
    int n_tensors;
    kept_tensor tensor[MOST_TENSORS];
} trajectory;

#define OK(call) cr_assert_eq((call), DN_OK, "%s", dn_error_last())

/* ---- reading ---- */

/** @return `count` numbers of the store's type as doubles; free with dn_free() */
static inline double *as_doubles(const dn_params *store, const void *from, size_t count)
{
    double *to = dn_calloc(count + 1, sizeof *to);
    for (size_t i = 0; i < count; i++)
        to[i] = dn_params_dtype(store) == DN_F64 ? ((const double *)from)[i] : (double)((const float *)from)[i];
    return to;
}

static inline double *read_block(const dn_params *store, dn_params_block block, int slot)
{
    const dn_buffer *buffer = dn_params_buffer(store, block, slot);
    const size_t bytes = dn_buffer_bytes(buffer);
    void *raw = dn_calloc(bytes, 1);
    OK(dn_buffer_download(buffer, 0, raw, bytes));
    double *all = as_doubles(store, raw, bytes / dn_dtype_size(dn_params_dtype(store)));
    dn_free(raw);
    return all;
}

static inline void write_block(const dn_params *store, dn_params_block block, const double *all)
{
    dn_buffer *buffer = dn_params_buffer(store, block, 0);
    const size_t bytes = dn_buffer_bytes(buffer), count = bytes / dn_dtype_size(dn_params_dtype(store));
    void *raw = dn_calloc(bytes, 1);
    for (size_t i = 0; i < count; i++)
        if (dn_params_dtype(store) == DN_F64)
            ((double *)raw)[i] = all[i];
        else
            ((float *)raw)[i] = (float)all[i];
    OK(dn_buffer_upload(buffer, 0, raw, bytes));
    dn_free(raw);
}

/* Adds the entries of a block, without the gaps between them. `slot` < 0: of the values or states themselves. */
static inline void keep_block(trajectory *t, const dn_params *store, dn_params_block block, int slot)
{
    const dn_params_block layout = block == DN_BLOCK_SLOTS ? DN_BLOCK_VALUES : block;
    const size_t slice = (size_t)dn_params_slice(store, layout), members = (size_t)dn_params_members(store);
    const char *of = block == DN_BLOCK_SLOTS ? dn_params_at(store, block, slot)->name : "";
    double *all = read_block(store, block, slot);
    for (int i = 0; i < dn_params_count(store, layout); i++) {
        const dn_params_entry *entry = dn_params_at(store, layout, i);
        const size_t count = (size_t)dn_shape_count(&entry->shape);
        cr_assert_lt(t->n_tensors, MOST_TENSORS);
        kept_tensor *kept = &t->tensor[t->n_tensors++];
        snprintf(kept->name, sizeof kept->name, "%.30s%s%.60s", of, *of ? " of " : "", entry->name);
        kept->count = members * count;
        kept->values = dn_calloc(kept->count, sizeof *kept->values);
        for (size_t e = 0; e < members; e++)
            memcpy(kept->values + e * count, all + e * slice + entry->offset, count * sizeof *all);
    }
    dn_free(all);
}

/* Adds column `first` on of all steps from a history [copies, DN_HISTORY]. */
static inline void keep_losses(trajectory *t, dn_executor *ex, const dn_params *store, dn_tensor history, int copies,
                               int first)
{
    const size_t count = (size_t)copies * DN_HISTORY, bytes = count * dn_dtype_size(dn_params_dtype(store));
    void *raw = dn_calloc(bytes, 1);
    OK(dn_executor_read(ex, history, raw, bytes));
    double *all = as_doubles(store, raw, count);
    for (int64_t s = 0; s < t->steps; s++)
        for (int e = 0; e < copies; e++) t->losses[s * t->columns + first + e] = all[e * DN_HISTORY + s];
    dn_free(all);
    dn_free(raw);
}

/* ---- running ---- */

/** Every step is done with weights that are off by a random part of themselves, at most `unit`; what the step adds to
 *  them is added to the true ones. So weights are rounded where they are read, and not where they are kept, as in the
 *  products of tf32 and bf16; with half an epsilon, it is one rounding more of f32. */
static inline void run_disturbed(dn_executor *ex, const dn_params *store, int64_t steps, double unit, uint64_t seed)
{
    const dn_buffer *buffer = dn_params_buffer(store, DN_BLOCK_VALUES, 0);
    const size_t count = dn_buffer_bytes(buffer) / dn_dtype_size(dn_params_dtype(store));
    dn_random_sequence random = {.seed = seed};
    double *off = dn_calloc(count, sizeof *off);
    for (int64_t s = 0; s < steps; s++) {
        double *values = read_block(store, DN_BLOCK_VALUES, 0);
        for (size_t i = 0; i < count; i++)
            off[i] = values[i] * (1.0 + unit * (2.0 * dn_random_to_uniform(dn_random_next(&random)) - 1.0));
        write_block(store, DN_BLOCK_VALUES, off);
        double *used = read_block(store, DN_BLOCK_VALUES, 0); /* as they were stored */
        OK(dn_executor_run(ex, 1));
        double *after = read_block(store, DN_BLOCK_VALUES, 0);
        for (size_t i = 0; i < count; i++) after[i] = values[i] + (after[i] - used[i]);
        write_block(store, DN_BLOCK_VALUES, after);
        dn_free(after);
        dn_free(used);
        dn_free(values);
    }
    dn_free(off);
}

static inline dn_recipe *open_plan_recipe(const plan *p)
{
    dn_recipe *recipe = NULL;
    int count = 0;
    while (count < MOST_OVERRIDES && p->overrides[count]) count++;
    OK(dn_recipe_open(&recipe, p->recipe, p->overrides, count));
    return recipe;
}

/* A network whose store is of the plan's type and starts with the same numbers in every type. */
static inline dn_network *open_plan_network(const plan *p, dn_device *device, dn_dataset **set)
{
    dn_recipe *recipe = open_plan_recipe(p);
    const dn_dataset_options o = {.seed = recipe->train.seed, .limit = recipe->train.limit};
    OK(dn_dataset_open(set, recipe->data.train, &o));
    dn_network *network = NULL;
    OK(dn_network_new(&network, recipe, device, *set));
    const dn_params_options options = {
        .members = network->members, .dtype = p->dtype, .seed = recipe->train.seed, .first_member = p->first_member};
    dn_params_close(network->params);
    OK(dn_params_new(&network->params, &options));
    return network;
}

/* Doubles become what f32 would have made of them. */
static inline void round_initial_values(const dn_params *store)
{
    for (int block = DN_BLOCK_VALUES; block <= DN_BLOCK_STATES; block++) {
        double *all = read_block(store, block, 0);
        const size_t count = (size_t)dn_params_slice(store, block) * (size_t)dn_params_members(store);
        for (size_t i = 0; i < count; i++) all[i] = (double)(float)all[i];
        write_block(store, block, all);
        dn_free(all);
    }
}

static inline void keep_all(trajectory *t, const dn_objective *o, dn_executor *ex, const dn_params *store)
{
    const bool shares = !dn_is_none(o->mutual_information);
    t->columns = t->members + shares;
    t->losses = dn_calloc((size_t)(t->steps * t->columns), sizeof *t->losses);
    keep_losses(t, ex, store, o->loss, t->members, 0);
    if (shares) keep_losses(t, ex, store, o->mutual_information, 1, t->members);
    keep_block(t, store, DN_BLOCK_VALUES, 0);
    keep_block(t, store, DN_BLOCK_STATES, 0);
    for (int i = 0; i < dn_params_count(store, DN_BLOCK_SLOTS); i++) keep_block(t, store, DN_BLOCK_SLOTS, i);
}

/** @return what training by the plan gives; close with close_trajectory() */
static inline trajectory run_plan(plan p)
{
    dn_device *device = NULL;
    dn_dataset *set = NULL;
    dn_objective objective;
    dn_executor *executor = NULL;
    OK(dn_device_open(&device, p.device, &(dn_device_options){.threads = p.threads}));
    dn_network *network = open_plan_network(&p, device, &set);
    OK(dn_objective_place(&objective, &executor, network, set, NULL));
    OK(dn_objective_load(&objective, executor, network, set));
    OK(dn_executor_start(executor));
    if (p.dtype == DN_F64) round_initial_values(network->params);
    trajectory t = {.steps = p.steps ? p.steps : objective.steps, .members = network->members};
    cr_assert(t.steps >= 1 && t.steps <= DN_HISTORY);
    if (p.unit != 0.0)
        run_disturbed(executor, network->params, t.steps, p.unit, p.disturb);
    else
        OK(dn_executor_run(executor, t.steps));
    keep_all(&t, &objective, executor, network->params);
    dn_executor_close(executor);
    dn_objective_close(&objective);
    dn_network_close(network);
    dn_dataset_close(set);
    dn_device_close(device);
    return t;
}

static inline void close_trajectory(trajectory *t)
{
    for (int i = 0; i < t->n_tensors; i++) dn_free(t->tensor[i].values);
    dn_free(t->losses);
}

/* ---- distances ---- */

/** @return the root of the mean square of a - b, or of a if b is NULL */
static inline double rms_distance(const double *a, const double *b, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += pow(a[i] - (b ? b[i] : 0.0), 2);
    return sqrt(sum / (double)count);
}

/** @return how far the losses of one step are apart, all columns together; of `a` itself if b is NULL */
static inline double loss_distance(const trajectory *a, const trajectory *b, int64_t step)
{
    const size_t columns = (size_t)a->columns, at = (size_t)step * columns;
    return rms_distance(a->losses + at, b ? b->losses + at : NULL, columns);
}

static inline double tensor_distance(const trajectory *a, const trajectory *b, int index)
{
    return rms_distance(a->tensor[index].values, b ? b->tensor[index].values : NULL, a->tensor[index].count);
}

#endif
