#include "apps/evaluate_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/summary.h"

/* ---- finding rows ---- */

/* @return how many rows the first set has: one for each score */
static int scores_of(const dn_evaluation *run)
{
    int count = 0;
    while (count < run->n_rows && strcmp(run->rows[count].ood, run->rows[0].ood) == 0) count++;
    return count;
}

/* Rows stand by set, with the same scores in each. @return the place of the score among them, or -1 */
static int find_score(const dn_evaluation *run, const dn_evaluation_row *like)
{
    const int scores = scores_of(run);
    for (int m = 0; m < scores; m++)
        if (strcmp(run->rows[m].method, like->method) == 0) return m;
    return -1;
}

static const dn_evaluation_row *row_at(const dn_evaluation *run, int set, int score)
{
    return &run->rows[set * scores_of(run) + score];
}

/* ---- lines ---- */

static dn_status summarise(dn_evaluation_line *line)
{
    double *values = dn_calloc((size_t)line->runs, sizeof *values);
    dn_status status = values ? DN_OK : DN_ERROR_MEMORY;
    for (int metric = 0; metric < DN_METRIC_COMPARABLE && status == DN_OK; metric++) {
        dn_summary summary;
        for (int r = 0; r < line->runs; r++) values[r] = line->value[r][metric];
        status = dn_summarise(&summary, values, (size_t)line->runs);
        line->mean[metric] = summary.mean;
        line->deviation[metric] = summary.deviation;
    }
    dn_free(values);
    return status;
}

/* The mean of one run's rows over the chosen sets. @param sets [n_sets] @return whether the run has the score */
static bool take_values(double value[DN_METRIC_COMPARABLE], const dn_evaluation *run, const dn_evaluation_row *like,
                        const bool *sets, int n_sets)
{
    const int score = find_score(run, like);
    if (score < 0) return false;
    int count = 0;
    for (int set = 0; set < n_sets; set++) count += sets[set];
    for (int set = 0; set < n_sets; set++)
        for (int metric = 0; metric < DN_METRIC_COMPARABLE && sets[set]; metric++)
            value[metric] += dn_metrics_value(&row_at(run, set, score)->metrics, (dn_metric)metric) / (double)count;
    return true;
}

/* What lines are made of. */
typedef struct maker {
    dn_evaluation_lines *out;
    const dn_evaluation *runs;
    int n, n_sets, n_scores; /* of the first run */
    bool *sets;              /* [n_sets] that the lines are about */
} maker;

/* @param name NULL: the only chosen set's own */
static dn_status add_line(maker *m, int set, int score, const char *name)
{
    const dn_evaluation_row *row = row_at(m->runs, set, score);
    dn_evaluation_line *line = &m->out->lines[m->out->count];
    *line = (dn_evaluation_line){.set = name ? name : row->ood,
                                 .is_mean = name != NULL,
                                 .method = row->method,
                                 .reduce = row->reduce,
                                 .runs = m->n,
                                 .interval = m->n == 1 && !name ? row->interval : NULL,
                                 .order = score};
    line->value = dn_calloc((size_t)m->n, sizeof *line->value);
    if (!line->value) return DN_ERROR_MEMORY;
    m->out->count++;
    for (int r = 0; r < m->n; r++) {
        if (take_values(line->value[r], &m->runs[r], row, m->sets, m->n_sets)) continue;
        dn_free(line->value); /* another run cannot give this score */
        m->out->count--;
        return DN_OK;
    }
    return summarise(line);
}

static int compare_lines(const void *left, const void *right)
{
    const dn_evaluation_line *a = left, *b = right;
    const double x = a->mean[DN_METRIC_AUROC], y = b->mean[DN_METRIC_AUROC];
    return x > y ? -1 : x < y ? 1 : a->order - b->order;
}

/* All scores on the chosen sets. */
static dn_status add_lines(maker *m, const char *name)
{
    const int begin = m->out->count;
    int set = 0;
    while (set < m->n_sets && !m->sets[set]) set++;
    if (set == m->n_sets) return DN_OK;
    for (int score = 0; score < m->n_scores; score++) DN_TRY(add_line(m, set, score, name));
    qsort(m->out->lines + begin, (size_t)(m->out->count - begin), sizeof *m->out->lines, compare_lines);
    return DN_OK;
}

static dn_status add_group(maker *m, const dn_metric_group *groups, dn_metric_group group)
{
    for (int set = 0; set < m->n_sets; set++) m->sets[set] = groups[set] == group;
    return add_lines(m, dn_metric_group_name(group));
}

static dn_status make(maker *m, const dn_metric_group *groups)
{
    for (int set = 0; set < m->n_sets; set++) {
        for (int other = 0; other < m->n_sets; other++) m->sets[other] = other == set;
        DN_TRY(add_lines(m, NULL));
    }
    if (groups) DN_TRY(add_group(m, groups, DN_GROUP_NEAR));
    if (groups) DN_TRY(add_group(m, groups, DN_GROUP_FAR));
    if (m->n_sets < 2) return DN_OK;
    for (int set = 0; set < m->n_sets; set++) m->sets[set] = true;
    return add_lines(m, "mean");
}

dn_status dn_evaluation_lines_take(dn_evaluation_lines *out, const dn_evaluation *runs, int n,
                                   const dn_metric_group *groups)
{
    enum { MEANS = 3 };
    *out = (dn_evaluation_lines){0};
    maker m = {.out = out, .runs = runs, .n = n, .n_scores = scores_of(&runs[0])};
    if (m.n_scores == 0) return DN_OK;
    m.n_sets = runs[0].n_rows / m.n_scores;
    out->lines = dn_calloc(((size_t)m.n_sets + MEANS) * (size_t)m.n_scores, sizeof *out->lines);
    m.sets = dn_calloc((size_t)m.n_sets, sizeof *m.sets);
    const dn_status status = out->lines && m.sets ? make(&m, groups) : DN_ERROR_MEMORY;
    dn_free(m.sets);
    if (status != DN_OK) dn_evaluation_lines_close(out);
    return status;
}

void dn_evaluation_lines_close(dn_evaluation_lines *lines)
{
    for (int i = 0; lines->lines && i < lines->count; i++) dn_free(lines->lines[i].value);
    dn_free(lines->lines);
    *lines = (dn_evaluation_lines){0};
}
