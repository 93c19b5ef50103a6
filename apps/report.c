#include "apps/report.h"

#include "apps/evaluate_check.h"
#include "apps/gnuplot.h"
#include "apps/progress.h"
#include "apps/report_private.h"
#include "apps/run.h"
#include "core/alloc.h"
#include "core/whole_file.h"

dn_status dn_report_check(const char *path)
{
    dn_whole_file file;
    const dn_status status = dn_whole_file_open(&file, path);
    dn_whole_file_close(&file);
    DN_TRY(status);
    return dn_gnuplot_check_program();
}

/* ---- the page ---- */

static dn_status write_own(const dn__report *r)
{
    const dn_report_options *o = r->options;
    if (o->n_tables > 0) fputs("<section id=\"tables\">\n", r->to);
    for (int i = 0; i < o->n_tables; i++) dn__report_table_write(r->to, &o->tables[i]);
    if (o->n_tables > 0) fputs("</section>\n", r->to);
    if (o->n_curves == 0) return DN_OK;
    fputs("<section id=\"curves\">\n<h2>Curves</h2>\n<div class=\"figures\">\n", r->to);
    for (int i = 0; i < o->n_curves; i++) DN_TRY(dn__report_curve_write(r->to, &o->curves[i]));
    fputs("</div>\n</section>\n", r->to);
    return DN_OK;
}

static dn_status write_page(const dn__report *r)
{
    dn__report_begin(r);
    DN_TRY(write_own(r));
    if (r->n_runs > 0) dn__report_summary(r);
    if (r->n_runs > 1) DN_TRY(dn__report_comparison(r));
    for (int i = 0; i < r->n_runs; i++) DN_TRY(dn__report_run_write(r, &r->runs[i], i));
    dn__report_about(r);
    dn__report_end(r);
    return DN_OK;
}

static dn_status write_file(dn__report *r, const char *path)
{
    dn_whole_file file;
    dn_status status = dn_whole_file_open(&file, path);
    r->to = file.file;
    if (status == DN_OK) status = write_page(r);
    if (status == DN_OK) status = dn_whole_file_commit(&file);
    dn_whole_file_close(&file);
    return status;
}

/* ---- the runs ---- */

static dn_status open_runs(dn__report *r, dn_device *device, char **names, dn_progress *progress)
{
    const dn_report_options *o = r->options;
    for (int i = 0; i < o->n_runs; i++) {
        char *name = names[i];
        names[i] = NULL;
        dn_progress_note(progress, "looking at %s (%d of %d)", name, i + 1, o->n_runs);
        DN_TRY(dn__report_run_open(&r->runs[r->n_runs++], o->runs[i], name, device, o));
    }
    return DN_OK;
}

static dn_status gather(dn__report *r, dn_device *device)
{
    const int n = r->options->n_runs;
    dn_progress *progress = NULL;
    const dn_progress_options options = {.label = "report", .quiet = r->options->quiet};
    if (n == 0) return DN_OK;
    char **names = dn_calloc((size_t)n, sizeof *names);
    r->runs = dn_calloc((size_t)n, sizeof *r->runs);
    dn_status status = names && r->runs ? dn_run_names(names, r->options->runs, n) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_progress_open(&progress, &options);
    if (status == DN_OK) status = open_runs(r, device, names, progress);
    dn_progress_close(progress);
    for (int i = 0; names && i < n; i++) dn_free(names[i]);
    dn_free(names);
    return status;
}

static dn_status check_run(const char *run)
{
    dn_recipe *recipe = NULL;
    const dn_status status = dn_run_recipe(&recipe, run);
    dn_recipe_close(recipe);
    return status;
}

static dn_status check_set(const dn_report_options *o, const char *expression)
{
    dn_dataset *set = NULL;
    const dn_dataset_options first = {.data_dir = o->data_dir, .limit = 1};
    const dn_status status = dn_dataset_open(&set, expression, &first);
    dn_dataset_close(set);
    return status;
}

/* What can be found wrong before the work begins. */
static dn_status check(const dn_report_options *o)
{
    for (int i = 0; i < o->n_curves; i++)
        if (o->curves[i].n_series < 1 || o->curves[i].n_series > DN_REPORT_SERIES_MAX)
            return dn_fail(DN_ERROR_ARGUMENT, "the curve '%s' has %d lines; a report draws 1 to %d", o->curves[i].title,
                           o->curves[i].n_series, DN_REPORT_SERIES_MAX);
    for (int i = 0; i < o->n_runs; i++) DN_TRY(check_run(o->runs[i]));
    if (o->id) DN_TRY(check_set(o, o->id));
    for (int i = 0; i < o->n_ood; i++) DN_TRY(check_set(o, o->ood[i]));
    return DN_OK;
}

dn_status dn_report_write(const char *path, dn_device *device, const dn_report_options *options)
{
    dn__report r = {.options = options, .device = device};
    DN_TRY(dn_report_check(path));
    DN_TRY(check(options));
    dn_status status = gather(&r, device);
    if (status == DN_OK) status = write_file(&r, path);
    for (int i = 0; i < r.n_runs; i++) dn__report_run_close(&r.runs[i]);
    dn_free(r.runs);
    return status;
}
