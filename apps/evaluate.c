#include "apps/evaluate.h"

#include <math.h>

#include "apps/clock.h"
#include "apps/evaluate_check.h"
#include "apps/interrupt.h"
#include "core/alloc.h"

const char *const *dn_evaluation_methods(const dn_recipe *recipe, int *count)
{
    /* Each kind's own score comes first: the one that `dunlin compare` takes too. */
    static const char *const single[] = {"msp", "predictive_entropy", "energy"};
    static const char *const deep[] = {"predictive_entropy", "mutual_information", "ensemble_msp", "msp", "energy"};
    static const char *const mi[] = {"mutual_information", "predictive_entropy", "ensemble_msp", "msp", "energy"};
    /* A left-out member gives its share to a wrong class: that blurs the entropy, not the largest probability. */
    static const char *const leave_out[] = {"ensemble_msp", "leave_out", "predictive_entropy", "msp", "energy"};
    *count = recipe->ensemble.members > 1 ? 5 : 3;
    if (recipe->ensemble.members == 1) return single;
    switch (recipe->ensemble.kind) {
    case DN_ENSEMBLE_DEEP: return deep;
    case DN_ENSEMBLE_MI: return mi;
    case DN_ENSEMBLE_LEAVE_OUT: return leave_out;
    }
    return deep;
}

const char *dn_evaluation_reduce_text(dn_reduce reduce)
{
    return reduce == DN_REDUCE_DEFAULT ? "-" : dn_reduce_name(reduce);
}

/* What is being evaluated. */
typedef struct session {
    const dn_network *network;
    const dn_evaluation_options *options;
    dn_expression_list own; /* where none are asked for */
    const dn_expression_list *list;
    dn_output_files files;
    dn_scoring *scoring;
    dn_set_scores id;
} session;

/* ---- the ID set ---- */

static dn_status evaluate_id(dn_evaluation *out, session *s)
{
    dn_outputs *outputs = NULL;
    dn_accuracy_report report = {.ensemble = NAN};
    DN_TRY(dn_scoring_outputs(&outputs, s->scoring, out->id));
    out->n_id = outputs->rows;
    out->labelled = outputs->labels != NULL;
    dn_status status = out->labelled ? dn_outputs_accuracy(&report, outputs) : DN_OK;
    out->accuracy = report.ensemble;
    out->member_accuracy = report.member;
    if (status == DN_OK) status = dn_scoring_run(&s->id, s->scoring, outputs);
    dn_outputs_close(outputs);
    return status;
}

/* ---- OOD sets ---- */

static dn_status add_interval(dn_evaluation_row *row, const session *s, const dn_score_sets *sets, int ood_set)
{
    const dn_bootstrap_options options = {
        .resamples = s->options->bootstrap, .ood_set = (uint32_t)ood_set, .metrics = s->options->metrics};
    row->interval = dn_calloc(DN_METRIC_COUNT, sizeof *row->interval);
    if (!row->interval) return DN_ERROR_MEMORY;
    if (dn_interrupted()) return dn_fail(DN_ERROR_INTERRUPTED, "stopped");
    return dn_bootstrap(row->interval, sets, &options);
}

static dn_status add_row(dn_evaluation *out, const session *s, const char *ood, int ood_set, size_t method,
                         dn_set_scores *scores)
{
    dn_evaluation_row *row = &out->rows[out->n_rows++];
    row->ood = dn_strdup(ood);
    row->method = dn_strdup(s->list->text[method]);
    row->reduce = dn_scoring_reduce(s->scoring, method);
    if (!row->ood || !row->method) return DN_ERROR_MEMORY;
    const dn_score_sets sets = {s->id.score[method], scores->score[method], s->id.rows, scores->rows};
    DN_TRY(dn_metrics_compute(&row->metrics, sets.id, sets.n_id, sets.ood, sets.n_ood, &s->options->metrics));
    if (s->options->bootstrap > 0) DN_TRY(add_interval(row, s, &sets, ood_set));
    if (!s->options->keep_scores) return DN_OK;
    row->id_scores = sets.id;
    row->scores = scores->score[method];
    scores->score[method] = NULL;
    return DN_OK;
}

static dn_status evaluate_ood(dn_evaluation *out, session *s, const char *ood, int ood_set)
{
    dn_outputs *outputs = NULL;
    dn_set_scores scores = {0};
    DN_TRY(dn_scoring_outputs(&outputs, s->scoring, ood));
    dn_status status = dn_scoring_run(&scores, s->scoring, outputs);
    dn_outputs_close(outputs);
    const double start = dn_seconds();
    for (size_t m = 0; m < s->list->count && status == DN_OK; m++)
        if (scores.score[m]) status = add_row(out, s, ood, ood_set, m, &scores);
    out->seconds.metrics += dn_seconds() - start;
    dn_set_scores_close(&scores);
    return status;
}

/* ---- all of it ---- */

static dn_status take_list(session *s)
{
    s->list = s->options->list;
    if (s->list && s->list->count > 0) return DN_OK;
    int count = 0;
    const char *const *methods = dn_evaluation_methods(s->network->recipe, &count);
    s->list = &s->own;
    for (int m = 0; m < count; m++) DN_TRY(dn_expression_list_add(&s->own, methods[m]));
    return DN_OK;
}

static dn_status open_session(session *s, uint64_t seed)
{
    const dn_evaluation_options *o = s->options;
    const dn_recipe *recipe = s->network->recipe;
    DN_TRY(take_list(s));
    const dn_wanted_sets sets = {.data_dir = o->data_dir,
                                 .id = o->id ? o->id : recipe->data.test,
                                 .ood = o->n_ood > 0 ? o->ood : (const char *const *)recipe->data.ood,
                                 .n_ood = o->n_ood > 0 ? o->n_ood : (int)recipe->data.n_ood,
                                 .fit = o->fit,
                                 .list = s->list,
                                 .tell = !o->quiet};
    DN_TRY(dn_sets_check(s->network, &sets));
    DN_TRY(dn_output_files_open(&s->files, s->network, o->run, o->data_dir, o->refresh, o->quiet));
    const dn_scoring_options options = {
        .list = s->list, .reduce = o->reduce, .fit = o->fit, .layers = o->layers, .seed = seed, .quiet = o->quiet};
    return dn_scoring_open(&s->scoring, &s->files, &options);
}

static void close_session(session *s)
{
    dn_set_scores_close(&s->id);
    dn_scoring_close(s->scoring);
    dn_output_files_close(&s->files);
    dn_expression_list_close(&s->own);
}

static dn_status note_left_out(dn_evaluation *out, const session *s)
{
    out->left_out = dn_calloc(s->list->count, sizeof *out->left_out);
    if (!out->left_out) return DN_ERROR_MEMORY;
    for (size_t m = 0; m < s->list->count; m++) {
        const char *reason = dn_scoring_left_out(s->scoring, m);
        if (!reason) continue;
        dn_left_out *to = &out->left_out[out->n_left_out++];
        *to = (dn_left_out){dn_strdup(s->list->text[m]), dn_strdup(reason)};
        if (!to->method || !to->reason) return DN_ERROR_MEMORY;
    }
    return DN_OK;
}

static void take_times(dn_evaluation *out, const session *s)
{
    const dn_scoring_seconds seconds = dn_scoring_time(s->scoring);
    out->images = s->files.images;
    out->seconds.network = s->files.seconds;
    out->seconds.fit = seconds.fit;
    out->seconds.score = seconds.score;
}

static dn_status run(dn_evaluation *out, session *s)
{
    const dn_recipe *recipe = s->network->recipe;
    const dn_evaluation_options *o = s->options;
    const bool own = o->n_ood > 0;
    const int n_ood = own ? o->n_ood : (int)recipe->data.n_ood;
    out->seed = o->seed ? *o->seed : recipe->train.seed;
    DN_TRY(open_session(s, out->seed));
    DN_TRY(note_left_out(out, s));
    out->members = s->network->members;
    out->run = dn_strdup(o->run);
    out->id = dn_strdup(o->id ? o->id : recipe->data.test);
    out->rows = dn_calloc((size_t)n_ood * s->list->count, sizeof *out->rows);
    if (!out->run || !out->id || !out->rows) return DN_ERROR_MEMORY;
    DN_TRY(evaluate_id(out, s));
    for (int i = 0; i < n_ood; i++) DN_TRY(evaluate_ood(out, s, own ? o->ood[i] : recipe->data.ood[i], i));
    take_times(out, s);
    return DN_OK;
}

dn_status dn_evaluate(dn_evaluation *out, const dn_network *network, const dn_evaluation_options *options)
{
    *out = (dn_evaluation){0};
    session s = {.network = network, .options = options};
    const dn_status status = run(out, &s);
    if (status == DN_OK && options->keep_scores) {
        out->id_scores = s.id;
        s.id = (dn_set_scores){0};
    }
    close_session(&s);
    if (status != DN_OK) dn_evaluation_close(out);
    return status;
}

void dn_evaluation_close(dn_evaluation *evaluation)
{
    for (int i = 0; i < evaluation->n_rows; i++) {
        dn_free(evaluation->rows[i].ood);
        dn_free(evaluation->rows[i].method);
        dn_free(evaluation->rows[i].interval);
        dn_free(evaluation->rows[i].scores);
    }
    for (int i = 0; i < evaluation->n_left_out; i++) {
        dn_free(evaluation->left_out[i].method);
        dn_free(evaluation->left_out[i].reason);
    }
    dn_free(evaluation->rows);
    dn_free(evaluation->left_out);
    dn_set_scores_close(&evaluation->id_scores);
    dn_free(evaluation->member_accuracy);
    dn_free(evaluation->id);
    dn_free(evaluation->run);
    *evaluation = (dn_evaluation){0};
}
