/* The ensembles of `dunlin reproduce`: published tables, published conventions, and what is kept while they train. */
#include <math.h>

#include "apps/eloc_metrics.h"
#include "apps/experiments.h"
#include "apps/grid_threshold.h"
#include "apps/member_choice.h"
#include "apps/mi_curve.h"
#include "apps/published_ensembles.h"
#include "apps/reproduce_rows.h"
#include "apps/run.h"
#include "apps/train_run.h"
#include "ood/metrics.h"
#include "tests/run_command.h"

#define OK(call) cr_assert_eq(call, DN_OK, "%s", dn_error_last())

/* ---- tables ---- */

static bool is_share(const dn_published *p)
{
    return strcmp(p->figure, "accepted") != 0 && strcmp(p->figure, "mean") != 0;
}

static void check_table(const dn_experiment *e)
{
    for (int i = 0; i < e->n_published; i++) {
        const dn_published *p = &e->published[i];
        cr_assert(p->set && p->score && p->figure, "%s: row %d is empty", e->name, i);
        for (int c = 0; c < DN_PUBLISHED_COLUMNS; c++)
            cr_expect(isnan(p->value[c]) || !is_share(p) || (p->value[c] >= 0 && p->value[c] <= 1), "%s, %s, %s",
                      p->set, p->score, p->figure);
        for (int k = 0; k < i; k++)
            cr_expect(strcmp(p->set, e->published[k].set) != 0 || strcmp(p->score, e->published[k].score) != 0 ||
                          strcmp(p->figure, e->published[k].figure) != 0,
                      "%s: %s, %s, %s twice", e->name, p->set, p->score, p->figure);
    }
}

static double published(const dn_experiment *e, const char *set, const char *score, const char *figure, int column)
{
    for (int i = 0; i < e->n_published; i++) {
        const dn_published *p = &e->published[i];
        if (strcmp(p->set, set) == 0 && strcmp(p->score, score) == 0 && strcmp(p->figure, figure) == 0)
            return p->value[column];
    }
    cr_assert_fail("%s: there is no row %s, %s, %s", e->name, set, score, figure);
    return NAN;
}

Test(reproduce_ensembles, published_tables)
{
    const dn_experiment *const mi = &dn_experiment_mi_ensemble, *const dn = &dn_experiment_leave_out;
    const dn_experiment *const wrn = &dn_experiment_leave_out_wrn_cifar100;
    check_table(mi);
    check_table(dn);
    check_table(&dn_experiment_leave_out_cifar100);
    check_table(&dn_experiment_leave_out_wrn);
    check_table(wrn);
    cr_expect_eq(published(mi, "degeneralised, TIM", "entropy", "AUROC", 0), .9488);
    cr_expect_eq(published(mi, "degeneralised, block 3, Gaussian", "entropy", "AUROC", 1), .0007);
    cr_expect_eq(published(mi, "combined, TIM", "grid on test rows", "F1", 0), .85686223);
    cr_expect(isnan(published(mi, "combined, TIM", "held-out half", "F1", 0)));
    cr_expect_float_eq(published(dn, "TIN crop", "entropy gradient", "FPR95", 0), .0123, 1e-12);
    cr_expect_float_eq(published(dn, "LSUN resize", "CE gradient", "AUPR out", 1), .9968, 1e-12);
    cr_expect_float_eq(published(wrn, "LSUN crop", "CE gradient", "AUROC", 1), .9725, 1e-12);
    cr_expect(isnan(published(dn, "TIN crop", "entropy gradient", "FPR95", 1)),
              "the implementation's gradient is CE's");
    /* The figures of one table belong together. */
    const double precision = published(mi, "combined, TIM", "grid on test rows", "precision", 0);
    const double recall = published(mi, "combined, TIM", "grid on test rows", "recall", 0);
    cr_expect_float_eq(published(mi, "combined, TIM", "grid on test rows", "F1", 0),
                       2 * precision * recall / (precision + recall), 1e-7);
    cr_expect_float_eq(published(mi, "combined, TIM", "grid on test rows", "accepted", 0), recall * 10000 / precision,
                       .01);
}

/* ---- conventions ---- */

Test(reproduce_ensembles, threshold_on_a_grid)
{
    const double id[] = {.1, .2, .3}, ood[] = {.25, .9, 2.};
    /* 5 of 6 are right from .2 to .25 and from .3 to .9. */
    cr_expect_eq(dn_grid_threshold(id, 3, ood, 3, 1000), 899 * (1.0 / 999.0));
    cr_expect_eq(dn_grid_threshold(id, 3, ood, 3, 11), .9, "what equals the threshold is OOD");
    const double high[] = {1.5, 1.6};
    cr_expect_eq(dn_grid_threshold(high, 2, ood + 2, 1, 1000), 1.0, "thresholds end at 1, the last of equals counts");
    cr_expect_eq(dn_grid_threshold(high, 2, id, 3, 1000), 99 * (1.0 / 999.0), "the last that takes none of them");
}

Test(reproduce_ensembles, rows_that_choose_are_numpys)
{
    static const int first[] = {5876, 6555, 1448, 3351, 231, 1204};
    static uint8_t chose[10000];
    int count = 0;
    OK(dn_rows_that_chose(chose, 10000, 10000, 1000, 3));
    for (int i = 0; i < 10000; i++) count += chose[i];
    cr_expect_eq(count, 1000);
    for (int i = 0; i < 6; i++) cr_expect(chose[first[i]], "%d", first[i]);
    cr_expect_not(chose[9699], "it is behind the first 1000");
    uint8_t few[51];
    few[50] = 7;
    OK(dn_rows_that_chose(few, 50, 10000, 1000, 3));
    count = 0;
    for (int i = 0; i < 50; i++) count += few[i];
    cr_expect_eq(count, 5);
    cr_expect_eq(few[50], 7);
}

/* Shares as the implementation counts them, by looking at every row for every threshold. */
static double share(const double *x, int n, double d, int sign, bool equal)
{
    int count = 0;
    for (int i = 0; i < n; i++) count += (x[i] - d) * sign > 0 || (equal && x[i] == d);
    return (double)count / n;
}

static void by_definition(double *figures, const double *x, const double *y, const double *d, int n, int thresholds)
{
    double fpr = 0, error = 1, auroc = 0, aupr_in = 0, aupr_out = 0, before = 1, precision = 0, last = 0;
    int count = 0;
    for (int k = 0; k < thresholds; k++) {
        const double tpr = share(x, n, d[k], 1, true), above = share(y, n, d[k], 1, false);
        if (tpr >= .9495 && tpr <= .9505) fpr += above, count++;
        error = fmin(error, (share(x, n, d[k], -1, false) + above) / 2);
        auroc += (before - above) * tpr;
        before = above, last = tpr;
    }
    auroc += before * last;
    before = 1;
    for (int k = 0; k < thresholds; k++) {
        const double tp = share(x, n, d[k], 1, true), fp = share(y, n, d[k], 1, true);
        precision = tp / (tp + fp);
        aupr_in += (before - tp) * precision;
        before = tp;
    }
    aupr_in += before * precision;
    before = 1;
    for (int k = thresholds - 1; k >= 0; k--) {
        const double tp = share(y, n, d[k], -1, false), fp = share(x, n, d[k], -1, false);
        if (tp + fp == 0) break;
        precision = tp / (tp + fp);
        aupr_out += (before - tp) * precision;
        before = tp;
    }
    const double found[] = {fpr / count, error, auroc, aupr_in, aupr_out + before * precision};
    memcpy(figures, found, sizeof found);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { ROWS = 400 };

/* Draws scores; `equal`: many of them are. @return how many different ones there are, sorted in d [2 ROWS] */
static int draw_scores(double *id, double *ood, double *d, bool equal)
{
    dn_random_sequence r = {.seed = 9};
    for (int i = 0; i < ROWS; i++) {
        id[i] = equal ? dn_random_next_below(&r, 50) : (double)dn_random_next_uniform(&r, 0.0F, 1.0F);
        ood[i] = equal ? dn_random_next_below(&r, 80) : (double)dn_random_next_uniform(&r, 0.4F, 1.4F);
        d[i] = -id[i];
        d[ROWS + i] = -ood[i];
    }
    int count = 0;
    qsort(d, 2 * (size_t)ROWS, sizeof *d, ascending);
    for (int i = 0; i < 2 * ROWS; i++)
        if (i == 0 || d[i] != d[count - 1]) d[count++] = d[i];
    return count;
}

static void compare_figures(double *got, bool equal)
{
    double id[ROWS], ood[ROWS], x[ROWS], y[ROWS], d[2 * ROWS], expected[DN_ELOC_FIGURES];
    const int thresholds = draw_scores(id, ood, d, equal);
    for (int i = 0; i < ROWS; i++) x[i] = -id[i], y[i] = -ood[i];
    by_definition(expected, x, y, d, ROWS, thresholds);
    OK(dn_eloc_metrics(got, id, ROWS, ood, ROWS));
    for (int f = equal ? 1 : 0; f < DN_ELOC_FIGURES; f++) cr_expect_float_eq(got[f], expected[f], 1e-12, "%d", f);
    if (equal) return;
    dn_metrics usual;
    OK(dn_metrics_compute(&usual, id, ROWS, ood, ROWS, &(dn_metrics_options){DN_FPR_BAND, DN_POSITIVE_ID}));
    cr_expect_float_eq(got[DN_ELOC_AUROC], usual.auroc, 1e-12);
    cr_expect_float_eq(got[DN_ELOC_FPR95], usual.fpr95, 1.01 / ROWS);
    cr_expect_float_eq(got[DN_ELOC_AUPR_OUT], usual.aupr_out, .01);
}

Test(reproduce_ensembles, figures_as_the_implementation_has_them)
{
    double got[DN_ELOC_FIGURES];
    compare_figures(got, false);
    compare_figures(got, true);
    const double one[] = {1, 2}, two[] = {3, 4};
    OK(dn_eloc_metrics(got, one, 2, two, 2));
    cr_expect(isnan(got[DN_ELOC_FPR95]), "no threshold has a TPR of 0.95");
    cr_expect_eq(got[DN_ELOC_DETECTION_ERROR], 0);
    cr_expect_eq(got[DN_ELOC_AUROC], 1);
    cr_expect_eq(dn_eloc_metrics(got, one, 0, two, 2), DN_ERROR_ARGUMENT);
}

/* ---- numbers by step ---- */

static const char *const columns[] = {"a", "b"};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(reproduce_ensembles, step_tables_come_back)
{
    dn_step_table t;
    open_work();
    char path[160];
    snprintf(path, sizeof path, "%s", at("t.csv"));
    OK(dn_step_table_open(&t, path, columns, 2, 100));
    cr_expect_eq(t.rows, 0);
    OK(dn_step_table_add(&t, 5, (double[]){.1, NAN}));
    OK(dn_step_table_add(&t, 10, (double[]){1.0 / 3.0, -2e-9}));
    dn_step_table_close(&t);
    OK(dn_step_table_open(&t, path, columns, 2, INT64_MAX));
    cr_assert_eq(t.rows, 2);
    cr_expect_eq(dn_step_table_step(&t, 1), 10);
    cr_expect_eq(dn_step_table_at(&t, 1, 0), 1.0 / 3.0);
    cr_expect_eq(dn_step_table_find(&t, 10)[1], -2e-9);
    cr_expect(isnan(dn_step_table_find(&t, 5)[1]));
    cr_expect_null(dn_step_table_find(&t, 6));
    dn_step_table_close(&t);
    OK(dn_step_table_open(&t, path, columns, 2, 9));
    cr_expect_eq(t.rows, 1, "step 10 is behind the checkpoint");
    dn_step_table_close(&t);
    static const char *const bad[] = {"step,a,c\n",          "step,a,b\n1,2\n",     "step,a,b\n1,2,x\n",
                                      "step,a,b\n1,2,3",     "step,a,b\n1,2,3,4\n", "step,a,b\n2,2,3\n1,2,3\n",
                                      "step,a,b\nnan,1,1\n", "step,a,b\n,1,1\n",    "\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_file(path, bad[i]);
        cr_expect_eq(dn_step_table_open(&t, path, columns, 2, 100), DN_ERROR_FORMAT, "%s", bad[i]);
        cr_expect(strstr(dn_error_last(), "t.csv, line "), "%s", dn_error_last());
    }
    close_work();
}

/* ---- while training ---- */

enum { EVERY = 3, STEPS = 12, LOOKS = STEPS / EVERY, MEMBERS = 3 };

/* What a choice sees, and when training breaks off. */
typedef struct watch {
    dn_member_choice choice;
    int64_t stop_at;                  /* 0: never */
    float *first[LOOKS + 1][MEMBERS]; /* the parameters of each member at each look */
    size_t bytes;
} watch;

static float *member_values(const dn_network *n, int member, size_t *bytes)
{
    *bytes = (size_t)dn_params_slice(n->params, DN_BLOCK_VALUES) * sizeof(float);
    float *values = dn_calloc(*bytes, 1);
    cr_assert_eq(
        dn_buffer_download(dn_params_buffer(n->params, DN_BLOCK_VALUES, 0), (size_t)member * *bytes, values, *bytes),
        DN_OK);
    return values;
}

static dn_status look(void *context, const dn_network *network, const dn_history *history)
{
    watch *w = context;
    DN_TRY(dn_member_choice_look(&w->choice, network, history));
    float **at_step = w->first[history->steps / EVERY];
    for (int e = 0; e < MEMBERS && !at_step[e]; e++) at_step[e] = member_values(network, e, &w->bytes);
    return w->stop_at && history->steps == w->stop_at ? dn_fail(DN_ERROR_INTERRUPTED, "enough") : DN_OK;
}

static dn_status train(const char *run, watch *w, bool resume, dn_device *device)
{
    static char id[300], ood[160], path[160];
    const char *overrides[] = {"train.checkpoint_every=3", "optimizer.rate=0.2"};
    snprintf(id, sizeof id, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    snprintf(ood, sizeof ood, "npy:%s/ood.npy", work);
    snprintf(path, sizeof path, "%s-choice.csv", run);
    w->choice = (dn_member_choice){.run = run, .path = path, .id = id, .ood = ood, .permutation = 3, .rows = 30};
    dn_train_request request = {.run = run,
                                .recipe = write_recipe("r", leave_out_recipe),
                                .overrides = overrides,
                                .n_overrides = 2,
                                .resume = resume,
                                .quiet = true,
                                .on_checkpoint = look,
                                .context = w};
    dn_recipe *recipe = NULL;
    dn_train_result result = {0};
    OK(dn_train_recipe(&recipe, &request));
    const dn_status status = dn_train_run(&result, recipe, device, &request);
    dn_train_result_close(&result);
    dn_member_choice_close(&w->choice);
    return status;
}

static void check_best(const char *run, const watch *w, dn_device *device)
{
    dn_network *best = NULL;
    dn_member_choice choice = w->choice;
    char *folder = dn_format("%s/best", run);
    OK(dn_run_load(&best, folder, device));
    OK(dn_member_choice_open(&choice, INT64_MAX));
    cr_assert_eq(choice.table.rows, LOOKS);
    for (int e = 0; e < MEMBERS; e++) {
        size_t bytes = 0;
        const size_t row = dn_member_choice_best(&choice, e);
        float *kept = member_values(best, e, &bytes);
        cr_expect_eq(memcmp(kept, w->first[row + 1][e], bytes), 0, "member %d, row %zu", e, row);
        for (size_t r = 0; r < LOOKS; r++)
            cr_expect_leq(dn_step_table_at(&choice.table, r, (size_t)e),
                          dn_step_table_at(&choice.table, row, (size_t)e));
        dn_free(kept);
    }
    dn_member_choice_close(&choice);
    dn_network_close(best);
    dn_free(folder);
}

static void close_watch(watch *w)
{
    for (int i = 0; i <= LOOKS; i++)
        for (int e = 0; e < MEMBERS; e++) dn_free(w->first[i][e]);
}

static void expect_same_files(const char *one, const char *two)
{
    char texts[2][4000] = {"", ""};
    const char *const names[] = {one, two};
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(names[i], "r");
        cr_assert_not_null(file, "%s", names[i]);
        texts[i][fread(texts[i], 1, sizeof texts[i] - 1, file)] = '\0';
        fclose(file);
    }
    cr_expect_str_eq(texts[0], texts[1]);
}

Test(reproduce_ensembles, each_member_keeps_its_best_epoch, .init = open_work, .fini = close_work)
{
    dn_device *device = NULL;
    char through[160], broken[160];
    snprintf(through, sizeof through, "%s", at("through"));
    snprintf(broken, sizeof broken, "%s", at("broken"));
    OK(dn_device_open(&device, "cpu", &(dn_device_options){.threads = 1}));
    watch w = {0}, v = {.stop_at = 2 * EVERY};
    OK(train(through, &w, false, device));
    check_best(through, &w, device);
    cr_expect_eq(train(broken, &v, false, device), DN_ERROR_INTERRUPTED);
    v.stop_at = 0;
    OK(train(broken, &v, true, device));
    check_best(broken, &v, device);
    char csv[2][200];
    snprintf(csv[0], sizeof csv[0], "%s-choice.csv", through);
    snprintf(csv[1], sizeof csv[1], "%s-choice.csv", broken);
    expect_same_files(csv[0], csv[1]);
    dn_member_choice other = {.run = through, .path = csv[0], .ood = "textures:resize"};
    cr_expect_eq(dn_member_choice_open(&other, INT64_MAX), DN_ERROR_FORMAT, "another set chose");
    HAS(dn_error_last(), "expected 'step,member1 by textures:resize,");
    dn_member_choice_close(&other);
    close_watch(&w);
    close_watch(&v);
    dn_device_close(device);
}

/* A set that is damaged is not taken for one that is missing, for which another would be used. */
Test(reproduce_ensembles, damaged_sets_are_errors, .init = open_work, .fini = close_work)
{
    static const char *const batches[] = {"data_batch_1", "data_batch_2", "data_batch_3",
                                          "data_batch_4", "data_batch_5", "test_batch"};
    static const char image[3073];
    char path[160];
    cr_assert_eq(mkdir(at("cifar-10-batches-bin"), 0700), 0);
    cr_assert_eq(mkdir(at("tiny_imagenet"), 0700), 0);
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%s/cifar-10-batches-bin/%s.bin", work, batches[i]);
        FILE *file = fopen(path, "wb");
        cr_assert_not_null(file);
        fwrite(image, 1, sizeof image, file);
        fclose(file);
    }
    cr_expect_eq(RUN("reproduce", "leave-out", "--data", work, "--out", at("r")), 1);
    HAS(err, "none of the unknown sets is there");
    write_file(at("tiny_imagenet/tin_test_crop32.bin"), "damaged");
    cr_expect_eq(RUN("reproduce", "leave-out", "--data", work, "--out", at("r")), 1);
    HAS(err, "tin_test_crop32.bin");
    HAS(err, "found 7 bytes in the file");
}

/* ---- curves, and scores of rows ---- */

static dn_status look_at_curve(void *context, const dn_network *network, const dn_history *history)
{
    dn_status status = dn_mi_curve_look(context, network, history);
    /* Once more: as after a break between the checkpoint and its row, nothing is doubled. */
    if (status == DN_OK) status = dn_mi_curve_look(context, network, history);
    return status;
}

static void check_row(const dn_mi_curve *curve, const dn_reproduction *r, const char *run, double accuracy)
{
    dn_rows rows;
    dn_set_scores id = {0}, ood = {0};
    dn_metrics metrics;
    uint8_t *right = NULL;
    const double *row = dn_step_table_find(&curve->table, STEPS);
    cr_assert_not_null(row);
    cr_expect_float_eq(row[DN_MI_ACCURACY_COLUMN], accuracy, 1e-12);
    OK(dn_rows_open(&rows, r, run, dn_mi_scores, DN_MI_SCORES, 0));
    OK(dn_rows_take(&id, &right, &rows, curve->id));
    OK(dn_rows_take(&ood, NULL, &rows, curve->ood[1].expression));
    double share_right = 0.0;
    for (size_t i = 0; i < id.rows; i++) share_right += right[i] / (double)id.rows;
    cr_expect_float_eq(share_right, accuracy, 1e-12);
    for (int k = 0; k < DN_MI_SCORES; k++) {
        OK(dn_metrics_compute(&metrics, id.score[k], id.rows, ood.score[k], ood.rows, NULL));
        cr_expect_float_eq(row[dn_mi_auroc_column(1, k)], metrics.auroc, 1e-9, "%d", k);
    }
    dn_free(right);
    dn_set_scores_close(&ood);
    dn_set_scores_close(&id);
    dn_rows_close(&rows);
}

Test(reproduce_ensembles, curve_is_what_evaluation_says, .init = open_work, .fini = close_work)
{
    char id[300], ood[160], run[160], path[160];
    const char *overrides[] = {"train.checkpoint_every=4"};
    snprintf(id, sizeof id, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    snprintf(ood, sizeof ood, "npy:%s/ood.npy", work);
    snprintf(run, sizeof run, "%s", at("run"));
    snprintf(path, sizeof path, "%s", at("curve.csv"));
    const dn_labelled sets[DN_MI_SETS] = {{"a", id}, {"b", ood}, {"c", id}};
    dn_mi_curve curve = {.path = path, .id = id, .ood = sets};
    dn_train_request request = {.run = run,
                                .recipe = write_recipe("r", deep_recipe),
                                .overrides = overrides,
                                .n_overrides = 1,
                                .quiet = true,
                                .on_checkpoint = look_at_curve,
                                .context = &curve};
    dn_recipe *recipe = NULL;
    dn_device *device = NULL;
    dn_train_result result = {0};
    OK(dn_device_open(&device, "cpu", &(dn_device_options){.threads = 1}));
    OK(dn_train_recipe(&recipe, &request));
    OK(dn_train_run(&result, recipe, device, &request));
    cr_expect_eq(curve.table.rows, 3, "steps 4, 8 and 12");
    cr_expect_eq(dn_step_table_at(&curve.table, 2, dn_mi_auroc_column(0, 1)), .5, "a set against itself");
    const dn_reproduce_options options = {.quiet = true};
    const dn_reproduction r = {.options = &options, .device = device};
    check_row(&curve, &r, run, result.report.ensemble);
    dn_train_result_close(&result);
    dn_mi_curve_close(&curve);
    dn_device_close(device);
}

Test(reproduce_ensembles, the_published_leave_out_score, .init = open_work, .fini = close_work)
{
    static const char *const scores[] = {"leave_out:eps=.01", "odin:eps=.01", "leave_out:eps=.01,gradient=entropy",
                                         "odin_entropy:eps=.01", "leave_out"};
    char run[160], ood[160];
    dn_device *device = NULL;
    dn_rows rows;
    dn_set_scores s = {0};
    snprintf(run, sizeof run, "%s", at("run"));
    snprintf(ood, sizeof ood, "npy:%s/ood.npy", work);
    cr_assert_eq(RUN("train", write_recipe("r", leave_out_recipe), "--out", run, "-q"), 0, "%s", err);
    OK(dn_device_open(&device, "cpu", &(dn_device_options){.threads = 1}));
    const dn_reproduce_options options = {.quiet = true};
    OK(dn_rows_open(&rows, &(dn_reproduction){.options = &options, .device = device}, run, scores, 5, 21));
    OK(dn_rows_take(&s, NULL, &rows, ood));
    cr_expect_eq(s.rows, 21, "only the first rows");
    /* Ten classes in three folds: 7, 7 and 6 outputs. At T = 1000 entropies differ little from the largest possible. */
    const double most = 2 * log(7) + log(6);
    double moved = 0.0, other = 0.0;
    for (size_t i = 0; i < s.rows; i++) {
        for (int g = 0; g < 4; g += 2)
            cr_expect_float_eq(s.score[g][i] + MEMBERS - MEMBERS * s.score[g + 1][i], most, 1e-4);
        moved = fmax(moved, fabs(s.score[0][i] - s.score[4][i]));
        other = fmax(other, fabs(s.score[0][i] - s.score[2][i]));
    }
    cr_expect_gt(moved, 2e-4, "%g: the images have moved", moved);
    cr_expect_gt(other, 0, "by another gradient");
    dn_set_scores_close(&s);
    dn_rows_close(&rows);
    dn_device_close(device);
}
