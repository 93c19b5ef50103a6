/** Scores and metrics against the answers of an independent float64 reference, where its folder lies beside the source
 *  tree: ../shared/golden/case_a. Skipped elsewhere; the other tests of ood/ need no files. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/metrics.h"
#include "ood/score.h"

static char *folder_file(const char *name)
{
    char *here = dn_strdup(__FILE__);
    for (int up = 0; up < 2; up++) { /* tests/this.c -> the source root */
        char *slash = strrchr(here, '/');
        cr_assert_not_null(slash, "the test must be compiled by its absolute path");
        *slash = '\0';
    }
    char *path = dn_format("%s/../shared/golden/case_a/%s", here, name);
    dn_free(here);
    return path;
}

/** @return the whole file, or NULL if there is none; `*size` receives its length */
static char *read_file(const char *name, size_t *size)
{
    char *path = folder_file(name);
    FILE *file = fopen(path, "rb");
    dn_free(path);
    if (!file) return NULL;
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    const long length = ftell(file);
    cr_assert_geq(length, 0);
    rewind(file);
    char *text = dn_calloc((size_t)length + 1, 1);
    cr_assert_eq(fread(text, 1, (size_t)length, file), (size_t)length);
    (void)fclose(file);
    *size = (size_t)length;
    return text;
}

typedef struct array {
    dn_dtype type;
    size_t rank, shape[3];
    void *data;
} array;

/** Reads a little-endian, row-major float array of .npy format 1.0. */
static array read_array(const char *name)
{
    size_t size = 0, count = 1;
    char *file = read_file(name, &size);
    cr_assert(file && size > 10 && memcmp(file, "\x93NUMPY\x01", 7) == 0, "%s is no .npy file", name);
    const size_t start = 10 + (size_t)(uint8_t)file[8] + 256 * (size_t)(uint8_t)file[9];
    cr_assert_leq(start, size);
    file[start - 1] = '\0'; /* the header's closing line break */
    cr_assert(strstr(file + 10, "'fortran_order': False"), "%s", name);
    array a = {.type = strstr(file + 10, "<f4") ? DN_F32 : DN_F64};
    cr_assert(a.type == DN_F32 || strstr(file + 10, "<f8"), "%s: %s", name, file + 10);
    for (char *at = strchr(file + 10, '(') + 1; *at != ')' && a.rank < 3; at += strspn(at, ", ")) {
        a.shape[a.rank] = strtoul(at, &at, 10);
        count *= a.shape[a.rank++];
    }
    const size_t bytes = count * dn_dtype_size(a.type);
    cr_assert_eq(size - start, bytes, "%s", name);
    a.data = dn_calloc(bytes, 1);
    memcpy(a.data, file + start, bytes);
    dn_free(file);
    return a;
}

/** @return [shape[0]] as doubles; free with dn_free() */
static double *read_scores(const char *name, size_t *count)
{
    const array a = read_array(name);
    double *scores = dn_calloc(a.shape[0], sizeof *scores);
    *count = a.shape[0];
    for (size_t i = 0; i < *count; i++) {
        scores[i] = a.type == DN_F32 ? (double)((float *)a.data)[i] : ((double *)a.data)[i];
    }
    dn_free(a.data);
    return scores;
}

static cJSON *expected(void)
{
    size_t size;
    char *text = read_file("expected.json", &size);
    if (!text) cr_skip_test("the golden case is not beside the source tree");
    cJSON *json = cJSON_Parse(text);
    cr_assert_not_null(json, "expected.json is no JSON");
    dn_free(text);
    return json;
}

static double number(const cJSON *entry, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(entry, name);
    cr_assert(cJSON_IsNumber(item), "%s is missing", name);
    return item->valuedouble;
}

static const char *string(const cJSON *entry, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, name));
}

static dn_score_input input_of(const array *a)
{
    const size_t rows = a->rank == 3 ? 1 : 0; /* [N,C] has one member */
    return (dn_score_input){.members = rows ? a->shape[0] : 1,
                            .rows = a->shape[rows],
                            .columns = a->shape[rows + 1],
                            .type = a->type,
                            .logits = a->data};
}

/** @return whether the entry's first method is in the table */
static int is_known(const char *expression)
{
    char name[64];
    cr_assert_lt(snprintf(name, sizeof name, "%.*s", (int)strcspn(expression, ":+"), expression), 64);
    return dn_method_find(name) != NULL;
}

static void check_scores(const cJSON *entry, const dn_score_input *input)
{
    const char *expression = string(entry, "expression"), *reduction = string(entry, "reduce");
    double *scores = dn_calloc(input->rows, sizeof *scores);
    dn_method_call call;
    dn_reduce reduce = DN_REDUCE_DEFAULT;
    cr_assert_eq(dn_method_parse(&call, expression), DN_OK, "%s", dn_error_last());
    if (reduction) cr_assert_eq(dn_reduce_parse(&reduce, reduction), DN_OK);
    cr_assert_eq(dn_score(scores, &call, input, reduce), DN_OK, "%s", dn_error_last());
    const double centre = number(entry, "centre"), scale = number(entry, "scale");
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(entry, "values"), *value;
    size_t row = 0;
    cr_assert_eq((size_t)cJSON_GetArraySize(values), input->rows);
    cJSON_ArrayForEach(value, values)
    {
        const double want = value->valuedouble, tolerance = 2e-5 * fmax(fabs(want - centre), scale);
        cr_expect(fabs(scores[row] - want) <= tolerance, "%s, reduce %s, row %zu: %.17g, expected %.17g", expression,
                  reduction ? reduction : "-", row, scores[row], want);
        row++;
    }
    dn_free(scores);
}

Test(ood_golden, scores)
{
    cJSON *json = expected();
    const array one = read_array("logits.npy"), all = read_array("ens_logits.npy");
    const dn_score_input single = input_of(&one), ensemble = input_of(&all);
    const cJSON *entry;
    int checked = 0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "scores"))
    {
        if (!is_known(string(entry, "expression"))) continue;
        const cJSON *is_ensemble = cJSON_GetObjectItemCaseSensitive(entry, "ensemble");
        check_scores(entry, cJSON_IsTrue(is_ensemble) ? &ensemble : &single);
        checked++;
    }
    cr_expect_geq(checked, 54, "only %d entries were checked", checked);
    dn_free(one.data);
    dn_free(all.data);
    cJSON_Delete(json);
}

Test(ood_golden, a_nan_is_named_by_its_row)
{
    cJSON *json = expected();
    const array bad = read_array("logits_nan_row17.npy");
    const dn_score_input input = input_of(&bad);
    double *scores = dn_calloc(input.rows, sizeof *scores);
    dn_method_call call;
    cr_assert_eq(dn_method_parse(&call, "msp"), DN_OK);
    cr_expect_eq(dn_score(scores, &call, &input, DN_REDUCE_DEFAULT), DN_ERROR_NUMERIC);
    cr_expect(strstr(dn_error_last(), "row 17"), "%s", dn_error_last());
    dn_free(scores);
    dn_free(bad.data);
    cJSON_Delete(json);
}

static void check_metrics(const cJSON *want, const dn_metrics *got, const char *name)
{
    const struct {
        const char *name;
        double value;
    } fields[] = {{"auroc", got->auroc},
                  {"aupr_out", got->aupr_out},
                  {"aupr_in", got->aupr_in},
                  {"fpr95", got->fpr95},
                  {"tnr95", got->tnr95},
                  {"detection_error", got->detection_error},
                  {"best_accuracy", got->best_accuracy},
                  {"best_threshold", got->best_threshold},
                  {"n_id", (double)got->n_id},
                  {"n_ood", (double)got->n_ood}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const double value = number(want, fields[i].name);
        const double tolerance = strcmp(fields[i].name, "best_threshold") == 0 ? 1e-9 * fmax(1, fabs(value)) : 1e-9;
        cr_expect(fabs(fields[i].value - value) <= tolerance, "%s, rule %s, positive %s: %s is %.17g, expected %.17g",
                  name, string(want, "rule"), string(want, "asked_positive"), fields[i].name, fields[i].value, value);
    }
    cr_expect_str_eq(dn_fpr_rule_name(got->rule), string(want, "rule"));
    cr_expect_str_eq(dn_positive_name(got->positive), string(want, "positive"));
}

Test(ood_golden, metrics)
{
    cJSON *json = expected();
    const cJSON *pair, *want;
    int checked = 0;
    cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(json, "metrics"))
    {
        size_t n_id, n_ood;
        double *id = read_scores(string(pair, "id"), &n_id), *ood = read_scores(string(pair, "ood"), &n_ood);
        cJSON_ArrayForEach(want, cJSON_GetObjectItemCaseSensitive(pair, "expected"))
        {
            dn_metrics got;
            dn_metrics_options options;
            cr_assert_eq(dn_fpr_rule_parse(&options.rule, string(want, "rule")), DN_OK);
            cr_assert_eq(dn_positive_parse(&options.positive, string(want, "asked_positive")), DN_OK);
            cr_assert_eq(dn_metrics_compute(&got, id, n_id, ood, n_ood, &options), DN_OK, "%s", dn_error_last());
            check_metrics(want, &got, string(pair, "id"));
            checked++;
        }
        dn_free(id);
        dn_free(ood);
    }
    cr_expect_geq(checked, 136, "only %d entries were checked", checked);
    cJSON_Delete(json);
}
