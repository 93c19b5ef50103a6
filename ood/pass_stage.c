/* One program of a pass: recording, writing, reading. */
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/ops.h"
#include "ood/pass_private.h"

static bool has_bit(uint64_t bits, size_t number)
{
    return bits >> number & 1;
}

/* ---- recording ---- */

/* The images as reals in 0..1. */
static dn_tensor take_images(dn__stage *s, const dn_pass *pass, const dn__stage_plan *plan)
{
    const dn_pass_network *n = &pass->network;
    const dn_shape shape = DN_SHAPE(n->batch, n->height, n->width, n->channels);
    const bool bytes = !plan->own_images && pass->options.type == DN_U8;
    s->images = dn_input(s->program, "images", bytes ? DN_U8 : dn_params_dtype(n->params), shape, !plan->own_images);
    if (plan->seed_logits || plan->seed_layers) dn_want_gradient(s->program, s->images);
    if (!bytes) return s->images;
    return dn_gather(s->program, s->images, dn_input(s->program, "order", DN_I32, DN_SHAPE(n->batch), true));
}

/* The layer that the plan replaces, as an input of its shape. */
static void take_map(dn__stage *s, const dn_pass *pass, const dn__stage_plan *plan, dn_pass_graph *graph)
{
    if (plan->replaced < 0) return;
    const dn_shape shape =
        DN_SHAPE(pass->network.batch, pass->layers.layer[plan->replaced].height,
                 pass->layers.layer[plan->replaced].width, (int64_t)pass->layers.layer[plan->replaced].dim);
    s->by = dn_input(s->program, "map", dn_params_dtype(pass->network.params), shape, false);
    graph->replaced = pass->layers.layer[plan->replaced].name;
    graph->by = s->by;
}

static dn_tensor pooled(dn_program *program, const dn_pass_graph *graph, size_t layer)
{
    const dn_tensor f = graph->tap[layer].tensor;
    return dn_shape_of(program, f).rank == 4 ? dn_global_average_pool(program, f) : f;
}

static void keep_features(dn__stage *s, const dn_pass_graph *graph, uint64_t layers)
{
    for (size_t l = 0; l < graph->taps; l++)
        if (has_bit(layers, l)) s->features[l] = dn_keep(s->program, pooled(s->program, graph, l));
}

/* @param of [n] what is differentiated */
static void keep_gradient(dn__stage *s, const dn_tensor *of, size_t n, dn_dtype type)
{
    for (size_t i = 0; i < n; i++) {
        const dn_shape shape = dn_shape_of(s->program, of[i]);
        if (shape.rank == 0) return; /* the program has failed */
        char name[32];
        snprintf(name, sizeof name, "seed%zu", i);
        s->seed[s->seeds++] = dn_input(s->program, name, type, shape, false);
    }
    dn_pull_back_all(s->program, of, s->seed, (int)n);
    s->gradient = dn_keep(s->program, dn_gradient(s->program, s->images));
}

static void keep_layer_gradient(dn__stage *s, const dn_pass_graph *graph, uint64_t layers, dn_dtype type)
{
    dn_tensor of[DN_PASS_LAYERS_MAX];
    size_t n = 0;
    for (size_t l = 0; l < graph->taps; l++)
        if (has_bit(layers, l)) of[n++] = pooled(s->program, graph, l);
    if (n > 0) keep_gradient(s, of, n, type);
}

static void record(dn__stage *s, const dn_pass *pass, const dn__stage_plan *plan)
{
    const dn_pass_network *n = &pass->network;
    dn_pass_graph graph = {.dropout = plan->dropout, .by = DN_NONE, .logits = DN_NONE};
    take_map(s, pass, plan, &graph);
    n->build(n->context, s->program, take_images(s, pass, plan), &graph);
    if (plan->logits) s->logits = dn_keep(s->program, graph.logits);
    if (plan->map >= 0 && (size_t)plan->map < graph.taps) s->map = dn_keep(s->program, graph.tap[plan->map].tensor);
    keep_features(s, &graph, plan->layers);
    if (plan->seed_logits) keep_gradient(s, &graph.logits, 1, dn_params_dtype(n->params));
    if (plan->seed_layers) keep_layer_gradient(s, &graph, plan->seed_layers, dn_params_dtype(n->params));
    dn_prune(s->program);
}

/* Images are gathered in the order they come in. */
static dn_status write_order(dn__stage *s, size_t batch)
{
    const dn_tensor order = dn_find(s->program, "order");
    if (dn_is_none(order)) return DN_OK;
    int32_t *numbers = dn_calloc(batch, sizeof *numbers);
    if (!numbers) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < batch; i++) numbers[i] = (int32_t)i;
    const dn_status status = dn__stage_write(s, order, numbers);
    dn_free(numbers);
    return status;
}

dn_status dn__stage_open(dn__stage *s, const dn_pass *pass, const dn__stage_plan *plan)
{
    const dn_pass_network *n = &pass->network;
    s->images = s->by = s->logits = s->map = s->gradient = DN_NONE;
    for (size_t l = 0; l < DN_PASS_LAYERS_MAX; l++) s->features[l] = DN_NONE;
    s->program = dn_program_new(n->params, &(dn_program_options){.name = plan->name, .batch = n->batch});
    if (!s->program) return DN_ERROR_MEMORY;
    record(s, pass, plan);
    DN_TRY(dn_program_seal(s->program));
    DN_TRY(dn_executor_open(&s->executor, s->program, n->device));
    DN_TRY(dn_executor_start(s->executor));
    return write_order(s, pass->batch);
}

void dn__stage_close(dn__stage *s)
{
    dn_executor_close(s->executor);
    dn_program_close(s->program);
}

/* ---- transfers ---- */

/* Elements of all copies of a tensor. */
static size_t count_of(const dn__stage *s, dn_tensor tensor)
{
    const dn_shape shape = dn_shape_of(s->program, tensor);
    const int copies = dn_is_shared(s->program, tensor) ? 1 : dn_program_members(s->program);
    return (size_t)dn_shape_count(&shape) * (size_t)copies;
}

size_t dn__stage_width(const dn__stage *s, dn_tensor tensor)
{
    const dn_shape shape = dn_shape_of(s->program, tensor);
    return (size_t)(dn_shape_count(&shape) / shape.dim[0]);
}

dn_status dn__stage_write(dn__stage *s, dn_tensor tensor, const void *from)
{
    const size_t bytes = count_of(s, tensor) * dn_dtype_size(dn_dtype_of(s->program, tensor));
    return dn_executor_write(s->executor, tensor, from, bytes);
}

dn_status dn__stage_write_images(dn_pass *pass, dn__stage *s, const void *images, size_t rows)
{
    const size_t each = pass->pixels * dn_dtype_size(pass->options.type);
    if (!pass->staged) pass->staged = dn_calloc(pass->batch, each);
    if (!pass->staged) return DN_ERROR_MEMORY;
    memcpy(pass->staged, images, rows * each);
    return dn__stage_write(s, s->images, pass->staged);
}

dn_status dn__stage_read(dn_pass *pass, dn__stage *s, dn_tensor tensor)
{
    const size_t count = count_of(s, tensor);
    if (pass->read.count < count) {
        dn__reals_close(&pass->read);
        DN_TRY(dn__reals_open(&pass->read, dn_params_dtype(pass->network.params), count));
    }
    return dn_executor_read(s->executor, tensor, pass->read.data, count * dn_dtype_size(pass->read.type));
}

dn_status dn__stage_read_rows(dn_pass *pass, dn__stage *s, dn_tensor tensor, float *to, size_t rows, size_t step,
                              size_t first)
{
    const size_t width = dn__stage_width(s, tensor);
    DN_TRY(dn__stage_read(pass, s, tensor));
    for (size_t e = 0; e < pass->members; e++) {
        float *own = to + (e * step + first) * rows * width;
        for (size_t i = 0; i < rows * width; i++)
            own[i] = (float)dn__real_get(&pass->read, e * pass->batch * width + i);
    }
    return DN_OK;
}

dn_status dn__stage_results(dn_pass *pass, dn__stage *s, const dn_pass_out *out, size_t rows, size_t step, size_t first)
{
    if (!dn_is_none(s->logits)) DN_TRY(dn__stage_read_rows(pass, s, s->logits, out->logits, rows, step, first));
    for (size_t l = 0; l < pass->layers.count; l++) {
        if (!has_bit(pass->options.layers, l)) continue;
        DN_TRY(dn__stage_read_rows(pass, s, s->features[l], out->features[l], rows, step, first));
    }
    return DN_OK;
}

dn_status dn__reals_open(dn__reals *out, dn_dtype type, size_t count)
{
    *out = (dn__reals){.data = dn_calloc(count, dn_dtype_size(type)), .count = count, .type = type};
    return out->data ? DN_OK : DN_ERROR_MEMORY;
}

void dn__reals_close(dn__reals *reals)
{
    dn_free(reals->data);
    *reals = (dn__reals){0};
}
