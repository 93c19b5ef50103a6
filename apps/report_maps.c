/* The maps of a run's features as figures. */
#include "apps/html.h"
#include "apps/report_private.h"
#include "core/alloc.h"

enum { MOST_LISTED = 20 };

/* Points of one colour after the other, in the order of the colours. */
typedef struct grouped {
    double *x, *y;
    dn_chart_series series[DN_CHART_COLOURS + 1]; /* the last: unknown images */
    int n;
} grouped;

static dn_status group(grouped *out, const dn__report_cloud *known, const dn__report_cloud *unknown)
{
    *out = (grouped){dn_calloc(known->n, sizeof *out->x), dn_calloc(known->n, sizeof *out->y), {{0}}, 0};
    if (!out->x || !out->y) return DN_ERROR_MEMORY;
    size_t filled = 0;
    for (int c = 0; c < DN_CHART_COLOURS; c++) {
        const size_t first = filled;
        for (size_t i = 0; i < known->n; i++) {
            if ((known->colour ? known->colour[i] % DN_CHART_COLOURS : 0) != c) continue;
            out->x[filled] = known->x[i];
            out->y[filled++] = known->y[i];
        }
        if (filled == first) continue;
        out->series[out->n++] =
            (dn_chart_series){DN_CHART_DOTS, c, 0, 4.0, out->x + first, out->y + first, filled - first};
    }
    out->series[out->n++] = (dn_chart_series){DN_CHART_DOTS, -1, 0, 2.6, unknown->x, unknown->y, unknown->n};
    return DN_OK;
}

static void put_mean(FILE *to, const char *name, const dn__report_cloud *cloud, int32_t class)
{
    double x = 0.0, y = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < cloud->n; i++) {
        if (class >= 0 && cloud->colour && cloud->colour[i] != class) continue;
        x += cloud->x[i];
        y += cloud->y[i];
        n++;
    }
    if (n == 0) return;
    dn_html_put(to, "<tr><td>%s</td>", name);
    fprintf(to, "<td class=n>%zu</td><td class=n>%.4g</td><td class=n>%.4g</td></tr>\n", n, x / (double)n,
            y / (double)n);
}

static void put_means(FILE *to, const dn__report_run *run, const dn__report_cloud *unknown)
{
    char name[128];
    fputs("<details class=\"data\"><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th>images</th>"
          "<th class=n>dots</th><th class=n>mean, axis 1</th><th class=n>mean, axis 2</th></tr></thead><tbody>\n",
          to);
    for (int32_t c = 0; run->known_cloud.colour && c < run->classes && c < MOST_LISTED; c++)
        put_mean(to, dn__report_class(run, c, name, sizeof name), &run->known_cloud, c);
    put_mean(to, "all known", &run->known_cloud, -1);
    put_mean(to, "unknown", unknown, -1);
    fputs("</tbody></table></div></details>\n", to);
}

static void put_keys(FILE *to, const dn__report_run *run, const grouped *g)
{
    const dn_chart_series *unknown = &g->series[g->n - 1];
    const bool listed = run->known_cloud.colour && run->classes <= DN_CHART_COLOURS;
    fputs("<ul class=\"keys short\">\n", to);
    for (int i = 0; i < g->n - 1 && listed; i++) {
        char name[128];
        dn__report_key(to, &g->series[i], dn__report_class(run, g->series[i].colour, name, sizeof name), NULL);
    }
    if (!listed) dn__report_key(to, &g->series[0], "known", NULL);
    dn__report_key(to, unknown, "unknown", NULL);
    fputs("</ul>\n", to);
    if (run->known_cloud.colour && !listed)
        fputs("<p class=\"note\">Colours stand for classes and come again.</p>\n", to);
}

static dn_status draw(FILE *to, const dn__report_run *run, int ood)
{
    const char *name = dn__report_row(run, ood, 0)->ood;
    const dn__report_cloud *unknown = &run->unknown_cloud[ood];
    grouped g;
    char label[512], axes[2][64];
    for (int a = 0; a < 2; a++)
        snprintf(axes[a], sizeof axes[a], "axis %d: %.1f %% of the variance", a + 1, 100.0 * run->map.share[a]);
    snprintf(label, sizeof label,
             "Map of %zu known and %zu unknown images of %s by their features, on the two axes of the largest variance "
             "of the known ones, %.1f and %.1f %% of it.",
             run->known_cloud.n, unknown->n, name, 100.0 * run->map.share[0], 100.0 * run->map.share[1]);
    dn_status status = group(&g, &run->known_cloud, unknown);
    const dn_chart chart = {
        .label = label, .x_label = axes[0], .y_label = axes[1], .bare = true, .series = g.series, .n_series = g.n};
    if (status == DN_OK) status = dn__report_figure(to, name, &chart);
    if (status == DN_OK) {
        put_keys(to, run, &g);
        put_means(to, run, unknown);
        dn__report_figure_end(to);
    }
    dn_free(g.x);
    dn_free(g.y);
    return status;
}

dn_status dn__report_maps_write(FILE *to, const dn__report_run *run)
{
    if (run->map.dims == 0) return DN_OK;
    fputs("<h3>Map of the features</h3>\n", to);
    fprintf(
        to,
        "<p class=\"note\">The %zu penultimate features%s, on the two axes along which %zu known images spread most. "
        "Dots that lie apart here are apart; dots that lie together may be apart along the other axes.</p>\n"
        "<div class=\"figures\">\n",
        run->map.dims, run->result.members > 1 ? " of member 0" : "", run->map.fitted);
    for (int i = 0; i < run->n_ood; i++) DN_TRY(draw(to, run, i));
    fputs("</div>\n", to);
    return DN_OK;
}
