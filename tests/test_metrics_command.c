/** `dunlin metrics` from outside, on arrays that are written here. */
#include <cjson/cJSON.h>
#include <math.h>

#include "datasets/npy.h"
#include "ood/bootstrap.h"
#include "ood/metrics.h"
#include "run_command.h"

enum { N_ID = 40, N_NEAR = 30, N_FAR = 25 };
static double id[N_ID], near_set[N_NEAR], far_set[N_FAR];

static void write_doubles(const char *name, const double *values, int64_t n)
{
    cr_assert_eq(dn_npy_write(at(name), DN_F64, 1, &n, values), DN_OK, "%s", dn_error_last());
}

static void draw(double *values, int n, double mean, uint64_t seed)
{
    dn_random_sequence r = {.seed = seed};
    for (int i = 0; i < n; i++) values[i] = mean + (double)dn_random_next_below(&r, 12);
}

static void open_arrays(void)
{
    snprintf(work, sizeof work, "/tmp/dn-metrics-XXXXXX");
    cr_assert_not_null(mkdtemp(work));
    draw(id, N_ID, 0, 1);
    draw(near_set, N_NEAR, 2, 2);
    draw(far_set, N_FAR, 5, 3);
    write_doubles("id.npy", id, N_ID);
    write_doubles("near.npy", near_set, N_NEAR);
    write_doubles("far.npy", far_set, N_FAR);
}

TestSuite(metrics_command, .init = open_arrays, .fini = close_work);

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    cr_assert(cJSON_IsNumber(item), "%s is missing in %s", name, out);
    return item->valuedouble;
}

static const char *string(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    cr_assert_not_null(text, "%s is missing in %s", name, out);
    return text;
}

static const cJSON *child(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    cr_assert_not_null(item, "%s is missing in %s", name, out);
    return item;
}

/** JSON must give every bit back. */
static void check_set(const cJSON *object, const double *ood, size_t n, const dn_metrics_options *options)
{
    dn_metrics want;
    cr_assert_eq(dn_metrics_compute(&want, id, N_ID, ood, n, options), DN_OK);
    for (int i = 0; i < DN_METRIC_COUNT; i++) {
        const char *name = dn_metric_name((dn_metric)i);
        cr_expect_eq(number(object, name), dn_metrics_value(&want, (dn_metric)i), "%s", name);
    }
    cr_expect(number(object, "n_id") == N_ID && number(object, "n_ood") == (double)n);
    cr_expect_str_eq(string(object, "rule"), dn_fpr_rule_name(want.rule));
    cr_expect_str_eq(string(object, "positive"), dn_positive_name(want.positive));
}

static cJSON *parse_out(void)
{
    cJSON *tree = cJSON_Parse(out);
    cr_assert_not_null(tree, "no JSON: %s%s", out, err);
    return tree;
}

Test(metrics_command, one_set_stands_at_the_top)
{
    for (int rule = 0; rule < DN_FPR_RULE_COUNT; rule++) {
        for (int positive = 0; positive < DN_POSITIVE_COUNT; positive++) {
            const dn_metrics_options options = {(dn_fpr_rule)rule, (dn_positive)positive};
            cr_assert_eq(RUN("metrics", "--id", at("id.npy"), "--ood", at("near.npy"), "--rule",
                             dn_fpr_rule_name(options.rule), "--positive", dn_positive_name(options.positive), "--json",
                             "-"),
                         0, "%s", err);
            cJSON *tree = parse_out();
            check_set(tree, near_set, N_NEAR, &options);
            cJSON_Delete(tree);
        }
    }
}

Test(metrics_command, shapes_and_types)
{
    int32_t whole[N_ID];
    float column[N_NEAR];
    const int64_t n_id = N_ID, shape[] = {N_NEAR, 1};
    for (int i = 0; i < N_ID; i++) whole[i] = (int32_t)id[i];
    for (int i = 0; i < N_NEAR; i++) column[i] = (float)near_set[i];
    cr_assert_eq(dn_npy_write(at("whole.npy"), DN_I32, 1, &n_id, whole), DN_OK);
    cr_assert_eq(dn_npy_write(at("column.npy"), DN_F32, 2, shape, column), DN_OK);
    cr_assert_eq(RUN("metrics", "--id", at("whole.npy"), "--ood", at("column.npy"), "--json", "-"), 0, "%s", err);
    cJSON *tree = parse_out();
    check_set(tree, near_set, N_NEAR, NULL);
    cJSON_Delete(tree);
}

Test(metrics_command, sets_groups_and_files)
{
    write_doubles("far, \"two\".npy", far_set, N_FAR);
    cr_assert_eq(RUN("metrics", "--id", at("id.npy"), "--ood", at("near.npy"), "--near", at("near.npy"), "--far",
                     at("far.npy"), "--far", at("far, \"two\".npy"), "--json", at("m.json"), "--csv", at("m.csv")),
                 0, "%s", err);
    HAS(out, "near.npy");
    HAS(out, "mean of 1 near");
    HAS(out, "mean of 2 far");
    FILE *file = fopen(at("m.json"), "r");
    cr_assert_not_null(file);
    out[fread(out, 1, sizeof out - 1, file)] = '\0';
    fclose(file);
    cJSON *tree = parse_out();
    const cJSON *sets = child(tree, "sets"), *groups = child(tree, "groups");
    cr_assert_eq(cJSON_GetArraySize(sets), 3);
    check_set(cJSON_GetArrayItem(sets, 0), near_set, N_NEAR, NULL);
    check_set(cJSON_GetArrayItem(sets, 2), far_set, N_FAR, NULL);
    cr_expect_str_eq(string(cJSON_GetArrayItem(sets, 0), "group"), "near");
    cr_expect_eq(number(child(groups, "far"), "sets"), 2);
    cr_expect_eq(number(child(groups, "far"), "auroc"), number(cJSON_GetArrayItem(sets, 1), "auroc"));
    cJSON_Delete(tree);
    file = fopen(at("m.csv"), "r");
    cr_assert_not_null(file);
    out[fread(out, 1, sizeof out - 1, file)] = '\0';
    fclose(file);
    HAS(out, "set,group,rule,positive,n_id,n_ood,auroc,aupr_out,");
    HAS(out, "far, \"\"two\"\".npy\",far,first,ood,40,25,");
    HAS(out, "\nmean,far,first,ood,40,,");
}

Test(metrics_command, intervals_are_the_library_s)
{
    dn_interval want[DN_METRIC_COUNT];
    const dn_score_sets sets = {id, near_set, N_ID, N_NEAR};
    cr_assert_eq(dn_bootstrap(want, &sets, &(dn_bootstrap_options){.resamples = 200, .seed = 7}), DN_OK);
    for (int run = 0; run < 2; run++) {
        threads = run ? "--threads=1" : "--threads=3";
        cr_assert_eq(RUN("metrics", "--id", at("id.npy"), "--ood", at("near.npy"), "--bootstrap", "200", "--seed", "7",
                         "--json", "-"),
                     0, "%s", err);
        cJSON *tree = parse_out();
        for (int i = 0; i < DN_METRIC_COUNT; i++) {
            const cJSON *pair = child(child(tree, "intervals"), dn_metric_name((dn_metric)i));
            cr_expect(number(pair, "low") == want[i].low && number(pair, "high") == want[i].high);
        }
        cr_expect_eq(number(child(tree, "bootstrap"), "resamples"), 200);
        cJSON_Delete(tree);
    }
    cr_assert_eq(RUN("metrics", "--id", at("id.npy"), "--ood", at("near.npy"), "--bootstrap", "50"), 0, "%s", err);
    HAS(out, "95 % intervals of 50 resamples, seed 0");
    HAS(out, " to ");
}

Test(metrics_command, a_method_minus_itself_is_0)
{
    cr_assert_eq(RUN("metrics", "--id", at("id.npy"), "--near", at("near.npy"), "--near", at("far.npy"), "--versus-id",
                     at("id.npy"), "--versus-ood", at("near.npy"), "--versus-ood", at("far.npy"), "--bootstrap", "50",
                     "--json", "-"),
                 0, "%s", err);
    cJSON *tree = parse_out();
    const cJSON *set;
    cJSON_ArrayForEach(set, child(tree, "sets"))
    {
        const cJSON *difference = child(set, "difference"), *pair = child(child(difference, "intervals"), "auroc");
        cr_expect_eq(number(difference, "fpr95"), 0);
        cr_expect(number(pair, "low") == 0 && number(pair, "high") == 0);
    }
    const cJSON *group = child(child(tree, "groups"), "near");
    cr_expect_eq(number(child(group, "difference"), "auroc"), 0);
    const cJSON *pair = child(child(group, "intervals"), "auroc");
    cr_expect(number(pair, "low") < number(group, "auroc") && number(group, "auroc") < number(pair, "high"));
    cJSON_Delete(tree);
    cr_assert_eq(RUN("metrics", "--id", at("id.npy"), "--ood", at("far.npy"), "--versus-id", at("id.npy"),
                     "--versus-ood", at("far.npy")),
                 0);
    HAS(out, "+0.0000");
}

static void write_logits(void)
{
    const float logits[] = {2, 0, 0, 0, 3, 0, 0, 0, 1, 5, 0, 0};
    const int64_t shape[] = {4, 3}, n = 4;
    const int32_t labels[] = {0, 1, 2, 1};
    cr_assert_eq(dn_npy_write(at("logits.npy"), DN_F32, 2, shape, logits), DN_OK);
    cr_assert_eq(dn_npy_write(at("labels.npy"), DN_I32, 1, &n, labels), DN_OK);
}

Test(metrics_command, logits_and_labels)
{
    write_logits();
    cr_assert_eq(
        RUN("metrics", "--logits", at("logits.npy"), "--labels", at("labels.npy"), "--threshold", ".2", "--json", "-"),
        0, "%s", err);
    cJSON *tree = parse_out();
    const double nll =
        (3 * log(1) + log1p(2 * exp(-2)) + log1p(2 * exp(-3)) + log1p(2 * exp(-1)) + 5 + log1p(2 * exp(-5)));
    cr_expect_eq(number(tree, "accuracy"), 0.75);
    cr_expect(fabs(number(tree, "nll") - nll / 4) < 1e-15);
    /* Ascending scores: rows 3 (wrong), 1, 0, 2. */
    cr_expect(fabs(number(tree, "aurc") - (1 + 1. / 2 + 1. / 3 + 1. / 4) / 4) < 1e-15);
    cr_expect_eq(number(child(tree, "selective"), "accepted"), 2); /* .0133 and .0906; then .2131 */
    cr_expect_eq(number(child(tree, "selective"), "precision"), 0.5);
    cr_expect_eq(number(child(tree, "selective"), "recall"), 0.25);
    cr_expect_eq(number(cJSON_GetArrayItem(child(tree, "accuracy_coverage"), 9), "accuracy"), 0.75);
    cJSON_Delete(tree);

    const double scores[] = {1, 2, 3, 4}, unknown[] = {0, 9};
    write_doubles("scores.npy", scores, 4);
    write_doubles("unknown.npy", unknown, 2);
    cr_assert_eq(RUN("metrics", "--logits", at("logits.npy"), "--labels", at("labels.npy"), "--scores",
                     at("scores.npy"), "--ood", at("unknown.npy"), "--threshold", "2", "--csv", at("l.csv")),
                 0, "%s", err);
    HAS(out, "2 of 6 rows accepted, precision 0.5000, recall 0.2500");
    cr_expect(exists(at("l.csv")));
}

/** Fails with that exit code and text, and writes nothing. */
#define FAILS(code, text, ...)                                                      \
    do {                                                                            \
        cr_expect_eq(RUN("metrics", __VA_ARGS__, "--json", at("none.json")), code); \
        HAS(err, text);                                                             \
        cr_expect_str_eq(out, "");                                                  \
        cr_expect_not(exists(at("none.json")));                                     \
    } while (0)

Test(metrics_command, bad_scores_are_named)
{
    const double bad[] = {1, NAN, 3}, infinite[] = {1, 2, 3, -INFINITY};
    const int64_t wide[] = {2, 2}, none = 0;
    write_doubles("bad.npy", bad, 3);
    write_doubles("infinite.npy", infinite, 4);
    cr_assert_eq(dn_npy_write(at("wide.npy"), DN_F64, 2, wide, infinite), DN_OK);
    cr_assert_eq(dn_npy_write(at("none.npy"), DN_F64, 1, &none, infinite), DN_OK);
    FAILS(1, "bad.npy: row 1 (counted from 0) is nan", "--id", at("bad.npy"), "--ood", at("near.npy"));
    FAILS(1, "infinite.npy: row 3 (counted from 0) is -inf", "--id", at("id.npy"), "--ood", at("infinite.npy"));
    FAILS(1, "wide.npy: the array's shape is [2,2]", "--id", at("wide.npy"), "--ood", at("near.npy"));
    FAILS(1, "none.npy", "--id", at("none.npy"), "--ood", at("near.npy"));
    FAILS(1, "absent.npy", "--id", at("absent.npy"), "--ood", at("near.npy"));
    FAILS(1, "same rows", "--id", at("id.npy"), "--ood", at("near.npy"), "--versus-id", at("id.npy"), "--versus-ood",
          at("far.npy"));
}

Test(metrics_command, bad_usage_is_explained)
{
    FAILS(2, "--id FILE --ood FILE", "--id", at("id.npy"));
    FAILS(2, "--versus-ood", "--id", at("id.npy"), "--ood", at("near.npy"), "--versus-id", at("id.npy"));
    FAILS(2, "one for each of the 2", "--id", at("id.npy"), "--ood", at("near.npy"), "--far", at("far.npy"),
          "--versus-id", at("id.npy"), "--versus-ood", at("near.npy"));
    FAILS(2, "as --near and as --far", "--id", at("id.npy"), "--near", at("far.npy"), "--far", at("far.npy"));
    FAILS(2, "closest", "--id", at("id.npy"), "--ood", at("near.npy"), "--rule", "second");
    FAILS(2, "--bootstrap", "--id", at("id.npy"), "--ood", at("near.npy"), "--bootstrap", "-1");
    FAILS(2, "by options", at("id.npy"), at("near.npy"));
    FAILS(2, "belong together", "--logits", at("id.npy"));
    FAILS(2, "--bootstrap does not go", "--logits", at("id.npy"), "--labels", at("id.npy"), "--bootstrap", "9");
    cr_expect_eq(RUN("metrics", "--id", at("id.npy"), "--ood", at("near.npy"), "--json", "-", "--csv", "-"), 2);
}

Test(metrics_command, bad_logits_are_named)
{
    write_logits();
    const int64_t n = 4, three = 3, wide[] = {2, 2};
    const int32_t high[] = {0, 1, 3, 1};
    const double halves[] = {0, 1, .5, 1};
    const float holes[] = {0, 1, NAN, 3};
    cr_assert_eq(dn_npy_write(at("high.npy"), DN_I32, 1, &n, high), DN_OK);
    cr_assert_eq(dn_npy_write(at("short.npy"), DN_I32, 1, &three, high), DN_OK);
    cr_assert_eq(dn_npy_write(at("holes.npy"), DN_F32, 2, wide, holes), DN_OK);
    cr_assert_eq(dn_npy_write(at("two.npy"), DN_I32, 1, &(int64_t){2}, high), DN_OK);
    write_doubles("halves.npy", halves, 4);
    FAILS(2, "row 2 (counted from 0) is 3, expected a class from 0 to 2", "--logits", at("logits.npy"), "--labels",
          at("high.npy"));
    FAILS(1, "short.npy has 3 rows", "--logits", at("logits.npy"), "--labels", at("short.npy"));
    FAILS(1, "expected integers", "--logits", at("logits.npy"), "--labels", at("halves.npy"));
    FAILS(1, "row 1, column 0", "--logits", at("holes.npy"), "--labels", at("two.npy"));
    FAILS(1, "expected logits", "--logits", at("two.npy"), "--labels", at("two.npy"));
    FAILS(2, "--scores", "--logits", at("holes.npy"), "--labels", at("two.npy"), "--ood", at("two.npy"));
}

Test(metrics_command, a_file_that_cannot_be_written)
{
    cr_expect_eq(RUN("metrics", "--id", at("id.npy"), "--ood", at("near.npy"), "--json", at("nowhere/m.json")), 1);
    HAS(err, "nowhere/m.json");
    cr_expect_eq(RUN("metrics", "--id", at("id.npy"), "--ood", at("near.npy"), "--csv", at("nowhere/m.csv")), 1);
    HAS(err, "nowhere/m.csv");
}

Test(metrics_command, one_row_and_constant_sets)
{
    const double same[] = {4, 4, 4};
    write_doubles("one.npy", same, 1);
    write_doubles("same.npy", same, 3);
    cr_assert_eq(RUN("metrics", "--id", at("one.npy"), "--ood", at("same.npy"), "--bootstrap", "20", "--json", "-"), 0,
                 "%s", err);
    cJSON *tree = parse_out();
    cr_expect(number(tree, "auroc") == 0.5 && number(tree, "fpr95") == 1 && number(tree, "best_threshold") == 4);
    cJSON_Delete(tree);
}
