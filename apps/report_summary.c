/* What the runs have shown, in numbers, and side by side. */
#include <math.h>
#include <string.h>

#include "apps/html.h"
#include "apps/report_private.h"
#include "core/alloc.h"

static void put_share(FILE *to, double share)
{
    if (isfinite(share))
        fprintf(to, "<td class=n>%.2f</td>", 100.0 * share);
    else
        fputs("<td class=n>\xe2\x80\x93</td>", to);
}

/* ---- one line a run ---- */

static double mean_of(const dn__report_run *run, dn_metric metric)
{
    double sum = 0.0;
    for (int ood = 0; ood < run->n_ood; ood++) sum += dn_metrics_value(&dn__report_row(run, ood, 0)->metrics, metric);
    return sum / run->n_ood;
}

static void put_runs(FILE *to, const dn__report *r)
{
    fputs("<h3>Runs</h3>\n<p class=\"note\">In percent. Accuracy and calibration error (ECE, 15 bins) on known images; "
          "AUROC and FPR95 by the run's first score, mean over the sets of unknown images.</p>\n"
          "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Runs\"><table class=\"sort\"><thead><tr>"
          "<th scope=\"col\">run</th><th scope=\"col\">kind</th><th scope=\"col\">known</th>"
          "<th scope=\"col\" class=n>accuracy</th><th scope=\"col\" class=n>ECE</th><th scope=\"col\">score</th>"
          "<th scope=\"col\" class=n>AUROC</th><th scope=\"col\" class=n>FPR95</th></tr></thead>\n<tbody>\n",
          to);
    for (int i = 0; i < r->n_runs; i++) {
        const dn__report_run *run = &r->runs[i];
        dn_html_put(to, "<tr><td><a href=\"#run%d\">%s</a></td><td>%s</td><td>%s</td>", i, run->name, run->kind,
                    run->result.id);
        put_share(to, run->result.labelled ? run->result.accuracy : NAN);
        put_share(to, run->ece);
        dn_html_put(to, "<td>%s</td>", run->result.rows[0].method);
        put_share(to, mean_of(run, DN_METRIC_AUROC));
        put_share(to, mean_of(run, DN_METRIC_FPR95));
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div>\n", to);
}

/* ---- one line a run, set and score ---- */

static const dn_metric shown[] = {DN_METRIC_AUROC, DN_METRIC_AUPR_OUT, DN_METRIC_AUPR_IN, DN_METRIC_FPR95,
                                  DN_METRIC_DETECTION_ERROR};
enum { SHOWN = sizeof shown / sizeof *shown };

static bool is_error(dn_metric metric)
{
    return metric == DN_METRIC_FPR95 || metric == DN_METRIC_DETECTION_ERROR;
}

/* @return the best value that any run and score has on a set, as it is shown */
static double best_of(const dn__report *r, const char *ood, dn_metric metric)
{
    double best = NAN;
    for (int i = 0; i < r->n_runs; i++)
        for (int k = 0; k < r->runs[i].result.n_rows; k++) {
            const dn_evaluation_row *row = &r->runs[i].result.rows[k];
            if (strcmp(row->ood, ood) != 0) continue;
            const double value = round(1e4 * dn_metrics_value(&row->metrics, metric));
            best = is_error(metric) ? fmin(best, value) : fmax(best, value);
        }
    return best;
}

static void put_row(FILE *to, const dn__report *r, int run, const dn_evaluation_row *row)
{
    dn_html_put(to, "<tr><td><a href=\"#run%d\">%s</a></td><td>%s</td><td>%s", run, r->runs[run].name, row->ood,
                row->method);
    if (row->reduce != DN_REDUCE_DEFAULT)
        dn_html_put(to, " <span class=\"pale\">(%s)</span>", dn_evaluation_reduce_text(row->reduce));
    fputs("</td>", to);
    for (int m = 0; m < SHOWN; m++) {
        const double value = dn_metrics_value(&row->metrics, shown[m]);
        const bool best = round(1e4 * value) == best_of(r, row->ood, shown[m]);
        fprintf(to, "<td class=\"n%s\">%.2f</td>", best ? " best" : "", 100.0 * value);
    }
    fprintf(to, "<td class=n>%zu</td></tr>\n", row->metrics.n_ood);
}

static void put_rows(FILE *to, const dn__report *r)
{
    fputs(
        "<h3>Scores on unknown images</h3>\n<p class=\"note\">In percent; unknown images are the positive class. Bold: "
        "the best on each set. A heading sorts its column.</p>\n"
        "<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"Scores on unknown images\">"
        "<table class=\"sort\" id=\"scores\"><thead><tr><th scope=\"col\">run</th><th scope=\"col\">unknown</th>"
        "<th scope=\"col\">score</th>",
        to);
    static const char *const heads[SHOWN] = {"AUROC", "AUPR out", "AUPR in", "FPR95", "error"};
    for (int m = 0; m < SHOWN; m++) fprintf(to, "<th scope=\"col\" class=n>%s</th>", heads[m]);
    fputs("<th scope=\"col\" class=n>images</th></tr></thead>\n<tbody>\n", to);
    for (int i = 0; i < r->n_runs; i++)
        for (int k = 0; k < r->runs[i].result.n_rows; k++) put_row(to, r, i, &r->runs[i].result.rows[k]);
    fputs("</tbody></table></div>\n", to);
}

static void put_left_out(FILE *to, const dn__report *r)
{
    for (int i = 0; i < r->n_runs; i++)
        for (int k = 0; k < r->runs[i].result.n_left_out; k++)
            dn_html_put(to, "<p class=\"note\">%s: %s is left out: %s</p>\n", r->runs[i].name,
                        r->runs[i].result.left_out[k].method, r->runs[i].result.left_out[k].reason);
}

void dn__report_summary(const dn__report *r)
{
    fputs("<section id=\"summary\">\n<h2>Summary</h2>\n", r->to);
    put_runs(r->to, r);
    put_rows(r->to, r);
    put_left_out(r->to, r);
    fputs("</section>\n", r->to);
}

/* ---- runs side by side ---- */

/* @return the run's row of a set by its first score; NULL: it did not see the set beside the same known images */
static const dn_evaluation_row *row_on(const dn__report_run *run, const dn_evaluation_row *like, const char *id)
{
    for (int ood = 0; ood < run->n_ood && strcmp(run->result.id, id) == 0; ood++) {
        const dn_evaluation_row *row = dn__report_row(run, ood, 0);
        if (strcmp(row->ood, like->ood) == 0) return row;
    }
    return NULL;
}

enum { MOST_LINES = 12 };

typedef struct overlay {
    dn__report_line line[MOST_LINES];
    dn_chart_series series[MOST_LINES];
    const char *name[MOST_LINES];
    double auroc[MOST_LINES];
    int n;
} overlay;

static dn_status collect(overlay *o, const dn__report *r, const dn_evaluation_row *like, const char *id)
{
    *o = (overlay){0};
    for (int i = 0; i < r->n_runs && o->n < MOST_LINES; i++) {
        const dn_evaluation_row *row = row_on(&r->runs[i], like, id);
        if (!row) continue;
        o->name[o->n] = r->runs[i].name;
        o->auroc[o->n] = row->metrics.auroc;
        const int at = o->n++;
        DN_TRY(dn__report_roc(&o->line[at], row));
        o->series[at] = dn__report_series(i, &o->line[at]); /* a run has one colour everywhere */
    }
    return DN_OK;
}

static dn_status draw(FILE *to, const overlay *o, const char *ood)
{
    char label[1000];
    int used = snprintf(label, sizeof label, "ROC curves of the runs on %s.", ood);
    for (int i = 0; i < o->n && used < (int)sizeof label; i++)
        used +=
            snprintf(label + used, sizeof label - (size_t)used, " %s: AUROC %.2f %%.", o->name[i], 100.0 * o->auroc[i]);
    const dn_chart chart = {.label = label,
                            .x_label = "known images flagged",
                            .y_label = "unknown images flagged",
                            .x_high = 1.0,
                            .y_high = 1.0,
                            .diagonal = true,
                            .series = o->series,
                            .n_series = o->n};
    DN_TRY(dn__report_figure(to, ood, &chart));
    fputs("<ul class=\"keys\">\n", to);
    for (int i = 0; i < o->n; i++) {
        char value[16];
        snprintf(value, sizeof value, "%.2f", 100.0 * o->auroc[i]);
        dn__report_key(to, &o->series[i], o->name[i], value);
    }
    fputs("</ul>\n", to);
    dn__report_figure_end(to);
    return DN_OK;
}

/* @return whether an earlier run has the pair of sets, or no other one has */
static bool is_done(const dn__report *r, int run, const dn_evaluation_row *row)
{
    int others = 0;
    const char *id = r->runs[run].result.id;
    for (int i = 0; i < r->n_runs; i++) {
        if (i == run || !row_on(&r->runs[i], row, id)) continue;
        if (i < run) return true;
        others++;
    }
    return others == 0;
}

dn_status dn__report_comparison(const dn__report *r)
{
    bool any = false;
    for (int i = 0; i < r->n_runs; i++)
        for (int ood = 0; ood < r->runs[i].n_ood; ood++) {
            const dn_evaluation_row *row = dn__report_row(&r->runs[i], ood, 0);
            if (is_done(r, i, row)) continue;
            if (!any)
                fputs("<section>\n<h3>Runs side by side</h3>\n<p class=\"note\">ROC curves, each run by its first "
                      "score; beside the names AUROC in percent. The dashed line is guessing.</p>\n"
                      "<div class=\"figures\">\n",
                      r->to);
            any = true;
            overlay o;
            dn_status status = collect(&o, r, row, r->runs[i].result.id);
            if (status == DN_OK) status = draw(r->to, &o, row->ood);
            for (int k = 0; k < o.n; k++) dn__report_line_close(&o.line[k]);
            DN_TRY(status);
        }
    if (any) fputs("</div>\n</section>\n", r->to);
    return DN_OK;
}
