/** Charts for HTML pages: drawn by gnuplot, written as SVG that stands in the page and takes its colours from it,
 *  so that they are right on light and dark ground. */
#ifndef DN_APPS_CHART_H
#define DN_APPS_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

enum { DN_CHART_COLOURS = 10 };

typedef enum dn_chart_kind {
    DN_CHART_LINE, /**< from point to point; a gap where x or y is not finite */
    DN_CHART_AREA, /**< a closed outline, filled so that what is below shows through */
    DN_CHART_DOTS
} dn_chart_kind;

typedef struct dn_chart_series {
    dn_chart_kind kind;
    int colour;          /**< 0 .. DN_CHART_COLOURS - 1: the page's --s0, --s1 ...; -1: its --ink, -2: its --pale */
    int dash;            /**< 0: none, else one of gnuplot's patterns */
    double width;        /**< of lines, or of dots across, in pixels */
    const double *x, *y; /**< [n] */
    size_t n;
} dn_chart_series;

typedef struct dn_chart {
    const char *label; /**< what the picture shows, in words and numbers, for those who do not see it */
    const char *x_label, *y_label;
    bool log_x, log_y;    /**< what is not above 0 is left out */
    double x_low, x_high; /**< equal: as the series need it */
    double y_low, y_high; /**< equal: as the series need it */
    bool bare;            /**< no numbers at the axes: they mean nothing */
    bool diagonal;        /**< a line from corner to corner: what guessing would give */
    bool marked;          /**< a line across the chart at x = mark */
    double mark;
    const dn_chart_series *series; /**< [n_series] later ones lie above earlier ones */
    int n_series;
} dn_chart;

/** Writes <svg role="img">. @return as dn_gnuplot_svg() */
dn_status dn_chart_write(FILE *to, const dn_chart *chart) DN_NODISCARD;

/** Writes what gnuplot drew without its name spaces, numbers and empty groups, and with the page's colours: those whose
 *  red and green are 1 become variables by their blue. Exposed for tests.
 *  @param drawn [bytes] a text that ends in 0
 *  @return DN_ERROR_UNSUPPORTED if it is no SVG as gnuplot 5 draws it */
dn_status dn__chart_copy(FILE *to, const char *drawn, const char *label, int width, int height) DN_NODISCARD;

#endif
