/* `dunlin compare` from outside: table, JSON and picture of three small runs, and what it refuses. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

#include "tests/run_command.h"

static char deep[160], mi[160], leave_out[160];

/* Three runs, two of which come from recipes of their own kind; `left` is the folder's content without pictures. */
static void open_runs(void)
{
    open_work();
    snprintf(deep, sizeof deep, "%s", at("deep"));
    snprintf(mi, sizeof mi, "%s", at("mi"));
    snprintf(leave_out, sizeof leave_out, "%s", at("sub/deep"));
    TRAIN(write_recipe("deep", deep_recipe), "--out", deep, "train.steps=3", "ensemble.members=1", "-q");
    TRAIN(write_recipe("mi", mi_recipe), "--out", mi, "train.steps=3", "train.seed=5", "-q");
    TRAIN(write_recipe("leave", leave_out_recipe), "--out", leave_out, "train.steps=3", "-q");
}

TestSuite(compare, .init = open_runs, .fini = close_work);

/* @return the file as one text, to be freed with dn_free() */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *text = dn_calloc(1, 200001);
    text[fread(text, 1, 200000, file)] = '\0';
    fclose(file);
    return text;
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(object, name);
    cr_assert(cJSON_IsNumber(item), "no number '%s'", name);
    return item->valuedouble;
}

static void expect_string(const cJSON *object, const char *name, const char *expected)
{
    const char *found = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
    cr_expect_str_eq(found ? found : "(none)", expected, "%s: '%s', expected '%s'", name, found ? found : "(none)",
                     expected);
}

static cJSON *read_json(const char *path)
{
    char *text = read_text(path);
    cJSON *tree = cJSON_Parse(text);
    cr_assert_not_null(tree, "%s", text);
    dn_free(text);
    return tree;
}

/* A run's figures are those of `dunlin evaluate` with the same score. */
static void expect_as_evaluated(const cJSON *compared, const char *run, const char *method)
{
    char methods[64];
    snprintf(methods, sizeof methods, "--methods=%s", method);
    cr_assert_eq(RUN("evaluate", run, methods, "--json", at("one.json")), 0, "%s", err);
    cJSON *tree = read_json(at("one.json"));
    const cJSON *here = cJSON_GetArrayItem(cJSON_GetObjectItem(compared, "results"), 0);
    const cJSON *there = cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "results"), 0);
    cr_expect_eq(number(here, "auroc"), number(there, "auroc"));
    cr_expect_eq(number(here, "fpr95"), number(there, "fpr95"));
    cr_expect_eq(number(compared, "accuracy"), number(tree, "accuracy"));
    cJSON_Delete(tree);
}

Test(compare, json_has_the_figures_of_evaluate)
{
    cr_assert_eq(RUN("compare", deep, mi, leave_out, "--json", at("all.json")), 0, "%s", err);
    cJSON *tree = read_json(at("all.json"));
    const cJSON *runs = cJSON_GetObjectItem(tree, "runs");
    static const char *const kinds[] = {"deep", "mi", "leave_out"};
    static const char *const methods[] = {"msp", "mutual_information", "ensemble_msp"};
    static const int members[] = {1, 2, 3};
    const char *const paths[] = {deep, mi, leave_out};
    cr_assert_eq(cJSON_GetArraySize(runs), 3);
    for (int i = 0; i < 3; i++) {
        const cJSON *run = cJSON_GetArrayItem(runs, i), *mean = cJSON_GetObjectItem(run, "mean");
        expect_string(run, "kind", kinds[i]);
        expect_string(run, "method", methods[i]);
        expect_string(run, "run", paths[i]);
        cr_expect_eq(number(run, "members"), members[i]);
        expect_as_evaluated(run, paths[i], methods[i]);
        const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(run, "results"), 0);
        cr_expect_eq(number(mean, "auroc"), number(row, "auroc"), "the mean of one set");
        cr_expect_eq(number(mean, "fpr95"), number(row, "fpr95"));
    }
    /* Two folders of one name are told apart. */
    expect_string(cJSON_GetArrayItem(runs, 0), "name", deep);
    expect_string(cJSON_GetArrayItem(runs, 1), "name", "mi");
    cJSON_Delete(tree);
}

/* Two sets and two runs: the marks and the means can be worked out from the JSON. */
Test(compare, table_marks_the_best)
{
    char first[192], second[192], line[256];
    snprintf(first, sizeof first, "npy:%s", at("ood.npy"));
    snprintf(second, sizeof second, "npy:%s", at("train.npy"));
    cr_assert_eq(RUN("compare", deep, mi, "--ood", first, "--ood", second, "-q", "--json", at("all.json")), 0, "%s",
                 err);
    cr_expect_str_eq(err, "");
    HAS(out, "unknown data");
    HAS(out, "mutual_information");
    cJSON *tree = read_json(at("all.json"));
    const cJSON *runs = cJSON_GetObjectItem(tree, "runs");
    double mean[2], fpr95[2];
    for (int i = 0; i < 2; i++) {
        const cJSON *run = cJSON_GetArrayItem(runs, i), *rows = cJSON_GetObjectItem(run, "results");
        const cJSON *a = cJSON_GetArrayItem(rows, 0), *b = cJSON_GetArrayItem(rows, 1);
        mean[i] = round(1e4 * number(cJSON_GetObjectItem(run, "mean"), "auroc"));
        fpr95[i] = round(1e4 * number(cJSON_GetObjectItem(run, "mean"), "fpr95"));
        cr_expect_float_eq(mean[i], 1e4 * (number(a, "auroc") + number(b, "auroc")) / 2, 0.51);
        cr_expect_float_eq(fpr95[i], 1e4 * (number(a, "fpr95") + number(b, "fpr95")) / 2, 0.51);
    }
    char cells[4][16];
    for (int i = 0; i < 2; i++) {
        snprintf(cells[2 * i], 16, "%s%.2f", mean[i] >= mean[1 - i] ? "*" : "", mean[i] / 100);
        snprintf(cells[2 * i + 1], 16, "%s%.2f", fpr95[i] <= fpr95[1 - i] ? "*" : "", fpr95[i] / 100);
    }
    snprintf(line, sizeof line, "%9s%9s  %9s%9s\n", cells[0], cells[1], cells[2], cells[3]);
    const char *last = strstr(out, "\nmean ");
    cr_assert_not_null(last, "%s", out);
    HAS(last, line);
    cJSON_Delete(tree);
}

/* Sets that are drawn are the first run's for all: the second has another seed. */
Test(compare, all_runs_see_the_same_images)
{
    const char *noise = "noise:uniform@8x8x1";
    cr_assert_eq(RUN("compare", deep, mi, "--ood", noise, "--json", at("a.json")), 0, "%s", err);
    cr_assert_eq(RUN("compare", mi, "--ood", noise, "--json", at("b.json")), 0, "%s", err);
    cJSON *a = read_json(at("a.json")), *b = read_json(at("b.json"));
    const cJSON *with = cJSON_GetArrayItem(cJSON_GetObjectItem(a, "runs"), 1);
    const cJSON *alone = cJSON_GetArrayItem(cJSON_GetObjectItem(b, "runs"), 0);
    cr_expect_neq(number(cJSON_GetObjectItem(with, "mean"), "auroc"),
                  number(cJSON_GetObjectItem(alone, "mean"), "auroc"), "its own seed draws other noise");
    cJSON_Delete(a);
    cJSON_Delete(b);
}

Test(compare, methods_and_paths)
{
    char with[192], slash[192], file[192];
    snprintf(with, sizeof with, "%s:gen:gamma=.05,top=3", mi);
    snprintf(slash, sizeof slash, "%s/", deep);
    snprintf(file, sizeof file, "%s/checkpoint.h5:energy", deep);
    cr_assert_eq(RUN("compare", slash, with, file), 0, "%s", err);
    HAS(out, "gen:gamma=.05,top=3");
    HAS(out, "energy");
    HAS(out, " deep  ");
    HAS(err, "evaluating deep (1 of 3)");
}

static void expect_refused(const char *text, int code, const char *const *arguments)
{
    cr_expect_eq(run_command(arguments), code, "%s", err);
    HAS(err, text);
    cr_expect_str_eq(out, "");
}

#define REFUSED(text, code, ...) expect_refused(text, code, (const char *const[]){"compare", __VA_ARGS__, NULL})

Test(compare, refusals)
{
    char wrong[192], other[192], test[192];
    snprintf(wrong, sizeof wrong, "%s:mspp", mi);
    snprintf(other, sizeof other, "data.test=npy:%s,%s", at("train.npy"), at("train-labels.npy"));
    snprintf(test, sizeof test, "--id=npy:%s,%s", at("test.npy"), at("test-labels.npy"));
    REFUSED("there is no trained run (no nothing/checkpoint.h5)", 1, deep, "nothing:msp");
    REFUSED("there is no method 'mspp'; did you mean 'msp'?", 2, deep, wrong);
    TRAIN(write_recipe("deep", deep_recipe), "--out", at("other"), "train.steps=1", "-q", other, "data.ood=");
    REFUSED("the runs do not know the same data", 2, deep, at("other"));
    REFUSED("names no unknown data: give --ood SET", 2, at("other"), deep);
    cr_expect_eq(RUN("compare", deep, at("other"), test), 0, "%s", err);
    cr_expect_eq(RUN("compare"), 2);
    HAS(err, "which runs?");
}

Test(compare, plot)
{
    cr_assert_eq(RUN("compare", deep, mi, "--plot", at("a.svg")), 0, "%s", err);
    char *text = read_text(at("a.svg"));
    cr_expect_eq(strncmp(text, "<?xml", 5), 0);
    cr_expect(strstr(text, "</svg>"));
    HAS(text, "MI ensemble of 2");
    HAS(text, ">deep<");
    dn_free(text);
    REFUSED("nowhere/a.svg: cannot create the file", 1, deep, "--plot", at("nowhere/a.svg"));
    REFUSED("ends in .svg or .png", 2, deep, "--plot", at("a.gif"));
    cr_assert_eq(setenv("PATH", work, 1), 0);
    REFUSED("cannot start gnuplot", 1, deep, "--plot", at("b.svg"));
    cr_expect_not(exists(at("b.svg")));
}
