#include "apps/metric_labels.h"

#include <stdio.h>

#include "apps/array_values.h"
#include "apps/metric_arrays.h"
#include "apps/metric_report.h"
#include "core/alloc.h"

/** What was read, and what is known of each row. */
typedef struct arrays {
    double *logits;     /* [E,N,C] */
    int32_t *labels;    /* [N] */
    int32_t *class_map; /* [E,C] or NULL */
    double *scores;     /* [N] */
    double *ood;        /* [n_ood] or NULL */
    uint8_t *right;     /* [N] */
    size_t shape[3];    /* E, N, C */
} arrays;

static dn_status check_request(const dn_label_request *r)
{
    if (!r->logits || !r->labels)
        return dn_fail(DN_ERROR_ARGUMENT, "--logits and --labels belong together: give both, or none");
    if (r->ood && !r->scores)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "--ood beside --logits holds scores of unknown data: give --scores, the known data's, too");
    return DN_OK;
}

static dn_status expect_rows(const char *name, size_t n, const char *logits, size_t rows)
{
    if (n == rows) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE, "%s has %zu rows, but %s has %zu", name, n, logits, rows);
}

static dn_status read_all(arrays *a, size_t *n_ood, const dn_label_request *r)
{
    size_t n = 0;
    DN_TRY(dn_metric_logits_open(&a->logits, a->shape, r->logits));
    const size_t rows = a->shape[1];
    DN_TRY(dn_metric_labels_open(&a->labels, &n, r->labels));
    DN_TRY(expect_rows(r->labels, n, r->logits, rows));
    if (r->scores) {
        DN_TRY(dn_metric_scores_open(&a->scores, &n, r->scores));
        DN_TRY(expect_rows(r->scores, n, r->logits, rows));
    } else {
        a->scores = dn_calloc(rows, sizeof *a->scores);
    }
    if (r->ood) DN_TRY(dn_metric_scores_open(&a->ood, n_ood, r->ood));
    a->right = dn_calloc(rows, 1);
    return a->scores && a->right ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status take_selective(dn_label_result *out, const dn_selective *s, const dn_label_request *r)
{
    out->aurc = dn_selective_aurc(s);
    for (int i = 0; i < DN_COVERAGES; i++)
        DN_TRY(dn_selective_accuracy(&out->accuracy_at[i], s, (i + 1.0) / DN_COVERAGES));
    return r->has_threshold ? dn_selective_at(&out->selective, s, r->threshold) : DN_OK;
}

static dn_status compute(dn_label_result *out, arrays *a, const dn_label_request *r)
{
    DN_TRY(read_all(a, &out->n_ood, r));
    out->members = a->shape[0];
    out->classes = a->shape[2];
    size_t classes = 0;
    const size_t columns[2] = {a->shape[0], a->shape[2]};
    DN_TRY(dn_array_class_map_beside(&a->class_map, &classes, r->logits, columns));
    const dn_calibration_input input = {.members = a->shape[0],
                                        .rows = a->shape[1],
                                        .columns = a->shape[2],
                                        .logits = a->logits,
                                        .labels = a->labels,
                                        .class_map = a->class_map,
                                        .classes = classes};
    if (a->class_map) out->classes = classes;
    const dn_calibration_rows rows = {a->right, r->scores ? NULL : a->scores};
    const dn_status status = dn_calibration_compute(&out->calibration, &rows, &input);
    if (status != DN_OK) return dn_fail_context(status, "%s with %s", r->logits, r->labels);
    dn_selective *s = NULL;
    DN_TRY(dn_selective_open(&s, &(dn_selective_rows){a->scores, a->right, input.rows, a->ood, out->n_ood}));
    const dn_status taken = take_selective(out, s, r);
    dn_selective_close(s);
    return taken;
}

dn_status dn_metric_labels_compute(dn_label_result *out, const dn_label_request *request)
{
    arrays a = {0};
    *out = (dn_label_result){0};
    DN_TRY(check_request(request));
    const dn_status status = compute(out, &a, request);
    dn_free(a.logits);
    dn_free(a.class_map);
    dn_free(a.labels);
    dn_free(a.scores);
    dn_free(a.ood);
    dn_free(a.right);
    return status;
}

/* ---- results ---- */

static const char *score_name(const dn_label_request *r, const dn_label_result *result)
{
    return r->scores ? r->scores : result->members > 1 ? "ensemble_msp" : "msp";
}

dn_status dn_metric_labels_print(const dn_label_result *result, const dn_label_request *request)
{
    const dn_calibration *c = &result->calibration;
    printf("%s: %zu rows, %zu classes", request->logits, c->rows, result->classes);
    if (result->members > 1) printf(", %zu members", result->members);
    printf("\n\naccuracy  %.4f\nNLL       %.4f\nBrier     %.4f\nECE       %.4f\n\n", c->accuracy, c->nll, c->brier,
           c->ece);
    printf("answering rows of low score: %s", score_name(request, result));
    if (request->ood) printf("; %zu rows of unknown data, %s, are never right", result->n_ood, request->ood);
    printf("\nAURC      %.4f\ncoverage ", result->aurc);
    for (int i = 0; i < DN_COVERAGES; i++) printf(" %6.1f", (i + 1.0) / DN_COVERAGES);
    printf("\naccuracy ");
    for (int i = 0; i < DN_COVERAGES; i++) printf(" %6.4f", result->accuracy_at[i]);
    printf("\n");
    if (!request->has_threshold) return DN_OK;
    const dn_selective_figures *s = &result->selective;
    printf("\nbelow %g: %zu of %zu rows accepted, precision %.4f, recall %.4f, F1 %.4f\n", s->threshold, s->accepted,
           c->rows + result->n_ood, s->precision, s->recall, s->f1);
    return DN_OK;
}

cJSON *dn_metric_labels_json(const dn_label_result *result, const dn_label_request *request)
{
    const dn_calibration *c = &result->calibration;
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "logits", request->logits);
    cJSON_AddStringToObject(tree, "labels", request->labels);
    cJSON_AddStringToObject(tree, "score", score_name(request, result));
    if (request->ood) cJSON_AddStringToObject(tree, "ood", request->ood);
    cJSON_AddNumberToObject(tree, "members", (double)result->members);
    cJSON_AddNumberToObject(tree, "classes", (double)result->classes);
    cJSON_AddNumberToObject(tree, "n_id", (double)c->rows);
    cJSON_AddNumberToObject(tree, "n_ood", (double)result->n_ood);
    dn_metric_json_number(tree, "accuracy", c->accuracy);
    dn_metric_json_number(tree, "nll", c->nll);
    dn_metric_json_number(tree, "brier", c->brier);
    dn_metric_json_number(tree, "ece", c->ece);
    dn_metric_json_number(tree, "aurc", result->aurc);
    cJSON *points = cJSON_AddArrayToObject(tree, "accuracy_coverage");
    for (int i = 0; i < DN_COVERAGES; i++) {
        cJSON *point = cJSON_CreateObject();
        cJSON_AddItemToArray(points, point);
        cJSON_AddNumberToObject(point, "coverage", (i + 1.0) / DN_COVERAGES);
        dn_metric_json_number(point, "accuracy", result->accuracy_at[i]);
    }
    if (!request->has_threshold) return tree;
    const dn_selective_figures *s = &result->selective;
    cJSON *selective = cJSON_AddObjectToObject(tree, "selective");
    dn_metric_json_number(selective, "threshold", s->threshold);
    dn_metric_json_number(selective, "precision", s->precision);
    dn_metric_json_number(selective, "recall", s->recall);
    dn_metric_json_number(selective, "f1", s->f1);
    dn_metric_json_number(selective, "coverage", s->coverage);
    cJSON_AddNumberToObject(selective, "accepted", (double)s->accepted);
    cJSON_AddNumberToObject(selective, "right", (double)s->right);
    return tree;
}

void dn_metric_labels_csv(dn_csv *csv, const dn_label_result *result, const dn_label_request *request)
{
    const dn_calibration *c = &result->calibration;
    dn_csv_add(csv, "figure,value\naccuracy,%.17g\nnll,%.17g\nbrier,%.17g\nece,%.17g\naurc,%.17g\n", c->accuracy,
               c->nll, c->brier, c->ece, result->aurc);
    for (int i = 0; i < DN_COVERAGES; i++)
        dn_csv_add(csv, "accuracy_at_coverage_%g,%.17g\n", (i + 1.0) / DN_COVERAGES, result->accuracy_at[i]);
    if (!request->has_threshold) return;
    const dn_selective_figures *s = &result->selective;
    dn_csv_add(csv, "threshold,%.17g\nprecision,%.17g\nrecall,%.17g\nf1,%.17g\ncoverage,%.17g\n", s->threshold,
               s->precision, s->recall, s->f1, s->coverage);
}
