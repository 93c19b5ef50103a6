/* The ensemble's outputs for a whole data set, and how often they are right. */
#include <string.h>

#include "apps/interrupt.h"
#include "apps/network.h"
#include "core/alloc.h"
#include "core/executor.h"
#include "core/ops.h"

/* Batches are those of training, so that inference needs no more memory than training did; the set stays with the host
 * and goes through one batch at a time. */
typedef struct inference {
    const dn_dataset *set;
    int64_t size;           /* of a batch */
    size_t image_bytes;     /* of one image */
    char *batch;            /* [size,H,W,C] of the set's type */
    float *logits_of_batch; /* [E,size,columns] */
    dn_program *program;
    dn_executor *executor;
    dn_tensor images, logits;
} inference;

/* The device's copy of a batch [N,H,W,C], as reals in 0..1. */
static dn_tensor take_images(inference *in)
{
    const dn_dataset *set = in->set;
    in->images =
        dn_input(in->program, "images", set->type, DN_SHAPE(in->size, set->height, set->width, set->channels), true);
    const dn_tensor order = dn_input(in->program, "order", DN_I32, DN_SHAPE(in->size), true);
    return dn_gather(in->program, in->images, order);
}

/* Images are taken in the order they come in. */
static dn_status write_order(inference *in)
{
    int32_t *order = dn_calloc((size_t)in->size, sizeof *order);
    if (!order) return DN_ERROR_MEMORY;
    for (int64_t i = 0; i < in->size; i++) order[i] = (int32_t)i;
    const dn_status status =
        dn_executor_write(in->executor, dn_find(in->program, "order"), order, (size_t)in->size * sizeof *order);
    dn_free(order);
    return status;
}

static dn_status open_inference(inference *in, const dn_network *n, const dn_dataset *set)
{
    in->image_bytes = (size_t)set->height * (size_t)set->width * (size_t)set->channels * dn_dtype_size(set->type);
    in->batch = dn_calloc((size_t)in->size, in->image_bytes);
    in->logits_of_batch = dn_calloc((size_t)n->members * (size_t)in->size * (size_t)n->columns, sizeof(float));
    if (!in->batch || !in->logits_of_batch) return DN_ERROR_MEMORY;
    in->program =
        dn_program_new(n->params, &(dn_program_options){.name = "inference", .batch = n->recipe->train.batch});
    if (!in->program) return DN_ERROR_MEMORY;
    const dn_tensor x = dn_prepare(in->program, &n->recipe->data, take_images(in), DN_NONE);
    in->logits = dn_keep(in->program, dn_network_build(n, in->program, x, &dn_forward_infer));
    DN_TRY(dn_program_seal(in->program));
    DN_TRY(dn_executor_open(&in->executor, in->program, n->device));
    return write_order(in);
}

static void close_inference(inference *in)
{
    dn_executor_close(in->executor);
    dn_program_close(in->program);
    dn_free(in->logits_of_batch);
    dn_free(in->batch);
}

/* Rows first..first+size-1; past the end old ones fill up and are dropped. */
static dn_status run_batch(inference *in, dn_outputs *out, int64_t first)
{
    const int64_t rows = out->rows - first < in->size ? out->rows - first : in->size;
    memcpy(in->batch, (const char *)in->set->images + (size_t)first * in->image_bytes, (size_t)rows * in->image_bytes);
    DN_TRY(dn_executor_write(in->executor, in->images, in->batch, (size_t)in->size * in->image_bytes));
    DN_TRY(dn_executor_run(in->executor, 1));
    const size_t columns = (size_t)out->columns, each = (size_t)in->size * columns;
    const size_t bytes = (size_t)out->members * each * sizeof *in->logits_of_batch;
    DN_TRY(dn_executor_read(in->executor, in->logits, in->logits_of_batch, bytes));
    for (size_t e = 0; e < (size_t)out->members; e++)
        memcpy(out->logits + (e * (size_t)out->rows + (size_t)first) * columns, in->logits_of_batch + e * each,
               (size_t)rows * columns * sizeof *out->logits);
    return DN_OK;
}

static dn_status check_images(const dn_network *n, const dn_dataset *set)
{
    if (set->height == n->height && set->width == n->width && set->channels == n->channels) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE,
                   "'%s' has images of %dx%dx%d, the network was trained on %dx%dx%d: write %s@%dx%dx%d", set->name,
                   set->height, set->width, set->channels, n->height, n->width, n->channels, set->name, n->height,
                   n->width, n->channels);
}

dn_status dn_network_infer(dn_outputs *out, const dn_network *n, const dn_dataset *set)
{
    *out = (dn_outputs){.rows = set->n, .members = n->members, .columns = n->columns};
    DN_TRY(check_images(n, set));
    if (set->n < 1) return dn_fail(DN_ERROR_ARGUMENT, "data set '%s' is empty", set->name);
    inference in = {.set = set, .size = n->recipe->train.batch};
    out->logits = dn_calloc((size_t)n->members * (size_t)set->n * (size_t)n->columns, sizeof *out->logits);
    dn_status status = out->logits ? open_inference(&in, n, set) : DN_ERROR_MEMORY;
    for (int64_t first = 0; first < set->n && status == DN_OK; first += in.size) {
        status = run_batch(&in, out, first);
        if (status == DN_OK && dn_interrupted())
            status = dn_fail(DN_ERROR_INTERRUPTED, "stopped while '%s' passed through the network", set->name);
    }
    close_inference(&in);
    if (status != DN_OK) dn_outputs_close(out);
    return status;
}

void dn_outputs_close(dn_outputs *outputs)
{
    dn_free(outputs->logits);
    outputs->logits = NULL;
}

/* Whether member e has an output for this class. */
static bool knows(const dn_network *n, int e, int32_t class)
{
    if (!n->class_map) return true;
    for (int c = 0; c < n->columns; c++)
        if (n->class_map[e * n->columns + c] == class) return true;
    return false;
}

static double member_accuracy(const dn_network *n, int e, const int32_t *named, const int32_t *labels, int64_t rows)
{
    int64_t right = 0, counted = 0;
    for (int64_t i = 0; i < rows; i++) {
        if (!knows(n, e, labels[i])) continue;
        counted++;
        right += named[i] == labels[i];
    }
    return counted ? (double)right / (double)counted : 0.0;
}

dn_status dn_network_accuracy(dn_accuracy_report *out, const dn_network *n, const dn_outputs *outputs,
                              const int32_t *labels)
{
    const size_t rows = (size_t)outputs->rows;
    int32_t *named = dn_calloc(rows, sizeof *named);
    int32_t *member_named = dn_calloc((size_t)n->members * rows, sizeof *member_named);
    out->member = dn_calloc((size_t)n->members, sizeof *out->member);
    dn_status status = named && member_named && out->member ? DN_OK : DN_ERROR_MEMORY;
    const dn_ensemble_prediction prediction = {.labels = named, .member_labels = member_named};
    const dn_score_input input = dn_outputs_input(n, outputs);
    if (status == DN_OK) status = dn_ensemble_predict(&prediction, &input);
    if (status == DN_OK) {
        int64_t right = 0;
        for (size_t i = 0; i < rows; i++) right += named[i] == labels[i];
        out->ensemble = (double)right / (double)rows;
        for (int e = 0; e < n->members; e++)
            out->member[e] = member_accuracy(n, e, member_named + (size_t)e * rows, labels, outputs->rows);
    } else {
        dn_free(out->member);
        out->member = NULL;
    }
    dn_free(member_named);
    dn_free(named);
    return status;
}

dn_score_input dn_outputs_input(const dn_network *n, const dn_outputs *outputs)
{
    return (dn_score_input){.members = (size_t)outputs->members,
                            .rows = (size_t)outputs->rows,
                            .columns = (size_t)outputs->columns,
                            .type = DN_F32,
                            .logits = outputs->logits,
                            .class_map = n->class_map,
                            .classes = (size_t)n->classes};
}
