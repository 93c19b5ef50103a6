/* A run and a set of unknown images: how the scores of both lie, ROC and precision-recall curves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/html.h"
#include "apps/report_private.h"
#include "core/alloc.h"

enum { BINS = 50, OUTLINE = 2 * BINS + 2, MOST_METHODS = 10, LABEL = 1200 };

/* ---- histogram ---- */

/* In percent of the images. */
static const double STEEP = 25.0, FLOOR = 0.02;

typedef struct sorted {
    double *score; /* [n] ascending */
    size_t n;
} sorted;

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static dn_status sort(sorted *out, const double *scores, size_t n)
{
    *out = (sorted){dn_calloc(n, sizeof *scores), n};
    if (!out->score) return DN_ERROR_MEMORY;
    memcpy(out->score, scores, n * sizeof *scores);
    qsort(out->score, n, sizeof *scores, compare);
    return DN_OK;
}

/* What both sets need but for their outermost half percent, which the first and the last bin take in. */
static void choose_range(const sorted set[2], double *low, double *high)
{
    *low = fmin(dn__report_quantile(set[0].score, set[0].n, 0.005), dn__report_quantile(set[1].score, set[1].n, 0.005));
    *high =
        fmax(dn__report_quantile(set[0].score, set[0].n, 0.995), dn__report_quantile(set[1].score, set[1].n, 0.995));
    if (*high > *low) return;
    const double room = fmax(fabs(*low), 1.0);
    *low -= room;
    *high += room;
}

/* The outline of a set's bins, in percent of its images. @param x, y [OUTLINE] @return the largest */
static double put_outline(const sorted *set, double low, double high, double *x, double *y)
{
    double share[BINS] = {0};
    for (size_t i = 0; i < set->n; i++) {
        const double place = (set->score[i] - low) / (high - low) * BINS;
        share[place < 0.0 ? 0 : place >= BINS ? BINS - 1 : (int)place] += 100.0 / (double)set->n;
    }
    int at = 0;
    double largest = 0.0;
    x[at] = low, y[at++] = 0.0;
    for (int b = 0; b < BINS; b++) {
        x[at] = low + (high - low) * b / BINS, y[at++] = share[b];
        x[at] = low + (high - low) * (b + 1) / BINS, y[at++] = share[b];
        largest = fmax(largest, share[b]);
    }
    x[at] = high, y[at] = 0.0;
    return largest;
}

static double accepted(const sorted *set, double threshold)
{
    size_t n = 0;
    while (n < set->n && set->score[n] < threshold) n++;
    return (double)n / (double)set->n;
}

static void put_quantiles(FILE *to, const char *const names[2], const sorted set[2], double threshold)
{
    static const double shares[] = {0.05, 0.25, 0.5, 0.75, 0.95};
    fputs("<details class=\"data\"><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th>images</th>"
          "<th class=n>5 %</th><th class=n>25 %</th><th class=n>median</th><th class=n>75 %</th><th class=n>95 %</th>"
          "<th class=n>accepted, %</th></tr></thead><tbody>\n",
          to);
    for (int s = 0; s < 2; s++) {
        dn_html_put(to, "<tr><td>%s</td>", names[s]);
        for (size_t q = 0; q < sizeof shares / sizeof *shares; q++)
            fprintf(to, "<td class=n>%.4g</td>", dn__report_quantile(set[s].score, set[s].n, shares[q]));
        fprintf(to, "<td class=n>%.2f</td></tr>\n", 100.0 * accepted(&set[s], threshold));
    }
    fputs("</tbody></table></div></details>\n", to);
}

static dn_status draw_histogram(FILE *to, const dn__report_run *run, const dn_evaluation_row *row, const sorted set[2])
{
    double x[2][OUTLINE], y[2][OUTLINE], low = 0.0, high = 0.0, largest = 0.0;
    dn_chart_series series[4];
    char label[LABEL], title[300], keys[2][32];
    choose_range(set, &low, &high);
    for (int s = 0; s < 2; s++) {
        largest = fmax(largest, put_outline(&set[s], low, high, x[s], y[s]));
        series[s] = (dn_chart_series){DN_CHART_AREA, s, 0, 1.0, x[s], y[s], OUTLINE};
        series[s + 2] = (dn_chart_series){DN_CHART_LINE, s, 0, 1.2, x[s], y[s], OUTLINE};
        snprintf(keys[s], sizeof keys[s], "%.1f %% accepted", 100.0 * accepted(&set[s], run->threshold));
    }
    /* Where one bin holds most images the others would not be seen beside it. */
    const bool steep = largest > STEEP;
    for (int i = 0; i < OUTLINE && steep; i++)
        for (int s = 0; s < 2; s++) y[s][i] = fmax(y[s][i], FLOOR);
    snprintf(title, sizeof title, "Scores: %s", row->method);
    snprintf(label, sizeof label,
             "Histogram of the score %s. Known images: median %.4g, %s. Unknown images of %s: median %.4g, %s. "
             "Threshold %.4g, which %s.",
             row->method, dn__report_quantile(set[0].score, set[0].n, 0.5), keys[0], row->ood,
             dn__report_quantile(set[1].score, set[1].n, 0.5), keys[1], run->threshold, run->threshold_text);
    const dn_chart chart = {.label = label,
                            .x_label = "score (higher: more surprising)",
                            .y_label = steep ? "% of the images, logarithmic" : "% of the images",
                            .log_y = steep,
                            .y_low = steep ? FLOOR : 0.0,
                            .y_high = steep ? 100.0 : 1.08 * largest,
                            .x_low = low,
                            .x_high = high,
                            .marked = run->threshold >= low && run->threshold <= high,
                            .mark = run->threshold,
                            .series = series,
                            .n_series = 4};
    DN_TRY(dn__report_figure(to, title, &chart));
    fputs("<ul class=\"keys\">\n", to);
    dn__report_key(to, &series[0], "known", keys[0]);
    dn__report_key(to, &series[1], "unknown", keys[1]);
    fputs("</ul>\n", to);
    fprintf(to, "<p class=\"note\">Dashed: the threshold %.4g", run->threshold);
    dn_html_put(to, " (%s).</p>\n", run->threshold_text);
    put_quantiles(to, (const char *const[]){"known", "unknown"}, set, run->threshold);
    dn__report_figure_end(to);
    return DN_OK;
}

static dn_status write_histogram(FILE *to, const dn__report_run *run, const dn_evaluation_row *row)
{
    sorted set[2] = {{0}};
    dn_status status = sort(&set[0], row->id_scores, row->metrics.n_id);
    if (status == DN_OK) status = sort(&set[1], row->scores, row->metrics.n_ood);
    if (status == DN_OK) status = draw_histogram(to, run, row, set);
    dn_free(set[0].score);
    dn_free(set[1].score);
    return status;
}

/* ---- curves ---- */

typedef dn_status take_line(dn__report_line *out, const dn_evaluation_row *row);

typedef struct family {
    const char *title, *x_label, *y_label, *metric_name, *heads;
    dn_metric metric;
    take_line *take;
    bool diagonal;
} family;

/* @return y where the line first reaches x; the last point if it never does */
static double value_at(const dn__report_line *line, double x)
{
    size_t i = 0;
    while (i + 1 < line->n && line->x[i] < x) i++;
    return line->y[i];
}

static const double places[] = {0.01, 0.05, 0.1, 0.2, 0.5};

static void put_values(FILE *to, const family *f, const dn__report_run *run, int ood, const dn__report_line *lines)
{
    dn_html_put(to,
                "<details class=\"data\"><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr>"
                "<th>%s at %s</th>",
                f->y_label, f->x_label);
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        fprintf(to, "<th class=n>%g %%</th>", 100.0 * places[p]);
    fputs("</tr></thead><tbody>\n", to);
    for (int m = 0; m < run->n_methods && m < MOST_METHODS; m++) {
        dn_html_put(to, "<tr><td>%s</td>", dn__report_row(run, ood, m)->method);
        for (size_t p = 0; p < sizeof places / sizeof *places; p++)
            fprintf(to, "<td class=n>%.2f</td>", 100.0 * value_at(&lines[m], places[p]));
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div></details>\n", to);
}

static dn_status draw_family(FILE *to, const family *f, const dn__report_run *run, int ood,
                             const dn__report_line *lines, int n)
{
    dn_chart_series series[MOST_METHODS];
    char label[LABEL];
    int used = snprintf(label, sizeof label, "%s on %s.", f->title, dn__report_row(run, ood, 0)->ood);
    for (int m = n - 1; m >= 0; m--) series[n - 1 - m] = dn__report_series(m, &lines[m]); /* the first score on top */
    for (int m = 0; m < n && used < LABEL; m++) {
        const dn_evaluation_row *row = dn__report_row(run, ood, m);
        used += snprintf(label + used, LABEL - (size_t)used, " %s: %s %.2f %%.", row->method, f->metric_name,
                         100.0 * dn_metrics_value(&row->metrics, f->metric));
    }
    const dn_chart chart = {.label = label,
                            .x_label = f->x_label,
                            .y_label = f->y_label,
                            .x_high = 1.0,
                            .y_high = 1.0,
                            .diagonal = f->diagonal,
                            .series = series,
                            .n_series = n};
    DN_TRY(dn__report_figure(to, f->title, &chart));
    fputs("<ul class=\"keys\">\n", to);
    for (int m = 0; m < n; m++) {
        char value[32];
        const dn_evaluation_row *row = dn__report_row(run, ood, m);
        snprintf(value, sizeof value, "%.2f", 100.0 * dn_metrics_value(&row->metrics, f->metric));
        dn__report_key(to, &series[n - 1 - m], row->method, value);
    }
    dn_html_put(to, "</ul>\n<p class=\"note\">Beside the names: %s, in percent.</p>\n", f->metric_name);
    put_values(to, f, run, ood, lines);
    dn__report_figure_end(to);
    return DN_OK;
}

static dn_status write_family(FILE *to, const family *f, const dn__report_run *run, int ood)
{
    dn__report_line lines[MOST_METHODS] = {{0}};
    const int n = run->n_methods < MOST_METHODS ? run->n_methods : MOST_METHODS;
    dn_status status = DN_OK;
    for (int m = 0; m < n && status == DN_OK; m++) status = f->take(&lines[m], dn__report_row(run, ood, m));
    if (status == DN_OK) status = draw_family(to, f, run, ood, lines, n);
    for (int m = 0; m < n; m++) dn__report_line_close(&lines[m]);
    return status;
}

dn_status dn__report_scores(FILE *to, const dn__report_run *run, int ood)
{
    static const family roc = {.title = "ROC",
                               .x_label = "known images flagged",
                               .y_label = "unknown images flagged",
                               .metric_name = "AUROC",
                               .metric = DN_METRIC_AUROC,
                               .take = dn__report_roc,
                               .diagonal = true};
    static const family precision = {.title = "Precision and recall",
                                     .x_label = "recall: unknown images flagged",
                                     .y_label = "precision: flagged images unknown",
                                     .metric_name = "AUPR out",
                                     .metric = DN_METRIC_AUPR_OUT,
                                     .take = dn__report_precision};
    const dn_evaluation_row *row = dn__report_row(run, ood, 0);
    dn_html_put(to, "<h4>Unknown: %s</h4>\n<div class=\"figures\">\n", row->ood);
    DN_TRY(write_histogram(to, run, row));
    DN_TRY(write_family(to, &roc, run, ood));
    DN_TRY(write_family(to, &precision, run, ood));
    fputs("</div>\n", to);
    return DN_OK;
}
