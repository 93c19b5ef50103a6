#include "apps/plot.h"

#include <stdio.h>
#include <string.h>

#include "apps/gnuplot.h"
#include "core/alloc.h"
#include "ood/curve.h"

/* The palette of Okabe and Ito, which most kinds of colour vision tell apart. */
#define KNOWN   "#0072B2"
#define UNKNOWN "#E69F00"
#define INK     "#222222"
#define PALE    "#666666"

enum { BINS = 48 };

/* In pixels. x grows to the right and y upwards, as gnuplot counts. */
enum {
    TOP = 134,   /* title, legend and headings above the first row */
    BOTTOM = 42, /* axis below the last row */
    ROW = 54,
    BAR = 43, /* height of a cell's picture */
    MARGIN = 16,
    LABELS = 180, /* names of the sets and the legend, left of the panels */
    PANEL = 240,
    STRIP = 182 /* width of a cell's picture; the AUROC stands beside it */
};

/* ---- shares ---- */

/* The weight of unknown images among the `place` (0..1) most surprising ones of all; linear between the points.
 * @param point [in/out] the point to begin at; places may only grow */
static double unknown_above(const dn_curve *c, double place, size_t *point)
{
    double x0 = 0.0, y0 = 0.0, x = 0.0, y = 0.0;
    for (;; (*point)++) {
        const size_t i = *point;
        const double ood = (double)c->ood_flagged[i] / (double)c->n_ood;
        x = 0.5 * (ood + (double)c->id_flagged[i] / (double)c->n_id);
        y = 0.5 * ood;
        if (x >= place || i + 1 == c->points) break;
    }
    if (*point > 0) {
        y0 = 0.5 * (double)c->ood_flagged[*point - 1] / (double)c->n_ood;
        x0 = y0 + 0.5 * (double)c->id_flagged[*point - 1] / (double)c->n_id;
    }
    return place >= x ? y : y0 + (y - y0) * (place - x0) / (x - x0);
}

dn_status dn_plot_shares(double *share, int bins, const dn_plot_cell *cell)
{
    dn_curve *curve = NULL;
    DN_TRY(dn_curve_open(&curve, cell->id, cell->n_id, cell->ood, cell->n_ood));
    double before = 0.0;
    size_t point = 0;
    for (int b = 0; b < bins; b++) {
        const double here = unknown_above(curve, (double)(b + 1) / bins, &point);
        const double value = (here - before) * bins;
        share[bins - 1 - b] = value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value; /* but for rounding it is within */
        before = here;
    }
    dn_curve_close(curve);
    return DN_OK;
}

/* ---- drawing ---- */

typedef struct drawing {
    const dn_plot *plot;
    double *shares; /* [n_panels,n_rows,BINS] */
    int width, height;
} drawing;

static int panel_x(int panel)
{
    return LABELS + panel * PANEL;
}

/* The lower edge of a row's pictures. */
static int row_y(const drawing *d, int row)
{
    return d->height - TOP - (row + 1) * ROW + (ROW - BAR);
}

static void put_label(FILE *to, const char *text, int letters, int x, int y, const char *style)
{
    fputs("set label ", to);
    dn_gnuplot_text(to, text, letters);
    fprintf(to, " at %d,%d %s front\n", x, y, style);
}

static void put_box(FILE *to, int x, int y, int width, int height, const char *colour)
{
    fprintf(to, "set object rectangle from %d,%d to %d,%d fillcolor rgb '%s' fillstyle solid noborder behind\n", x, y,
            x + width, y + height, colour);
}

/* What a reader needs of an expression: no folders, no file of labels, no size, which is the network's for all sets. */
static const char *short_name(char name[64], const char *expression)
{
    size_t end = strcspn(expression, ",");
    const char *size = strrchr(expression, '@');
    if (size && size < expression + end && strspn(size + 1, "0123456789x") == strlen(size + 1))
        end = (size_t)(size - expression);
    size_t begin = end;
    while (begin > 0 && expression[begin - 1] != '/') begin--;
    snprintf(name, 64, "%.*s", (int)(end - begin), expression + begin);
    return name;
}

static void put_legend(FILE *to, const drawing *d)
{
    const char *ink = "left font ',13' textcolor rgb '" INK "'";
    const int y = d->height - 82;
    char known[80], name[64];
    snprintf(known, sizeof known, "known: %s", short_name(name, d->plot->id));
    put_label(to, "Images in the order of their score: a model that knows what it does not know puts the unknown last",
              120, MARGIN, d->height - 24, "left font ',15' textcolor rgb '" INK "'");
    put_box(to, MARGIN, y - 6, 12, 12, KNOWN);
    put_label(to, known, 25, MARGIN + 18, y, ink);
    put_box(to, MARGIN, y - 26, 12, 12, UNKNOWN);
    put_label(to, "unknown", 8, MARGIN + 18, y - 20, ink);
}

static void put_headings(FILE *to, const drawing *d)
{
    for (int i = 0; i < d->plot->n_panels; i++) {
        const dn_plot_panel *panel = &d->plot->panels[i];
        const int x = panel_x(i), y = d->height - 64;
        put_label(to, panel->title, 22, x, y, "left font ',18' textcolor rgb '" INK "'");
        put_label(to, panel->line1, 38, x, y - 20, "left font ',12' textcolor rgb '" PALE "'");
        put_label(to, panel->line2, 24, x, y - 36, "left font ',12' textcolor rgb '" PALE "'");
        put_label(to, "AUROC", 8, x + STRIP + 6, y - 36, "left font ',11' textcolor rgb '" PALE "'");
        const int below = BOTTOM - 14;
        put_label(to, "familiar", 20, x, below, "left font ',12' textcolor rgb '" PALE "'");
        put_label(to, "surprising", 20, x + STRIP, below, "right font ',12' textcolor rgb '" PALE "'");
    }
}

static void put_rows(FILE *to, const drawing *d)
{
    for (int r = 0; r < d->plot->n_rows; r++) {
        const int middle = row_y(d, r) + BAR / 2;
        char name[64];
        put_label(to, short_name(name, d->plot->rows[r]), 21, LABELS - 12, middle,
                  "right font ',13' textcolor rgb '" INK "'");
        for (int i = 0; i < d->plot->n_panels; i++) {
            char auroc[16];
            snprintf(auroc, sizeof auroc, "%.1f", 100.0 * d->plot->panels[i].cells[r].auroc);
            put_box(to, panel_x(i), row_y(d, r), STRIP, BAR, UNKNOWN);
            put_label(to, auroc, 8, panel_x(i) + STRIP + 6, middle, "left font ',15' textcolor rgb '" INK "'");
        }
    }
}

/* One closed line for each cell around its known images, which stand below the curve of the share. */
static void put_curves(FILE *to, const drawing *d)
{
    for (int i = 0; i < d->plot->n_panels; i++)
        for (int r = 0; r < d->plot->n_rows; r++) {
            const double *share = d->shares + (i * d->plot->n_rows + r) * BINS;
            const int x = panel_x(i), y = row_y(d, r);
            const double step = (double)STRIP / BINS;
            fprintf(to, "%d %d\n", x, y);
            for (int b = 0; b < BINS; b++)
                fprintf(to, "%.2f %.2f\n%.2f %.2f\n", x + b * step, y + BAR * (1.0 - share[b]), x + (b + 1) * step,
                        y + BAR * (1.0 - share[b]));
            fprintf(to, "%d %d\n%d %d\n\n", x + STRIP, y, x, y);
        }
    fputs("e\n", to);
}

static void put_script(FILE *to, const void *what)
{
    const drawing *d = what;
    fprintf(to, "unset key\nunset border\nunset tics\nset lmargin 0\nset rmargin 0\nset tmargin 0\nset bmargin 0\n");
    fprintf(to, "set xrange [0:%d]\nset yrange [0:%d]\n", d->width, d->height);
    put_legend(to, d);
    put_headings(to, d);
    put_rows(to, d);
    /* Where the colours of a perfect score meet. */
    for (int i = 0; i < d->plot->n_panels; i++)
        for (int r = 0; r < d->plot->n_rows; r++)
            fprintf(to, "set arrow from %d,%d to %d,%d nohead front linewidth 1 linecolor rgb '#ffffff'\n",
                    panel_x(i) + STRIP / 2, row_y(d, r), panel_x(i) + STRIP / 2, row_y(d, r) + BAR);
    fputs("plot '-' using 1:2 with filledcurves closed fillcolor rgb '" KNOWN "' fillstyle solid noborder\n", to);
    put_curves(to, d);
}

static dn_status fill_shares(const drawing *d)
{
    const dn_plot *p = d->plot;
    for (int i = 0; i < p->n_panels; i++)
        for (int r = 0; r < p->n_rows; r++)
            DN_TRY(dn_plot_shares(d->shares + (i * p->n_rows + r) * BINS, BINS, &p->panels[i].cells[r]));
    return DN_OK;
}

dn_status dn_plot_draw(const dn_plot *plot, const char *path)
{
    if (plot->n_rows < 1 || plot->n_rows > DN_PLOT_ROWS_MAX || plot->n_panels < 1 ||
        plot->n_panels > DN_PLOT_PANELS_MAX)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: %d runs and %d sets, a picture holds 1 to %d runs and 1 to %d sets",
                       path, plot->n_panels, plot->n_rows, DN_PLOT_PANELS_MAX, DN_PLOT_ROWS_MAX);
    const int for_panels = plot->n_panels < 3 ? 3 : plot->n_panels; /* the title needs its place */
    drawing d = {.plot = plot, .width = LABELS + for_panels * PANEL, .height = TOP + BOTTOM + plot->n_rows * ROW};
    d.shares = dn_calloc((size_t)plot->n_panels * (size_t)plot->n_rows * BINS, sizeof *d.shares);
    dn_status status = d.shares ? fill_shares(&d) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_gnuplot_draw(path, d.width, d.height, put_script, &d);
    dn_free(d.shares);
    return status;
}
