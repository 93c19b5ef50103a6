#include "apps/evaluate.h"

#include <math.h>

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

/* What is being evaluated: parsed methods and their scores of the ID set. */
typedef struct session {
    const dn_network *network;
    const dn_evaluation_options *options;
    const char *const *methods;
    int n_methods;
    dn_method_call *calls; /* [n_methods] */
    double **id_scores;    /* [n_methods] [n_id] */
    size_t n_id;
} session;

/* The reduction that a method takes: the one asked for, or none where it combines the members itself. */
static dn_reduce reduce_of(const session *s, int method)
{
    return s->calls[method].method->kind == DN_METHOD_ENSEMBLE ? DN_REDUCE_DEFAULT : s->options->reduce;
}

static dn_status score_all(const session *s, const dn_outputs *outputs, double **scores)
{
    const dn_score_input input = dn_outputs_input(s->network, outputs);
    for (int m = 0; m < s->n_methods; m++) {
        scores[m] = dn_calloc((size_t)outputs->rows, sizeof **scores);
        if (!scores[m]) return DN_ERROR_MEMORY;
        DN_TRY(dn_score(scores[m], &s->calls[m], &input, reduce_of(s, m)));
    }
    return DN_OK;
}

static void free_scores(double **scores, int n_methods)
{
    for (int m = 0; m < n_methods && scores; m++) dn_free(scores[m]);
    dn_free(scores);
}

static dn_status open_set(dn_dataset **set, const session *s, const char *expression)
{
    const dn_dataset_options options = {.data_dir = s->options->data_dir,
                                        .seed = s->options->seed ? *s->options->seed : s->network->recipe->train.seed};
    return dn_dataset_open(set, expression, &options);
}

/* ---- the ID set ---- */

static dn_status measure_accuracy(dn_evaluation *out, const session *s, const dn_dataset *set,
                                  const dn_outputs *outputs)
{
    dn_accuracy_report report = {.ensemble = NAN};
    out->labelled = dn_network_knows(s->network, set);
    out->accuracy = NAN;
    if (!out->labelled) return DN_OK;
    DN_TRY(dn_network_accuracy(&report, s->network, outputs, set->labels));
    out->accuracy = report.ensemble;
    out->member_accuracy = report.member;
    return DN_OK;
}

static dn_status evaluate_id(dn_evaluation *out, session *s)
{
    dn_dataset *set = NULL;
    DN_TRY(open_set(&set, s, out->id));
    dn_outputs outputs = {0};
    dn_status status = dn_network_infer(&outputs, s->network, set);
    if (status == DN_OK) status = measure_accuracy(out, s, set, &outputs);
    if (status == DN_OK) status = score_all(s, &outputs, s->id_scores);
    s->n_id = (size_t)set->n;
    out->n_id = set->n;
    dn_outputs_close(&outputs);
    dn_dataset_close(set);
    return status;
}

/* ---- OOD sets ---- */

/* @param scores [n] taken over where scores are kept, and NULL afterwards */
static dn_status add_row(dn_evaluation *out, const session *s, const char *ood, int m, double **scores, size_t n)
{
    dn_evaluation_row *row = &out->rows[out->n_rows++];
    row->ood = dn_strdup(ood);
    row->method = dn_strdup(s->methods[m]);
    const bool combines = s->calls[m].method->kind == DN_METHOD_ENSEMBLE || out->members == 1;
    const dn_reduce asked = s->options->reduce == DN_REDUCE_DEFAULT ? DN_REDUCE_SCORE : s->options->reduce;
    row->reduce = combines ? DN_REDUCE_DEFAULT : asked;
    if (!row->ood || !row->method) return DN_ERROR_MEMORY;
    DN_TRY(dn_metrics_compute(&row->metrics, s->id_scores[m], s->n_id, *scores, n, &s->options->metrics));
    if (!s->options->keep_scores) return DN_OK;
    row->id_scores = s->id_scores[m];
    row->scores = *scores;
    *scores = NULL;
    return DN_OK;
}

static dn_status evaluate_ood(dn_evaluation *out, const session *s, const char *expression)
{
    dn_dataset *set = NULL;
    DN_TRY(open_set(&set, s, expression));
    dn_outputs outputs = {0};
    double **scores = dn_calloc((size_t)s->n_methods, sizeof *scores);
    dn_status status = scores ? dn_network_infer(&outputs, s->network, set) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = score_all(s, &outputs, scores);
    for (int m = 0; m < s->n_methods && status == DN_OK; m++)
        status = add_row(out, s, expression, m, &scores[m], (size_t)set->n);
    free_scores(scores, s->n_methods);
    dn_outputs_close(&outputs);
    dn_dataset_close(set);
    return status;
}

/* ---- all of it ---- */

static dn_status open_session(session *s)
{
    s->methods = s->options->methods;
    s->n_methods = s->options->n_methods;
    if (s->n_methods == 0) s->methods = dn_evaluation_methods(s->network->recipe, &s->n_methods);
    s->calls = dn_calloc((size_t)s->n_methods, sizeof *s->calls);
    s->id_scores = dn_calloc((size_t)s->n_methods, sizeof *s->id_scores);
    if (!s->calls || !s->id_scores) return DN_ERROR_MEMORY;
    float unread = 0.0F; /* only the form is checked here */
    const dn_outputs none = {
        .rows = 1, .members = s->network->members, .columns = s->network->columns, .logits = &unread};
    const dn_score_input form = dn_outputs_input(s->network, &none);
    for (int m = 0; m < s->n_methods; m++) {
        DN_TRY(dn_method_parse(&s->calls[m], s->methods[m]));
        DN_TRY(dn_score_check(&s->calls[m], &form, reduce_of(s, m)));
    }
    return DN_OK;
}

static void close_session(session *s)
{
    free_scores(s->id_scores, s->n_methods);
    dn_free(s->calls);
}

static dn_status run(dn_evaluation *out, session *s)
{
    const dn_recipe_data *data = &s->network->recipe->data;
    const bool own = s->options->n_ood > 0;
    const int n_ood = own ? s->options->n_ood : (int)data->n_ood;
    DN_TRY(open_session(s));
    out->members = s->network->members;
    out->id = dn_strdup(s->options->id ? s->options->id : data->test);
    out->rows = dn_calloc((size_t)n_ood * (size_t)s->n_methods, sizeof *out->rows);
    if (!out->id || !out->rows) return DN_ERROR_MEMORY;
    DN_TRY(evaluate_id(out, s));
    for (int i = 0; i < n_ood; i++) DN_TRY(evaluate_ood(out, s, own ? s->options->ood[i] : data->ood[i]));
    return DN_OK;
}

dn_status dn_evaluate(dn_evaluation *out, const dn_network *network, const dn_evaluation_options *options)
{
    *out = (dn_evaluation){0};
    session s = {.network = network, .options = options};
    const dn_status status = run(out, &s);
    if (status == DN_OK && options->keep_scores) {
        out->id_scores = s.id_scores;
        out->n_methods = s.n_methods;
        s.id_scores = NULL;
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
        dn_free(evaluation->rows[i].scores);
    }
    dn_free(evaluation->rows);
    free_scores(evaluation->id_scores, evaluation->n_methods);
    dn_free(evaluation->member_accuracy);
    dn_free(evaluation->id);
    *evaluation = (dn_evaluation){0};
}

const char *dn_evaluation_reduce_text(const dn_evaluation_row *row)
{
    return row->reduce == DN_REDUCE_DEFAULT ? "-" : dn_reduce_name(row->reduce);
}
