/* What the page says of a run, gathered while its network is loaded. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/fingerprint.h"
#include "apps/predict.h"
#include "apps/report_private.h"
#include "apps/run.h"
#include "core/alloc.h"
#include "ood/calibration.h"

static const size_t MOST_LOGITS = (size_t)1 << 27; /* 1 GiB as double: more have no ECE */
static const double SHARE = 0.95;

const dn_evaluation_row *dn__report_row(const dn__report_run *run, int ood, int method)
{
    return &run->result.rows[ood * run->n_methods + method];
}

const char *dn__report_class(const dn__report_run *run, int32_t class, char *text, size_t size)
{
    const dn_network like = {.class_names = run->class_names};
    return dn_network_class_name(&like, class, text, size);
}

/* What all steps share. */
typedef struct gatherer {
    dn__report_run *run;
    const dn_network *network;
    const dn_report_options *options;
    dn_output_files files;
} gatherer;

/* ---- what the checkpoint says ---- */

static dn_status take_texts(dn__report_run *run, const dn_network *network)
{
    static const char *const kinds[] = {
        [DN_ENSEMBLE_DEEP] = "deep", [DN_ENSEMBLE_MI] = "MI", [DN_ENSEMBLE_LEAVE_OUT] = "leave-out"};
    const dn_recipe *recipe = network->recipe;
    run->classes = network->classes;
    run->recipe = dn_recipe_text(recipe);
    run->description = dn_strdup(recipe->description ? recipe->description : "");
    run->kind = recipe->ensemble.members == 1
                    ? dn_strdup("one network")
                    : dn_format("%s ensemble of %d", kinds[recipe->ensemble.kind], network->members);
    run->class_names = network->class_names ? dn_strdup(network->class_names) : NULL;
    return run->recipe && run->description && run->kind && (run->class_names || !network->class_names)
               ? DN_OK
               : DN_ERROR_MEMORY;
}

static dn_status take_history(dn__report_run *run)
{
    char *path = dn_run_checkpoint(run->path);
    const dn_status status = path ? dn_checkpoint_history(path, &run->history) : DN_ERROR_MEMORY;
    dn_free(path);
    return status;
}

/* ---- scores ---- */

static dn_status evaluate(const gatherer *g)
{
    const dn_report_options *o = g->options;
    dn__report_run *run = g->run;
    const dn_evaluation_options options = {.run = run->path,
                                           .data_dir = o->data_dir,
                                           .id = o->id,
                                           .ood = o->ood,
                                           .n_ood = o->n_ood,
                                           .list = o->methods,
                                           .keep_scores = true,
                                           .quiet = o->quiet};
    DN_TRY(dn_evaluate(&run->result, g->network, &options));
    if (run->result.n_rows == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "there is nothing to show: the recipe names no unknown data, give --ood SET");
    for (run->n_methods = 1; run->n_methods < run->result.n_rows; run->n_methods++)
        if (strcmp(run->result.rows[run->n_methods].ood, run->result.rows[0].ood) != 0) break;
    run->n_ood = run->result.n_rows / run->n_methods;
    return DN_OK;
}

/* The run's own threshold, if it is of the first score and of this network. @return whether it is */
static dn_status take_stored_threshold(const gatherer *g, bool *taken)
{
    dn_threshold stored = {0};
    const dn_evaluation_row *row = &g->run->result.rows[0];
    uint64_t print = 0;
    char *path = dn_threshold_path(g->run->path);
    *taken = false;
    if (!path) return DN_ERROR_MEMORY;
    dn_status status = DN_OK;
    if (dn_threshold_load(&stored, path) == DN_OK && strcmp(stored.method, row->method) == 0 &&
        (stored.reduce == DN_REDUCE_DEFAULT || stored.reduce == row->reduce)) {
        status = dn_fingerprint_network(&print, g->network);
        *taken = status == DN_OK && print == stored.network_print;
    }
    if (*taken) {
        g->run->threshold = stored.threshold;
        g->run->threshold_text = dn_format("threshold.json: accepts %.1f %% of %s", 100.0 * stored.reached, stored.set);
    }
    dn_threshold_clear(&stored);
    dn_free(path);
    return status;
}

static dn_status take_threshold(const gatherer *g)
{
    bool taken = false;
    dn__report_run *run = g->run;
    const dn_evaluation_row *row = &run->result.rows[0];
    double reached = 0.0;
    DN_TRY(take_stored_threshold(g, &taken));
    if (!taken) {
        double *sorted = dn_calloc(row->metrics.n_id, sizeof *sorted);
        if (!sorted) return DN_ERROR_MEMORY;
        memcpy(sorted, row->id_scores, row->metrics.n_id * sizeof *sorted);
        run->threshold = dn_threshold_choose(sorted, row->metrics.n_id, SHARE, &reached);
        dn_free(sorted);
        run->threshold_text = dn_format("accepts %.1f %% of these known images", 100.0 * reached);
    }
    return run->threshold_text ? DN_OK : DN_ERROR_MEMORY;
}

/* ---- calibration ---- */

static dn_status read_logits(double *to, const dn_matrix *m)
{
    float *row = dn_calloc(m->rows * m->columns, sizeof *row);
    dn_status status = row ? DN_OK : DN_ERROR_MEMORY;
    for (size_t e = 0; e < m->members && status == DN_OK; e++) {
        status = m->read(m->context, e, 0, m->rows, row);
        for (size_t i = 0; i < m->rows * m->columns; i++) to[e * m->rows * m->columns + i] = (double)row[i];
    }
    dn_free(row);
    return status;
}

static dn_status take_ece(dn__report_run *run, const dn_outputs *outputs)
{
    const dn_matrix *m = &outputs->logits;
    const size_t count = m->members * m->rows * m->columns;
    run->ece = NAN;
    if (!outputs->labels || count > MOST_LOGITS) return DN_OK;
    double *logits = dn_calloc(count, sizeof *logits);
    if (!logits) return DN_ERROR_MEMORY;
    dn_calibration calibration = {.ece = NAN};
    const dn_calibration_input input = {.members = m->members,
                                        .rows = m->rows,
                                        .columns = m->columns,
                                        .logits = logits,
                                        .labels = outputs->labels,
                                        .class_map = outputs->network->class_map,
                                        .classes = (size_t)outputs->network->classes};
    dn_status status = read_logits(logits, m);
    if (status == DN_OK) status = dn_calibration_compute(&calibration, NULL, &input);
    run->ece = calibration.ece;
    dn_free(logits);
    return status;
}

/* ---- images ---- */

/* @param limit of the items, 0: all */
static dn_status open_set(dn_dataset **out, const gatherer *g, const char *name, int64_t limit)
{
    const dn_dataset_options options = {
        .data_dir = g->options->data_dir, .seed = g->run->result.seed, .limit = limit, .stream = true};
    DN_TRY(dn_dataset_open(out, name, &options));
    /* What it says of its number of items would be of those that were looked at. */
    const char *from = (*out)->provenance, *items = strrchr(from, ';');
    const int length = (int)(limit && items ? (size_t)(items - from) : strlen(from));
    dn__report_set *to = &g->run->sets[g->run->n_sets++];
    *to = (dn__report_set){dn_strdup(name), dn_format("%.*s", length, from), limit ? -1 : (*out)->n};
    return to->name && to->provenance ? DN_OK : DN_ERROR_MEMORY;
}

/* One known image, or one feature, spreads along no two axes; unknown images are placed on those of the known ones. */
static bool has_map(const dn__report_run *run, const dn_outputs *outputs, int ood)
{
    if (outputs->layers == 0) return false;
    const dn_matrix *features = &outputs->layer[outputs->layers - 1];
    return ood < 0 ? features->rows > 1 && features->columns > 1 : run->map.dims > 0;
}

/* @param ood -1: the known set */
static dn_status look_at(gatherer *g, const dn_outputs *outputs, const dn_dataset *set, int ood)
{
    dn__report_run *run = g->run;
    const dn_evaluation_row *row = dn__report_row(run, ood < 0 ? 0 : ood, 0);
    dn__report_cloud *cloud = ood < 0 ? &run->known_cloud : &run->unknown_cloud[ood];
    if (ood < 0) DN_TRY(take_ece(run, outputs));
    if (has_map(run, outputs, ood)) DN_TRY(dn__report_cloud_take(cloud, &run->map, outputs));
    if (ood >= 0) return dn__report_picks_unknown(&run->unknown[ood], run, outputs, set, row->scores);
    return outputs->labels ? dn__report_picks_known(&run->known, run, outputs, set, row->id_scores) : DN_OK;
}

static dn_status take_set(gatherer *g, const char *name, int ood)
{
    dn_dataset *set = NULL;
    dn_outputs *outputs = NULL;
    const dn_output_request request = {
        .set = name, .seed = g->run->result.seed, .layers = dn_pass_last_layer(&g->files.layers)};
    dn_status status = dn_outputs_open(&outputs, &g->files, &request);
    if (status == DN_OK) status = open_set(&set, g, name, 0);
    if (status == DN_OK) status = look_at(g, outputs, set, ood);
    dn_dataset_close(set);
    dn_outputs_close(outputs);
    return status;
}

static dn_status take_sets(gatherer *g)
{
    dn__report_run *run = g->run;
    dn_dataset *train = NULL;
    run->sets = dn_calloc((size_t)run->n_ood + 2, sizeof *run->sets);
    run->unknown = dn_calloc((size_t)run->n_ood, sizeof *run->unknown);
    run->unknown_cloud = dn_calloc((size_t)run->n_ood, sizeof *run->unknown_cloud);
    if (!run->sets || !run->unknown || !run->unknown_cloud) return DN_ERROR_MEMORY;
    DN_TRY(take_set(g, run->result.id, -1));
    for (int i = 0; i < run->n_ood; i++) DN_TRY(take_set(g, dn__report_row(run, i, 0)->ood, i));
    /* The training set may have been left behind: the page can do without it. */
    if (open_set(&train, g, g->network->recipe->data.train, 1) == DN_ERROR_MEMORY) return DN_ERROR_MEMORY;
    dn_dataset_close(train);
    return DN_OK;
}

/* ---- */

static dn_status gather(gatherer *g)
{
    DN_TRY(take_texts(g->run, g->network));
    DN_TRY(take_history(g->run));
    DN_TRY(evaluate(g));
    DN_TRY(take_threshold(g));
    DN_TRY(dn_output_files_open(&g->files, g->network, g->run->path, g->options->data_dir, false, g->options->quiet));
    return take_sets(g);
}

dn_status dn__report_run_open(dn__report_run *out, const char *path, char *name, dn_device *device,
                              const dn_report_options *options)
{
    dn_network *network = NULL;
    *out = (dn__report_run){.name = name, .path = dn_strdup(path), .ece = NAN};
    if (!out->path) return DN_ERROR_MEMORY;
    DN_TRY(dn_run_load(&network, path, device));
    gatherer g = {.run = out, .network = network, .options = options};
    const dn_status status = gather(&g);
    dn_output_files_close(&g.files);
    dn_network_close(network);
    return status == DN_OK ? DN_OK : dn_fail_context(status, "run '%s'", path);
}

void dn__report_run_close(dn__report_run *run)
{
    dn_free(run->path);
    dn_free(run->name);
    dn_free(run->recipe);
    dn_free(run->description);
    dn_free(run->kind);
    dn_free(run->class_names);
    dn_free(run->threshold_text);
    dn_history_close(&run->history);
    dn_evaluation_close(&run->result);
    dn__report_picks_close(&run->known);
    dn__report_cloud_close(&run->known_cloud);
    dn__report_map_close(&run->map);
    for (int i = 0; i < run->n_sets; i++) {
        dn_free(run->sets[i].name);
        dn_free(run->sets[i].provenance);
    }
    for (int i = 0; i < run->n_ood; i++) {
        if (run->unknown) dn__report_picks_close(&run->unknown[i]);
        if (run->unknown_cloud) dn__report_cloud_close(&run->unknown_cloud[i]);
    }
    dn_free(run->sets);
    dn_free(run->unknown);
    dn_free(run->unknown_cloud);
    *run = (dn__report_run){0};
}
