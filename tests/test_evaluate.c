/* dunlin evaluate: its numbers against a count by hand, its JSON, and what it says when it cannot. */
#include <cjson/cJSON.h>
#include <math.h>

#include "apps/outputs.h"
#include "tests/run_command.h"

TestSuite(evaluate, .init = open_work, .fini = close_work, .timeout = 120);

static void train(const char *rest)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", rest));
    TRAIN(recipe, "--out", at("run"), "-q");
}

/** The number of a key, NaN for null. */
static double number(const cJSON *tree, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(tree, key);
    cr_assert_not_null(item, "no '%s'", key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static const char *text(const cJSON *tree, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(tree, key);
    cr_assert(cJSON_IsString(item), "no '%s'", key);
    return item->valuestring;
}

/** The output of the last command. Free with cJSON_Delete() */
static cJSON *parse_output(void)
{
    cJSON *tree = cJSON_Parse(out);
    cr_assert_not_null(tree, "not JSON: %s", out);
    return tree;
}

/* ---- numbers ---- */

/** Softmax of a member's row, spread to the classes of its outputs; 0 where it has none. */
static void spread(double *to, const float *logits, const dn_network *n, int e)
{
    double most = -INFINITY, sum = 0.0;
    for (int c = 0; c < n->classes; c++) to[c] = 0.0;
    for (int k = 0; k < n->columns; k++)
        if (!n->class_map || n->class_map[e * n->columns + k] >= 0) most = fmax(most, logits[k]);
    for (int k = 0; k < n->columns; k++) {
        const int class = n->class_map ? n->class_map[e * n->columns + k] : k;
        if (class >= 0) sum += to[class] = exp(logits[k] - most);
    }
    for (int c = 0; c < n->classes; c++) to[c] /= sum;
}

static int largest(const double *values, int count)
{
    int best = 0;
    for (int c = 1; c < count; c++)
        if (values[c] > values[best]) best = c;
    return best;
}

/** @return the logits [E,N,columns] of the run's network, extracted anew; free with dn_free() */
static float *extract(const dn_network *n, const char *set, dn_outputs **outputs, dn_output_files *files)
{
    const dn_output_request request = {.set = set};
    cr_assert_eq(dn_output_files_open(files, n, at("run"), NULL, true, true), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_outputs_open(outputs, files, &request), DN_OK, "%s", dn_error_last());
    const dn_matrix *m = &(*outputs)->logits;
    float *logits = dn_calloc(m->members * m->rows * m->columns, sizeof *logits);
    for (size_t e = 0; e < m->members; e++)
        cr_assert_eq(m->read(m->context, e, 0, m->rows, logits + e * m->rows * m->columns), DN_OK);
    return logits;
}

/** Counts by hand what the JSON says of accuracy, on the network of the run. Left-out classes are zeros in the mean and
 *  do not count for the member that lacks them. */
static void check_accuracies(const cJSON *tree)
{
    dn_device *device = NULL;
    dn_network *n = NULL;
    dn_outputs *set = NULL;
    dn_output_files files = {0};
    char expression[300];
    snprintf(expression, sizeof expression, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    cr_assert_eq(dn_device_open(&device, "cpu", &(dn_device_options){.threads = 2}), DN_OK);
    cr_assert_eq(dn_network_load(&n, at("run/checkpoint.h5"), device), DN_OK, "%s", dn_error_last());
    float *logits = extract(n, expression, &set, &files);
    int right = 0, member_right[8] = {0}, member_rows[8] = {0};
    for (int i = 0; i < (int)set->rows; i++) {
        double mean[CLASSES] = {0}, own[CLASSES] = {0};
        for (int e = 0; e < n->members; e++) {
            spread(own, logits + ((size_t)e * (size_t)set->rows + (size_t)i) * (size_t)n->columns, n, e);
            for (int c = 0; c < CLASSES; c++) mean[c] += own[c];
            if (own[set->labels[i]] > 0.0) member_rows[e]++;
            member_right[e] += largest(own, CLASSES) == set->labels[i];
        }
        right += largest(mean, CLASSES) == set->labels[i];
    }
    cr_expect_float_eq(number(tree, "accuracy"), right / (double)set->rows, 1e-12);
    const cJSON *members = cJSON_GetObjectItem(tree, "member_accuracy");
    cr_assert_eq(cJSON_GetArraySize(members), n->members);
    for (int e = 0; e < n->members; e++)
        cr_expect_float_eq(cJSON_GetArrayItem(members, e)->valuedouble, member_right[e] / (double)member_rows[e], 1e-12,
                           "member %d", e);
    dn_free(logits);
    dn_outputs_close(set);
    dn_output_files_close(&files);
    dn_network_close(n);
    dn_device_close(device);
}

static void check_rows(const cJSON *tree, const char *const *methods, int count)
{
    const cJSON *rows = cJSON_GetObjectItem(tree, "results");
    cr_assert_eq(cJSON_GetArraySize(rows), count);
    for (int i = 0; i < count; i++) {
        const cJSON *row = cJSON_GetArrayItem(rows, i);
        cr_expect_str_eq(text(row, "method"), methods[i]);
        cr_expect(strstr(text(row, "ood"), "/ood.npy"), "%s", text(row, "ood"));
        cr_expect_str_eq(text(row, "reduce"), i < 2 ? "score" : "-");
        static const char *const figures[] = {"auroc", "aupr_out", "aupr_in", "fpr95"};
        for (int k = 0; k < 4; k++) {
            const double value = number(row, figures[k]);
            cr_expect(value >= 0.0 && value <= 1.0, "%s of %s is %g", figures[k], methods[i], value);
        }
    }
}

Test(evaluate, json_of_an_mi_ensemble)
{
    static const char *const methods[] = {"msp", "energy", "predictive_entropy", "mutual_information"};
    train(mi_recipe);
    cr_assert_eq(
        RUN("evaluate", at("run"), "--methods", "msp,energy,predictive_entropy,mutual_information", "--json", "-"), 0,
        "%s", err);
    cJSON *tree = parse_output();
    cr_expect(strstr(text(tree, "run"), "/run"));
    cr_expect(strstr(text(tree, "id"), "/test.npy"));
    check_rows(tree, methods, 4);
    check_accuracies(tree);
    cJSON_Delete(tree);
    cr_expect_eq(RUN("evaluate", at("run/checkpoint.h5")), 0, "%s", err);
    HAS(out, "AUROC");
    HAS(out, "msp"); /* one of the usual scores */
}

static void check_leave_out(const char *rest)
{
    static const char *const methods[] = {"msp", "energy", "predictive_entropy", "mutual_information", "leave_out"};
    train(rest);
    cr_assert_eq(RUN("evaluate", at("run"), "--methods", "msp,energy,predictive_entropy,mutual_information,leave_out",
                     "--json", "-"),
                 0, "%s", err);
    cJSON *tree = parse_output();
    check_rows(tree, methods, 5);
    check_accuracies(tree);
    cr_expect_gt(number(tree, "accuracy"), 0.5, "left-out classes are not named at all");
    cJSON_Delete(tree);
}

Test(evaluate, uneven_leave_out)
{
    check_leave_out(leave_out_recipe);
}

Test(evaluate, even_leave_out)
{
    check_leave_out("ensemble: {kind: leave_out, members: 5}\noptimizer: {rate: .02}\ntrain: {batch: 16, steps: 20}\n");
}

/** The accuracy that training ends with is that of evaluation, whatever the batch and the order of images. */
Test(evaluate, training_and_evaluation_agree)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", deep_recipe));
    TRAIN(recipe, "--out", at("run"), "-q", "--json", "-");
    cJSON *trained = parse_output();
    cr_expect_eq(number(trained, "steps"), 12);
    cr_expect_gt(number(trained, "peak_bytes"), 1e6);
    cr_expect_gt(number(trained, "planned_bytes"), 1e6);
    cr_assert_eq(RUN("evaluate", at("run"), "--json", "-"), 0, "%s", err);
    cJSON *evaluated = parse_output();
    cr_expect_eq(number(trained, "accuracy"), number(evaluated, "accuracy"));
    check_accuracies(evaluated);
    cJSON_Delete(trained);
    cJSON_Delete(evaluated);
}

/** A set that is known data as well cannot be told from it. */
Test(evaluate, options)
{
    train(mi_recipe);
    char same[200];
    snprintf(same, sizeof same, "npy:%s/test.npy", work);
    cr_assert_eq(RUN("evaluate", at("run"), "--id", same, "--ood", same, "--ood", same, "--methods",
                     "gen:gamma=.2,top=3,msp,variance,msp", "--reduce", "prob", "--json", "-"),
                 0, "%s", err);
    cJSON *tree = parse_output();
    const cJSON *rows = cJSON_GetObjectItem(tree, "results");
    cr_assert_eq(cJSON_GetArraySize(rows), 3); /* what is asked for twice is there once */
    cr_expect_str_eq(text(cJSON_GetArrayItem(rows, 0), "method"), "gen:gamma=.2,top=3");
    cr_expect_str_eq(text(cJSON_GetArrayItem(rows, 1), "reduce"), "prob");
    cr_expect_str_eq(text(cJSON_GetArrayItem(rows, 2), "reduce"), "-");
    for (int i = 0; i < 3; i++) cr_expect_float_eq(number(cJSON_GetArrayItem(rows, i), "auroc"), 0.5, 1e-12);
    /* There are no labels: no accuracy is claimed. */
    cr_expect(isnan(number(tree, "accuracy")));
    cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "member_accuracy")), 0);
    cJSON_Delete(tree);
    cr_assert_eq(RUN("evaluate", at("run"), "--methods", "all"), 0, "%s", err);
    HAS(out, "variation_ratio");
    cr_assert_eq(RUN("evaluate", at("run"), "--json", at("result.json")), 0, "%s", err);
    HAS(out, "accuracy: ");
    cr_expect(exists(at("result.json")));
}

/* ---- the table ---- */

/** @return the number of line `index` of the output, counted from 0, that holds `part`; -1: there is none */
static int line_of(const char *part)
{
    const char *found = strstr(out, part);
    int line = 0;
    for (const char *at = out; found && at < found; at++) line += *at == '\n';
    return found ? line : -1;
}

/** Scores stand by AUROC, whatever the order they were asked for in. */
Test(evaluate, table_is_sorted)
{
    static const char *const methods[] = {"msp", "energy", "variance", "leave_out", "expected_entropy", "knn:k=3"};
    train(mi_recipe);
    cr_assert_eq(RUN("evaluate", at("run"), "--methods", "msp,energy,variance,leave_out,expected_entropy,knn:k=3",
                     "--json", at("e.json")),
                 0, "%s", err);
    FILE *file = fopen(at("e.json"), "r");
    static char json[40000];
    json[fread(json, 1, sizeof json - 1, file)] = '\0';
    fclose(file);
    cJSON *tree = cJSON_Parse(json);
    cr_assert_not_null(tree);
    const cJSON *rows = cJSON_GetObjectItem(tree, "results");
    cr_assert_eq(cJSON_GetArraySize(rows), 6);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 6; k++) {
            char first[40], second[40];
            snprintf(first, sizeof first, " %s ", methods[i]);
            snprintf(second, sizeof second, " %s ", methods[k]);
            const double a = number(cJSON_GetArrayItem(rows, i), "auroc"),
                         b = number(cJSON_GetArrayItem(rows, k), "auroc");
            if (a > b) cr_expect_lt(line_of(first), line_of(second), "%s above %s", methods[i], methods[k]);
        }
    cJSON_Delete(tree);
}

/** @return the number in the column of a line of CSV; the line is the first that holds `part` */
static double csv_number(const char *text, const char *part, const char *column)
{
    int at = 0;
    const char *name = strstr(text, column), *line = strstr(text, part);
    cr_assert(name && line, "no %s or no %s in: %s", column, part, text);
    for (const char *c = text; c < name; c++) at += *c == ',';
    while (line > text && line[-1] != '\n') line--;
    for (bool quoted = false; at > 0; line++) {
        quoted ^= *line == '"';
        at -= *line == ',' && !quoted;
    }
    return strtod(line, NULL);
}

/** The means of near and far sets, and of all. */
Test(evaluate, groups)
{
    char sets[3][160];
    train(deep_recipe);
    write_set("b", 30, SIDE, 8);
    write_set("c", 20, SIDE, 9);
    snprintf(sets[0], sizeof sets[0], "npy:%s", at("ood.npy"));
    snprintf(sets[1], sizeof sets[1], "npy:%s", at("b.npy"));
    snprintf(sets[2], sizeof sets[2], "npy:%s", at("c.npy"));
    cr_assert_eq(RUN("evaluate", at("run"), "--near", sets[0], "--near", sets[1], "--far", sets[2], "--methods", "msp",
                     "--csv", "-"),
                 0, "%s", err);
    const double a = csv_number(out, "ood.npy", "fpr95"), b = csv_number(out, "b.npy", "fpr95"),
                 c = csv_number(out, "c.npy", "fpr95");
    HAS(out, ",near,msp,score,50,40,");
    HAS(out, ",far,msp,score,50,20,");
    cr_assert_eq(RUN("evaluate", at("run"), "--near", sets[0], "--near", sets[1], "--far", sets[2], "--methods", "msp",
                     "--json", "-"),
                 0, "%s", err);
    cJSON *tree = parse_output();
    const cJSON *line = NULL;
    int groups = 0;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(tree, "summary"))
    {
        const char *group = cJSON_GetStringValue(cJSON_GetObjectItem(line, "group"));
        if (!group) continue;
        groups++;
        const double expected = group[0] == 'n' ? (a + b) / 2 : group[0] == 'f' ? c : (a + b + c) / 3;
        cr_expect_float_eq(number(cJSON_GetObjectItem(line, "fpr95"), "mean"), expected, 1e-12, "%s", group);
    }
    cr_expect_eq(groups, 3);
    cJSON_Delete(tree);
}

/** Seeds of one recipe: mean and sample standard deviation, from the runs' own figures. */
Test(evaluate, several_runs)
{
    char recipe[160], runs[3][160];
    double auroc[3], sum = 0.0, squares = 0.0;
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", deep_recipe));
    for (int i = 0; i < 3; i++) {
        char seed[8];
        snprintf(runs[i], sizeof runs[i], "%s/seed%d", work, i);
        snprintf(seed, sizeof seed, "%d", i);
        TRAIN(recipe, "--out", runs[i], "--seed", seed, "-q");
        cr_assert_eq(RUN("evaluate", runs[i], "--methods", "msp", "--csv", "-"), 0, "%s", err);
        auroc[i] = csv_number(out, "ood.npy", "auroc");
        sum += auroc[i];
    }
    for (int i = 0; i < 3; i++) squares += (auroc[i] - sum / 3) * (auroc[i] - sum / 3);
    cr_assert_eq(RUN("evaluate", runs[0], runs[1], runs[2], "--methods", "msp,energy", "--json", "-"), 0, "%s", err);
    HAS(err, "network: 0 images");
    cJSON *tree = parse_output();
    cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "runs")), 3);
    const cJSON *line = NULL;
    int found = 0;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(tree, "summary"))
    {
        if (strcmp(text(line, "method"), "msp") != 0) continue;
        found++;
        cr_expect_float_eq(number(cJSON_GetObjectItem(line, "auroc"), "mean"), sum / 3, 1e-12);
        cr_expect_float_eq(number(cJSON_GetObjectItem(line, "auroc"), "deviation"), sqrt(squares / 2), 1e-12);
    }
    cr_expect_eq(found, 1);
    cJSON_Delete(tree);
    cr_assert_eq(RUN("evaluate", runs[0], runs[1]), 0, "%s", err);
    HAS(out, " +- ");
    HAS(out, "standard deviation of 2 runs");
    static const char *const other[] = {"data.test=glyphs:test@8x8x1", "model.width=5", "model.dropout=.25",
                                        "model.outputs=12"};
    for (int i = 0; i < 4; i++) {
        snprintf(runs[2], sizeof runs[2], "%s/other%d", work, i);
        TRAIN(recipe, "--out", runs[2], "-q", "train.steps=1", other[i]);
        cr_expect_eq(RUN("evaluate", runs[0], runs[2]), 2);
        HAS(err, "are not seeds of one recipe");
        HAS(err, i == 1 ? "model.width is 4 in the first and 5 in the second" : i ? "model." : "data.test");
    }
}

Test(evaluate, intervals_and_sweeps)
{
    train(deep_recipe);
    cr_assert_eq(
        RUN("evaluate", at("run"), "--methods", "knn:k=1|3,odin:eps=0|.01", "--bootstrap", "200", "--csv", at("e.csv")),
        0, "%s", err);
    HAS(out, "bootstrap intervals");
    HAS(out, "knn:k=3");
    HAS(out, "odin:eps=.01");
    FILE *file = fopen(at("e.csv"), "r");
    static char csv[20000];
    csv[fread(csv, 1, sizeof csv - 1, file)] = '\0';
    fclose(file);
    const double low = csv_number(csv, "knn:k=1,", "auroc_low"), high = csv_number(csv, "knn:k=1,", "auroc_high"),
                 value = csv_number(csv, "knn:k=1,", "auroc");
    cr_expect(low < value && value < high, "%g %g %g", low, value, high);
}

/* ---- whose classes ---- */

/** Evaluates the run on a set of labelled images. @return the accuracy, NaN if none is claimed */
static double accuracy_on(const char *id)
{
    cr_assert_eq(RUN("evaluate", at("run"), "--id", id, "--json", "-"), 0, "%s: %s", id, err);
    cJSON *tree = parse_output();
    const double accuracy = number(tree, "accuracy");
    cr_expect_eq(cJSON_IsNull(cJSON_GetObjectItem(tree, "accuracy")), isnan(accuracy));
    cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "member_accuracy")), isnan(accuracy) ? 0 : 2);
    cJSON_Delete(tree);
    return accuracy;
}

static void train_on_glyphs(const char *train_set, const char *test_set)
{
    char recipe[160], sets[2][100];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", deep_recipe));
    snprintf(sets[0], sizeof sets[0], "data.train=%s", train_set);
    snprintf(sets[1], sizeof sets[1], "data.test=%s", test_set);
    TRAIN(recipe, "--out", at("run"), "-q", sets[0], sets[1], "train.steps=2");
}

Test(evaluate, accuracy_only_of_the_classes_that_were_trained)
{
    train_on_glyphs("glyphs[0-4]:train@8x8x1", "glyphs[0-4]:test@8x8x1");
    cr_expect_not(isnan(accuracy_on("glyphs[0-4]:test@8x8x1")));
    cr_expect(isnan(accuracy_on("glyphs[5-9]:test@8x8x1")) && strstr(err, "it has no class '0', which the"), "%s", err);
    cr_expect(isnan(accuracy_on("glyphs[4,3,2,1,0]:test@8x8x1")) && strstr(err, "in another order"), "%s", err);
    cr_expect(isnan(accuracy_on("glyphs:textures@8x8x1")), "five classes of something else");
    cr_expect(isnan(accuracy_on("glyphs[0-2]:test@8x8x1")) && strstr(err, "it has no class '3', which the"), "%s", err);
    char unnamed[300];
    snprintf(unnamed, sizeof unnamed, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    cr_expect(isnan(accuracy_on(unnamed)));
}

Test(evaluate, classes_without_names_count)
{
    train(deep_recipe);
    char expression[300];
    snprintf(expression, sizeof expression, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    cr_expect_not(isnan(accuracy_on(expression)));
    cr_expect(isnan(accuracy_on("glyphs:test@8x8x1")), "ten classes too, but with names");
}

/** Checkpoints of before names were kept: the number of classes decides. */
Test(evaluate, a_network_that_does_not_know_its_names)
{
    char *names[] = {"a", "b", "c"};
    int32_t label = 0;
    const dn_dataset set = {.labels = &label, .classes = 3, .class_names = names},
                     unnamed = {.labels = &label, .classes = 3};
    dn_recipe recipe = {0};
    dn_network n = {.recipe = &recipe, .classes = 3};
    cr_expect(dn_network_knows(&n, &set) && dn_network_knows(&n, &unnamed));
    n.class_names = (char[]){"a\nb\nc\n"};
    cr_expect(dn_network_knows(&n, &set) && !dn_network_knows(&n, &unnamed));
    n.class_names = (char[]){"a\nb\nd\n"};
    cr_expect_not(dn_network_knows(&n, &set));
    n.class_names = (char[]){""};
    cr_expect(!dn_network_knows(&n, &set) && dn_network_knows(&n, &unnamed));
    n.classes = 4;
    cr_expect_not(dn_network_knows(&n, &unnamed));
    recipe.model.outputs = 4; /* one of which no class of the training set stands for */
    cr_expect(dn_network_knows(&n, &unnamed));
}

Test(evaluate, a_loaded_network_is_as_ragged_as_the_trained_one)
{
    static const struct {
        const char *recipe;
        bool ragged;
    } cases[] = {
        {leave_out_recipe, true},
        {"ensemble: {kind: leave_out, members: 5}\ntrain: {batch: 16, steps: 2}\n", false},
        {deep_recipe, false},
    };
    dn_device *device = NULL;
    cr_assert_eq(dn_device_open(&device, "cpu", &(dn_device_options){.threads = 2}), DN_OK);
    for (int i = 0; i < 3; i++) {
        dn_network *n = NULL;
        remove_folder(at("run"));
        train(cases[i].recipe);
        cr_assert_eq(dn_network_load(&n, at("run/checkpoint.h5"), device), DN_OK, "%s", dn_error_last());
        cr_expect_eq(n->ragged, cases[i].ragged, "case %d", i);
        dn_network_close(n);
    }
    dn_device_close(device);
}

/* ---- errors ---- */

static void check_error(int code, const char *named, const char *option, const char *value)
{
    cr_expect_eq(RUN("evaluate", at("run"), option, value), code, "%s %s: %s", option, value, err);
    HAS(err, named);
    cr_expect_str_eq(out, "");
}

Test(evaluate, what_is_asked_for_does_not_exist)
{
    char large[200];
    train(deep_recipe);
    write_set("large", 20, 12, 5);
    snprintf(large, sizeof large, "npy:%s/large.npy", work);
    check_error(1, "12x12x1, the network was trained on 8x8x1: write npy:", "--ood", large);
    HAS(err, "large.npy@8x8x1");
    check_error(1, "@8x8x1", "--id", large);
    check_error(2, "did you mean 'msp'?", "--methods", "mps");
    check_error(2, "a name is missing", "--methods", "");
    check_error(2, "a name is missing", "--methods", ",,");
    check_error(2, "gamma", "--methods", "gen:gama=1");
    check_error(2, "glyphs", "--ood", "glyhps");
    check_error(1, "/none.npy", "--ood", "npy:/none.npy");
    check_error(2, "gpu", "--device", "gpu");
    check_error(2, "did you mean 'min'?", "--reduce", "mean");
    check_error(2, "first", "--rule", "last");
    check_error(2, "--bootstrap", "--bootstrap", "0");
    check_error(2, "the network has no layer 'featres'; did you mean 'features'?", "--layers", "featres");
    check_error(1, "/none.npy", "--near", "npy:/none.npy");
    cr_expect_eq(RUN("evaluate", at("run"), "--json", "/no/such/folder/x.json"), 1);
    HAS(err, "/no/such/folder/x.json");
    cr_expect_eq(RUN("evaluate"), 2);
    HAS(err, "which run?");
}

/** What means nothing is said before the network runs over the sets that are right. */
Test(evaluate, errors_come_before_the_work)
{
    char ood[160];
    train(deep_recipe);
    remove_folder(at("run/outputs")); /* of the test after training */
    snprintf(ood, sizeof ood, "npy:%s", at("ood.npy"));
    cr_expect_eq(RUN("evaluate", at("run"), "--ood", ood, "--ood", "glyphs:letters", "--json", "-"), 1);
    HAS(err, "the network was trained on");
    check_error(2, "glyhps", "--fit", "glyhps");
    check_error(1, "is a folder", "--csv", at("run"));
    check_error(1, "/no/such/x.csv", "--csv", "/no/such/x.csv");
    check_error(2, "an empty one", "--json", "");
    check_error(1, "nowhere", "--classifier", at("nowhere"));
    check_error(1, "nowhere", "-q", at("nowhere"));
    cr_expect_eq(RUN("evaluate", at("run"), "--json", "-", "--csv", "-"), 2);
    HAS(err, "--json and --csv cannot both be standard output");
    cr_expect_eq(RUN("evaluate", at("run"), "--near", ood, "--far", ood), 2);
    HAS(err, "is named as --near and as --far");
    cr_expect_not(exists(at("run/outputs")), "the network ran");
    cr_assert_eq(RUN("evaluate", at("run"), "--near", ood, "--near", ood, "--csv", "/dev/null"), 0, "%s", err);
}

Test(evaluate, runs_that_are_not_seeds_of_one_recipe)
{
    static const char *const changes[][2] = {
        {"ensemble.kind=leave_out", "ensemble.kind is deep in the first and leave_out"},
        {"ensemble.members=3", "ensemble.members is 2 in the first and 3"},
        {"data.train=glyphs:train@8x8x1", "data.train"}};
    char recipe[160], run[160], other[160];
    train(deep_recipe);
    remove_folder(at("run/outputs"));
    snprintf(recipe, sizeof recipe, "%s", at("recipe.yaml"));
    snprintf(run, sizeof run, "%s", at("run"));
    snprintf(other, sizeof other, "%s", at("other"));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        remove_folder(other);
        TRAIN(recipe, "--out", other, "-q", "train.steps=1", changes[i][0]);
        cr_expect_eq(RUN("evaluate", run, other), 2);
        HAS(err, changes[i][1]);
        HAS(err, "dunlin compare");
    }
    cr_assert_eq(symlink(run, at("link")), 0);
    cr_expect_eq(RUN("evaluate", run, at("link")), 2);
    HAS(err, "are the same run");
    cr_expect_eq(RUN("evaluate", run, at("run/checkpoint.h5")), 2);
    cr_expect_not(exists(at("run/outputs")), "the network ran");
    TRAIN(recipe, "--out", at("seed"), "-q", "--seed", "5");
    cr_expect_eq(RUN("evaluate", run, at("seed"), "--bootstrap", "10"), 0, "%s", err);
    HAS(err, "deviation, not intervals");
}

/** Where FPR95 is read is said if it is not where it usually is. */
Test(evaluate, conventions)
{
    train(deep_recipe);
    cr_expect_eq(RUN("evaluate", at("run")), 0);
    cr_expect_null(strstr(out, "FPR95 by rule"));
    cr_expect_eq(RUN("evaluate", at("run"), "--positive", "id"), 0);
    HAS(out, "FPR95 by rule first, positive class id");
    cr_expect_eq(RUN("evaluate", at("run"), "--rule", "closest", "--json", "-"), 0);
    HAS(out, "\"closest\"");
}

/** One network cannot disagree with itself. */
Test(evaluate, all_scores_of_a_single_network)
{
    static const char *const none[] = {" mutual_information ", " variance ", " variation_ratio ", " pairwise_kl "};
    train("ensemble: {kind: deep, members: 1}\ntrain: {batch: 16, steps: 2}\n");
    cr_assert_eq(RUN("evaluate", at("run"), "--methods", "all"), 0, "%s", err);
    for (int i = 0; i < 4; i++) cr_expect_null(strstr(out, none[i]), "%s", none[i]);
    HAS(out, " predictive_entropy ");
    HAS(err, "left out: variance: a single network");
    cr_assert_eq(RUN("evaluate", at("run"), "--methods", "variance"), 0, "%s", err);
    HAS(out, " variance ");
}

Test(evaluate, leave_out_cannot_average_logits)
{
    train(leave_out_recipe);
    check_error(2, "logit", "--reduce", "logit");
}

Test(evaluate, runs_that_are_none)
{
    train(deep_recipe);
    cr_expect_eq(RUN("evaluate", at("nowhere")), 1);
    HAS(err, "nowhere/checkpoint.h5");
    cr_expect_eq(RUN("evaluate", at("train.npy")), 1);
    HAS(err, "train.npy");
    dn_store *store = NULL;
    cr_assert_eq(dn_store_create(&store, at("other.h5")), DN_OK);
    cr_assert_eq(dn_store_set_kind(store, "something else", 1), DN_OK);
    cr_assert_eq(dn_store_commit(store), DN_OK);
    dn_store_close(store);
    cr_expect_eq(RUN("evaluate", at("other.h5")), 1);
    HAS(err, "other.h5");
    HAS(err, "dunlin checkpoint");
    struct stat info;
    cr_assert_eq(stat(at("run/checkpoint.h5"), &info), 0);
    cr_assert_eq(truncate(at("run/checkpoint.h5"), info.st_size - 100), 0);
    cr_expect_eq(RUN("evaluate", at("run")), 1);
    HAS(err, "run/checkpoint.h5");
    HAS(err, "cut off");
}
