#include "ood/bootstrap.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/curve_private.h"

enum { PURPOSE = 0x626f6f74 };

/** One method's scores, sorted: all that its resamples share. */
typedef struct sorted {
    dn_curve *curve;
    uint32_t *id_point, *ood_point; /* [n_id], [n_ood] each row's place in the curve */
} sorted;

/** What one thread needs for one method. */
typedef struct scratch {
    uint32_t *id_count, *ood_count; /* [points] draws, all zero between resamples */
    dn_curve *curve;                /* of the resample */
} scratch;

static void close_sorted(sorted *s, size_t methods)
{
    for (size_t m = 0; s && m < methods; m++) {
        dn_curve_close(s[m].curve);
        dn_free(s[m].id_point);
        dn_free(s[m].ood_point);
    }
    dn_free(s);
}

static void close_scratch(scratch *s, size_t count)
{
    for (size_t i = 0; s && i < count; i++) {
        dn_free(s[i].id_count);
        dn_free(s[i].ood_count);
        dn_curve_close(s[i].curve);
    }
    dn_free(s);
}

/** @return the place of a score that the curve holds; thresholds descend */
static uint32_t point_of(const dn_curve *curve, double score)
{
    size_t low = 0, high = curve->points - 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (curve->threshold[middle] > score) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return (uint32_t)low;
}

static dn_status sort_method(sorted *s, const dn_score_sets *set)
{
    DN_TRY(dn_curve_open(&s->curve, set->id, set->n_id, set->ood, set->n_ood));
    s->id_point = dn_calloc(set->n_id, sizeof *s->id_point);
    s->ood_point = dn_calloc(set->n_ood, sizeof *s->ood_point);
    if (!s->id_point || !s->ood_point) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < set->n_id; i++) s->id_point[i] = point_of(s->curve, set->id[i]);
    for (size_t i = 0; i < set->n_ood; i++) s->ood_point[i] = point_of(s->curve, set->ood[i]);
    return DN_OK;
}

static dn_status open_scratch(scratch *s, const dn_curve *curve)
{
    s->id_count = dn_calloc(curve->points, sizeof *s->id_count);
    s->ood_count = dn_calloc(curve->points, sizeof *s->ood_count);
    if (!s->id_count || !s->ood_count) return DN_ERROR_MEMORY;
    return dn__curve_open_like(&s->curve, curve);
}

/** Draws as many rows of one set as it has, and counts them at every method's points. Draw i is word i mod 4 of block
 *  i / 4. */
static void draw(const sorted *methods, scratch *own, size_t n_methods, size_t n, const uint32_t stream[2],
                 uint64_t seed)
{
    const int ood = stream[1] != 0;
    for (size_t i = 0; i < n; i += 4) {
        uint32_t bits[4];
        dn_random_block(bits, seed, PURPOSE, stream[0], stream[1], (uint32_t)(i / 4));
        for (size_t j = 0; j < 4 && i + j < n; j++) {
            const uint32_t row = dn_random_to_below(bits[j], (uint32_t)n);
            for (size_t m = 0; m < n_methods; m++) {
                if (ood) {
                    own[m].ood_count[methods[m].ood_point[row]]++;
                } else {
                    own[m].id_count[methods[m].id_point[row]]++;
                }
            }
        }
    }
}

/** The curve of the drawn rows: a score that was not drawn is no threshold. Leaves the counts zero. */
static void sum_counts(scratch *s, const dn_curve *all)
{
    uint32_t id = 0, ood = 0;
    size_t points = 0;
    for (size_t k = 0; k < all->points; k++) {
        const uint32_t id_here = s->id_count[k], ood_here = s->ood_count[k];
        s->id_count[k] = s->ood_count[k] = 0;
        id += id_here;
        ood += ood_here;
        s->curve->threshold[points] = all->threshold[k]; /* overwritten by the next one unless it counts */
        s->curve->id_flagged[points] = id;
        s->curve->ood_flagged[points] = ood;
        points += (id_here | ood_here) != 0;
    }
    s->curve->points = points;
}

static void resample(double *values, const sorted *methods, scratch *own, size_t n_methods, size_t r,
                     const dn_bootstrap_options *o)
{
    const uint32_t id_stream[2] = {(uint32_t)r, 0}, ood_stream[2] = {(uint32_t)r, 1 + o->ood_set};
    draw(methods, own, n_methods, methods->curve->n_id, id_stream, o->seed);
    draw(methods, own, n_methods, methods->curve->n_ood, ood_stream, o->seed);
    for (size_t m = 0; m < n_methods; m++) {
        dn_metrics metrics;
        sum_counts(&own[m], methods[m].curve);
        dn_metrics_of_curve(&metrics, own[m].curve, &o->metrics);
        for (size_t i = 0; i < DN_METRIC_COUNT; i++)
            values[(m * DN_METRIC_COUNT + i) * o->resamples + r] = dn_metrics_value(&metrics, (dn_metric)i);
    }
}

static dn_status run(double *values, const sorted *methods, size_t n_methods, const dn_bootstrap_options *o)
{
    const size_t most = (size_t)omp_get_max_threads(), threads = most < o->resamples ? most : o->resamples;
    scratch *all = dn_calloc(threads * n_methods, sizeof *all);
    dn_status status = all ? DN_OK : DN_ERROR_MEMORY;
    for (size_t i = 0; status == DN_OK && i < threads * n_methods; i++)
        status = open_scratch(&all[i], methods[i % n_methods].curve);
    if (status == DN_OK) {
#pragma omp parallel for num_threads((int)threads) schedule(static)
        for (size_t r = 0; r < o->resamples; r++)
            resample(values, methods, all + (size_t)omp_get_thread_num() * n_methods, n_methods, r, o);
    }
    close_scratch(all, threads * n_methods);
    return status;
}

static dn_status check(const dn_score_sets *sets, size_t methods, const dn_bootstrap_options *o)
{
    DN_TRY(dn_metrics_check(&o->metrics));
    if (methods == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "bootstrap: no scores were given, expected one method's or more");
    if (o->resamples == 0 || o->resamples > DN_BOOTSTRAP_MOST) {
        return dn_fail(DN_ERROR_ARGUMENT, "bootstrap: %zu resamples, expected 1 to %d", o->resamples,
                       DN_BOOTSTRAP_MOST);
    }
    for (size_t m = 1; m < methods; m++) {
        if (sets[m].n_id == sets[0].n_id && sets[m].n_ood == sets[0].n_ood) continue;
        return dn_fail(
            DN_ERROR_SHAPE,
            "bootstrap: method %zu scores %zu ID and %zu OOD rows, method 0 %zu and %zu; methods are compared "
            "on the same rows",
            m, sets[m].n_id, sets[m].n_ood, sets[0].n_id, sets[0].n_ood);
    }
    return DN_OK;
}

dn_status dn_bootstrap_values(double *values, const dn_score_sets *sets, size_t methods,
                              const dn_bootstrap_options *options)
{
    DN_TRY(check(sets, methods, options));
    sorted *all = dn_calloc(methods, sizeof *all);
    dn_status status = all ? DN_OK : DN_ERROR_MEMORY;
    for (size_t m = 0; status == DN_OK && m < methods; m++) {
        status = sort_method(&all[m], &sets[m]);
        if (status != DN_OK && methods > 1) status = dn_fail_context(status, "method %zu", m);
    }
    if (status == DN_OK) status = run(values, all, methods, options);
    close_sorted(all, methods);
    return status;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** @param values [n] ascending */
static double quantile(const double *values, size_t n, double share)
{
    const double place = share * (double)(n - 1);
    const size_t below = (size_t)place;
    if (below + 1 >= n) return values[n - 1];
    const double part = place - (double)below;
    /* Weights rather than a step from the lower value: two values whose distance overflows keep a finite mean. */
    return values[below] == values[below + 1] ? values[below] : (1.0 - part) * values[below] + part * values[below + 1];
}

dn_interval dn_interval_of(double *values, size_t n)
{
    qsort(values, n, sizeof *values, ascending);
    return (dn_interval){quantile(values, n, 0.025), quantile(values, n, 0.975)};
}

dn_status dn_bootstrap(dn_interval *out, const dn_score_sets *sets, const dn_bootstrap_options *options)
{
    DN_TRY(check(sets, 1, options));
    const size_t n = options->resamples;
    double *values = dn_calloc(DN_METRIC_COUNT * n, sizeof *values);
    dn_status status = values ? dn_bootstrap_values(values, sets, 1, options) : DN_ERROR_MEMORY;
    for (size_t i = 0; status == DN_OK && i < DN_METRIC_COUNT; i++) out[i] = dn_interval_of(values + i * n, n);
    dn_free(values);
    return status;
}

dn_status dn_bootstrap_difference(dn_interval *out, const dn_score_sets *first, const dn_score_sets *second,
                                  const dn_bootstrap_options *options)
{
    const dn_score_sets both[2] = {*first, *second};
    DN_TRY(check(both, 2, options));
    const size_t n = options->resamples, numbers = DN_METRIC_COUNT * n;
    double *values = dn_calloc(2 * numbers, sizeof *values);
    dn_status status = values ? dn_bootstrap_values(values, both, 2, options) : DN_ERROR_MEMORY;
    for (size_t i = 0; status == DN_OK && i < numbers; i++) values[i] -= values[numbers + i];
    for (size_t i = 0; status == DN_OK && i < DN_METRIC_COUNT; i++) out[i] = dn_interval_of(values + i * n, n);
    dn_free(values);
    return status;
}
