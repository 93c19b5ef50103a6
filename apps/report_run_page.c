/* A run's part of the page. */
#include <math.h>

#include "apps/html.h"
#include "apps/report_private.h"

/* ---- images ---- */

static void put_pick(FILE *to, const dn__report_picks *picks, const dn__report_pick *p)
{
    char sure[32], score[32];
    snprintf(sure, sizeof sure, "%.1f %%", 100.0 * p->probability);
    snprintf(score, sizeof score, "score %.3g", p->score);
    dn_html_put(to, "<li><img width=\"%d\" height=\"%d\" alt=\"%s", picks->width, picks->height, p->item);
    if (p->truth) dn_html_put(to, ", %s", p->truth);
    dn_html_put(to, ": taken for %s, %s, %s\" src=\"data:image/png;base64,", p->named, sure, score);
    dn_html_base64(to, p->png, p->png_bytes);
    dn_html_put(to, "\"><strong>%s</strong> %s<br>", p->named, sure);
    if (p->truth) dn_html_put(to, "is %s<br>", p->truth);
    dn_html_put(to, "<span class=\"pale\">%s<br>%s</span></li>\n", p->item, score);
}

static void put_picks(FILE *to, const dn__report_picks *picks)
{
    fputs("<ul class=\"images\">\n", to);
    for (int i = 0; i < picks->n; i++) put_pick(to, picks, &picks->pick[i]);
    fputs("</ul>\n", to);
}

void dn__report_picks_write(FILE *to, const dn__report_run *run)
{
    fputs("<h3>Confidently wrong</h3>\n", to);
    if (run->result.labelled) {
        dn_html_put(to, "<h4>Known images of %s, named wrongly</h4>\n", run->result.id);
        fprintf(to, "<p class=\"note\">%lld of %lld images are; here those with the largest probability.</p>\n",
                (long long)run->known.wrong, (long long)run->result.n_id);
        put_picks(to, &run->known);
    }
    for (int i = 0; i < run->n_ood; i++) {
        const dn_evaluation_row *row = dn__report_row(run, i, 0);
        dn_html_put(to, "<h4>Unknown images of %s, taken for known</h4>\n", row->ood);
        fprintf(to, "<p class=\"note\">%lld of %zu images lie below the threshold; here those with the lowest score ",
                (long long)run->unknown[i].wrong, row->metrics.n_ood);
        dn_html_put(to, "(%s).</p>\n", row->method);
        put_picks(to, &run->unknown[i]);
    }
}

/* ---- the run ---- */

static void put_fact(FILE *to, const char *name, const char *value)
{
    dn_html_put(to, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

static void put_share(FILE *to, const char *name, double share)
{
    char text[32];
    if (!isfinite(share)) return;
    snprintf(text, sizeof text, "%.2f %%", 100.0 * share);
    put_fact(to, name, text);
}

static void put_members(FILE *to, const dn_evaluation *e)
{
    if (!e->labelled || e->members < 2) return;
    double low = e->member_accuracy[0], high = low;
    for (int m = 1; m < e->members; m++) {
        low = fmin(low, e->member_accuracy[m]);
        high = fmax(high, e->member_accuracy[m]);
    }
    char text[64];
    snprintf(text, sizeof text, "%.2f to %.2f %%", 100.0 * low, 100.0 * high);
    put_fact(to, "accuracy of single members", text);
}

static void put_facts(FILE *to, const dn__report_run *run)
{
    char text[64];
    fputs("<dl class=\"facts\">\n", to);
    put_fact(to, "kind", run->kind);
    put_share(to, "accuracy", run->result.labelled ? run->result.accuracy : NAN);
    put_members(to, &run->result);
    put_share(to, "calibration error", run->ece);
    snprintf(text, sizeof text, "%lld", (long long)run->history.steps);
    if (run->history.steps > 0) put_fact(to, "training steps", text);
    snprintf(text, sizeof text, "%lld", (long long)run->result.n_id);
    put_fact(to, "known images", text);
    fputs("</dl>\n", to);
}

dn_status dn__report_run_write(const dn__report *report, const dn__report_run *run, int index)
{
    FILE *to = report->to;
    dn_html_put(to, "<section id=\"run%d\">\n<h2>%s</h2>\n", index, run->name);
    if (*run->description) dn_html_put(to, "<p>%s</p>\n", run->description);
    put_facts(to, run);
    dn_html_put(to,
                "<h3>Known and unknown</h3>\n<p class=\"note\">Known: %s. The first score, %s, is drawn in full.</p>\n",
                run->result.id, run->result.rows[0].method);
    for (int i = 0; i < run->n_ood; i++) DN_TRY(dn__report_scores(to, run, i));
    DN_TRY(dn__report_maps_write(to, run));
    dn__report_picks_write(to, run);
    DN_TRY(dn__report_training_write(to, &run->history));
    dn_html_put(to,
                "<h3>Recipe</h3>\n<details><summary>The recipe as it was trained, every "
                "key</summary><pre>%s</pre></details>\n</section>\n",
                run->recipe);
    return DN_OK;
}
