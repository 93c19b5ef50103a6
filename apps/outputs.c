#include "apps/outputs_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/clock.h"
#include "apps/fingerprint.h"
#include "apps/interrupt.h"
#include "apps/network_pass.h"
#include "apps/run.h"
#include "core/alloc.h"

enum {
    SLUG = 60,              /* letters of a set's expression in a file's name */
    CHECKED_BYTES = 4 << 20 /* read at once to see whether a file is damaged */
};
/* A file that stays below this holds every layer, so that no later score has to run the network again. */
static const double EVERY_LAYER_BYTES = 1073741824.0;

/* ---- a run's files ---- */

dn_status dn_output_files_open(dn_output_files *out, const dn_network *network, const char *run, const char *data_dir,
                               bool refresh, bool quiet)
{
    *out = (dn_output_files){.network = network, .data_dir = data_dir, .refresh = refresh, .quiet = quiet};
    char *checkpoint = dn_run_checkpoint(run);
    if (!checkpoint) return DN_ERROR_ARGUMENT;
    const char *slash = strrchr(checkpoint, '/');
    out->folder = slash ? dn_format("%.*s/outputs", (int)(slash - checkpoint), checkpoint) : dn_strdup("outputs");
    dn_free(checkpoint);
    const dn_pass_network passed = dn_network_pass(network);
    dn_status status = out->folder ? dn_pass_list_layers(&out->layers, &passed) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_fingerprint_network(&out->network_print, network);
    if (status != DN_OK) dn_output_files_close(out);
    return status;
}

void dn_output_files_close(dn_output_files *files)
{
    for (size_t i = 0; i < files->fresh_count; i++) dn_free(files->fresh[i]);
    for (size_t i = 0; i < files->known_count; i++) {
        dn_known_set *known = &files->known[i];
        for (int64_t row = 0; known->item_names && row < known->rows; row++) dn_free(known->item_names[row]);
        dn_free(known->item_names);
        dn_free(known->set);
    }
    dn_free(files->known);
    dn_free(files->fresh);
    dn_free(files->folder);
    *files = (dn_output_files){0};
}

static bool is_fresh(const dn_output_files *files, const char *path)
{
    for (size_t i = 0; i < files->fresh_count; i++)
        if (strcmp(files->fresh[i], path) == 0) return true;
    return !files->refresh;
}

static dn_status add_fresh(dn_output_files *files, const char *path)
{
    DN_TRY(dn_grow((void **)&files->fresh, &files->fresh_capacity, files->fresh_count, sizeof *files->fresh));
    if (!(files->fresh[files->fresh_count] = dn_strdup(path))) return DN_ERROR_MEMORY;
    files->fresh_count++;
    return DN_OK;
}

/* Letters and digits of the text's end; everything else becomes one '-'. */
static void make_slug(char slug[SLUG + 1], const char *text)
{
    const size_t length = strlen(text);
    size_t used = 0;
    for (const char *at = text + (length > SLUG ? length - SLUG : 0); *at; at++) {
        if (isalnum((unsigned char)*at))
            slug[used++] = *at;
        else if (used > 0 && slug[used - 1] != '-')
            slug[used++] = '-';
    }
    while (used > 0 && slug[used - 1] == '-') used--;
    slug[used] = '\0';
}

static char *file_path(const dn_output_files *files, const dn_output_request *request)
{
    const char *pass = request->pass ? request->pass : "plain";
    char set[SLUG + 1], short_pass[SLUG + 1];
    make_slug(set, request->set);
    make_slug(short_pass, pass);
    short_pass[16] = '\0';
    uint64_t print = dn_fingerprint_text(dn_fingerprint_text(0, request->set), pass);
    print = dn_fingerprint(print, &request->seed, sizeof request->seed);
    return dn_format("%s/%s-%s-%08x.h5", files->folder, set, short_pass, (unsigned)(print >> 32));
}

/* ---- what is wanted ---- */

static double bytes_of(const dn_output_files *files, const dn__output_plan *plan, uint64_t layers)
{
    double columns = files->network->columns;
    for (size_t l = 0; l < files->layers.count; l++)
        if (dn__has_layer(layers, l)) columns += (double)files->layers.layer[l].dim;
    return columns * 4.0 * plan->members * (double)plan->rows;
}

/* The layers that a new file gets: for the plain pass all of them, if that is not too much. */
static uint64_t layers_to_make(const dn_output_files *files, const dn__output_plan *plan)
{
    if (plan->request->options.kind != DN_PASS_NONE) return plan->layers;
    const uint64_t all = dn_pass_all_layers(&files->layers);
    if (bytes_of(files, plan, all) <= EVERY_LAYER_BYTES) return all;
    return plan->layers | dn_pass_last_layer(&files->layers);
}

static const dn_known_set *find_known(const dn_output_files *files, const dn_output_request *request)
{
    for (size_t i = 0; i < files->known_count; i++) {
        const dn_known_set *k = &files->known[i];
        if (k->seed == request->seed && k->limit == request->limit && strcmp(k->set, request->set) == 0) return k;
    }
    return NULL;
}

static dn_status add_known(dn_output_files *files, const dn__output_plan *plan)
{
    const dn_output_request *request = plan->request;
    if (find_known(files, request)) return DN_OK;
    DN_TRY(dn_grow((void **)&files->known, &files->known_capacity, files->known_count, sizeof *files->known));
    const dn_known_set known = {dn_strdup(request->set), request->seed, plan->set_print,
                                request->limit,          plan->rows,    plan->labelled,
                                plan->set->item_names};
    if (!known.set) return DN_ERROR_MEMORY;
    plan->set->item_names = NULL; /* they are ours now */
    files->known[files->known_count++] = known;
    return DN_OK;
}

char *const *dn_output_files_item_names(const dn_output_files *files, const char *set)
{
    for (size_t i = 0; i < files->known_count; i++)
        if (strcmp(files->known[i].set, set) == 0) return files->known[i].item_names;
    return NULL;
}

/* Reads or draws the set. */
static dn_status load_set(dn__output_plan *plan, dn_output_files *files)
{
    const dn_network *n = files->network;
    const dn_output_request *request = plan->request;
    const dn_dataset_options options = {
        .data_dir = files->data_dir, .seed = request->seed, .limit = request->limit, .stream = true};
    DN_TRY(dn_dataset_open(&plan->set, request->set, &options));
    DN_TRY(dn_network_check_images(n, plan->set));
    if (plan->set->n < 1) return dn_fail(DN_ERROR_ARGUMENT, "data set '%s' is empty", plan->set->name);
    plan->rows = plan->set->n;
    DN_TRY(dn_dataset_fingerprint(plan->set, &plan->set_print));
    plan->labelled = dn_network_knows(n, plan->set);
    return add_known(files, plan);
}

static dn_status open_plan(dn__output_plan *plan, dn_output_files *files, const dn_output_request *request)
{
    *plan = (dn__output_plan){.request = request, .members = files->network->members, .layers = request->layers};
    const dn_known_set *known = find_known(files, request);
    if (known) {
        plan->rows = known->rows;
        plan->set_print = known->print;
        plan->labelled = known->labelled;
    } else {
        DN_TRY(load_set(plan, files));
    }
    if (request->options.kind == DN_PASS_DROPOUT) plan->members *= request->options.samples;
    plan->path = file_path(files, request);
    return plan->path ? DN_OK : DN_ERROR_MEMORY;
}

static void close_plan(dn__output_plan *plan)
{
    dn_dataset_close(plan->set);
    dn_free(plan->path);
}

/* ---- reading ---- */

/* Rows of one member, as dn_matrix asks for them; the user's wish for an end is heard here. */
static dn_status read_rows(void *context, size_t member, size_t first, size_t rows, void *to)
{
    const struct dn_output_array *array = context;
    if (dn_interrupted()) return dn_fail(DN_ERROR_INTERRUPTED, "stopped");
    const int64_t start[3] = {(int64_t)member, (int64_t)first, 0}, places[3] = {1, (int64_t)rows, array->columns};
    return dn_store_read_part(array->store, array->name, DN_F32, start, places, to);
}

/* Every chunk has a checksum, which reading compares. */
static dn_status read_through(const dn_matrix *m)
{
    const size_t row = m->columns * sizeof(float), block = CHECKED_BYTES / row + 1;
    float *rows = dn_calloc(block, row);
    dn_status status = rows ? DN_OK : DN_ERROR_MEMORY;
    for (size_t e = 0; e < m->members; e++)
        for (size_t first = 0; first < m->rows && status == DN_OK; first += block)
            status = m->read(m->context, e, first, m->rows - first < block ? m->rows - first : block, rows);
    dn_free(rows);
    return status;
}

static dn_status take_matrix(dn_matrix *out, struct dn_output_array *array, const dn_outputs *o, size_t columns)
{
    dn_store_info info;
    DN_TRY(dn_store_array_info(o->store, array->name, &info));
    array->store = o->store;
    array->columns = (int64_t)columns;
    *out = (dn_matrix){(size_t)o->members, (size_t)o->rows, columns, DN_F32, NULL, read_rows, array};
    if (info.dtype != DN_F32 || info.rank != 3 || info.dim[0] != o->members || info.dim[1] != o->rows ||
        info.dim[2] != (int64_t)columns)
        return dn_fail(DN_ERROR_FORMAT, "the array \"%s\" has another shape than expected", array->name);
    return read_through(out);
}

static dn_status take_labels(dn_outputs *o)
{
    if (!(o->labels = dn_calloc((size_t)o->rows, sizeof *o->labels))) return DN_ERROR_MEMORY;
    DN_TRY(dn_store_read(o->store, "labels", DN_I32, o->rows, o->labels));
    for (int64_t i = 0; i < o->rows; i++)
        if (o->labels[i] < 0 || o->labels[i] >= o->network->classes)
            return dn_fail(DN_ERROR_FORMAT, "row %lld has label %d", (long long)i, o->labels[i]);
    return DN_OK;
}

static dn_status take_arrays(dn_outputs *o, const dn_output_files *files, const dn__output_plan *plan)
{
    o->arrays = dn_calloc(files->layers.count + 1, sizeof *o->arrays);
    o->set = dn_strdup(plan->request->set);
    if (!o->arrays || !o->set) return DN_ERROR_MEMORY;
    snprintf(o->arrays[0].name, sizeof o->arrays[0].name, "logits");
    DN_TRY(take_matrix(&o->logits, &o->arrays[0], o, (size_t)files->network->columns));
    for (size_t l = 0; l < files->layers.count; l++) {
        if (!dn__has_layer(plan->layers, l)) continue;
        struct dn_output_array *array = &o->arrays[1 + o->layers];
        dn__output_layer_name(&files->layers, l, array->name);
        if (!dn_store_exists(o->store, array->name))
            return dn_fail(DN_ERROR_FORMAT, "it does not have %s", array->name);
        DN_TRY(take_matrix(&o->layer[o->layers++], array, o, files->layers.layer[l].dim));
    }
    return plan->labelled ? take_labels(o) : DN_OK;
}

static dn_status open_file(dn_outputs **out, const dn_output_files *files, const dn__output_plan *plan)
{
    *out = NULL;
    dn_outputs *o = dn_calloc(1, sizeof *o);
    if (!o) return DN_ERROR_MEMORY;
    *o = (dn_outputs){.rows = plan->rows,
                      .members = plan->members,
                      .set_print = plan->set_print,
                      .layer_bits = plan->layers,
                      .network = files->network};
    dn_status status = dn_store_open(&o->store, plan->path);
    if (status == DN_OK) status = dn__outputs_compare(o->store, files, plan);
    if (status == DN_OK) status = take_arrays(o, files, plan);
    if (status != DN_OK) {
        dn_outputs_close(o);
        return status;
    }
    *out = o;
    return DN_OK;
}

/* ---- making ---- */

static dn_status make_folder(const char *path)
{
    struct stat info;
    if (mkdir(path, 0777) == 0) return DN_OK;
    const int reason = errno;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "%s: cannot create the folder: %s", path, strerror(reason));
}

/* In the run's folder, if anything can be written there. */
static dn_status can_write(const dn_output_files *files, const char *path)
{
    dn_store *probe = NULL;
    DN_TRY(make_folder(files->folder));
    DN_TRY(dn_store_create(&probe, path));
    dn_store_close(probe);
    return DN_OK;
}

/* Beside the run: the file lives as long as it is open. */
static dn_status make_temporary(dn_outputs **out, dn_output_files *files, dn__output_plan *plan)
{
    const char *base = getenv("TMPDIR");
    char *folder = dn_format("%s/dunlin-XXXXXX", base && *base ? base : "/tmp");
    if (!folder) return DN_ERROR_MEMORY;
    if (!mkdtemp(folder)) {
        const dn_status status = dn_fail(DN_ERROR_FILE, "%s: cannot create the folder: %s", folder, strerror(errno));
        dn_free(folder);
        return status;
    }
    dn_free(plan->path);
    plan->path = dn_format("%s/outputs.h5", folder);
    dn_status status = plan->path ? dn__outputs_make(files, plan, plan->layers) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = open_file(out, files, plan);
    if (plan->path) unlink(plan->path);
    rmdir(folder);
    dn_free(folder);
    return status;
}

static dn_status make(dn_outputs **out, dn_output_files *files, dn__output_plan *plan)
{
    if (!plan->set) DN_TRY(load_set(plan, files));
    if (can_write(files, plan->path) != DN_OK) {
        if (!files->quiet && !files->unkept)
            fprintf(stderr, "the outputs are not kept, the next call runs the network again: %s\n", dn_error_last());
        files->unkept = true;
        return make_temporary(out, files, plan);
    }
    DN_TRY(dn__outputs_make(files, plan, layers_to_make(files, plan)));
    DN_TRY(add_fresh(files, plan->path));
    return open_file(out, files, plan);
}

dn_status dn_outputs_open(dn_outputs **out, dn_output_files *files, const dn_output_request *request)
{
    *out = NULL;
    dn__output_plan plan;
    const double start = dn_seconds();
    dn_status status = open_plan(&plan, files, request);
    if (status == DN_OK) {
        const bool there = is_fresh(files, plan.path) && access(plan.path, F_OK) == 0;
        if (there) status = open_file(out, files, &plan);
        if (there && status != DN_OK && status != DN_ERROR_INTERRUPTED && status != DN_ERROR_MEMORY && !files->quiet)
            fprintf(stderr, "%s is made anew: %s\n", plan.path, dn_error_last());
        if (!*out && status != DN_ERROR_INTERRUPTED && status != DN_ERROR_MEMORY) status = make(out, files, &plan);
    }
    close_plan(&plan);
    files->seconds += dn_seconds() - start;
    return status;
}

void dn_outputs_close(dn_outputs *o)
{
    if (!o) return;
    dn_store_close(o->store);
    dn_free(o->arrays);
    dn_free(o->labels);
    dn_free(o->set);
    dn_free(o);
}
