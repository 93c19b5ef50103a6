/** Small networks for the tests of ood/pass.h, and the obvious way through them: one program, images of each member's
 *  own, all results read. */
#ifndef DN_TESTS_PASS_RIG_H
#define DN_TESTS_PASS_RIG_H

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/executor.h"
#include "core/ops.h"
#include "core/random.h"
#include "layers/models/models.h"
#include "ood/pass.h"

#define OK(call) cr_assert_eq((call), DN_OK, "%s", dn_error_last())

/** What is done to images before the network sees them. */
typedef enum preparation { AS_THEY_ARE, STANDARDIZED, NORMALIZED, ERASED } preparation;

typedef struct pass_case {
    const char *model, *device;
    dn_dtype type;
    int members, side, channels, classes, width, batch;
    double dropout;
    preparation prepared;
} pass_case;

typedef struct pass_rig {
    pass_case c;
    dn_device *device;
    dn_params *params;
    dn_pass_network network;
    dn_pass_layers layers;
    size_t pixels;
} pass_rig;

static inline dn_tensor prepare(dn_program *p, const pass_case *c, dn_tensor x)
{
    const double mean[4] = {.4, .5, .3, .6}, deviation[4] = {.25, .2, .3, .22};
    switch (c->prepared) {
    case AS_THEY_ARE: return x;
    case STANDARDIZED: return dn_standardize(p, x);
    case ERASED: return dn_scale(p, x, 0.0, DN_NONE);
    case NORMALIZED: break;
    }
    const dn_shape channels = DN_SHAPE(c->channels);
    return dn_normalize(p, x, dn_constant(p, "mean", channels, true, mean),
                        dn_constant(p, "deviation", channels, true, deviation));
}

static inline dn_tensor build_model(const pass_case *c, dn_program *p, dn_tensor images, const dn_forward *forward)
{
    const dn_model_options options = {
        .name = c->model, .classes = c->classes, .dropout = c->dropout, .width = c->width};
    return dn_model_build(p, &options, prepare(p, c, images), forward);
}

static inline void build_pass(void *context, dn_program *p, dn_tensor images, dn_pass_graph *graph)
{
    const pass_rig *rig = context;
    dn_taps taps = {0};
    dn_forward forward = dn_forward_infer;
    forward.dropout = graph->dropout;
    forward.taps = &taps;
    forward.replaced = graph->replaced;
    forward.by = graph->by;
    graph->logits = build_model(&rig->c, p, images, &forward);
    graph->taps = (size_t)taps.count;
    for (int i = 0; i < taps.count; i++) {
        snprintf(graph->tap[i].name, sizeof graph->tap[i].name, "%s", taps.at[i].name);
        graph->tap[i].tensor = taps.at[i].tensor;
    }
}

/** Moving statistics as after a training: not 0 and 1, and another pair for each member. */
static inline void draw_states(pass_rig *rig)
{
    const size_t each = (size_t)dn_params_slice(rig->params, DN_BLOCK_STATES);
    const size_t size = dn_dtype_size(rig->c.type), count = each * (size_t)rig->c.members;
    if (count == 0) return;
    void *values = dn_calloc(count, size);
    dn_random_sequence random = {.seed = 5};
    for (size_t e = 0; e < (size_t)rig->c.members; e++)
        for (int k = 0; k < dn_params_count(rig->params, DN_BLOCK_STATES); k++) {
            const dn_params_entry *entry = dn_params_at(rig->params, DN_BLOCK_STATES, k);
            for (size_t i = e * each + entry->offset, n = (size_t)dn_shape_count(&entry->shape); n > 0; i++, n--) {
                const double value = 0.4 + 0.3 * (double)dn_random_next_uniform(&random, 0, 1); /* right for both */
                if (rig->c.type == DN_F64)
                    ((double *)values)[i] = value;
                else
                    ((float *)values)[i] = (float)value;
            }
        }
    OK(dn_buffer_upload(dn_params_buffer(rig->params, DN_BLOCK_STATES, 0), 0, values, count * size));
    dn_free(values);
}

/** @return whether this build and machine have the device */
static inline bool has_device(const char *name)
{
    dn_device *device = NULL;
    const bool found = dn_device_open(&device, name, NULL) == DN_OK;
    dn_device_close(device);
    return found;
}

/** @param rig must not move while passes of it are open */
static inline void open_pass_rig(pass_rig *rig, const pass_case *c)
{
    *rig = (pass_rig){.c = *c, .pixels = (size_t)(c->side * c->side * c->channels)};
    OK(dn_device_open(&rig->device, c->device, &(dn_device_options){.threads = 2}));
    OK(dn_params_new(&rig->params, &(dn_params_options){.members = c->members, .dtype = c->type, .seed = 3}));
    rig->network = (dn_pass_network){.name = c->model,
                                     .params = rig->params,
                                     .device = rig->device,
                                     .height = c->side,
                                     .width = c->side,
                                     .channels = c->channels,
                                     .columns = c->classes,
                                     .batch = c->batch,
                                     .build = build_pass,
                                     .context = rig};
    OK(dn_pass_list_layers(&rig->layers, &rig->network));
    OK(dn_params_place(rig->params, rig->device));
    draw_states(rig);
}

static inline void close_pass_rig(pass_rig *rig)
{
    dn_params_close(rig->params);
    dn_device_close(rig->device);
}

/** Smooth images as bytes. @return [count,pixels], free with dn_free() */
static inline uint8_t *draw_images(const pass_rig *rig, size_t count, uint64_t seed)
{
    uint8_t *images = dn_calloc(count, rig->pixels);
    dn_random_sequence random = {.seed = seed};
    for (size_t i = 0; i < count * rig->pixels; i++) images[i] = (uint8_t)dn_random_next_below(&random, 256);
    return images;
}

/** The bytes as reals, a copy for each member. @return [E,count,pixels], free with dn_free() */
static inline double *spread(const pass_rig *rig, const uint8_t *images, size_t count)
{
    const size_t each = count * rig->pixels;
    double *x = dn_calloc((size_t)rig->c.members * each, sizeof *x);
    for (size_t i = 0; i < (size_t)rig->c.members * each; i++) {
        x[i] = images[i % each] / 255.0;
        if (rig->c.type == DN_F32) x[i] = (double)(float)x[i];
    }
    return x;
}

/** The obvious way. */
typedef struct direct {
    dn_program *program;
    dn_executor *executor;
    dn_tensor images, logits;
    dn_taps taps;
    dn_dtype type;
} direct;

/** @param forward what the pass is meant as; taps are collected @param rows of a batch */
static inline direct open_direct(const pass_rig *rig, int rows, const dn_forward *forward)
{
    direct d = {.type = rig->c.type};
    dn_forward with_taps = *forward;
    with_taps.taps = &d.taps;
    d.program = dn_program_new(rig->params, NULL);
    d.images =
        dn_input(d.program, "images", rig->c.type, DN_SHAPE(rows, rig->c.side, rig->c.side, rig->c.channels), false);
    d.logits = dn_keep(d.program, build_model(&rig->c, d.program, d.images, &with_taps));
    for (int i = 0; i < d.taps.count; i++) dn_keep(d.program, d.taps.at[i].tensor);
    OK(dn_program_seal(d.program));
    OK(dn_executor_open(&d.executor, d.program, rig->device));
    return d;
}

static inline void close_direct(direct *d)
{
    dn_executor_close(d->executor);
    dn_program_close(d->program);
}

static inline size_t count_direct(const direct *d, dn_tensor t)
{
    const dn_shape shape = dn_shape_of(d->program, t);
    return (size_t)dn_shape_count(&shape) * (size_t)(dn_is_shared(d->program, t) ? 1 : dn_program_members(d->program));
}

/** @param values as many as the tensor has, of all members */
static inline void write_direct(direct *d, dn_tensor t, const double *values)
{
    const size_t count = count_direct(d, t);
    float *narrow = dn_calloc(count, sizeof *narrow);
    for (size_t i = 0; i < count; i++) narrow[i] = (float)values[i];
    OK(dn_executor_write(d->executor, t, d->type == DN_F64 ? (const void *)values : narrow,
                         count * dn_dtype_size(d->type)));
    dn_free(narrow);
}

/** @return the whole tensor; free with dn_free() */
static inline double *read_direct(direct *d, dn_tensor t)
{
    const size_t count = count_direct(d, t);
    double *values = dn_calloc(count, sizeof *values);
    float *narrow = dn_calloc(count, sizeof *narrow);
    OK(dn_executor_read(d->executor, t, d->type == DN_F64 ? (void *)values : narrow, count * dn_dtype_size(d->type)));
    for (size_t i = 0; i < count && d->type == DN_F32; i++) values[i] = (double)narrow[i];
    dn_free(narrow);
    return values;
}

/** @param x [E,rows,pixels] @return logits [E,rows,K]; free with dn_free() */
static inline double *run_direct(direct *d, const double *x)
{
    write_direct(d, d->images, x);
    OK(dn_executor_run(d->executor, 1));
    return read_direct(d, d->logits);
}

/** Opens a pass and runs one batch. @param out->... are allocated; free with free_out() */
static inline dn_pass *run_pass(pass_rig *rig, const dn_pass_options *options, dn_pass_out *out, const void *images,
                                size_t rows)
{
    dn_pass *pass = NULL;
    *out = (dn_pass_out){0};
    OK(dn_pass_open(&pass, &rig->network, options));
    const size_t members = dn_pass_members(pass);
    out->logits = dn_calloc(members * rows * (size_t)rig->c.classes, sizeof(float));
    for (size_t l = 0; l < rig->layers.count; l++)
        if (options->layers >> l & 1) out->features[l] = dn_calloc(members * rows * rig->layers.layer[l].dim, 4);
    OK(dn_pass_run(pass, out, images, rows));
    return pass;
}

static inline void free_out(dn_pass_out *out)
{
    dn_free(out->logits);
    for (size_t l = 0; l < DN_PASS_LAYERS_MAX; l++) dn_free(out->features[l]);
}

/** @return the largest difference, relative to the largest number of `right` */
static inline double largest_error(const float *got, const double *right, size_t count)
{
    double error = 0.0, scale = 0.0;
    for (size_t i = 0; i < count; i++) {
        error = fmax(error, fabs((double)got[i] - right[i]));
        scale = fmax(scale, fabs(right[i]));
        if (!isfinite(got[i])) return INFINITY;
    }
    return error / scale;
}

#endif
