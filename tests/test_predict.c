/* dunlin predict: thresholds that accept what they promise, and predictions by them. */
#include <cjson/cJSON.h>
#include <math.h>

#include "apps/half.h"
#include "apps/threshold.h"
#include "datasets/image.h"
#include "tests/run_command.h"

TestSuite(predict, .init = open_work, .fini = close_work, .timeout = 120);

static void train(const char *rest)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", rest));
    TRAIN(recipe, "--out", at("run"), "-q");
}

static double number(const cJSON *tree, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(tree, key);
    cr_assert(cJSON_IsNumber(item), "no number '%s'", key);
    return item->valuedouble;
}

static cJSON *parse_output(void)
{
    cJSON *tree = cJSON_Parse(out);
    cr_assert_not_null(tree, "not JSON: %s", out);
    return tree;
}

/* ---- thresholds ---- */

static void check_choice(double share, double expected_last, double expected_share)
{
    double scores[] = {3, 1, 2, 2, 2, 5, 4, 7, 6, 8}, reached = 0.0;
    const double threshold = dn_threshold_choose(scores, 10, share, &reached);
    cr_expect_eq(threshold, nextafter(expected_last, INFINITY), "share %g", share);
    cr_expect_eq(reached, expected_share, "share %g", share);
    int below = 0;
    for (int i = 0; i < 10; i++) below += scores[i] < threshold;
    cr_expect_eq(below / 10.0, reached);
}

/** At least the share, no more than equal scores force. */
Test(predict, threshold_choice)
{
    check_choice(1.0, 8, 1.0);
    check_choice(.95, 8, 1.0);
    check_choice(.9, 7, .9);
    check_choice(.85, 7, .9);
    check_choice(.2, 2, .4);
    check_choice(.1, 1, .1);
    check_choice(1e-6, 1, .1);
    double one = -2.5, reached = 0.0;
    cr_expect_eq(dn_threshold_choose(&one, 1, .5, &reached), nextafter(-2.5, 0.0));
    cr_expect_eq(reached, 1.0);
}

/** Half of the rows, spread over all of them. */
Test(predict, halves)
{
    for (size_t n = 1; n < 200; n++) {
        double scores[200], room[200];
        size_t chosen = 0, odd = 0;
        for (size_t i = 0; i < n; i++) {
            scores[i] = (double)i;
            chosen += dn_half_chooses(i, n);
            odd += dn_half_chooses(i, n) && i % 2 == 1;
        }
        cr_expect_eq(chosen, (n + 1) / 2);
        cr_expect(n < 20 || (odd > chosen / 5 && odd < chosen - chosen / 5), "%zu of %zu chosen are odd", odd, chosen);
        cr_assert_eq(dn_half_split(scores, n, room), chosen);
        for (size_t i = 0; i < n; i++) cr_expect_eq(dn_half_chooses((size_t)scores[i], n), i < chosen);
    }
}

/* ---- the command ---- */

/** What is promised of the rows that choose, and of the others, can be counted from the predictions. */
static void check_shares(const char *reduce)
{
    cr_assert_eq(
        RUN("predict", at("run"), "--calibrate", "--method", "msp", "--reduce", reduce, "--tpr", ".8", "--json", "-"),
        0, "%s", err);
    cJSON *threshold = parse_output();
    char set[300];
    snprintf(set, sizeof set, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    cr_assert_eq(RUN("predict", at("run"), set, "--json", "-"), 0, "%s", err);
    HAS(err, "network: 0 images");
    cJSON *tree = parse_output();
    const cJSON *images = cJSON_GetObjectItem(tree, "images"), *image = NULL;
    int accepted[2] = {0}, rows[2] = {0};
    size_t i = 0;
    cJSON_ArrayForEach(image, images)
    {
        const bool is = cJSON_IsTrue(cJSON_GetObjectItem(image, "accepted")), half = dn_half_chooses(i++, 50);
        cr_expect_eq(is, number(image, "score") < number(threshold, "threshold"));
        cr_expect(number(image, "probability") > 0.0 && number(image, "probability") <= 1.0);
        cr_expect_eq(number(image, "label"), (double)((i - 1) % CLASSES));
        rows[half]++;
        accepted[half] += is;
    }
    cr_assert_eq(i, 50);
    cr_expect_geq(accepted[1], .8 * rows[1]);
    cr_expect_float_eq(number(threshold, "share_accepted"), accepted[1] / (double)rows[1], 1e-12);
    cr_expect_float_eq(number(threshold, "share_of_others_accepted"), accepted[0] / (double)rows[0], 1e-12);
    cr_expect_eq(number(threshold, "rows"), rows[1]);
    cJSON_Delete(tree);
    cJSON_Delete(threshold);
}

Test(predict, accepts_what_it_promises)
{
    train(mi_recipe);
    check_shares("score");
    check_shares("max");
    check_shares("prob");
}

Test(predict, csv_and_plain_files)
{
    train(deep_recipe);
    cr_assert_eq(RUN("predict", at("run"), "--calibrate"), 0, "%s", err);
    HAS(out, "that are few");
    HAS(out, "a random half");
    HAS(out, "of its other rows");
    cr_assert_eq(RUN("predict", at("run"), at("ood.npy"), "-q"), 0, "%s", err);
    cr_expect_str_eq(err, "");
    cr_expect_eq(strncmp(out, "row,class,name,probability,score,accepted\n0,", 44), 0, "%s", out);
    int lines = 0;
    for (const char *line = out; (line = strchr(line, '\n')); line++) lines++;
    cr_expect_eq(lines, 41);
    cr_assert_eq(RUN("predict", at("run"), at("ood.npy"), "--csv", at("p.csv"), "--json", at("p.json")), 0, "%s", err);
    cr_expect_str_eq(out, "");
    cr_expect(exists(at("p.csv")) && exists(at("p.json")));
}

/** A leave-out ensemble, a fitted score, all rows of a named set. */
Test(predict, fitted_scores_on_a_named_set)
{
    char set[300];
    train(leave_out_recipe);
    snprintf(set, sizeof set, "npy:%s", at("train.npy"));
    cr_assert_eq(RUN("predict", at("run"), "--calibrate", "--id", set, "--method", "knn:k=3", "--tpr", "1"), 0, "%s",
                 err);
    HAS(out, "on 90 rows");
    HAS(out, "all rows");
    HAS(out, "100.00 % of them are accepted");
    cr_assert_eq(RUN("predict", at("run"), set), 0, "%s", err);
    HAS(err, "90 of 90 accepted by knn:k=3");
    write_set("train", 90, SIDE, 55);
    cr_expect_eq(RUN("predict", at("run"), at("ood.npy")), 2, "%s", err);
    HAS(err, "the set that the score is fitted on has changed");
}

Test(predict, class_names)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", deep_recipe));
    TRAIN(recipe, "--out", at("run"), "-q", "data.train=glyphs[7,3]:train@8x8x1", "data.test=glyphs[7,3]:test@8x8x1",
          "train.steps=1");
    cr_assert_eq(RUN("predict", at("run"), "--calibrate"), 0, "%s", err);
    cr_assert_eq(RUN("predict", at("run"), at("ood.npy")), 0, "%s", err);
    cr_expect(strstr(out, ",0,7,") || strstr(out, ",1,3,"), "%s", out);
}

/** Writes FOLDER/I.png: a bright row or column at place I. */
static void put_image(const char *folder, bool row, int i)
{
    uint8_t pixels[12 * 12];
    char path[200];
    for (int p = 0; p < 12 * 12; p++) pixels[p] = (row ? p / 12 : p % 12) == 1 + i % 10 ? 250 : (uint8_t)(p * i % 90);
    snprintf(path, sizeof path, "%s/%d.png", folder, i);
    cr_assert_eq(dn_image_write_png(path, &(dn_image){12, 12, 1, pixels}), DN_OK, "%s", dn_error_last());
}

/** A folder of images is enough: trained on a part of it, tested on the rest; new images go by their files' names. */
Test(predict, folders_of_images)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", deep_recipe));
    mkdir(at("photos"), 0700);
    mkdir(at("photos/rows"), 0700);
    mkdir(at("photos/columns"), 0700);
    mkdir(at("new"), 0700);
    for (int i = 0; i < 40; i++) put_image(at("photos/rows"), true, i);
    for (int i = 0; i < 40; i++) put_image(at("photos/columns"), false, i);
    for (int i = 8; i < 11; i++) put_image(at("new"), true, i);
    char set[2][200];
    snprintf(set[0], sizeof set[0], "data.train=folder:%s/photos:train@8x8x1/crop", work);
    snprintf(set[1], sizeof set[1], "data.test=folder:%s/photos:test@8x8x1/crop", work);
    TRAIN(recipe, "--out", at("run"), "-q", set[0], set[1], "data.ood=[]");
    cr_assert_eq(RUN("predict", at("run"), "--calibrate"), 0, "%s", err);
    cr_assert_eq(RUN("predict", at("run"), at("new")), 0, "%s", err);
    cr_expect_eq(strncmp(out, "row,class,name,probability,score,accepted,file\n0,", 49), 0, "%s", out);
    cr_expect(strstr(out, ",10.png\n1,") && strstr(out, ",8.png\n2,") && strstr(out, ",9.png\n"), "%s", out);
    cr_expect(strstr(out, ",rows,") || strstr(out, ",columns,"), "%s", out);
    cr_assert_eq(RUN("predict", at("run"), at("new"), "--json", "-"), 0, "%s", err);
    HAS(out, "\"9.png\"");
    cr_assert_eq(RUN("predict", at("run"), at("new/10.png")), 0, "%s", err);
    cr_expect(strstr(out, ",10.png\n") && !strstr(out, ",8.png\n"), "%s", out);
}

static void check_error(int code, const char *named, const char *const *arguments)
{
    cr_expect_eq(run_command(arguments), code, "%s", err);
    HAS(err, named);
    cr_expect_str_eq(out, "");
}

#define ERROR(code, named, ...) check_error(code, named, (const char *const[]){"predict", __VA_ARGS__, NULL})

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(predict, errors)
{
    train(deep_recipe);
    char threshold[200], other[200];
    snprintf(threshold, sizeof threshold, "%s", at("run/threshold.json"));
    ERROR(1, "--calibrate", at("run"), at("ood.npy"));
    ERROR(2, "which run?", "-q");
    ERROR(2, "which images?", at("run"));
    ERROR(2, "--id", at("run"), at("ood.npy"), "--calibrate");
    ERROR(2, "--tpr goes with --calibrate", at("run"), at("ood.npy"), "--tpr", ".9");
    ERROR(2, "--tpr: found '0'", at("run"), "--calibrate", "--tpr", "0");
    ERROR(2, "2 scores", at("run"), "--calibrate", "--method", "msp,energy");
    ERROR(2, "did you mean 'msp'?", at("run"), "--calibrate", "--method", "mps");
    ERROR(1, "nowhere", at("nowhere"), at("ood.npy"));
    static const char *const broken[] = {"",
                                         "{}",
                                         "[1",
                                         "{\"kind\": \"dunlin threshold\"}",
                                         "{\"kind\": \"dunlin threshold\", \"version\": 2}",
                                         "{\"kind\": \"dunlin threshold\", \"version\": 1, \"method\": 5}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        write_text(threshold, broken[i]);
        ERROR(1, "threshold.json", at("run"), at("ood.npy"));
    }
    cr_assert_eq(RUN("predict", at("run"), "--calibrate"), 0, "%s", err);
    ERROR(1, "none.npy", at("run"), "none.npy");
    ERROR(2, "cannot both be standard output", at("run"), at("ood.npy"), "--json", "-", "--csv", "-");
    snprintf(other, sizeof other, "%s", at("recipe.yaml"));
    TRAIN(other, "--out", at("other"), "-q", "train.steps=3");
    cr_assert_eq(rename(at("other/checkpoint.h5"), at("run/checkpoint.h5")), 0);
    ERROR(2, "the run was trained on since its threshold was chosen", at("run"), at("ood.npy"));
}

/** A threshold that could not be stored, or a set that is not there, is found before the network runs. */
Test(predict, errors_come_before_the_work)
{
    train(deep_recipe);
    remove_folder(at("run/outputs"));                       /* of the test after training */
    cr_assert_eq(mkdir(at("run/threshold.json"), 0777), 0); /* root may write any folder, but nobody this */
    ERROR(1, "threshold.json: is a folder", at("run"), "--calibrate");
    cr_assert_eq(rmdir(at("run/threshold.json")), 0);
    ERROR(2, "glyhps", at("run"), "--calibrate", "--fit", "glyhps", "--method", "knn");
    ERROR(1, "/no/such/x.json", at("run"), "--calibrate", "--json", "/no/such/x.json");
    cr_expect_not(exists(at("run/outputs")), "the network ran");
}
