/* How training went: losses, accuracies and mutual information over its steps. */
#include <math.h>
#include <string.h>

#include "apps/html.h"
#include "apps/report_private.h"

enum { INTERVALS = 240, MOST_MEMBERS = 16, TABLE_ROWS = 8 };

typedef struct quantity {
    const char *title, *unit, *note;
    double *values; /* [members,n] */
    int members;
} quantity;

static double mean_at(const quantity *q, size_t n, size_t i)
{
    double sum = 0.0;
    for (int e = 0; e < q->members; e++) sum += q->values[(size_t)e * n + i];
    return sum / q->members;
}

static void put_table(FILE *to, const quantity *q, const dn__report_training *t)
{
    fprintf(to,
            "<details class=\"data\"><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr>"
            "<th class=n>step</th><th class=n>%s</th></tr></thead><tbody>\n",
            q->unit);
    for (size_t k = 0; k < TABLE_ROWS; k++) {
        const size_t i = k * (t->n - 1) / (TABLE_ROWS - 1);
        if (k > 0 && i == (k - 1) * (t->n - 1) / (TABLE_ROWS - 1)) continue;
        fprintf(to, "<tr><td class=n>%.0f</td><td class=n>%.4g</td></tr>\n", t->step[i], mean_at(q, t->n, i));
    }
    fputs("</tbody></table></div></details>\n", to);
}

static dn_status draw(FILE *to, const quantity *q, const dn__report_training *t)
{
    dn_chart_series series[MOST_MEMBERS];
    char label[256], key[64];
    const int shown = q->members < MOST_MEMBERS ? q->members : MOST_MEMBERS;
    for (int e = 0; e < shown; e++) {
        const dn__report_line line = {t->step, q->values + (size_t)e * t->n, t->n};
        series[e] = dn__report_series(e, &line);
        series[e].width = shown > 1 ? 1.2 : 1.8;
    }
    snprintf(label, sizeof label, "%s over %.0f steps of training: mean %.4g at first, %.4g at the end.", q->title,
             t->step[t->n - 1], mean_at(q, t->n, 0), mean_at(q, t->n, t->n - 1));
    const dn_chart chart = {.label = label,
                            .x_label = "step",
                            .x_high = t->step[t->n - 1],
                            .y_label = q->unit,
                            .series = series,
                            .n_series = shown};
    DN_TRY(dn__report_figure(to, q->title, &chart));
    if (shown > 1) fputs("<ul class=\"keys short\">\n", to);
    for (int e = 0; e < shown && shown > 1; e++) {
        snprintf(key, sizeof key, "member %d", e);
        dn__report_key(to, &series[e], key, NULL);
    }
    fprintf(to, "%s<p class=\"note\">%s</p>\n", shown > 1 ? "</ul>\n" : "", q->note);
    put_table(to, q, t);
    dn__report_figure_end(to);
    return DN_OK;
}

static dn_status write_all(FILE *to, const dn__report_training *t)
{
    const quantity loss = {.title = "Training loss",
                           .unit = "loss",
                           .note = "Each member's own, on its batches; of an MI ensemble without the shared part.",
                           .values = t->loss,
                           .members = t->members};
    const quantity accuracy = {.title = "Training accuracy",
                               .unit = "accuracy",
                               .note = "On each step's batch, as it is augmented.",
                               .values = t->accuracy,
                               .members = t->members};
    const quantity information = {.title = "Mutual information",
                                  .unit = "nats",
                                  .note = "Between the members on each step's images that mean nothing; training "
                                          "raises it.",
                                  .values = t->mutual_information,
                                  .members = 1};
    bool has_information = false;
    for (size_t i = 0; i < t->n; i++) has_information = has_information || isfinite(t->mutual_information[i]);
    DN_TRY(draw(to, &loss, t));
    DN_TRY(draw(to, &accuracy, t));
    return has_information ? draw(to, &information, t) : DN_OK;
}

dn_status dn__report_training_write(FILE *to, const dn_history *history)
{
    dn__report_training t = {0};
    fputs("<h3>Training</h3>\n", to);
    if (history->steps == 0) {
        fputs("<p>The run holds no history: it was not trained here, or not yet.</p>\n", to);
        return DN_OK;
    }
    dn_status status = dn__report_training_take(&t, history, INTERVALS);
    fprintf(to, "<p class=\"note\">%lld steps; means over %zu intervals.</p>\n<div class=\"figures\">\n",
            (long long)history->steps, t.n);
    if (status == DN_OK) status = write_all(to, &t);
    dn__report_training_close(&t);
    fputs("</div>\n", to);
    return status;
}
