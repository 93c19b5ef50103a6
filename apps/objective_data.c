/* What a training program reads: images on the device, labels and pools as the members see them. */
#include <string.h>

#include "apps/objective.h"
#include "core/alloc.h"
#include "core/executor.h"

/* The output of member e that stands for a class; -1: it is left out. */
static int32_t output_of(const dn_network *n, int e, int32_t class)
{
    for (int c = 0; c < n->columns; c++)
        if (n->class_map[e * n->columns + c] == class) return c;
    return -1;
}

/* Writes labels [E,M] and pools [2][E,M]: member e's own classes, numbered by its outputs, and those it leaves out. */
static dn_status load_folds(dn_objective *o, dn_executor *ex, const dn_network *n, const dn_dataset *train)
{
    const size_t items = (size_t)train->n, all = items * (size_t)n->members;
    int32_t *labels = dn_calloc(all, sizeof *labels);
    int32_t *table = o->pools = dn_calloc(2 * all, sizeof *table);
    int32_t *size = o->pool_sizes = dn_calloc(2 * (size_t)n->members, sizeof *size);
    if (!labels || !table || !size) {
        dn_free(labels);
        return DN_ERROR_MEMORY;
    }
    for (int e = 0; e < n->members; e++)
        for (size_t i = 0; i < items; i++) {
            const int32_t output = output_of(n, e, train->labels[i]);
            const int k = output < 0;
            int32_t *count = &size[k * n->members + e];
            labels[(size_t)e * items + i] = k ? 0 : output; /* the left-out stream is not asked for labels */
            table[(size_t)k * all + (size_t)e * items + (size_t)(*count)++] = (int32_t)i;
        }
    dn_status status = dn_executor_write(ex, o->labels, labels, all * sizeof *labels);
    dn_free(labels);
    for (int k = 0; k < 2 && status == DN_OK; k++) {
        for (int e = 0; e < n->members && status == DN_OK; e++)
            if (size[k * n->members + e] == 0)
                status = dn_fail(DN_ERROR_ARGUMENT, "fold %d has no training items %s", e,
                                 k ? "of its left-out classes" : "of its own classes");
        if (status == DN_OK) status = dn_executor_write(ex, o->pool[k], table + (size_t)k * all, all * sizeof *table);
        if (status == DN_OK)
            status = dn_executor_write(ex, o->pool_size[k], size + k * n->members, (size_t)n->members * sizeof *size);
    }
    return status;
}

/* Which outputs of each member stand for a class: u8 [E,columns]. */
static dn_status load_mask(dn_executor *ex, dn_tensor mask, const dn_network *n)
{
    const size_t count = (size_t)n->members * (size_t)n->columns;
    uint8_t *used = dn_calloc(count, 1);
    if (!used) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) used[i] = n->class_map[i] >= 0;
    const dn_status status = dn_executor_write(ex, mask, used, count);
    dn_free(used);
    return status;
}

/* Member e's images stand behind those of the members before it. */
static dn_status load_places(const dn_objective *o, dn_executor *ex, const dn_feed *feed)
{
    const int64_t rows = dn_shape_of(o->program, feed->images).dim[0];
    int32_t *places = dn_calloc((size_t)rows, sizeof *places);
    if (!places) return DN_ERROR_MEMORY;
    for (int64_t i = 0; i < rows; i++) places[i] = (int32_t)i;
    const dn_status status = dn_executor_write(ex, feed->places, places, (size_t)rows * sizeof *places);
    dn_free(places);
    return status;
}

dn_status dn_objective_load(dn_objective *o, dn_executor *ex, const dn_network *n, const dn_dataset *train)
{
    if (o->train.images) DN_TRY(dn_executor_bind(ex, o->train_images, o->train.images));
    for (unsigned i = 0; i < o->n_sources; i++)
        if (o->sources[i].images) DN_TRY(dn_executor_bind(ex, o->source_images[i], o->sources[i].images));
    for (int i = 0; i < o->n_feeds; i++) DN_TRY(load_places(o, ex, &o->feeds[i]));
    if (n->ragged) DN_TRY(load_mask(ex, dn_find(o->program, "used outputs"), n));
    if (n->recipe->ensemble.kind == DN_ENSEMBLE_LEAVE_OUT) return load_folds(o, ex, n, train);
    return dn_executor_write(ex, o->labels, train->labels, (size_t)train->n * sizeof *train->labels);
}

dn_status dn_objective_place(dn_objective *o, dn_executor **ex, const dn_network *n, dn_dataset *train,
                             const char *data_dir)
{
    *ex = NULL;
    DN_TRY(dn_objective_open(o, n, train, data_dir));
    return dn_executor_open(ex, o->program, n->device);
}

int64_t dn_objective_images_a_step(const dn_recipe *r)
{
    const int64_t own = r->train.batch;
    switch (r->ensemble.kind) {
    case DN_ENSEMBLE_DEEP: return own * r->ensemble.members;
    case DN_ENSEMBLE_MI: return (own + r->mi.batch) * r->ensemble.members;
    case DN_ENSEMBLE_LEAVE_OUT: return (own + r->leave_out.batch) * r->ensemble.members;
    }
    return 0;
}
