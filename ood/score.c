#include "ood/score.h"

#include <math.h>
#include <string.h>

#include "core/nearest.h"
#include "ood/method_functions.h"
#include "ood/probability.h"
#include "ood/score_plan.h"

typedef struct job {
    const dn_method_call *call;
    dn_reduce reduce;
    double *scores; /* [N] */
} job;

static const char *const reduce_names[] = {"default", "score", "prob", "logit", "min", "max"};
_Static_assert(sizeof reduce_names / sizeof *reduce_names == DN_REDUCE_COUNT, "every reduction has a name");

const char *dn_reduce_name(dn_reduce reduce)
{
    return (unsigned)reduce < DN_REDUCE_COUNT ? reduce_names[reduce] : "?";
}

dn_status dn_reduce_parse(dn_reduce *out, const char *name)
{
    for (int i = DN_REDUCE_SCORE; i < DN_REDUCE_COUNT; i++) {
        if (strcmp(name, reduce_names[i]) != 0) continue;
        *out = (dn_reduce)i;
        return DN_OK;
    }
    const char *nearest = dn_nearest(name, reduce_names + DN_REDUCE_SCORE, DN_REDUCE_COUNT - DN_REDUCE_SCORE);
    return dn_fail(DN_ERROR_ARGUMENT, "there is no reduction '%s'; %s%s%s", name, nearest ? "did you mean '" : "",
                   nearest ? nearest : "choose score, prob, logit, min or max", nearest ? "'?" : "");
}

dn_status dn_score_check(const dn_method_call *call, const dn_score_input *input, dn_reduce reduce)
{
    const dn_method *method = call->method;
    DN_TRY(dn__score_input_check(input));
    if ((unsigned)reduce >= DN_REDUCE_COUNT) {
        return dn_fail(DN_ERROR_ARGUMENT, "score: reduction %d does not exist", (int)reduce);
    }
    if (method->kind == DN_METHOD_ENSEMBLE) {
        if (reduce == DN_REDUCE_DEFAULT) return DN_OK;
        return dn_fail(DN_ERROR_ARGUMENT,
                       "%s combines the members itself, but reduce=%s was given; leave the reduction out", method->name,
                       dn_reduce_name(reduce));
    }
    if (reduce == DN_REDUCE_LOGIT && input->class_map) {
        return dn_fail(
            DN_ERROR_ARGUMENT,
            "%s with reduce=logit: members with a class map have no logit at the classes that they leave out, "
            "so that logits have no mean; use reduce=prob or reduce=score",
            method->name);
    }
    if (reduce == DN_REDUCE_PROB && method->score.single == dn__score_energy && call->option[0] == 1.0) {
        return dn_fail(
            DN_ERROR_ARGUMENT,
            "energy with reduce=prob is 0 for every row at T=1, because probabilities sum to 1; use reduce=score "
            "or reduce=logit, or another T");
    }
    return DN_OK;
}

/** Joins the members' own scores. @param one [rows] scratch */
static void reduce_scores(const job *j, const dn_score_block *in, double *scores, double *one, double *scratch)
{
    const dn_method *method = j->call->method;
    method->score.single(scores, &in->member[0], j->call->option, scratch);
    for (size_t e = 1; e < in->members; e++) {
        method->score.single(one, &in->member[e], j->call->option, scratch);
        for (size_t r = 0; r < in->rows; r++) {
            switch (j->reduce) {
            case DN_REDUCE_MIN: scores[r] = fmin(scores[r], one[r]); break;
            case DN_REDUCE_MAX: scores[r] = fmax(scores[r], one[r]); break;
            default: scores[r] += one[r]; break;
            }
        }
    }
    if (j->reduce == DN_REDUCE_MIN || j->reduce == DN_REDUCE_MAX) return;
    for (size_t r = 0; r < in->rows; r++) scores[r] /= (double)in->members;
}

/** @param logits [rows, classes] mean over members; columns are classes, for there is no class map */
static void mean_logits(double *logits, const dn_score_block *in)
{
    for (size_t i = 0; i < in->rows * in->classes; i++) {
        double sum = 0.0;
        for (size_t e = 0; e < in->members; e++) sum += in->member[e].logits[i];
        logits[i] = sum / (double)in->members;
    }
}

/** Scratch: one [rows], joint [rows, classes], the method's own. */
static void score_block(void *context, const dn_score_block *in, size_t first_row, double *scratch)
{
    const job *j = context;
    const dn_method *method = j->call->method;
    double *scores = j->scores + first_row, *one = scratch, *joint = one + in->rows;
    double *own = joint + in->rows * in->classes;
    if (method->kind == DN_METHOD_ENSEMBLE) {
        method->score.ensemble(scores, in, j->call->option, own);
        return;
    }
    if (j->reduce != DN_REDUCE_PROB && j->reduce != DN_REDUCE_LOGIT) {
        reduce_scores(j, in, scores, one, own);
        return;
    }
    if (j->reduce == DN_REDUCE_LOGIT) {
        mean_logits(joint, in);
    } else {
        for (size_t r = 0; r < in->rows; r++) dn__log_mean_probabilities(joint + r * in->classes, in, r, own);
    }
    const dn_score_rows rows = {in->rows, in->classes, joint, NULL};
    method->score.single(scores, &rows, j->call->option, own);
}

static dn_status check_scores(const job *j, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        if (isfinite(j->scores[r])) continue;
        return dn_fail(DN_ERROR_NUMERIC,
                       "%s: the score of row %zu (counted from 0) is %g: its logits are too large for "
                       "double arithmetic; scale them down",
                       j->call->method->name, r, j->scores[r]);
    }
    return DN_OK;
}

dn_status dn_score(double *scores, const dn_method_call *call, const dn_score_input *input, dn_reduce reduce)
{
    DN_TRY(dn_score_check(call, input, reduce));
    job j = {call, reduce, scores};
    dn__score_plan plan;
    dn_status status = dn__score_plan_open(&plan, input);
    if (status == DN_OK) {
        const size_t scratch = plan.block_rows * (1 + plan.classes) + dn_method_scratch(input->members, plan.classes);
        status = dn__score_plan_run(&plan, score_block, &j, scratch);
    }
    dn__score_plan_close(&plan);
    return status == DN_OK ? check_scores(&j, input->rows) : status;
}

typedef struct prediction_job {
    const dn_ensemble_prediction *out;
    size_t rows; /* of the whole input */
} prediction_job;

static void predict_block(void *context, const dn_score_block *in, size_t first_row, double *scratch)
{
    const prediction_job *j = context;
    const dn_ensemble_prediction *out = j->out;
    double *mean = scratch + in->members * in->classes, *own = mean + in->classes;
    for (size_t r = 0; r < in->rows; r++) {
        const size_t row = first_row + r;
        dn__member_probabilities(scratch, mean, own, in, r);
        if (out->labels) out->labels[row] = (int32_t)dn__argmax(mean, in->classes);
        if (out->probabilities) memcpy(out->probabilities + row * in->classes, mean, in->classes * sizeof *mean);
        if (!out->member_labels) continue;
        for (size_t e = 0; e < in->members; e++) {
            const dn_score_rows *member = &in->member[e];
            const size_t column = dn__argmax(member->logits + r * member->columns, member->columns);
            out->member_labels[e * j->rows + row] = member->classes[column];
        }
    }
}

dn_status dn_ensemble_predict(const dn_ensemble_prediction *out, const dn_score_input *input)
{
    prediction_job j = {out, input->rows};
    dn__score_plan plan;
    dn_status status = dn__score_plan_open(&plan, input);
    if (status == DN_OK) {
        status = dn__score_plan_run(&plan, predict_block, &j, dn_method_scratch(input->members, plan.classes));
    }
    dn__score_plan_close(&plan);
    return status;
}
