#include "apps/metric_sets.h"

#include <string.h>

#include "apps/metric_arrays.h"
#include "core/alloc.h"

enum { METHODS = 2 }; /* ours and the other one */

/** Scores at hand: ID rows of both methods for the whole work, OOD rows of one set at a time. */
typedef struct scores {
    double *id[METHODS], *ood[METHODS];
    size_t n_id, n_ood;
    size_t methods; /* 1 without another method */
} scores;

/** Numbers of all resamples, [DN_METRIC_COUNT, resamples] each; of groups, sums over their sets. */
typedef struct resampled {
    size_t resamples;
    double *values;     /* [METHODS, ...] of the set at hand */
    double *difference; /* of the set at hand */
    double *group[DN_GROUP_COUNT], *group_difference[DN_GROUP_COUNT];
} resampled;

const char *dn_metric_group_name(dn_metric_group group)
{
    return group == DN_GROUP_NEAR ? "near" : group == DN_GROUP_FAR ? "far" : "";
}

static dn_status check_request(const dn_metric_request *r)
{
    if (!r->id || r->n_ood == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "scores of known and of unknown data are needed: --id FILE --ood FILE");
    if (!r->versus_id != !r->n_versus)
        return dn_fail(DN_ERROR_ARGUMENT, "--versus-id and --versus-ood belong together: give both, or none");
    if (r->n_versus == 0 || r->n_versus == r->n_ood) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT,
                   "--versus-ood: found %d sets, expected one for each of the %d of --ood, --near and --far, in their "
                   "order",
                   r->n_versus, r->n_ood);
}

static dn_status read_pair(double *out[METHODS], size_t *n, const char *ours, const char *other)
{
    size_t n_other = 0;
    DN_TRY(dn_metric_scores_open(&out[0], n, ours));
    if (!other) return DN_OK;
    DN_TRY(dn_metric_scores_open(&out[1], &n_other, other));
    if (n_other == *n) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE, "%s has %zu rows, %s has %zu, but two methods are compared on the same rows", other,
                   n_other, ours, *n);
}

static void close_resampled(resampled *b)
{
    dn_free(b->values);
    dn_free(b->difference);
    for (int g = 0; g < DN_GROUP_COUNT; g++) {
        dn_free(b->group[g]);
        dn_free(b->group_difference[g]);
    }
}

static dn_status open_resampled(resampled *b, const dn_metric_request *r)
{
    const size_t numbers = DN_METRIC_COUNT * r->bootstrap.resamples;
    b->resamples = r->bootstrap.resamples;
    if (numbers == 0) return DN_OK;
    b->values = dn_calloc(METHODS * numbers, sizeof *b->values);
    b->difference = dn_calloc(numbers, sizeof *b->difference);
    if (!b->values || !b->difference) return DN_ERROR_MEMORY;
    for (int i = 0; i < r->n_ood; i++) {
        const dn_metric_group g = r->group[i];
        if (g == DN_GROUP_NONE || b->group[g]) continue;
        b->group[g] = dn_calloc(numbers, sizeof *b->group[g]);
        b->group_difference[g] = dn_calloc(numbers, sizeof *b->group_difference[g]);
        if (!b->group[g] || !b->group_difference[g]) return DN_ERROR_MEMORY;
    }
    return DN_OK;
}

/** @param values [DN_METRIC_COUNT, n], are sorted */
static void take_intervals(dn_metric_figures *out, double *values, size_t n)
{
    for (size_t i = 0; i < DN_METRIC_COUNT; i++) out->interval[i] = dn_interval_of(values + i * n, n);
}

static dn_status resample_set(dn_metric_set *out, resampled *b, const scores *s, const dn_metric_request *r, int set)
{
    const dn_score_sets pairs[METHODS] = {{s->id[0], s->ood[0], s->n_id, s->n_ood},
                                          {s->id[1], s->ood[1], s->n_id, s->n_ood}};
    dn_bootstrap_options options = r->bootstrap;
    options.ood_set = (uint32_t)set;
    DN_TRY(dn_bootstrap_values(b->values, pairs, s->methods, &options));
    const size_t numbers = DN_METRIC_COUNT * b->resamples;
    double *group = b->group[r->group[set]], *group_difference = b->group_difference[r->group[set]];
    for (size_t i = 0; i < numbers; i++) {
        b->difference[i] = b->values[i] - b->values[numbers + i];
        if (group) group[i] += b->values[i];
        if (group) group_difference[i] += b->difference[i];
    }
    take_intervals(&out->figures, b->values, b->resamples);
    if (s->methods > 1) take_intervals(&out->difference, b->difference, b->resamples);
    return DN_OK;
}

static dn_status compute_set(dn_metric_result *out, resampled *b, const scores *s, const dn_metric_request *r, int set)
{
    dn_metric_set *result = &out->set[set];
    dn_metric_group_means *group = &out->group[r->group[set]];
    dn_metrics other = {0};
    const dn_metrics_options *options = &r->bootstrap.metrics;
    DN_TRY(dn_metrics_compute(&result->metrics, s->id[0], s->n_id, s->ood[0], s->n_ood, options));
    if (s->methods > 1) DN_TRY(dn_metrics_compute(&other, s->id[1], s->n_id, s->ood[1], s->n_ood, options));
    group->sets++;
    for (int i = 0; i < DN_METRIC_COUNT; i++) {
        const double value = dn_metrics_value(&result->metrics, (dn_metric)i);
        const double difference = value - dn_metrics_value(&other, (dn_metric)i);
        result->figures.value[i] = value;
        result->difference.value[i] = difference;
        group->figures.value[i] += value;
        group->difference.value[i] += difference;
    }
    return b->resamples ? resample_set(result, b, s, r, set) : DN_OK;
}

static void divide(dn_metric_figures *figures, double *values, size_t resamples, int sets)
{
    for (int i = 0; i < DN_METRIC_COUNT; i++) figures->value[i] /= sets;
    if (resamples == 0) return;
    for (size_t i = 0; i < DN_METRIC_COUNT * resamples; i++) values[i] /= sets;
    take_intervals(figures, values, resamples);
}

static dn_status compute_all(dn_metric_result *out, scores *s, resampled *b, const dn_metric_request *r)
{
    DN_TRY(read_pair(s->id, &s->n_id, r->id, r->versus_id));
    DN_TRY(open_resampled(b, r));
    s->methods = r->versus_id ? 2 : 1;
    out->n_id = s->n_id;
    for (int set = 0; set < r->n_ood; set++) {
        dn_status status = read_pair(s->ood, &s->n_ood, r->ood[set], r->versus_id ? r->versus_ood[set] : NULL);
        if (status == DN_OK) status = compute_set(out, b, s, r, set);
        for (int m = 0; m < METHODS; m++) {
            dn_free(s->ood[m]);
            s->ood[m] = NULL;
        }
        DN_TRY(status);
    }
    for (int g = DN_GROUP_NEAR; g < DN_GROUP_COUNT; g++) {
        dn_metric_group_means *group = &out->group[g];
        if (group->sets == 0) continue;
        divide(&group->figures, b->group[g], b->resamples, group->sets);
        divide(&group->difference, b->group_difference[g], b->resamples, group->sets);
    }
    return DN_OK;
}

dn_status dn_metric_sets_compute(dn_metric_result *out, const dn_metric_request *request)
{
    scores s = {0};
    resampled b = {0};
    *out = (dn_metric_result){0};
    DN_TRY(check_request(request));
    const dn_status status = compute_all(out, &s, &b, request);
    close_resampled(&b);
    for (int m = 0; m < METHODS; m++) dn_free(s.id[m]);
    return status;
}
