/* What an experiment has shown as one page. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/report.h"
#include "apps/reproduced.h"
#include "core/alloc.h"

/* The series of one picture. */
typedef struct picture {
    dn_report_curve curve;
    dn_report_series series[DN_REPORT_SERIES_MAX];
    char *name[DN_REPORT_SERIES_MAX];
} picture;

static bool other_seeds(const dn_reproduced *r, const dn_reproduced_series *s)
{
    for (size_t i = 0; i < r->n_series; i++) {
        const dn_reproduced_series *other = &r->series[i];
        if (other->seed != s->seed && strcmp(other->title, s->title) == 0 && strcmp(other->name, s->name) == 0)
            return true;
    }
    return false;
}

/* What does not fit into a picture is in results.json. */
static dn_status add_series(picture *p, const dn_reproduced *r, const dn_reproduced_series *s)
{
    const int at = p->curve.n_series;
    if (at == DN_REPORT_SERIES_MAX) return DN_OK;
    p->name[at] =
        other_seeds(r, s) ? dn_format("%s, seed %llu", s->name, (unsigned long long)s->seed) : dn_strdup(s->name);
    if (!p->name[at]) return DN_ERROR_MEMORY;
    p->series[at] = (dn_report_series){p->name[at], s->x, s->y, s->n};
    p->curve.n_series++;
    return DN_OK;
}

/* @param pictures [n_series] room @param count receives how many there are */
static dn_status take_pictures(picture *pictures, int *count, const dn_reproduced *r)
{
    for (size_t i = 0; i < r->n_series; i++) {
        const dn_reproduced_series *s = &r->series[i];
        picture *p = pictures;
        while (p < pictures + *count && strcmp(p->curve.title, s->title) != 0) p++;
        if (p == pictures + *count) {
            p->curve =
                (dn_report_curve){.title = s->title, .x_label = s->x_label, .y_label = s->y_label, .series = p->series};
            ++*count;
        }
        DN_TRY(add_series(p, r, s));
    }
    return DN_OK;
}

static dn_status write_page(const char *path, dn_device *device, const dn_reproduce_options *o, const dn_experiment *e,
                            const dn_reproduced *r, const dn_reproduced_table *table, const picture *pictures,
                            int n_pictures)
{
    char *title = dn_format("%s: %s", e->name, e->about);
    char *about = dn_format("%s%s%s%s Source: %s, %s.", o->quick ? "Quick form: " : "", o->quick ? e->reduced : "",
                            o->quick ? ". " : "", e->settings, e->source, e->address);
    dn_report_curve *curves = dn_calloc((size_t)n_pictures + 1, sizeof *curves);
    for (int i = 0; curves && i < n_pictures; i++) curves[i] = pictures[i].curve;
    const dn_report_table shown = {
        .title = "Published figures and ours",
        .note = "Ours: mean and sample standard deviation over seeds. Below, the runs of seed 0.",
        .headings = (const char *const *)table->cells,
        .cells = (const char *const *)table->cells + table->columns,
        .columns = table->columns,
        .rows = table->rows};
    const dn_report_options options = {.title = title,
                                       .about = about,
                                       .command = o->command,
                                       .runs = (const char *const *)r->runs,
                                       .n_runs = (int)r->n_runs,
                                       .data_dir = o->data_dir,
                                       .tables = &shown,
                                       .n_tables = 1,
                                       .curves = curves,
                                       .n_curves = n_pictures,
                                       .quiet = o->quiet};
    const dn_status status = title && about && curves ? dn_report_write(path, device, &options) : DN_ERROR_MEMORY;
    dn_free(curves);
    dn_free(about);
    dn_free(title);
    return status;
}

dn_status dn_reproduced_report(const char *path, dn_device *device, const dn_reproduce_options *options,
                               const dn_experiment *experiment, const dn_reproduced *r,
                               const dn_reproduced_table *table)
{
    picture *pictures = dn_calloc(r->n_series + 1, sizeof *pictures);
    int count = 0;
    if (!pictures) return DN_ERROR_MEMORY;
    dn_status status = take_pictures(pictures, &count, r);
    if (status == DN_OK) status = write_page(path, device, options, experiment, r, table, pictures, count);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < pictures[i].curve.n_series; k++) dn_free(pictures[i].name[k]);
    dn_free(pictures);
    return status;
}
