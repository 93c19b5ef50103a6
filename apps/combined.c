#include "apps/combined.h"

#include <string.h>

#include "apps/evaluate_check.h"
#include "apps/grid_threshold.h"
#include "apps/half.h"
#include "apps/run.h"
#include "core/alloc.h"
#include "ood/metrics.h"

/* What one run says of all sets. */
typedef struct judge {
    dn_set_scores id, *ood; /* [n_ood] */
    uint8_t *right;         /* [n_id] */
} judge;

static void close_judge(judge *j, int n_ood)
{
    for (int i = 0; j->ood && i < n_ood; i++) dn_set_scores_close(&j->ood[i]);
    dn_set_scores_close(&j->id);
    dn_free(j->ood);
    dn_free(j->right);
}

/* ---- what the runs say ---- */

static dn_status take_names(judge *j, double *accuracy, const dn_outputs *outputs, const char *run)
{
    if (!outputs->labels)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "'%s' has no labels of the classes that '%s' knows; name labelled data by --id", outputs->set,
                       run);
    return dn_outputs_right(&j->right, accuracy, outputs);
}

static dn_status judge_sets(judge *j, double *accuracy, dn_scoring *scoring, const dn_combined *c, const char *run)
{
    dn_outputs *outputs = NULL;
    if (!(j->ood = dn_calloc((size_t)c->n_ood, sizeof *j->ood))) return DN_ERROR_MEMORY;
    DN_TRY(dn_scoring_outputs(&outputs, scoring, c->id));
    dn_status status = take_names(j, accuracy, outputs, run);
    if (status == DN_OK) status = dn_scoring_run(&j->id, scoring, outputs);
    dn_outputs_close(outputs);
    for (int i = 0; i < c->n_ood && status == DN_OK; i++) {
        status = dn_scoring_outputs(&outputs, scoring, c->ood[i]);
        if (status == DN_OK) status = dn_scoring_run(&j->ood[i], scoring, outputs);
        dn_outputs_close(outputs);
    }
    return status;
}

static dn_status judge_by(judge *j, double *accuracy, dn_combined *c, const dn_network *network, const char *run,
                          uint64_t seed, const dn_combined_options *o, const dn_expression_list *list)
{
    dn_output_files files = {0};
    dn_scoring *scoring = NULL;
    const dn_scoring_options options = {
        .list = list, .reduce = o->reduce, .fit = o->fit, .layers = o->layers, .seed = seed, .quiet = o->quiet};
    DN_TRY(dn_output_files_open(&files, network, run, o->data_dir, o->refresh, o->quiet));
    dn_status status = dn_scoring_open(&scoring, &files, &options);
    if (status == DN_OK) status = judge_sets(j, accuracy, scoring, c, run);
    c->images += files.images;
    dn_scoring_close(scoring);
    dn_output_files_close(&files);
    return status;
}

static dn_status take_sets(dn_combined *c, const dn_recipe *recipe, const dn_combined_options *o)
{
    const bool own = o->n_ood > 0;
    c->id = dn_strdup(o->id ? o->id : recipe->data.test);
    c->n_ood = own ? o->n_ood : (int)recipe->data.n_ood;
    if (c->n_ood == 0) return dn_fail(DN_ERROR_ARGUMENT, "'%s' names no unknown data: give --ood SET", o->acceptor);
    c->ood = dn_calloc((size_t)c->n_ood, sizeof *c->ood);
    c->rows = dn_calloc((size_t)c->n_ood * DN_SYSTEM_COUNT, sizeof *c->rows);
    if (!c->id || !c->ood || !c->rows) return DN_ERROR_MEMORY;
    for (int i = 0; i < c->n_ood; i++)
        if (!(c->ood[i] = dn_strdup(own ? o->ood[i] : recipe->data.ood[i]))) return DN_ERROR_MEMORY;
    return DN_OK;
}

static dn_status check_sets(const dn_combined *c, const dn_network *network, const dn_combined_options *o,
                            const dn_expression_list *list)
{
    const dn_wanted_sets sets = {.data_dir = o->data_dir,
                                 .id = c->id,
                                 .ood = (const char *const *)c->ood,
                                 .n_ood = c->n_ood,
                                 .fit = o->fit,
                                 .list = list};
    return dn_sets_check(network, &sets);
}

/* Before the acceptor runs over any set: is the classifier there, and can it take the sets? */
static dn_status check_classifier(const dn_combined *c, dn_device *device, const dn_combined_options *o,
                                  const dn_expression_list *list)
{
    dn_network *network = NULL;
    dn_status status = dn_run_load(&network, o->classifier, device);
    if (status == DN_OK) status = check_sets(c, network, o, list);
    dn_network_close(network);
    return status == DN_OK ? DN_OK : dn_fail_context(status, "--classifier '%s'", o->classifier);
}

/* One network runs after the other. Drawn sets are those of the acceptor's seed. */
static dn_status ask_both(dn_combined *c, judge *acceptor, judge *classifier, dn_device *device,
                          const dn_combined_options *o, const dn_expression_list *list)
{
    dn_network *network = NULL;
    uint64_t seed = 0;
    DN_TRY(dn_run_load(&network, o->acceptor, device));
    seed = network->recipe->train.seed;
    dn_status status = take_sets(c, network->recipe, o);
    if (status == DN_OK) status = check_sets(c, network, o, list);
    if (status == DN_OK) status = check_classifier(c, device, o, list);
    if (status == DN_OK) status = judge_by(acceptor, &c->acceptor_accuracy, c, network, o->acceptor, seed, o, list);
    dn_network_close(network);
    DN_TRY(status);
    DN_TRY(dn_run_load(&network, o->classifier, device));
    status = judge_by(classifier, &c->accuracy, c, network, o->classifier, seed, o, list);
    dn_network_close(network);
    return status;
}

/* ---- systems ---- */

/* Scores in two halves, that which chooses first; everything in both where the test rows choose. */
typedef struct halves {
    double *scores; /* [n] */
    size_t n, chosen;
} halves;

static dn_status take_halves(halves *h, const double *scores, size_t n, bool on_test)
{
    double *room = dn_calloc(n, sizeof *room);
    h->scores = dn_calloc(n, sizeof *h->scores);
    h->n = n;
    if (room && h->scores) {
        memcpy(h->scores, scores, n * sizeof *scores);
        h->chosen = on_test ? n : dn_half_split(h->scores, n, room);
    }
    dn_free(room);
    return h->scores && h->chosen > 0 ? DN_OK : DN_ERROR_MEMORY;
}

/* What measures: the rows that did not choose, or all. */
static size_t measured(const halves *h, const double **scores)
{
    const bool all = h->chosen == h->n;
    *scores = all ? h->scores : h->scores + h->chosen;
    return all ? h->n : h->n - h->chosen;
}

static dn_status choose(double *threshold, const halves *id, const halves *ood, dn_threshold_on on)
{
    enum { POINTS = 1000 };
    dn_metrics chosen;
    DN_TRY(dn_metrics_compute(&chosen, id->scores, id->chosen, ood->scores, ood->chosen, NULL));
    *threshold = on == DN_THRESHOLD_ON_GRID
                     ? dn_grid_threshold(id->scores, id->chosen, ood->scores, ood->chosen, POINTS)
                     : chosen.best_threshold;
    return DN_OK;
}

static dn_status measure(dn_combined_row *row, const halves *id, const halves *ood, const uint8_t *right,
                         dn_threshold_on on)
{
    double threshold = 0.0;
    dn_selective *selective = NULL;
    DN_TRY(choose(&threshold, id, ood, on));
    dn_selective_rows rows = {.right = right};
    row->n_id = rows.n_id = measured(id, &rows.id);
    row->n_ood = rows.n_ood = measured(ood, &rows.ood);
    DN_TRY(dn_selective_open(&selective, &rows));
    const dn_status status = dn_selective_at(&row->selective, selective, threshold);
    row->aurc = dn_selective_aurc(selective);
    dn_selective_close(selective);
    size_t taken_rightly = 0;
    for (size_t i = 0; i < rows.n_id; i++) taken_rightly += rows.id[i] < threshold;
    for (size_t i = 0; i < rows.n_ood; i++) taken_rightly += rows.ood[i] >= threshold;
    row->detection = (double)taken_rightly / (double)(rows.n_id + rows.n_ood);
    return status;
}

/* `right` of the rows that measure, in the order of halves. @return [n], or NULL */
static uint8_t *right_of_measured(const uint8_t *right, size_t n, bool on_test)
{
    uint8_t *out = dn_calloc(n, sizeof *out);
    for (size_t i = 0, at = 0; i < n && out; i++)
        if (on_test || !dn_half_chooses(i, n)) out[at++] = right[i];
    return out;
}

static dn_status add_row(dn_combined *c, int set, dn_combined_system system, const judge *accepts, const judge *names,
                         dn_threshold_on on)
{
    const bool on_test = on != DN_THRESHOLD_ON_HALF;
    halves id = {0}, ood = {0};
    dn_combined_row *row = &c->rows[c->n_rows++];
    *row = (dn_combined_row){.ood = c->ood[set], .system = system};
    uint8_t *right = right_of_measured(names->right, accepts->id.rows, on_test);
    dn_status status = right ? take_halves(&id, accepts->id.score[0], accepts->id.rows, on_test) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = take_halves(&ood, accepts->ood[set].score[0], accepts->ood[set].rows, on_test);
    if (status == DN_OK && (accepts->id.rows < 2 || accepts->ood[set].rows < 2) && !on_test)
        status = dn_fail(DN_ERROR_ARGUMENT, "a set of one row has no half to choose a threshold on");
    if (status == DN_OK) status = measure(row, &id, &ood, right, on);
    dn_free(right);
    dn_free(id.scores);
    dn_free(ood.scores);
    return status;
}

static dn_status measure_systems(dn_combined *c, const judge *acceptor, const judge *classifier, dn_threshold_on on)
{
    for (int i = 0; i < c->n_ood; i++) {
        DN_TRY(add_row(c, i, DN_SYSTEM_COMBINED, acceptor, classifier, on));
        DN_TRY(add_row(c, i, DN_SYSTEM_ACCEPTOR, acceptor, acceptor, on));
        DN_TRY(add_row(c, i, DN_SYSTEM_CLASSIFIER, classifier, classifier, on));
    }
    return DN_OK;
}

/* ---- all of it ---- */

dn_status dn_combine(dn_combined *out, dn_device *device, const dn_combined_options *options)
{
    *out = (dn_combined){0};
    judge acceptor = {0}, classifier = {0};
    dn_expression_list own = {0};
    const dn_expression_list *list = options->list && options->list->count > 0 ? options->list : &own;
    dn_status status = list == &own ? dn_expression_list_add(&own, "predictive_entropy") : DN_OK;
    if (status == DN_OK && list->count != 1)
        status = dn_fail(DN_ERROR_ARGUMENT, "--methods: %zu scores; a combined system accepts by one", list->count);
    if (status == DN_OK && !(out->method = dn_strdup(list->text[0]))) status = DN_ERROR_MEMORY;
    if (status == DN_OK) status = ask_both(out, &acceptor, &classifier, device, options, list);
    if (status == DN_OK) status = measure_systems(out, &acceptor, &classifier, options->threshold);
    close_judge(&acceptor, out->n_ood);
    close_judge(&classifier, out->n_ood);
    dn_expression_list_close(&own);
    if (status != DN_OK) dn_combined_close(out);
    return status;
}

void dn_combined_close(dn_combined *c)
{
    for (int i = 0; c->ood && i < c->n_ood; i++) dn_free(c->ood[i]);
    dn_free(c->ood);
    dn_free(c->rows);
    dn_free(c->id);
    dn_free(c->method);
    *c = (dn_combined){0};
}
