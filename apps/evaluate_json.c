#include "apps/evaluate_json.h"

static cJSON *row_json(const dn_evaluation_row *row)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "ood", row->ood);
    cJSON_AddStringToObject(object, "method", row->method);
    cJSON_AddStringToObject(object, "reduce", dn_evaluation_reduce_text(row));
    cJSON_AddNumberToObject(object, "auroc", row->metrics.auroc);
    cJSON_AddNumberToObject(object, "aupr_out", row->metrics.aupr_out);
    cJSON_AddNumberToObject(object, "aupr_in", row->metrics.aupr_in);
    cJSON_AddNumberToObject(object, "fpr95", row->metrics.fpr95);
    cJSON_AddNumberToObject(object, "n_ood", (double)row->metrics.n_ood);
    return object;
}

cJSON *dn_evaluation_json(const dn_evaluation *e, const char *run)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "run", run);
    cJSON_AddStringToObject(tree, "id", e->id);
    cJSON_AddNumberToObject(tree, "n_id", (double)e->n_id);
    cJSON_AddNumberToObject(tree, "accuracy", e->accuracy);
    cJSON *members = cJSON_AddArrayToObject(tree, "member_accuracy");
    for (int m = 0; m < e->members && e->labelled; m++)
        cJSON_AddItemToArray(members, cJSON_CreateNumber(e->member_accuracy[m]));
    cJSON *results = cJSON_AddArrayToObject(tree, "results");
    for (int i = 0; i < e->n_rows; i++) cJSON_AddItemToArray(results, row_json(&e->rows[i]));
    return tree;
}
