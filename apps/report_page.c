/* The page's frame, its tables and its figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/html.h"
#include "apps/report_private.h"

extern const char dn__text_report_css[], dn__text_report_js[];

/* ---- the frame ---- */

static void put_title(FILE *to, const dn__report *r)
{
    if (r->options->title) {
        dn_html_text(to, r->options->title);
        return;
    }
    for (int i = 0; i < r->n_runs; i++) dn_html_put(to, "%s%s", i ? ", " : "", r->runs[i].name);
    fputs(r->n_runs ? " \xe2\x80\x93 report" : "Report", to);
}

static void put_links(FILE *to, const dn__report *r)
{
    const dn_report_options *o = r->options;
    fputs("<nav aria-label=\"Contents\"><ul>\n", to);
    if (o->n_tables > 0) fputs("<li><a href=\"#tables\">Tables</a></li>\n", to);
    if (o->n_curves > 0) fputs("<li><a href=\"#curves\">Curves</a></li>\n", to);
    if (r->n_runs > 0) fputs("<li><a href=\"#summary\">Summary</a></li>\n", to);
    for (int i = 0; i < r->n_runs; i++) dn_html_put(to, "<li><a href=\"#run%d\">%s</a></li>\n", i, r->runs[i].name);
    fputs("<li><a href=\"#about\">How this was made</a></li>\n</ul></nav>\n", to);
}

void dn__report_begin(const dn__report *r)
{
    /* Nothing may be loaded, whatever a text might have smuggled in. */
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
          "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
          "<meta name=\"generator\" content=\"dunlin " DN_VERSION "\">\n<title>",
          r->to);
    put_title(r->to, r);
    fprintf(r->to, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>", dn__text_report_css);
    put_title(r->to, r);
    fputs("</h1>\n", r->to);
    if (r->options->about) dn_html_put(r->to, "<p>%s</p>\n", r->options->about);
    put_links(r->to, r);
    fputs("</header>\n<main>\n", r->to);
}

void dn__report_end(const dn__report *r)
{
    fprintf(r->to,
            "</main>\n<footer>Made by dunlin " DN_VERSION ".</footer>\n<script>\n%s</script>\n</body>\n</html>\n",
            dn__text_report_js);
}

/* ---- tables ---- */

static bool is_dash(const char *cell)
{
    return !cell || strcmp(cell, "-") == 0 || strcmp(cell, "\xe2\x80\x93") == 0;
}

/* @return whether the cell is a number, perhaps with its spread or unit */
static bool is_number(const char *cell)
{
    char *end = NULL;
    if (is_dash(cell) || !strchr("+-.0123456789", cell[0])) return false;
    strtod(cell, &end);
    return end != cell && (!*end || strchr(" %+(", *end) || strncmp(end, "\xc2\xb1", 2) == 0);
}

/* Its heading and its dashes stand right, as its numbers do. */
static bool is_number_column(const dn_report_table *t, int column)
{
    for (int row = 0; row < t->rows; row++)
        if (is_number(t->cells[row * t->columns + column])) return true;
    return false;
}

static void put_cell(FILE *to, const dn_report_table *t, int row, int column)
{
    const char *cell = t->cells[row * t->columns + column];
    const bool right = is_dash(cell) ? is_number_column(t, column) : is_number(cell);
    dn_html_put(to, right ? "<td class=n>%s</td>" : "<td>%s</td>", cell ? cell : "");
}

void dn__report_table_write(FILE *to, const dn_report_table *t)
{
    dn_html_put(to, "<h2>%s</h2>\n", t->title);
    if (t->note) dn_html_put(to, "<p class=\"note\">%s</p>\n", t->note);
    dn_html_put(to, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">", t->title);
    fputs("<table class=\"sort\"><thead><tr>", to);
    for (int c = 0; c < t->columns; c++)
        dn_html_put(to, "<th scope=\"col\"%s>%s</th>", is_number_column(t, c) ? " class=n" : "", t->headings[c]);
    fputs("</tr></thead>\n<tbody>\n", to);
    for (int row = 0; row < t->rows; row++) {
        fputs("<tr>", to);
        for (int c = 0; c < t->columns; c++) put_cell(to, t, row, c);
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div>\n", to);
}

/* ---- figures ---- */

dn_chart_series dn__report_series(int index, const dn__report_line *line)
{
    return (dn_chart_series){.kind = DN_CHART_LINE,
                             .colour = index % DN_CHART_COLOURS,
                             .dash = index / DN_CHART_COLOURS,
                             .width = 1.8,
                             .x = line->x,
                             .y = line->y,
                             .n = line->n};
}

dn_status dn__report_figure(FILE *to, const char *title, const dn_chart *chart)
{
    dn_html_put(to, "<figure><figcaption>%s</figcaption>\n", title);
    return dn_chart_write(to, chart);
}

void dn__report_figure_end(FILE *to)
{
    fputs("</figure>\n", to);
}

void dn__report_key(FILE *to, const dn_chart_series *s, const char *name, const char *value)
{
    static const char *const dashes[] = {"", " stroke-dasharray=\"6 3\"", " stroke-dasharray=\"2 3\""};
    fputs("<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\">", to);
    char colour[16] = "--ink";
    if (s->colour >= 0) snprintf(colour, sizeof colour, "--s%d", s->colour);
    if (s->kind == DN_CHART_LINE)
        fprintf(to, "<path d=\"M1 5h24\" stroke=\"var(%s)\" stroke-width=\"2.5\"%s/>", colour, dashes[s->dash % 3]);
    else if (s->kind == DN_CHART_DOTS)
        fprintf(to, "<circle cx=\"13\" cy=\"5\" r=\"4\" fill=\"var(%s)\"/>", colour);
    else
        fprintf(to, "<rect x=\"1\" width=\"24\" height=\"10\" fill=\"var(%s)\" fill-opacity=\".5\"/>", colour);
    dn_html_put(to, "</svg><span>%s</span>", name);
    if (value) dn_html_put(to, "<b>%s</b>", value);
    fputs("</li>\n", to);
}

/* The numbers of a figure: for each series its ends, its least and its largest value. */
static void put_numbers(FILE *to, const dn_report_curve *c)
{
    fputs("<details class=\"data\"><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th>line</th>"
          "<th class=n>points</th><th class=n>first</th><th class=n>last</th><th class=n>least</th>"
          "<th class=n>largest</th></tr></thead><tbody>\n",
          to);
    for (int i = 0; i < c->n_series; i++) {
        const dn_report_series *s = &c->series[i];
        double low = NAN, high = NAN;
        for (size_t k = 0; k < s->n; k++) {
            low = fmin(low, s->y[k]);
            high = fmax(high, s->y[k]);
        }
        dn_html_put(to, "<tr><td>%s</td>", s->name);
        fprintf(to, "<td class=n>%zu</td><td class=n>%.5g</td><td class=n>%.5g</td>", s->n, s->n ? s->y[0] : NAN,
                s->n ? s->y[s->n - 1] : NAN);
        fprintf(to, "<td class=n>%.5g</td><td class=n>%.5g</td></tr>\n", low, high);
    }
    fputs("</tbody></table></div></details>\n", to);
}

dn_status dn__report_curve_write(FILE *to, const dn_report_curve *c)
{
    dn_chart_series series[DN_REPORT_SERIES_MAX];
    char label[256];
    for (int i = 0; i < c->n_series; i++) {
        const dn__report_line line = {(double *)c->series[i].x, (double *)c->series[i].y, c->series[i].n};
        series[i] = dn__report_series(i, &line);
    }
    snprintf(label, sizeof label, "%s: %s over %s, %d lines", c->title, c->y_label, c->x_label, c->n_series);
    const dn_chart chart = {.label = label,
                            .x_label = c->x_label,
                            .y_label = c->y_label,
                            .log_x = c->log_x,
                            .log_y = c->log_y,
                            .series = series,
                            .n_series = c->n_series};
    DN_TRY(dn__report_figure(to, c->title, &chart));
    fputs("<ul class=\"keys\">\n", to);
    for (int i = 0; i < c->n_series; i++) {
        char last[32] = "";
        if (c->series[i].n > 0) snprintf(last, sizeof last, "%.4g", c->series[i].y[c->series[i].n - 1]);
        dn__report_key(to, &series[i], c->series[i].name, last);
    }
    fputs("</ul>\n", to);
    if (c->note) dn_html_put(to, "<p class=\"note\">%s</p>\n", c->note);
    put_numbers(to, c);
    dn__report_figure_end(to);
    return DN_OK;
}
