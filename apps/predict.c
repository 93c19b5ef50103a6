#include "apps/predict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/evaluate.h"
#include "apps/evaluate_check.h"
#include "apps/half.h"
#include "apps/run.h"
#include "core/alloc.h"

char *dn_threshold_path(const char *run)
{
    char *checkpoint = dn_run_checkpoint(run);
    if (!checkpoint) return NULL;
    const char *slash = strrchr(checkpoint, '/');
    char *path =
        slash ? dn_format("%.*s/threshold.json", (int)(slash - checkpoint), checkpoint) : dn_strdup("threshold.json");
    dn_free(checkpoint);
    return path;
}

/* One score of one set. */
typedef struct session {
    dn_output_files files;
    dn_expression_list list;
    dn_scoring *scoring;
    dn_outputs *outputs;
    dn_set_scores scores;
} session;

static void close_session(session *s)
{
    dn_set_scores_close(&s->scores);
    dn_outputs_close(s->outputs);
    dn_scoring_close(s->scoring);
    dn_expression_list_close(&s->list);
    dn_output_files_close(&s->files);
}

/* Fits the threshold's score. @param set that is to be scored */
static dn_status open_session(session *s, const dn_network *network, const dn_predict_options *o, const dn_threshold *t,
                              const char *set)
{
    DN_TRY(dn_output_files_open(&s->files, network, o->run, o->data_dir, o->refresh, o->quiet));
    DN_TRY(dn_expression_list_add(&s->list, t->method));
    if (s->list.count != 1)
        return dn_fail(DN_ERROR_ARGUMENT, "'%s' names %zu scores; a threshold is of one", t->method, s->list.count);
    const dn_wanted_sets sets = {.data_dir = o->data_dir, .id = set, .fit = *t->fit ? t->fit : NULL, .list = &s->list};
    DN_TRY(dn_sets_check(network, &sets));
    const dn_scoring_options options = {
        .list = &s->list, .reduce = t->reduce, .fit = *t->fit ? t->fit : NULL, .seed = t->seed, .quiet = o->quiet};
    return dn_scoring_open(&s->scoring, &s->files, &options);
}

static dn_status score_set(session *s, const char *set)
{
    DN_TRY(dn_scoring_outputs(&s->outputs, s->scoring, set));
    return dn_scoring_run(&s->scores, s->scoring, s->outputs);
}

/* ---- calibration ---- */

static dn_status describe(dn_threshold *t, const dn_network *n, const dn_calibration_options *c)
{
    int count = 0;
    *t = (dn_threshold){.reduce = c->reduce,
                        .asked = c->share,
                        .half = c->id == NULL,
                        .seed = n->recipe->train.seed,
                        .others_accepted = NAN};
    t->method = dn_strdup(c->method ? c->method : dn_evaluation_methods(n->recipe, &count)[0]);
    t->set = dn_strdup(c->id ? c->id : n->recipe->data.test);
    t->fit = dn_strdup(c->fit ? c->fit : "");
    return t->method && t->set && t->fit ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status choose(dn_threshold *t, double *scores, size_t n)
{
    double *room = dn_calloc(n, sizeof *room);
    if (!room) return DN_ERROR_MEMORY;
    const size_t used = t->half ? dn_half_split(scores, n, room) : n, left = n - used;
    dn_free(room);
    t->rows = (int64_t)used;
    t->threshold = dn_threshold_choose(scores, used, t->asked, &t->reached);
    size_t accepted = 0;
    for (size_t i = used; i < n; i++) accepted += scores[i] < t->threshold;
    if (left > 0) t->others_accepted = (double)accepted / (double)left;
    return DN_OK;
}

dn_status dn_calibrate(dn_threshold *out, const dn_network *network, const dn_predict_options *options,
                       const dn_calibration_options *calibration)
{
    session s = {0};
    DN_TRY(describe(out, network, calibration));
    dn_status status = open_session(&s, network, options, out, out->set);
    if (status == DN_OK) status = score_set(&s, out->set);
    if (status == DN_OK) {
        out->network_print = s.files.network_print;
        out->fit_print = dn_scoring_fit_print(s.scoring);
        status = choose(out, s.scores.score[0], s.scores.rows);
    }
    close_session(&s);
    return status;
}

/* ---- prediction ---- */

static dn_status check(const session *s, const dn_threshold *t, const char *run)
{
    const char *what = NULL;
    if (s->files.network_print != t->network_print)
        what = "the run was trained on";
    else if (s->scoring && dn_scoring_fit_print(s->scoring) != t->fit_print)
        what = "the set that the score is fitted on has changed";
    if (!what) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT,
                   "%s since its threshold was chosen; choose one anew: dunlin predict %s --calibrate", what, run);
}

static dn_status copy_names(dn_prediction *out, char *const *names)
{
    if (!names) return DN_OK;
    out->item_names = dn_calloc(out->rows, sizeof *out->item_names);
    for (size_t i = 0; out->item_names && i < out->rows; i++)
        if (!(out->item_names[i] = dn_strdup(names[i]))) return DN_ERROR_MEMORY;
    return out->item_names ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status take(dn_prediction *out, session *s)
{
    out->rows = s->scores.rows;
    out->named = dn_calloc(out->rows, sizeof *out->named);
    out->probability = dn_calloc(out->rows, sizeof *out->probability);
    if (!out->named || !out->probability) return DN_ERROR_MEMORY;
    DN_TRY(dn_outputs_name(out->named, out->probability, s->outputs));
    out->score = s->scores.score[0];
    s->scores.score[0] = NULL;
    out->labels = s->outputs->labels;
    s->outputs->labels = NULL;
    out->images = s->files.images;
    return copy_names(out, dn_output_files_item_names(&s->files, s->outputs->set));
}

dn_status dn_predict(dn_prediction *out, const dn_network *network, const dn_predict_options *options,
                     const dn_threshold *threshold, const char *set)
{
    session s = {0};
    *out = (dn_prediction){0};
    dn_status status =
        dn_output_files_open(&s.files, network, options->run, options->data_dir, options->refresh, options->quiet);
    if (status == DN_OK) status = check(&s, threshold, options->run); /* before anything is fitted */
    dn_output_files_close(&s.files);
    if (status == DN_OK) status = open_session(&s, network, options, threshold, set);
    if (status == DN_OK) status = check(&s, threshold, options->run);
    if (status == DN_OK) status = score_set(&s, set);
    if (status == DN_OK) status = take(out, &s);
    close_session(&s);
    return status;
}

void dn_prediction_close(dn_prediction *p)
{
    for (size_t i = 0; p->item_names && i < p->rows; i++) dn_free(p->item_names[i]);
    dn_free(p->item_names);
    dn_free(p->named);
    dn_free(p->labels);
    dn_free(p->probability);
    dn_free(p->score);
    *p = (dn_prediction){0};
}

const char *dn_network_class_name(const dn_network *n, int32_t class, char *text, size_t size)
{
    const char *line = n->class_names ? n->class_names : "";
    for (int32_t c = 0; c < class && *line; c++) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    if (*line)
        snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
    else
        snprintf(text, size, "%d", class);
    return text;
}
