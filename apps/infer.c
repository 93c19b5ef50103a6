/* The ensemble's outputs for a whole data set, and how often they are right. */
#include <string.h>

#include "apps/network.h"
#include "core/alloc.h"
#include "core/executor.h"
#include "core/ops.h"

enum { BATCH = 250 };

typedef struct inference {
    dn_resident resident;
    dn_program *program;
    dn_executor *executor;
    dn_tensor images, indices, logits;
} inference;

static dn_status open_inference(inference *in, const dn_network *n, const dn_dataset *set)
{
    DN_TRY(dn_resident_new(&in->resident, n->device, set));
    in->program = dn_program_new(n->params, &(dn_program_options){.name = "inference", .batch = BATCH});
    if (!in->program) return DN_ERROR_MEMORY;
    in->images = dn_resident_tensor(in->program, "images", &in->resident);
    in->indices = dn_input(in->program, "indices", DN_I32, DN_SHAPE(BATCH), true);
    const dn_tensor x =
        dn_prepare(in->program, &n->recipe->data, dn_gather(in->program, in->images, in->indices), DN_NONE);
    in->logits = dn_keep(in->program, dn_network_build(n, in->program, x, &dn_forward_infer));
    DN_TRY(dn_program_seal(in->program));
    DN_TRY(dn_executor_open(&in->executor, in->program, n->device));
    return dn_executor_bind(in->executor, in->images, in->resident.images);
}

static void close_inference(inference *in)
{
    dn_executor_close(in->executor);
    dn_program_close(in->program);
    dn_resident_close(&in->resident);
}

/* Rows first..first+BATCH-1; past the end row 0 fills up and is dropped. */
static dn_status run_batch(inference *in, dn_outputs *out, int64_t first, float *batch)
{
    int32_t indices[BATCH] = {0};
    const int64_t rows = out->rows - first < BATCH ? out->rows - first : BATCH;
    for (int64_t i = 0; i < rows; i++) indices[i] = (int32_t)(first + i);
    DN_TRY(dn_executor_write(in->executor, in->indices, indices, sizeof indices));
    DN_TRY(dn_executor_run(in->executor, 1));
    const size_t columns = (size_t)out->columns, each = BATCH * columns;
    DN_TRY(dn_executor_read(in->executor, in->logits, batch, (size_t)out->members * each * sizeof *batch));
    for (size_t e = 0; e < (size_t)out->members; e++)
        memcpy(out->logits + (e * (size_t)out->rows + (size_t)first) * columns, batch + e * each,
               (size_t)rows * columns * sizeof *batch);
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
    out->logits = dn_calloc((size_t)n->members * (size_t)set->n * (size_t)n->columns, sizeof *out->logits);
    float *batch = dn_calloc((size_t)n->members * BATCH * (size_t)n->columns, sizeof *batch);
    inference in = {.images = DN_NONE};
    dn_status status = out->logits && batch ? open_inference(&in, n, set) : DN_ERROR_MEMORY;
    for (int64_t first = 0; first < set->n && status == DN_OK; first += BATCH)
        status = run_batch(&in, out, first, batch);
    close_inference(&in);
    dn_free(batch);
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
