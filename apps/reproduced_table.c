/* Figures over seeds as texts and as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/reproduced.h"
#include "core/alloc.h"
#include "ood/summary.h"

/* @return whether any seed has a value */
static bool summarise(dn_summary *out, const dn_reproduced *r, const dn_reproduced_row *row)
{
    size_t n = 0;
    *out = (dn_summary){.mean = NAN, .deviation = NAN, .min = NAN, .max = NAN};
    double *values = dn_calloc(r->seeds, sizeof *values);
    for (size_t s = 0; values && s < r->seeds; s++)
        if (!isnan(row->value[s])) values[n++] = row->value[s];
    const bool any = n > 0 && dn_summarise(out, values, n) == DN_OK;
    dn_free(values);
    return any;
}

/* ---- texts ---- */

static char *published_text(double value)
{
    return isnan(value) ? dn_strdup("-") : dn_format("%.4f", value);
}

static char *own_text(const dn_reproduced *r, const dn_reproduced_row *row)
{
    dn_summary s;
    if (!summarise(&s, r, row)) return dn_strdup("not run");
    return s.n > 1 ? dn_format("%.4f +- %.4f", s.mean, s.deviation) : dn_format("%.4f", s.mean);
}

static char *difference_text(const dn_reproduced *r, const dn_reproduced_row *row, double published)
{
    dn_summary s;
    if (isnan(published) || !summarise(&s, r, row)) return dn_strdup("-");
    return dn_format("%+.4f", s.mean - published);
}

static int published_columns(const dn_experiment *e)
{
    return e->column[1] ? 2 : 1;
}

static void fill_headings(char **cell, const dn_reproduced *r, const dn_experiment *e, bool quick)
{
    static const char *const names[] = {"set", "score", "figure"};
    const int published = published_columns(e);
    for (int i = 0; i < 3; i++) *cell++ = dn_strdup(names[i]);
    for (int c = 0; c < published; c++) *cell++ = dn_format("%s%s", e->column[c], quick ? " (full)" : "");
    *cell++ = r->seeds > 1 ? dn_format("ours, %zu seeds", r->done) : dn_strdup("ours");
    for (int c = 0; c < published; c++)
        *cell++ = published > 1 ? dn_format("ours - %s", e->column[c]) : dn_strdup("difference");
}

static void fill_row(char **cell, const dn_reproduced *r, const dn_reproduced_row *row, int published)
{
    *cell++ = dn_strdup(row->set);
    *cell++ = dn_strdup(row->score);
    *cell++ = dn_strdup(row->figure);
    for (int c = 0; c < published; c++) *cell++ = published_text(row->published[c]);
    *cell++ = own_text(r, row);
    for (int c = 0; c < published; c++) *cell++ = difference_text(r, row, row->published[c]);
}

dn_status dn_reproduced_table_make(dn_reproduced_table *out, const dn_reproduced *r, const dn_experiment *experiment,
                                   bool quick)
{
    const int published = published_columns(experiment);
    *out = (dn_reproduced_table){.columns = 4 + 2 * published};
    out->cells = dn_calloc((r->n_rows + 1) * (size_t)out->columns, sizeof *out->cells);
    if (!out->cells) return DN_ERROR_MEMORY;
    out->rows = (int)r->n_rows;
    fill_headings(out->cells, r, experiment, quick);
    for (size_t i = 0; i < r->n_rows; i++)
        fill_row(out->cells + (i + 1) * (size_t)out->columns, r, &r->rows[i], published);
    for (int i = 0; i < (out->rows + 1) * out->columns; i++)
        if (!out->cells[i]) return DN_ERROR_MEMORY;
    return DN_OK;
}

void dn_reproduced_table_close(dn_reproduced_table *table)
{
    for (int i = 0; table->cells && i < (table->rows + 1) * table->columns; i++) dn_free(table->cells[i]);
    dn_free(table->cells);
    *table = (dn_reproduced_table){0};
}

/* ---- JSON ---- */

static cJSON *row_json(const dn_reproduced *r, const dn_reproduced_row *row, const dn_experiment *e)
{
    dn_summary s;
    cJSON *tree = cJSON_CreateObject();
    summarise(&s, r, row);
    cJSON_AddStringToObject(tree, "set", row->set);
    cJSON_AddStringToObject(tree, "score", row->score);
    cJSON_AddStringToObject(tree, "figure", row->figure);
    cJSON *published = cJSON_AddObjectToObject(tree, "published");
    for (int c = 0; c < published_columns(e); c++)
        if (!isnan(row->published[c])) cJSON_AddNumberToObject(published, e->column[c], row->published[c]);
    cJSON *values = cJSON_AddArrayToObject(tree, "by_seed");
    for (size_t i = 0; i < r->seeds; i++) cJSON_AddItemToArray(values, cJSON_CreateNumber(row->value[i]));
    cJSON_AddNumberToObject(tree, "mean", s.mean);
    cJSON_AddNumberToObject(tree, "standard_deviation", s.deviation);
    return tree;
}

static cJSON *series_json(const dn_reproduced_series *s)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "title", s->title);
    cJSON_AddStringToObject(tree, "series", s->name);
    cJSON_AddNumberToObject(tree, "seed", (double)s->seed);
    cJSON_AddStringToObject(tree, "x_label", s->x_label);
    cJSON_AddStringToObject(tree, "y_label", s->y_label);
    cJSON_AddItemToObject(tree, "x", cJSON_CreateDoubleArray(s->x, (int)s->n));
    cJSON_AddItemToObject(tree, "y", cJSON_CreateDoubleArray(s->y, (int)s->n));
    return tree;
}

cJSON *dn_reproduced_json(const dn_reproduced *r, const dn_experiment *experiment)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON *rows = cJSON_AddArrayToObject(tree, "rows"), *curves = cJSON_AddArrayToObject(tree, "curves");
    for (size_t i = 0; i < r->n_rows; i++) cJSON_AddItemToArray(rows, row_json(r, &r->rows[i], experiment));
    for (size_t i = 0; i < r->n_series; i++) cJSON_AddItemToArray(curves, series_json(&r->series[i]));
    return tree;
}
