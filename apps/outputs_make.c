/* A set passes through the network, batch by batch, into a file. */
#include <string.h>

#include "apps/interrupt.h"
#include "apps/network_pass.h"
#include "apps/outputs_private.h"
#include "apps/prefetch.h"
#include "apps/progress.h"
#include "core/alloc.h"

static const char KIND[] = "dunlin outputs";
enum { VERSION = 1 };

const char *dn__output_layer_name(const dn_pass_layers *layers, size_t l, char text[DN_PASS_LAYER_NAME + 8])
{
    snprintf(text, DN_PASS_LAYER_NAME + 8, "layer/%s", layers->layer[l].name);
    return text;
}

/* ---- attributes ---- */

static const char *pass_text(const dn__output_plan *plan)
{
    return plan->request->pass ? plan->request->pass : "plain";
}

dn_status dn__outputs_describe(dn_store *to, const dn_output_files *files, const dn__output_plan *plan)
{
    const dn_network *n = files->network;
    DN_TRY(dn_store_set_kind(to, KIND, VERSION));
    DN_TRY(dn_store_set_text(to, "/", "set", plan->request->set));
    DN_TRY(dn_store_set_text(to, "/", "pass", pass_text(plan)));
    DN_TRY(dn_store_set_int(to, "/", "seed", (int64_t)plan->request->seed));
    DN_TRY(dn_store_set_int(to, "/", "network_fingerprint", (int64_t)files->network_print));
    DN_TRY(dn_store_set_int(to, "/", "set_fingerprint", (int64_t)plan->set_print));
    DN_TRY(dn_store_set_text(to, "/", "data_folder", files->data_dir ? files->data_dir : ""));
    DN_TRY(dn_store_set_text(to, "/", "device", dn_device_name(n->device)));
    DN_TRY(dn_store_set_text(to, "/", "program", "dunlin " DN_VERSION));
    if (n->class_names) DN_TRY(dn_store_set_text(to, "/", "class_names", n->class_names));
    const int64_t dim[2] = {n->members, n->columns};
    return n->class_map ? dn_store_write(to, "class_map", DN_I32, 2, dim, n->class_map) : DN_OK;
}

static dn_status compare_text(dn_store *from, const char *name, const char *expected)
{
    char *text = NULL;
    DN_TRY(dn_store_get_text(from, "/", name, &text));
    const bool same = strcmp(text, expected) == 0;
    dn_free(text);
    return same ? DN_OK : dn_fail(DN_ERROR_FORMAT, "it is of another %s", name);
}

static dn_status compare_print(dn_store *from, const char *name, uint64_t expected, const char *text)
{
    int64_t found = 0;
    DN_TRY(dn_store_get_int(from, "/", name, &found));
    return (uint64_t)found == expected ? DN_OK : dn_fail(DN_ERROR_FORMAT, "%s", text);
}

dn_status dn__outputs_compare(dn_store *from, const dn_output_files *files, const dn__output_plan *plan)
{
    DN_TRY(dn_store_expect_kind(from, KIND, VERSION, NULL));
    DN_TRY(compare_text(from, "set", plan->request->set));
    DN_TRY(compare_text(from, "pass", pass_text(plan)));
    DN_TRY(compare_print(from, "seed", plan->request->seed, "it is of another seed"));
    DN_TRY(compare_print(from, "network_fingerprint", files->network_print, "the run was trained on since"));
    return compare_print(from, "set_fingerprint", plan->set_print, "the set's images or labels are others now");
}

/* ---- batches ---- */

typedef struct extraction {
    const dn_output_files *files;
    const dn__output_plan *plan;
    uint64_t layers;
    int64_t batch;
    size_t image_bytes;
    dn_pass *pass;
    dn_pass_out out;    /* of one batch */
    dn_prefetch *ahead; /* of batches that are in a file; NULL: in memory */
    dn_store *store;
    dn_progress *progress;
} extraction;

static dn_status create_array(const extraction *x, const char *name, int64_t columns)
{
    const int64_t dim[3] = {x->plan->members, x->plan->set->n, columns};
    return dn_store_create_array(x->store, name, DN_F32, 3, dim);
}

static dn_status open_arrays(extraction *x)
{
    const dn_pass_layers *layers = &x->files->layers;
    const dn_network *n = x->files->network;
    const dn__output_plan *plan = x->plan;
    const size_t rows = (size_t)plan->members * (size_t)x->batch;
    char name[DN_PASS_LAYER_NAME + 8];
    DN_TRY(dn__outputs_describe(x->store, x->files, plan));
    if (plan->labelled) DN_TRY(dn_store_write(x->store, "labels", DN_I32, 1, &plan->set->n, plan->set->labels));
    DN_TRY(create_array(x, "logits", n->columns));
    if (!(x->out.logits = dn_calloc(rows, (size_t)n->columns * sizeof(float)))) return DN_ERROR_MEMORY;
    for (size_t l = 0; l < layers->count; l++) {
        if (!dn__has_layer(x->layers, l)) continue;
        DN_TRY(create_array(x, dn__output_layer_name(layers, l, name), (int64_t)layers->layer[l].dim));
        if (!(x->out.features[l] = dn_calloc(rows, layers->layer[l].dim * sizeof(float)))) return DN_ERROR_MEMORY;
    }
    return DN_OK;
}

static int64_t rows_from(const extraction *x, int64_t first)
{
    const int64_t left = x->plan->set->n - first;
    return left < x->batch ? left : x->batch;
}

static dn_status read_batch(const void *context, int64_t number, void *to)
{
    const extraction *x = context;
    const int64_t first = number * x->batch;
    return dn_dataset_read(x->plan->set, first, rows_from(x, first), to);
}

static dn_status open_extraction(extraction *x)
{
    const dn_dataset *set = x->plan->set;
    const dn_pass_network network = dn_network_pass(x->files->network);
    dn_pass_options options = x->plan->request->options;
    options.type = set->type;
    options.layers = x->layers;
    options.seed = x->plan->request->seed;
    x->batch = network.batch;
    x->image_bytes = (size_t)set->height * (size_t)set->width * (size_t)set->channels * dn_dtype_size(set->type);
    DN_TRY(dn_pass_open(&x->pass, &network, &options));
    DN_TRY(open_arrays(x));
    char *label = dn_format("%s (%s)", set->name, pass_text(x->plan));
    const dn_progress_options o = {.label = label ? label : "images",
                                   .total = (set->n + x->batch - 1) / x->batch,
                                   .images_per_step = x->batch,
                                   .quiet = x->files->quiet};
    const dn_status status = dn_progress_open(&x->progress, &o);
    dn_free(label);
    DN_TRY(status);
    const dn_prefetch_options ahead = {
        .end = o.total, .bytes = (size_t)x->batch * x->image_bytes, .read = read_batch, .context = x};
    return set->images ? DN_OK : dn_prefetch_open(&x->ahead, &ahead);
}

static void close_extraction(extraction *x)
{
    dn_prefetch_close(x->ahead);
    dn_progress_close(x->progress);
    dn_pass_close(x->pass);
    dn_free(x->out.logits);
    for (size_t l = 0; l < DN_PASS_LAYERS_MAX; l++) dn_free(x->out.features[l]);
}

static dn_status pass_batch(extraction *x, int64_t first)
{
    const dn_dataset *set = x->plan->set;
    const int64_t rows = rows_from(x, first);
    const void *images = set->images ? (const char *)set->images + (size_t)first * x->image_bytes : NULL;
    char name[DN_PASS_LAYER_NAME + 8];
    if (x->ahead) DN_TRY(dn_prefetch_next(x->ahead, &images));
    DN_TRY(dn_pass_run(x->pass, &x->out, images, (size_t)rows));
    DN_TRY(dn_store_write_rows(x->store, "logits", DN_F32, 1, first, rows, x->out.logits));
    for (size_t l = 0; l < x->files->layers.count; l++) {
        if (!dn__has_layer(x->layers, l)) continue;
        dn__output_layer_name(&x->files->layers, l, name);
        DN_TRY(dn_store_write_rows(x->store, name, DN_F32, 1, first, rows, x->out.features[l]));
    }
    if (dn_interrupted())
        return dn_fail(DN_ERROR_INTERRUPTED, "stopped while '%s' passed through the network", set->name);
    return DN_OK;
}

static dn_status extract(extraction *x)
{
    DN_TRY(open_extraction(x));
    for (int64_t first = 0, step = 1; first < x->plan->set->n; first += x->batch, step++) {
        DN_TRY(pass_batch(x, first));
        dn_progress_update(x->progress, step, NULL);
    }
    return dn_store_commit(x->store);
}

dn_status dn__outputs_make(dn_output_files *files, const dn__output_plan *plan, uint64_t layers)
{
    extraction x = {.files = files, .plan = plan, .layers = layers};
    DN_TRY(dn_store_create(&x.store, plan->path));
    const dn_status status = extract(&x);
    if (x.pass) files->images += dn_pass_images(x.pass);
    close_extraction(&x);
    dn_store_close(x.store);
    return status;
}
