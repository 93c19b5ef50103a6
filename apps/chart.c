#include "apps/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apps/gnuplot.h"
#include "apps/html.h"
#include "core/alloc.h"

enum { WIDTH = 400, HEIGHT = 300, LABEL_LETTERS = 60 };

/* Colours that stand for the page's: red and green 1, the blue says which. */
enum { INK = 1, LINE, PALE, FIRST_SERIES = 16 };

static int blue_of(int colour)
{
    return colour >= 0 ? FIRST_SERIES + colour % DN_CHART_COLOURS : colour == -1 ? INK : PALE;
}

/* ---- the script ---- */

static void put_axis(FILE *to, char axis, const char *label, bool logarithmic, double low, double high)
{
    fprintf(to, "set %clabel ", axis);
    dn_gnuplot_text(to, label, LABEL_LETTERS);
    fprintf(to, " textcolor rgb '#0101%02x'\n", INK);
    if (logarithmic) fprintf(to, "set logscale %c\n", axis);
    if (low < high) fprintf(to, "set %crange [%.9g:%.9g]\n", axis, low, high);
}

static void put_style(FILE *to, const dn_chart *c)
{
    fprintf(to, "unset key\nset border 3 linecolor rgb '#0101%02x'\n", PALE);
    fprintf(to, "set tics nomirror out scale 0.4 textcolor rgb '#0101%02x'\nset format '%%h'\n", INK);
    fprintf(to, "set grid linecolor rgb '#0101%02x' dashtype solid linewidth 0.6\n", LINE);
    fprintf(to, "set tmargin 0.8\nset rmargin 1.5\n");
    if (c->bare) fprintf(to, "unset tics\nunset grid\n");
    put_axis(to, 'x', c->x_label, c->log_x, c->x_low, c->x_high);
    put_axis(to, 'y', c->y_label, c->log_y, c->y_low, c->y_high);
    if (c->diagonal)
        fprintf(
            to,
            "set arrow from graph 0,0 to graph 1,1 nohead back linewidth 1.1 dashtype 2 linecolor rgb '#0101%02x'\n",
            PALE);
    if (c->marked)
        fprintf(to,
                "set arrow from %.9g,graph 0 to %.9g,graph 1 nohead front linewidth 1.5 dashtype 2 linecolor rgb "
                "'#0101%02x'\n",
                c->mark, c->mark, INK);
}

static void put_plot(FILE *to, const dn_chart_series *s)
{
    const int blue = blue_of(s->colour);
    switch (s->kind) {
    case DN_CHART_AREA:
        fprintf(to, "'-' with filledcurves closed fillcolor rgb '#0101%02x' fillstyle transparent solid 0.35 noborder",
                blue);
        return;
    case DN_CHART_LINE:
    case DN_CHART_DOTS: break;
    }
    fprintf(to, "'-' with lines linewidth %g linecolor rgb '#0101%02x'", s->width, blue);
    if (s->dash > 0) fprintf(to, " dashtype %d", s->dash + 1);
}

/* A dot is a line that is too short to be seen, with round ends: one path holds them all. */
static void put_data(FILE *to, const dn_chart *c, const dn_chart_series *s)
{
    const double extent = c->x_high - c->x_low;
    for (size_t i = 0; i < s->n; i++) {
        const double x = s->x[i], y = s->y[i];
        if (!isfinite(x) || !isfinite(y) || (c->log_x && x <= 0.0) || (c->log_y && y <= 0.0)) {
            fputc('\n', to);
            continue;
        }
        fprintf(to, "%.7g %.7g\n", x, y);
        if (s->kind == DN_CHART_DOTS) fprintf(to, "%.9g %.7g\n\n", x + 5e-4 * extent, y);
    }
    fputs("e\n", to);
}

static bool has_point(const dn_chart *c, const dn_chart_series *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (isfinite(s->x[i]) && isfinite(s->y[i]) && !(c->log_x && s->x[i] <= 0.0) && !(c->log_y && s->y[i] <= 0.0))
            return true;
    return false;
}

static void put_script(FILE *to, const void *what)
{
    const dn_chart *c = what;
    int plots = 0;
    put_style(to, c);
    for (int i = 0; i < c->n_series; i++) {
        if (!has_point(c, &c->series[i])) continue; /* gnuplot takes an empty series for an error */
        fputs(plots++ ? ", " : "plot ", to);
        put_plot(to, &c->series[i]);
    }
    if (plots == 0) fputs("set xrange [0:1]\nset yrange [0:1]\nplot NaN notitle", to);
    fputc('\n', to);
    for (int i = 0; i < c->n_series; i++)
        if (has_point(c, &c->series[i])) put_data(to, c, &c->series[i]);
}

/* ---- from gnuplot's SVG to the page's ---- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *next_line(const char *text)
{
    const char *end = strchr(text, '\n');
    return end ? end + 1 : text + strlen(text);
}

/* rgb(1,1,n) becomes a variable. @return behind the colour */
static const char *copy_colour(FILE *to, const char *from)
{
    long part[3] = {0}; /* red, green, blue */
    from += strlen("rgb(");
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        part[i] = strtol(from, &end, 10);
        from = end + strspn(end, " ,)");
    }
    if (part[0] != 1 || part[1] != 1)
        fprintf(to, "rgb(%ld,%ld,%ld)", part[0], part[1], part[2]);
    else if (part[2] >= FIRST_SERIES)
        fprintf(to, "var(--s%ld)", part[2] - FIRST_SERIES);
    else
        fputs(part[2] == INK ? "var(--ink)" : part[2] == LINE ? "var(--line)" : "var(--pale)", to);
    return from;
}

/* Coordinates with one digit after the point, a tenth of a pixel. @return behind the closing quote */
static const char *copy_numbers(FILE *to, const char *from)
{
    int behind_point = -1;
    for (; *from && *from != '\''; from++) {
        const bool digit = *from >= '0' && *from <= '9';
        behind_point = *from == '.' ? 0 : !digit ? -1 : behind_point >= 0 ? behind_point + 1 : -1;
        if (behind_point <= 1) fputc(*from == '\n' ? ' ' : *from, to);
    }
    if (*from) fputc(*from++, to);
    return from;
}

/* @return behind a line that means nothing to the page; NULL: the line stays */
static const char *skip_line(FILE *to, const char *line)
{
    const char *text = line + strspn(line, " \t"), *next = next_line(line);
    if (begins(text, "<g fill=\"none\" color=") && begins(next + strspn(next, " \t"), "</g>\n")) return next_line(next);
    if (begins(text, "<title>") || *text == '\n') return next;
    if (!begins(text, "<g id=\"gnuplot_")) return NULL;
    fputs("<g>\n", to);
    return next;
}

/* @return behind a piece that says what the page or the outermost element says anyway; NULL: it stays */
static const char *skip_piece(const char *text)
{
    static const char *const pieces[] = {" font-family=\"sans-serif\"",
                                         " fill=\"none\" color=\"black\"",
                                         " fill=\"none\" color=\"gray\"",
                                         " stroke=\"currentColor\"",
                                         " stroke-linecap=\"round\" stroke-linejoin=\"round\"",
                                         " stroke-dasharray='2,4' class=\"gridline\""};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        if (begins(text, pieces[i])) return text + strlen(pieces[i]);
    return NULL;
}

/* @return behind what was taken care of; NULL: the character stands for itself */
static const char *copy_piece(FILE *to, const char *from)
{
    const char *behind = from[-1] == '\n' ? skip_line(to, from) : NULL;
    if (!behind) behind = skip_piece(from);
    if (behind) return behind;
    if (begins(from, "rgb(")) return copy_colour(to, from);
    if (!begins(from, " d='") && !begins(from, "points = '")) return NULL;
    fputs(*from == ' ' ? " d='" : "points='", to);
    return copy_numbers(to, strchr(from, '\'') + 1);
}

dn_status dn__chart_copy(FILE *to, const char *drawn, const char *label, int width, int height)
{
    const char *from = strstr(drawn, "</defs>"), *end = strstr(drawn, "</svg>");
    if (!begins(drawn, "<?xml") || !from || !end || from > end)
        return dn_fail(DN_ERROR_UNSUPPORTED, "gnuplot drew no SVG of the form that version 5 draws");
    fprintf(to,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\" "
            "aria-label=\"",
            width, height);
    dn_html_text(to, label);
    fputs("\">\n<g>\n", to); /* the group that gnuplot opened before its definitions */
    for (from = next_line(from); from < end;) {
        const char *behind = copy_piece(to, from);
        if (!behind && *from != '\t') fputc(*from, to);
        from = behind ? behind : from + 1;
    }
    fputs("</svg>\n", to);
    return DN_OK;
}

/* @return the whole file as a text; NULL with an error text */
static char *read_all(FILE *file)
{
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    char *text = size >= 0 ? dn_calloc((size_t)size + 1, 1) : NULL;
    if (text && fread(text, 1, (size_t)size, file) != (size_t)size) {
        dn_free(text);
        dn_fail(DN_ERROR_FILE, "cannot read what gnuplot drew");
        return NULL;
    }
    return text;
}

/* Dots are placed by the axis, which must therefore be known. */
static void find_extent(dn_chart *c)
{
    if (c->x_low < c->x_high) return;
    double low = INFINITY, high = -INFINITY;
    bool dots = false;
    for (int i = 0; i < c->n_series; i++) {
        dots = dots || c->series[i].kind == DN_CHART_DOTS;
        for (size_t k = 0; k < c->series[i].n; k++) {
            low = fmin(low, c->series[i].x[k]);
            high = fmax(high, c->series[i].x[k]);
        }
    }
    if (!dots || !isfinite(low) || !isfinite(high)) return;
    const double room = high > low ? 0.03 * (high - low) : 1.0;
    c->x_low = low - room;
    c->x_high = high + room;
}

dn_status dn_chart_write(FILE *to, const dn_chart *chart)
{
    dn_chart c = *chart;
    find_extent(&c);
    FILE *drawn = tmpfile();
    if (!drawn) return dn_fail(DN_ERROR_FILE, "no temporary file for a picture");
    dn_status status = dn_gnuplot_svg(drawn, WIDTH, HEIGHT, put_script, &c);
    char *text = status == DN_OK ? read_all(drawn) : NULL;
    if (status == DN_OK) status = text ? dn__chart_copy(to, text, c.label, WIDTH, HEIGHT) : DN_ERROR_MEMORY;
    dn_free(text);
    fclose(drawn);
    return status;
}
