/** Calibration and selective figures against the answers of an independent float64 reference, where its folder lies
 *  beside the source tree: ../shared/golden/case_a. Skipped elsewhere. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/metric_labels.h"
#include "core/alloc.h"

static char *golden_file(const char *name)
{
    const char *end = strstr(__FILE__, "tests/test_metrics_golden.c");
    cr_assert_not_null(end);
    return dn_format("%.*s../shared/golden/case_a/%s", (int)(end - __FILE__), __FILE__, name);
}

static cJSON *expected(void)
{
    char *path = golden_file("expected.json");
    FILE *file = fopen(path, "rb");
    dn_free(path);
    if (!file) cr_skip_test("the golden case is not beside the source tree");
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = dn_calloc(size + 1, 1);
    cr_assert_eq(fread(text, 1, size, file), size);
    (void)fclose(file);
    cJSON *json = cJSON_Parse(text);
    cr_assert_not_null(json, "expected.json is no JSON");
    dn_free(text);
    return json;
}

static void compare(double got, const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    cr_assert(cJSON_IsNumber(item), "%s is missing", name);
    cr_expect(fabs(got - item->valuedouble) <= 1e-9, "%s is %.17g, expected %.17g", name, got, item->valuedouble);
}

Test(metrics_golden, calibration_and_selective_figures)
{
    cJSON *json = expected();
    const cJSON *library = cJSON_GetObjectItemCaseSensitive(json, "library");
    const cJSON *calibration = cJSON_GetObjectItemCaseSensitive(library, "calibration");
    const cJSON *selective = cJSON_GetObjectItemCaseSensitive(library, "selective");
    char *logits = golden_file("fit_logits.npy"), *labels = golden_file("fit_labels.npy");
    const dn_label_request request = {
        .logits = logits,
        .labels = labels,
        .has_threshold = true,
        .threshold = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(selective, "threshold"))};
    dn_label_result got;
    cr_assert_eq(dn_metric_labels_compute(&got, &request), DN_OK, "%s", dn_error_last());
    compare(got.calibration.nll, calibration, "nll");
    compare(got.calibration.brier, calibration, "brier");
    compare(got.calibration.ece, calibration, "ece");
    compare(got.aurc, library, "aurc");
    compare(got.accuracy_at[DN_COVERAGES - 1], library, "accuracy_at_full_coverage");
    compare(got.calibration.accuracy, library, "accuracy_at_full_coverage");
    compare(got.selective.precision, selective, "precision");
    compare(got.selective.recall, selective, "recall");
    compare(got.selective.f1, selective, "f1");
    dn_free(logits);
    dn_free(labels);
    cJSON_Delete(json);
}
