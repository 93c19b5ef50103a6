#include "ood/pass.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/pass_private.h"

/* ---- layers ---- */

/* Notes what the taps of a recorded pass are. */
static dn_status describe_layers(dn_pass_layers *out, const dn_program *p, const dn_pass_graph *graph,
                                 const char *network)
{
    *out = (dn_pass_layers){.count = graph->taps};
    for (size_t l = 0; l < graph->taps; l++) {
        const dn_shape shape = dn_shape_of(p, graph->tap[l].tensor);
        snprintf(out->layer[l].name, sizeof out->layer[l].name, "%s", graph->tap[l].name);
        out->layer[l].dim = (size_t)shape.dim[shape.rank - 1];
        if (shape.rank == 2) continue;
        if (shape.rank != 4)
            return dn_fail(DN_ERROR_SHAPE, "layer '%s' of '%s' has %d dimensions: a layer is [N,D] or [N,H,W,C]",
                           out->layer[l].name, network, shape.rank);
        out->layer[l].height = (int)shape.dim[1];
        out->layer[l].width = (int)shape.dim[2];
    }
    if (out->count > 0 && out->layer[out->count - 1].height == 0) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE, "the last layer of '%s' must be its features [N,D]", network);
}

dn_status dn_pass_list_layers(dn_pass_layers *out, const dn_pass_network *n)
{
    *out = (dn_pass_layers){0};
    dn_program *p = dn_program_new(n->params, &(dn_program_options){.name = n->name, .batch = n->batch});
    if (!p) return DN_ERROR_MEMORY;
    dn_pass_graph graph = {.by = DN_NONE, .logits = DN_NONE};
    const dn_shape shape = DN_SHAPE(n->batch, n->height, n->width, n->channels);
    n->build(n->context, p, dn_input(p, "images", dn_params_dtype(n->params), shape, true), &graph);
    const dn_shape logits = dn_shape_of(p, graph.logits);
    dn_status status = dn_program_seal(p); /* for its errors */
    if (status == DN_OK && (logits.rank != 2 || logits.dim[1] != n->columns))
        status = dn_fail(DN_ERROR_SHAPE, "'%s' does not give logits [N,%d]", n->name, n->columns);
    if (status == DN_OK) status = describe_layers(out, p, &graph, n->name);
    dn_program_close(p);
    return status;
}

uint64_t dn_pass_all_layers(const dn_pass_layers *layers)
{
    return layers->count == DN_PASS_LAYERS_MAX ? UINT64_MAX : ((uint64_t)1 << layers->count) - 1;
}

uint64_t dn_pass_last_layer(const dn_pass_layers *layers)
{
    return layers->count == 0 ? 0 : (uint64_t)1 << (layers->count - 1);
}

/* ---- options ---- */

static bool moves_images(dn_method_pass kind)
{
    return kind == DN_PASS_ODIN || kind == DN_PASS_ODIN_ENTROPY || kind == DN_PASS_SCORE;
}

static bool has_temperature(dn_method_pass kind)
{
    return kind == DN_PASS_ODIN || kind == DN_PASS_ODIN_ENTROPY;
}

/* A method that leaves the choice of the gradient to its user has an option for it. */
static bool chooses_entropy(const dn_method_call *call)
{
    for (size_t i = 0; i < call->method->option_count; i++) {
        const dn_method_option *option = &call->method->option[i];
        if (strcmp(option->name, "gradient") == 0) return strcmp(option->word[(size_t)call->option[i]], "entropy") == 0;
    }
    return false;
}

dn_pass_options dn_pass_options_for(const dn_method_call *method)
{
    dn_pass_options o = {.kind = method->method->pass};
    if (moves_images(o.kind)) o.epsilon = dn_method_option_value(method, "eps");
    if (has_temperature(o.kind)) o.temperature = dn_method_option_value(method, "T");
    if (o.kind == DN_PASS_DROPOUT) o.samples = (int)dn_method_option_value(method, "T");
    if (has_temperature(o.kind) && chooses_entropy(method)) o.kind = DN_PASS_ODIN_ENTROPY;
    if (moves_images(o.kind) && o.epsilon == 0.0) o.kind = DN_PASS_NONE;
    return o;
}

static dn_status check_step(const dn_pass_options *o)
{
    if (!moves_images(o->kind)) return DN_OK;
    if (!isfinite(o->epsilon))
        return dn_fail(DN_ERROR_ARGUMENT, "images move by eps = %g: it must be finite", o->epsilon);
    if (o->epsilon < 0.0 && o->kind != DN_PASS_SCORE)
        return dn_fail(DN_ERROR_ARGUMENT, "images move by eps = %g: it must be at least 0", o->epsilon);
    return DN_OK;
}

static dn_status check_options(const dn_pass *pass)
{
    enum { MOST_SAMPLES = 1000000 };
    const dn_pass_options *o = &pass->options;
    const char *name = pass->network.name;
    if (o->type != DN_U8 && o->type != dn_params_dtype(pass->network.params))
        return dn_fail(DN_ERROR_ARGUMENT, "'%s' takes images of u8 or %s, not %s", name,
                       dn_dtype_name(dn_params_dtype(pass->network.params)), dn_dtype_name(o->type));
    if ((o->layers | o->by) & ~dn_pass_all_layers(&pass->layers))
        return dn_fail(DN_ERROR_ARGUMENT, "'%s' has %zu layers, the bits %#" PRIx64 " ask for others", name,
                       pass->layers.count, o->layers | o->by);
    DN_TRY(check_step(o));
    if (has_temperature(o->kind) && !(o->temperature > 0.0 && isfinite(o->temperature)))
        return dn_fail(DN_ERROR_ARGUMENT, "the temperature is %g: it must be above 0", o->temperature);
    if (o->kind == DN_PASS_SCORE && !o->gradient)
        return dn_fail(DN_ERROR_ARGUMENT, "images that move against a score's gradient need that gradient");
    if (o->kind == DN_PASS_DROPOUT && (o->samples < 1 || o->samples > MOST_SAMPLES))
        return dn_fail(DN_ERROR_ARGUMENT, "%d passes with dropout: it must be 1 to %d", o->samples, MOST_SAMPLES);
    return DN_OK;
}

/* ---- one program is enough: the plain pass, and dropout ---- */

static dn_status open_plain(dn_pass *pass)
{
    const bool dropout = pass->options.kind == DN_PASS_DROPOUT;
    const dn__stage_plan plan = {.name = dropout ? "inference with dropout" : "inference",
                                 .dropout = dropout,
                                 .logits = true,
                                 .layers = pass->options.layers,
                                 .map = -1,
                                 .replaced = -1};
    DN_TRY(dn__stage_open(&pass->first, pass, &plan));
    if (!dropout || !dn_is_none(dn_find(pass->first.program, "step"))) return DN_OK;
    return dn_fail(DN_ERROR_UNSUPPORTED,
                   "'%s' has no dropout: all passes would be the same. Train it with model.dropout above 0, or leave "
                   "this score out",
                   pass->network.name);
}

/* The step that dropout's zeros are drawn by: another for each batch and sample, from a place that the seed chooses. */
static dn_status write_step(dn_pass *pass, int sample)
{
    enum { PLACE = 0x6f6f64 };
    uint32_t bits[4];
    dn_random_block(bits, pass->options.seed, PLACE, 0, 0, 0);
    const uint64_t count = (uint64_t)pass->batches * (uint64_t)pass->options.samples + (uint64_t)sample;
    const int32_t step = (int32_t)((bits[0] + count) & INT32_MAX);
    return dn__stage_write(&pass->first, dn_find(pass->first.program, "step"), &step);
}

static dn_status run_plain(dn_pass *pass, const dn_pass_out *out, const void *images, size_t rows)
{
    const size_t samples = pass->options.kind == DN_PASS_DROPOUT ? (size_t)pass->options.samples : 1;
    DN_TRY(dn__stage_write_images(pass, &pass->first, images, rows));
    for (size_t t = 0; t < samples; t++) {
        if (pass->options.kind == DN_PASS_DROPOUT) DN_TRY(write_step(pass, (int)t));
        DN_TRY(dn_executor_run(pass->first.executor, 1));
        DN_TRY(dn__stage_results(pass, &pass->first, out, rows, samples, t));
    }
    return DN_OK;
}

/* ---- passes ---- */

static dn_status open_pass(dn_pass *pass)
{
    DN_TRY(dn_pass_list_layers(&pass->layers, &pass->network));
    DN_TRY(check_options(pass));
    if (moves_images(pass->options.kind) && pass->options.epsilon == 0.0) pass->options.kind = DN_PASS_NONE;
    switch (pass->options.kind) {
    case DN_PASS_ODIN:
    case DN_PASS_ODIN_ENTROPY:
    case DN_PASS_SCORE: return dn__pass_open_moved(pass);
    case DN_PASS_RANKFEAT: return dn__pass_open_rankfeat(pass);
    case DN_PASS_NONE:
    case DN_PASS_DROPOUT: break;
    }
    return open_plain(pass);
}

dn_status dn_pass_open(dn_pass **out, const dn_pass_network *network, const dn_pass_options *options)
{
    *out = NULL;
    if (network->batch < 1)
        return dn_fail(DN_ERROR_ARGUMENT, "a batch of %d images: it must be at least 1", network->batch);
    dn_pass *pass = dn_calloc(1, sizeof *pass);
    if (!pass) return DN_ERROR_MEMORY;
    pass->network = *network;
    pass->options = *options;
    pass->members = (size_t)dn_params_members(network->params);
    pass->batch = (size_t)network->batch;
    pass->pixels = (size_t)network->height * (size_t)network->width * (size_t)network->channels;
    pass->columns = (size_t)network->columns;
    const dn_status status = open_pass(pass);
    if (status != DN_OK) {
        dn_pass_close(pass);
        return status;
    }
    *out = pass;
    return DN_OK;
}

void dn_pass_close(dn_pass *pass)
{
    if (!pass) return;
    dn__stage_close(&pass->first);
    dn__stage_close(&pass->second);
    dn__reals_close(&pass->x);
    dn__reals_close(&pass->seeds);
    dn__reals_close(&pass->read);
    dn_free(pass->staged);
    dn_free(pass->gradient);
    dn_free(pass->logits);
    dn_free(pass->features);
    dn_free(pass);
}

size_t dn_pass_members(const dn_pass *pass)
{
    return pass->members * (pass->options.kind == DN_PASS_DROPOUT ? (size_t)pass->options.samples : 1);
}

int64_t dn_pass_images(const dn_pass *pass)
{
    return pass->images;
}

/* Networks may swallow a NaN: relu makes it 0 on some devices. */
static dn_status check_images(const dn_pass *pass, const void *images, size_t rows)
{
    const dn__reals x = {.data = (void *)images, .type = pass->options.type};
    if (x.type == DN_U8) return DN_OK;
    for (size_t i = 0; i < rows * pass->pixels; i++)
        if (!isfinite(dn__real_get(&x, i)))
            return dn_fail(DN_ERROR_NUMERIC, "pixel %zu of image %zu of the batch is %g", i % pass->pixels,
                           i / pass->pixels, dn__real_get(&x, i));
    return DN_OK;
}

dn_status dn_pass_run(dn_pass *pass, const dn_pass_out *out, const void *images, size_t rows)
{
    if (rows < 1 || rows > pass->batch)
        return dn_fail(DN_ERROR_ARGUMENT, "a batch of %zu images: it must be 1 to %zu", rows, pass->batch);
    DN_TRY(check_images(pass, images, rows));
    switch (pass->options.kind) {
    case DN_PASS_ODIN:
    case DN_PASS_ODIN_ENTROPY:
    case DN_PASS_SCORE: DN_TRY(dn__pass_run_moved(pass, out, images, rows)); break;
    case DN_PASS_RANKFEAT: DN_TRY(dn__pass_run_rankfeat(pass, out, images, rows)); break;
    case DN_PASS_NONE:
    case DN_PASS_DROPOUT: DN_TRY(run_plain(pass, out, images, rows)); break;
    }
    pass->batches++;
    pass->images += (int64_t)rows;
    return DN_OK;
}
