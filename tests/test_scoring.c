/* Scores of a run's sets: each expression with the pass that it asks for, against what the outputs say by hand. */
#include <math.h>

#include "apps/run.h"
#include "apps/scoring.h"
#include "tests/run_command.h"

TestSuite(scoring, .init = open_work, .fini = close_work, .timeout = 120);

enum { N = 50, T = 3 };

typedef struct rig {
    dn_device *device;
    dn_network *network;
    dn_output_files files;
    dn_expression_list list;
    dn_scoring *scoring;
    dn_set_scores scores;
} rig;

static char set[300];

static void train(const char *rest, const char *override)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", rest));
    snprintf(set, sizeof set, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    TRAIN(recipe, "--out", at("run"), "-q", override);
}

/** Parts of the rig point at each other: it stays where it is. */
static void score(rig *r, const char *methods, dn_reduce reduce)
{
    *r = (rig){0};
    dn_outputs *plain = NULL;
    cr_assert_eq(dn_device_open(&r->device, "cpu", &(dn_device_options){.threads = 2}), DN_OK);
    cr_assert_eq(dn_run_load(&r->network, at("run"), r->device), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_output_files_open(&r->files, r->network, at("run"), NULL, false, true), DN_OK, "%s",
                 dn_error_last());
    cr_assert_eq(dn_expression_list_add(&r->list, methods), DN_OK, "%s", dn_error_last());
    const dn_scoring_options options = {.list = &r->list, .reduce = reduce, .quiet = true};
    cr_assert_eq(dn_scoring_open(&r->scoring, &r->files, &options), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_scoring_outputs(&plain, r->scoring, set), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_scoring_run(&r->scores, r->scoring, plain), DN_OK, "%s", dn_error_last());
    cr_assert_eq(r->scores.rows, N);
    dn_outputs_close(plain);
}

static void close_rig(rig *r)
{
    dn_set_scores_close(&r->scores);
    dn_scoring_close(r->scoring);
    dn_expression_list_close(&r->list);
    dn_output_files_close(&r->files);
    dn_network_close(r->network);
    dn_device_close(r->device);
}

static double mean(const double *scores)
{
    double sum = 0.0;
    for (int i = 0; i < N; i++) sum += scores[i] / N;
    return sum;
}

/** Adds the probabilities of a row, by output; those that the member does not have are 0. */
static void add_softmax(double *to, const float *logits, const dn_network *n, int member)
{
    double sum = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < n->columns; k++) {
            if (n->class_map && n->class_map[member * n->columns + k] < 0) continue;
            if (pass == 0)
                sum += exp((double)logits[k]);
            else
                to[k] += exp((double)logits[k]) / sum;
        }
}

/** The entropy of the mean over one member's passes. */
static double entropy_of_passes(const dn_outputs *o, int member, size_t row)
{
    double p[CLASSES] = {0}, entropy = 0.0;
    float logits[CLASSES];
    for (size_t t = 0; t < T; t++) {
        const dn_matrix *m = &o->logits;
        cr_assert_eq(m->read(m->context, (size_t)member * T + t, row, 1, logits), DN_OK);
        add_softmax(p, logits, o->network, member);
    }
    for (int k = 0; k < o->network->columns; k++)
        if (p[k] > 0.0) entropy -= p[k] / T * log(p[k] / T);
    return entropy;
}

/** Each member's passes are an ensemble; members meet in the mean, the least or the largest of their scores. */
static void check_dropout(dn_reduce reduce)
{
    rig r;
    score(&r, "mc_dropout:T=3", reduce);
    const dn_output_request request = {
        .set = set, .pass = "dropout T=3", .options = {.kind = DN_PASS_DROPOUT, .samples = T}};
    dn_outputs *o = NULL;
    const int64_t images = r.files.images;
    cr_assert_eq(dn_outputs_open(&o, &r.files, &request), DN_OK, "%s", dn_error_last());
    cr_expect_eq(r.files.images, images, "the passes were there");
    cr_assert_eq(o->members, T * r.network->members);
    for (size_t i = 0; i < N; i++) {
        double sum = 0.0, least = INFINITY, most = -INFINITY;
        for (int e = 0; e < r.network->members; e++) {
            const double entropy = entropy_of_passes(o, e, i);
            sum += entropy / r.network->members;
            least = fmin(least, entropy);
            most = fmax(most, entropy);
        }
        const double expected = reduce == DN_REDUCE_MIN ? least : reduce == DN_REDUCE_MAX ? most : sum;
        cr_expect_float_eq(r.scores.score[0][i], expected, 1e-9, "row %zu", i);
    }
    dn_outputs_close(o);
    close_rig(&r);
}

Test(scoring, dropout)
{
    train(leave_out_recipe, "model.dropout=.4");
    check_dropout(DN_REDUCE_DEFAULT);
    check_dropout(DN_REDUCE_MIN);
    check_dropout(DN_REDUCE_MAX);
}

/** An image that is moved against its score's own gradient has a lower score, the lower the farther (for small steps).
 */
static void check_moved(const char *recipe)
{
    train(recipe, "train.steps=40");
    rig r;
    score(&r,
          "mahalanobis,mahalanobis:eps=.001,mahalanobis:eps=.004,she,she:eps=.002,she:rule=max,layers=all,"
          "she:rule=max,layers=all,eps=.002,she:rule=max,layers=all,eps=-.002",
          DN_REDUCE_DEFAULT);
    cr_assert_eq(r.scores.count, 8);
    double *const *s = r.scores.score;
    cr_expect_lt(mean(s[1]), mean(s[0]));
    cr_expect_lt(mean(s[2]), mean(s[1]));
    cr_expect_lt(mean(s[4]), mean(s[3]));
    int lower = 0;
    for (int i = 0; i < N; i++) lower += s[1][i] < s[0][i];
    cr_expect_gt(lower, N * 9 / 10, "%d of %d images are lower", lower, N);
    /* Of several layers, by the gradient of their sum; below 0 along it. */
    int against = 0, along = 0;
    for (int i = 0; i < N; i++) against += s[6][i]<s[5][i], along += s[7][i]> s[5][i];
    cr_expect_gt(against, N * 9 / 10, "%d of %d images are lower", against, N);
    cr_expect_gt(along, N * 9 / 10, "%d of %d images are higher", along, N);
    close_rig(&r);
    remove_folder(at("run"));
}

Test(scoring, moved_against_the_own_gradient)
{
    check_moved(deep_recipe);
    check_moved(leave_out_recipe);
}

/** A score is the same alone and in company, whatever passes the others ask for. */
Test(scoring, company_changes_nothing)
{
    train(mi_recipe, "train.steps=20");
    static const char *const alone[] = {"msp", "knn:k=3", "react+energy", "odin:eps=.01", "gram", "variance"};
    rig all;
    score(&all, "variance,gram,odin:eps=.01,react+energy,rankfeat,knn:k=3,knn:k=2,msp", DN_REDUCE_MAX);
    static const int place[] = {7, 5, 3, 2, 1, 0};
    for (int i = 0; i < 6; i++) {
        rig one;
        score(&one, alone[i], DN_REDUCE_MAX);
        for (int k = 0; k < N; k++)
            cr_expect_eq(one.scores.score[0][k], all.scores.score[place[i]][k], "%s, row %d", alone[i], k);
        cr_expect_eq(one.files.images, 0, "%s: the network ran", alone[i]);
        cr_expect_eq(dn_scoring_reduce(one.scoring, 0), i == 5 ? DN_REDUCE_DEFAULT : DN_REDUCE_MAX);
        close_rig(&one);
    }
    close_rig(&all);
}
