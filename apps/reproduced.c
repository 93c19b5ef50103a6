#include "apps/reproduced.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"

/* ---- rows ---- */

static dn_status add_row(dn_reproduced *r, const char *set, const char *score, const char *figure,
                         const double *published)
{
    DN_TRY(dn_grow((void **)&r->rows, &r->rows_capacity, r->n_rows, sizeof *r->rows));
    dn_reproduced_row *row = &r->rows[r->n_rows++];
    *row = (dn_reproduced_row){dn_strdup(set), dn_strdup(score), dn_strdup(figure), {NAN, NAN}, NULL};
    row->value = dn_calloc(r->seeds, sizeof *row->value);
    if (!row->set || !row->score || !row->figure || !row->value) return DN_ERROR_MEMORY;
    for (size_t s = 0; s < r->seeds; s++) row->value[s] = NAN;
    for (int c = 0; c < DN_PUBLISHED_COLUMNS && published; c++) row->published[c] = published[c];
    return DN_OK;
}

static dn_reproduced_row *find_row(dn_reproduced *r, const char *set, const char *score, const char *figure)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        dn_reproduced_row *row = &r->rows[i];
        if (strcmp(row->set, set) == 0 && strcmp(row->score, score) == 0 && strcmp(row->figure, figure) == 0)
            return row;
    }
    return NULL;
}

dn_status dn_reproduce_put(const dn_reproduction *r, const char *set, const char *score, const char *figure,
                           double value)
{
    dn_reproduced *to = r->reproduced;
    if (!find_row(to, set, score, figure)) DN_TRY(add_row(to, set, score, figure, NULL));
    find_row(to, set, score, figure)->value[r->seed] = value;
    return DN_OK;
}

/* ---- curves ---- */

static dn_reproduced_series *find_series(dn_reproduced *r, const char *title, const char *name, uint64_t seed)
{
    for (size_t i = 0; i < r->n_series; i++) {
        dn_reproduced_series *s = &r->series[i];
        if (s->seed == seed && strcmp(s->title, title) == 0 && strcmp(s->name, name) == 0) return s;
    }
    return NULL;
}

static dn_status add_series(dn_reproduced *r, const char *title, const char *x_label, const char *y_label,
                            const char *name, uint64_t seed)
{
    DN_TRY(dn_grow((void **)&r->series, &r->series_capacity, r->n_series, sizeof *r->series));
    dn_reproduced_series *s = &r->series[r->n_series++];
    *s = (dn_reproduced_series){.title = dn_strdup(title),
                                .x_label = dn_strdup(x_label),
                                .y_label = dn_strdup(y_label),
                                .name = dn_strdup(name),
                                .seed = seed};
    return s->title && s->x_label && s->y_label && s->name ? DN_OK : DN_ERROR_MEMORY;
}

dn_status dn_reproduce_point(const dn_reproduction *r, const char *title, const char *x_label, const char *y_label,
                             const char *series, double x, double y)
{
    dn_reproduced *to = r->reproduced;
    if (!find_series(to, title, series, r->seed)) DN_TRY(add_series(to, title, x_label, y_label, series, r->seed));
    dn_reproduced_series *s = find_series(to, title, series, r->seed);
    DN_TRY(dn_grow((void **)&s->x, &s->x_capacity, s->n, sizeof *s->x));
    DN_TRY(dn_grow((void **)&s->y, &s->y_capacity, s->n, sizeof *s->y));
    s->x[s->n] = x;
    s->y[s->n++] = y;
    return DN_OK;
}

/* ---- notes ---- */

dn_status dn_reproduce_show(const dn_reproduction *r, const char *run)
{
    dn_reproduced *to = r->reproduced;
    if (r->seed > 0) return DN_OK;
    DN_TRY(dn_grow((void **)&to->runs, &to->runs_capacity, to->n_runs, sizeof *to->runs));
    to->runs[to->n_runs] = dn_strdup(run);
    return to->runs[to->n_runs++] ? DN_OK : DN_ERROR_MEMORY;
}

void dn_reproduce_note(const dn_reproduction *r, const char *format, ...)
{
    if (r->options->quiet) return;
    fprintf(stderr, "%s, seed %llu: ", r->experiment->name, (unsigned long long)r->seed);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* ---- the whole ---- */

dn_status dn_reproduced_open(dn_reproduced *out, const dn_experiment *experiment, size_t seeds)
{
    *out = (dn_reproduced){.seeds = seeds};
    for (int i = 0; i < experiment->n_published; i++) {
        const dn_published *p = &experiment->published[i];
        DN_TRY(add_row(out, p->set, p->score, p->figure, p->value));
    }
    return DN_OK;
}

void dn_reproduced_close(dn_reproduced *r)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        dn_free(r->rows[i].set);
        dn_free(r->rows[i].score);
        dn_free(r->rows[i].figure);
        dn_free(r->rows[i].value);
    }
    for (size_t i = 0; i < r->n_series; i++) {
        dn_reproduced_series *s = &r->series[i];
        dn_free(s->title);
        dn_free(s->x_label);
        dn_free(s->y_label);
        dn_free(s->name);
        dn_free(s->x);
        dn_free(s->y);
    }
    for (size_t i = 0; i < r->n_runs; i++) dn_free(r->runs[i]);
    dn_free(r->runs);
    dn_free(r->series);
    dn_free(r->rows);
    *r = (dn_reproduced){0};
}
