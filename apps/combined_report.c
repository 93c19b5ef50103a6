/* What `dunlin evaluate RUN --classifier RUN` shows. */
#include <stdio.h>
#include <string.h>

#include "apps/combined.h"
#include "apps/metric_report.h"
#include "apps/table.h"

static const char *system_name(dn_combined_system system)
{
    static const char *const names[] = {"combined", "acceptor alone", "classifier alone"};
    return names[system];
}

static const char *chosen_on(const dn_combined_options *o)
{
    static const char *const names[] = {"held-out half", "test rows", "test rows, grid"};
    return names[o->threshold];
}

/* ---- text ---- */

static dn_status print_rows(const dn_combined *c)
{
    static const char *const head[] = {"unknown data", "system", "threshold", "accepted", "precision",
                                       "recall",       "F1",     "ID or OOD", "AURC"};
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, "llrrrrrrr"));
    for (int i = 0; i < 9; i++) dn_table_cell(table, "%s", head[i]);
    dn_table_rule(table);
    for (int i = 0; i < c->n_rows; i++) {
        const dn_combined_row *row = &c->rows[i];
        dn_table_cell(table, "%s", row->system == DN_SYSTEM_COMBINED ? row->ood : "");
        dn_table_cell(table, "%s", system_name(row->system));
        dn_table_cell(table, "%.6g", row->selective.threshold);
        dn_table_cell(table, "%zu of %zu", row->selective.accepted, row->n_id + row->n_ood);
        dn_table_cell(table, "%.4f", row->selective.precision);
        dn_table_cell(table, "%.4f", row->selective.recall);
        dn_table_cell(table, "%.4f", row->selective.f1);
        dn_table_cell(table, "%.4f", row->detection);
        dn_table_cell(table, "%.4f", row->aurc);
    }
    const dn_status status = dn_table_print(table, stdout);
    dn_table_close(table);
    return status;
}

dn_status dn_combined_print(const dn_combined *c, const dn_combined_options *o)
{
    printf("known data: %s\n", c->id);
    printf("acceptor: %s, accepts below a threshold of %s; accuracy %.2f %%\n", o->acceptor, c->method,
           100.0 * c->acceptor_accuracy);
    printf("classifier: %s, names what is accepted; accuracy %.2f %%\n", o->classifier, 100.0 * c->accuracy);
    static const char *const rows[] = {"a random half of each set; the other half is measured",
                                       "the very rows that are measured",
                                       "the very rows that are measured, among 1000 values from 0 to 1"};
    printf("threshold: chosen for the best accuracy of ID or OOD on %s\n\n", rows[o->threshold]);
    return print_rows(c);
}

/* ---- JSON and CSV ---- */

static cJSON *row_json(const dn_combined_row *row)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "ood", row->ood);
    cJSON_AddStringToObject(object, "system", system_name(row->system));
    dn_metric_json_number(object, "threshold", row->selective.threshold);
    cJSON_AddNumberToObject(object, "n_id", (double)row->n_id);
    cJSON_AddNumberToObject(object, "n_ood", (double)row->n_ood);
    cJSON_AddNumberToObject(object, "accepted", (double)row->selective.accepted);
    cJSON_AddNumberToObject(object, "right", (double)row->selective.right);
    dn_metric_json_number(object, "precision", row->selective.precision);
    dn_metric_json_number(object, "recall", row->selective.recall);
    dn_metric_json_number(object, "f1", row->selective.f1);
    dn_metric_json_number(object, "detection_accuracy", row->detection);
    dn_metric_json_number(object, "aurc", row->aurc);
    return object;
}

cJSON *dn_combined_json(const dn_combined *c, const dn_combined_options *o)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "acceptor", o->acceptor);
    cJSON_AddStringToObject(tree, "classifier", o->classifier);
    cJSON_AddStringToObject(tree, "id", c->id);
    cJSON_AddStringToObject(tree, "method", c->method);
    cJSON_AddStringToObject(tree, "threshold_on", chosen_on(o));
    dn_metric_json_number(tree, "accuracy", c->accuracy);
    dn_metric_json_number(tree, "acceptor_accuracy", c->acceptor_accuracy);
    cJSON *network = cJSON_AddObjectToObject(tree, "network");
    cJSON_AddNumberToObject(network, "images", (double)c->images);
    cJSON *rows = cJSON_AddArrayToObject(tree, "results");
    for (int i = 0; i < c->n_rows; i++) cJSON_AddItemToArray(rows, row_json(&c->rows[i]));
    return tree;
}

void dn_combined_csv(dn_csv *csv, const dn_combined *c, const dn_combined_options *o)
{
    dn_csv_add(csv, "acceptor,classifier,id,ood,system,method,threshold_on,threshold,n_id,n_ood,accepted,right,"
                    "precision,recall,f1,detection_accuracy,aurc\n");
    for (int i = 0; i < c->n_rows; i++) {
        const dn_combined_row *row = &c->rows[i];
        const char *const texts[] = {o->acceptor, o->classifier, c->id, row->ood, system_name(row->system), c->method};
        for (int k = 0; k < 6; k++) {
            dn_csv_add_text(csv, texts[k]);
            dn_csv_add(csv, ",");
        }
        dn_csv_add(csv, "%s,%.17g,%zu,%zu,%zu,%zu,%.17g,%.17g,%.17g,%.17g,%.17g\n", chosen_on(o),
                   row->selective.threshold, row->n_id, row->n_ood, row->selective.accepted, row->selective.right,
                   row->selective.precision, row->selective.recall, row->selective.f1, row->detection, row->aurc);
    }
}
