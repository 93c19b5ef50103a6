/* Draws from sets that stay in their files: what stands in the program for a gather, and what the host reads for it.
 * Which items a draw takes is the same as in a resident set, so that training gives the same bytes. */
#include <stdio.h>

#include "apps/objective.h"
#include "core/alloc.h"
#include "core/executor.h"
#include "core/ops.h"

static int copies_of(const dn_objective *o, const dn_feed *feed)
{
    return dn_is_shared(o->program, feed->indices) ? 1 : dn_program_members(o->program);
}

static size_t bytes_of(const dn_objective *o, const dn_feed *feed)
{
    const dn_shape shape = dn_shape_of(o->program, feed->images);
    return (size_t)dn_shape_count(&shape) * dn_dtype_size(feed->set->type);
}

/* The draw itself stays in the program: labels are gathered by it, and ops that draw are numbered as they come. */
dn_tensor dn__draw_images(dn_objective *o, const dn_resident *from, dn_tensor images, dn_tensor indices, int64_t hold,
                          int pool)
{
    dn_program *p = o->program;
    if (!from->streamed || dn_is_none(indices)) return dn_gather(p, images, indices);
    const dn_dataset *set = from->streamed;
    if (o->n_feeds == DN_FEEDS_MAX)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "more than %d draws from '%s'", DN_FEEDS_MAX, set->name);
    dn_feed *feed = &o->feeds[o->n_feeds];
    *feed = (dn_feed){.set = set, .indices = indices, .hold = hold, .pool = pool};
    const int64_t n = dn_shape_of(p, indices).dim[0];
    char name[64];
    snprintf(name, sizeof name, "streamed images %d", o->n_feeds);
    feed->images =
        dn_input(p, name, set->type, DN_SHAPE(copies_of(o, feed) * n, set->height, set->width, set->channels), true);
    snprintf(name, sizeof name, "places of streamed images %d", o->n_feeds);
    feed->places = dn_input(p, name, DN_I32, DN_SHAPE(n), dn_is_shared(p, indices));
    o->n_feeds++;
    return dn_gather(p, feed->images, feed->places);
}

size_t dn_objective_feed_bytes(const dn_objective *o)
{
    size_t bytes = 0;
    for (int i = 0; i < o->n_feeds; i++) bytes += bytes_of(o, &o->feeds[i]);
    return bytes;
}

/* @param items [N] room for the item numbers of one member */
static dn_status read_feed(const dn_objective *o, const dn_feed *feed, int64_t step, int64_t *items, char *to)
{
    const int64_t n = dn_shape_of(o->program, feed->indices).dim[0], all = o->train.shape.dim[0];
    const int members = dn_program_members(o->program), copies = copies_of(o, feed);
    for (int e = 0; e < copies; e++) {
        const int64_t place = (int64_t)feed->pool * members + e;
        const int32_t *pool = feed->pool < 0 ? NULL : o->pools + place * all;
        dn_indices_ahead(o->program, feed->indices, step / feed->hold * feed->hold, e, pool,
                         pool ? o->pool_sizes[place] : 0, items);
        DN_TRY(dn_dataset_gather(feed->set, items, n, to));
        to += (size_t)n * dn_dataset_image_bytes(feed->set);
    }
    return DN_OK;
}

dn_status dn_objective_read_ahead(const dn_objective *o, int64_t step, void *to)
{
    char *at = to;
    for (int i = 0; i < o->n_feeds; i++) {
        const dn_feed *feed = &o->feeds[i];
        int64_t *items = dn_calloc((size_t)dn_shape_of(o->program, feed->indices).dim[0], sizeof *items);
        const dn_status status = items ? read_feed(o, feed, step, items, at) : DN_ERROR_MEMORY;
        dn_free(items);
        DN_TRY(status);
        at += bytes_of(o, feed);
    }
    return DN_OK;
}

dn_status dn_objective_feed(const dn_objective *o, dn_executor *ex, const void *images)
{
    const char *at = images;
    for (int i = 0; i < o->n_feeds; i++) {
        DN_TRY(dn_executor_write(ex, o->feeds[i].images, at, bytes_of(o, &o->feeds[i])));
        at += bytes_of(o, &o->feeds[i]);
    }
    return DN_OK;
}
