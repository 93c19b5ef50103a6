/* dunlin evaluate RUN2 --classifier RUN1: the figures against a count by hand from what `dunlin predict` says. */
#include <cjson/cJSON.h>
#include <math.h>

#include "apps/half.h"
#include "tests/run_command.h"

static char accepts[160], names[160], id[300], ood[160];

static void open_runs(void)
{
    open_work();
    snprintf(accepts, sizeof accepts, "%s", at("accepts"));
    snprintf(names, sizeof names, "%s", at("names"));
    snprintf(id, sizeof id, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    snprintf(ood, sizeof ood, "npy:%s", at("ood.npy"));
    TRAIN(write_recipe("mi", mi_recipe), "--out", accepts, "-q");
    TRAIN(write_recipe("deep", deep_recipe), "--out", names, "train.steps=60", "-q");
}

TestSuite(combined, .init = open_runs, .fini = close_work, .timeout = 120);

enum { N_ID = 50, N_OOD = 40 };

typedef struct rows {
    double score[N_ID];
    bool right[N_ID];
} rows;

static rows predict(const char *run, const char *set)
{
    rows r = {0};
    cr_assert_eq(RUN("predict", run, "--calibrate", "--method", "predictive_entropy"), 0, "%s", err);
    cr_assert_eq(RUN("predict", run, set, "--json", at("p.json"), "-q"), 0, "%s", err);
    static char text[60000];
    FILE *file = fopen(at("p.json"), "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    cJSON *tree = cJSON_Parse(text);
    const cJSON *image = NULL;
    int i = 0;
    cJSON_ArrayForEach(image, cJSON_GetObjectItem(tree, "images"))
    {
        const cJSON *label = cJSON_GetObjectItem(image, "label");
        r.score[i] = cJSON_GetObjectItem(image, "score")->valuedouble;
        r.right[i++] = label && label->valuedouble == cJSON_GetObjectItem(image, "class")->valuedouble;
    }
    cJSON_Delete(tree);
    return r;
}

/** The largest threshold of the best accuracy among the scores of the rows that choose. */
static double choose(const rows *known, const rows *unknown, bool on_test)
{
    double best = -INFINITY;
    int most = -1;
    for (int t = 0; t < N_ID + N_OOD; t++) {
        const double threshold = t < N_ID ? known->score[t] : unknown->score[t - N_ID];
        if (!on_test && !(t < N_ID ? dn_half_chooses((size_t)t, N_ID) : dn_half_chooses((size_t)(t - N_ID), N_OOD)))
            continue;
        int right = 0;
        for (int i = 0; i < N_ID; i++)
            right += (on_test || dn_half_chooses((size_t)i, N_ID)) && known->score[i] < threshold;
        for (int i = 0; i < N_OOD; i++)
            right += (on_test || dn_half_chooses((size_t)i, N_OOD)) && unknown->score[i] >= threshold;
        if (right < most || (right == most && threshold < best)) continue;
        most = right;
        best = threshold;
    }
    return best;
}

static double number(const cJSON *tree, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(tree, key);
    cr_assert(cJSON_IsNumber(item), "no number '%s'", key);
    return item->valuedouble;
}

static void check_row(const cJSON *row, const rows *known, const rows *unknown, const rows *namer, bool on_test)
{
    const double threshold = choose(known, unknown, on_test);
    int accepted = 0, right = 0, n_id = 0;
    for (int i = 0; i < N_ID; i++) {
        if (!on_test && dn_half_chooses((size_t)i, N_ID)) continue;
        n_id++;
        accepted += known->score[i] < threshold;
        right += known->score[i] < threshold && namer->right[i];
    }
    for (int i = 0; i < N_OOD; i++)
        if (on_test || !dn_half_chooses((size_t)i, N_OOD)) accepted += unknown->score[i] < threshold;
    const double precision = accepted ? right / (double)accepted : 0.0, recall = right / (double)n_id;
    cr_expect_eq(number(row, "threshold"), threshold);
    cr_expect_eq(number(row, "accepted"), accepted);
    cr_expect_eq(number(row, "n_id"), n_id);
    cr_expect_float_eq(number(row, "precision"), precision, 1e-12);
    cr_expect_float_eq(number(row, "recall"), recall, 1e-12);
    cr_expect_float_eq(number(row, "f1"), right ? 2 * precision * recall / (precision + recall) : 0.0, 1e-12);
}

static void check_system(bool on_test)
{
    const rows acceptor_id = predict(accepts, id), acceptor_ood = predict(accepts, ood);
    const rows classifier_id = predict(names, id), classifier_ood = predict(names, ood);
    cr_assert_eq(
        RUN("evaluate", accepts, "--classifier", names, "--threshold-on", on_test ? "test" : "held-out", "--json", "-"),
        0, "%s", err);
    cr_expect_eq(strstr(err, "warning: ") != NULL, on_test);
    HAS(err, "network: 0 images");
    cJSON *tree = cJSON_Parse(out);
    cr_assert_not_null(tree);
    const cJSON *results = cJSON_GetObjectItem(tree, "results");
    cr_assert_eq(cJSON_GetArraySize(results), 3);
    check_row(cJSON_GetArrayItem(results, 0), &acceptor_id, &acceptor_ood, &classifier_id, on_test);
    check_row(cJSON_GetArrayItem(results, 1), &acceptor_id, &acceptor_ood, &acceptor_id, on_test);
    check_row(cJSON_GetArrayItem(results, 2), &classifier_id, &classifier_ood, &classifier_id, on_test);
    cJSON_Delete(tree);
}

/** The published rule: 1000 values from 0 to 1, the largest of the best. */
Test(combined, threshold_on_a_grid)
{
    const rows known = predict(accepts, id), unknown = predict(accepts, ood);
    cr_assert_eq(RUN("evaluate", accepts, "--classifier", names, "--threshold-on", "test-grid", "--json", "-"), 0, "%s",
                 err);
    HAS(err, "warning: ");
    double best = -1.0;
    for (int i = 0, most = 0; i < 1000; i++) {
        const double threshold = i == 999 ? 1.0 : i * (1.0 / 999.0);
        int right = 0;
        for (int k = 0; k < N_ID; k++) right += known.score[k] < threshold;
        for (int k = 0; k < N_OOD; k++) right += unknown.score[k] >= threshold;
        if (right < most) continue;
        most = right;
        best = threshold;
    }
    cJSON *tree = cJSON_Parse(out);
    cr_assert_not_null(tree);
    cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(tree, "threshold_on")), "test rows, grid");
    cr_expect_eq(number(cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "results"), 0), "threshold"), best);
    cJSON_Delete(tree);
}

Test(combined, counted_by_hand)
{
    check_system(false);
    check_system(true);
}

Test(combined, table_and_csv)
{
    cr_assert_eq(RUN("evaluate", accepts, "--classifier", names, "--methods", "msp", "--csv", at("c.csv")), 0, "%s",
                 err);
    HAS(out, "classifier alone");
    HAS(out, "a random half of each set");
    HAS(out, "below a threshold of msp");
    cr_expect(exists(at("c.csv")));
}

static void check_error(const char *named, const char *const *arguments)
{
    cr_expect_eq(run_command(arguments), 2, "%s", err);
    HAS(err, named);
    cr_expect_str_eq(out, "");
}

#define ERROR(named, ...) check_error(named, (const char *const[]){"evaluate", __VA_ARGS__, NULL})

Test(combined, errors)
{
    char unlabelled[200];
    snprintf(unlabelled, sizeof unlabelled, "npy:%s", at("test.npy"));
    ERROR("has no labels of the classes", accepts, "--classifier", names, "--id", unlabelled);
    ERROR("accepts by one", accepts, "--classifier", names, "--methods", "msp,energy");
    ERROR("--classifier goes with one run", accepts, names, "--classifier", names);
    ERROR("--bootstrap does not go", accepts, "--classifier", names, "--bootstrap", "10");
    ERROR("--threshold-on goes with --classifier", accepts, "--threshold-on", "test");
    ERROR("--threshold-on: there is no", accepts, "--classifier", names, "--threshold-on", "tset");
    cr_expect_eq(RUN("evaluate", accepts, "--classifier", at("nowhere")), 1, "%s", err);
    HAS(err, "--classifier '");
    HAS(err, "nowhere");
}

/** A classifier that is not there, or cannot take the images, is found before the acceptor's network runs. */
Test(combined, errors_come_before_the_work)
{
    char other[160];
    snprintf(other, sizeof other, "%s", at("wide"));
    TRAIN(write_recipe("wide", deep_recipe), "--out", other, "-q", "train.steps=1", "data.train=glyphs:train@12x12x1",
          "data.test=glyphs:test@12x12x1");
    remove_folder(at("accepts/outputs")); /* of the test after training */
    cr_expect_eq(RUN("evaluate", accepts, "--classifier", other), 1);
    HAS(err, "was trained on 12x12x1");
    cr_expect_eq(RUN("evaluate", accepts, "--classifier", at("nowhere")), 1);
    cr_expect_not(exists(at("accepts/outputs")), "the network ran");
}
