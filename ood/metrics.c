#include "ood/metrics.h"

#include <stdint.h>
#include <string.h>

#include "ood/curve.h"

enum { WORTH_A_THREAD = 1 << 15 }; /* points */

/* Scores number less than 2^31 a set, so that 2 * n_id * n_ood and 2000 * n fit into 64 bits. */

/** The curve seen with either class as the positive one: point k has the k-th largest threshold of the scores, or of
 *  their negatives. */
typedef struct view {
    const dn_curve *curve;
    dn_positive positive;
    uint64_t positives, negatives; /* rows of either class */
} view;

typedef struct point {
    uint64_t true_positives, false_positives;
} point;

static view view_of(const dn_curve *curve, dn_positive positive)
{
    const int ood = positive == DN_POSITIVE_OOD;
    return (view){curve, positive, ood ? curve->n_ood : curve->n_id, ood ? curve->n_id : curve->n_ood};
}

static point point_at(const view *v, size_t k)
{
    const dn_curve *c = v->curve;
    if (v->positive == DN_POSITIVE_OOD) return (point){c->ood_flagged[k], c->id_flagged[k]};
    /* -score >= -threshold: the rows that are not above the threshold */
    const size_t above = c->points - 1 - k;
    if (above == 0) return (point){c->n_id, c->n_ood};
    return (point){c->n_id - c->id_flagged[above - 1], c->n_ood - c->ood_flagged[above - 1]};
}

static double fpr_at(const view *v, size_t k)
{
    return (double)point_at(v, k).false_positives / (double)v->negatives;
}

static double area_under_roc(const dn_curve *c)
{
    uint64_t twice = 0; /* pairs with OOD above ID count 2, equal pairs 1 */
    uint32_t id_above = 0, ood_above = 0;
    for (size_t k = 0; k < c->points; k++) {
        const uint64_t id_here = c->id_flagged[k] - id_above, ood_here = c->ood_flagged[k] - ood_above;
        twice += ood_here * (2 * (c->n_id - c->id_flagged[k]) + id_here);
        id_above = c->id_flagged[k];
        ood_above = c->ood_flagged[k];
    }
    return (double)twice / (2.0 * (double)c->n_id * (double)c->n_ood);
}

static double average_precision(const view *v)
{
    double sum = 0.0;
    uint64_t before = 0;
    for (size_t k = 0; k < v->curve->points; k++) {
        const point at = point_at(v, k);
        const double precision = (double)at.true_positives / (double)(at.true_positives + at.false_positives);
        sum += (double)(at.true_positives - before) * precision;
        before = at.true_positives;
    }
    return sum / (double)v->positives;
}

/** The last point flags every row, so that the search always ends. */
static double fpr_first(const view *v)
{
    size_t k = 0;
    while (20 * point_at(v, k).true_positives < 19 * v->positives) k++;
    return fpr_at(v, k);
}

/** FPR never falls along the points, so that the first of equal distances has the smaller FPR. */
static double fpr_closest(const view *v)
{
    size_t best = 0;
    uint64_t least = UINT64_MAX;
    for (size_t k = 0; k < v->curve->points; k++) {
        const uint64_t have = 20 * point_at(v, k).true_positives, want = 19 * v->positives;
        const uint64_t distance = have > want ? have - want : want - have;
        if (distance < least) {
            least = distance;
            best = k;
        }
    }
    return fpr_at(v, best);
}

static double fpr_band(const view *v)
{
    uint64_t sum = 0, count = 0; /* sum < 2^32 points * 2^31 rows */
    for (size_t k = 0; k < v->curve->points; k++) {
        const point at = point_at(v, k);
        const uint64_t have = 2000 * at.true_positives;
        if (have < 1899 * v->positives || have > 1901 * v->positives) continue;
        sum += at.false_positives;
        count++;
    }
    return count ? (double)sum / ((double)count * (double)v->negatives) : fpr_first(v);
}

/** Rows of equal score fill the places [from, to) of the ascending order; their score is a threshold if one of these
 *  places is 1, 5, 9, ... */
static double fpr_oodeel(const view *v)
{
    const uint64_t rows = v->positives + v->negatives;
    uint64_t from = 0;
    for (size_t k = v->curve->points; k-- > 0;) {
        const point at = point_at(v, k), above = k ? point_at(v, k - 1) : (point){0, 0};
        const uint64_t to = rows - above.true_positives - above.false_positives;
        const uint64_t place = from + (5 - from % 4) % 4;
        if (place < to && 20 * at.true_positives < 19 * v->positives) return fpr_at(v, k);
        from = to;
    }
    return 0.0;
}

static double fpr_by_rule(const view *v, dn_fpr_rule rule)
{
    switch (rule) {
    case DN_FPR_CLOSEST: return fpr_closest(v);
    case DN_FPR_BAND: return fpr_band(v);
    case DN_FPR_OODEEL: return fpr_oodeel(v);
    default: return fpr_first(v);
    }
}

static void best_thresholds(dn_metrics *out, const dn_curve *c)
{
    uint64_t least_error = UINT64_MAX, most_right = 0;
    for (size_t k = 0; k < c->points; k++) {
        const uint64_t missed = c->n_ood - c->ood_flagged[k];
        const uint64_t error = missed * c->n_id + (uint64_t)c->id_flagged[k] * c->n_ood;
        const uint64_t right = c->ood_flagged[k] + (c->n_id - c->id_flagged[k]);
        if (error < least_error) least_error = error;
        if (k == 0 || right > most_right) {
            most_right = right;
            out->best_threshold = c->threshold[k];
        }
    }
    out->detection_error = (double)least_error / (2.0 * (double)c->n_id * (double)c->n_ood);
    out->best_accuracy = (double)most_right / (double)(c->n_id + c->n_ood);
}

void dn_metrics_of_curve(dn_metrics *out, const dn_curve *curve, const dn_metrics_options *options)
{
    const dn_metrics_options chosen = options ? *options : (dn_metrics_options){0};
    *out = (dn_metrics){.n_id = curve->n_id, .n_ood = curve->n_ood, .rule = chosen.rule};
    out->positive = chosen.rule == DN_FPR_BAND ? DN_POSITIVE_ID : chosen.positive;
    const view ood = view_of(curve, DN_POSITIVE_OOD), id = view_of(curve, DN_POSITIVE_ID);
#pragma omp parallel sections num_threads(2) if (curve->points > WORTH_A_THREAD)
    {
#pragma omp section
        {
            out->aupr_out = average_precision(&ood);
            out->auroc = area_under_roc(curve);
        }
#pragma omp section
        {
            out->aupr_in = average_precision(&id);
            best_thresholds(out, curve);
        }
    }
    out->fpr95 = fpr_by_rule(out->positive == DN_POSITIVE_ID ? &id : &ood, out->rule);
    out->tnr95 = 1.0 - out->fpr95;
}

dn_status dn_metrics_check(const dn_metrics_options *options)
{
    if (!options || ((unsigned)options->rule < DN_FPR_RULE_COUNT && (unsigned)options->positive < DN_POSITIVE_COUNT)) {
        return DN_OK;
    }
    return dn_fail(DN_ERROR_ARGUMENT, "metrics: rule %d or positive class %d does not exist", (int)options->rule,
                   (int)options->positive);
}

dn_status dn_metrics_compute(dn_metrics *out, const double *id, size_t n_id, const double *ood, size_t n_ood,
                             const dn_metrics_options *options)
{
    DN_TRY(dn_metrics_check(options));
    dn_curve *curve;
    DN_TRY(dn_curve_open(&curve, id, n_id, ood, n_ood));
    dn_metrics_of_curve(out, curve, options);
    dn_curve_close(curve);
    return DN_OK;
}

/* In the order of dn_metric. */
static const struct {
    const char *name;
    size_t offset;
} fields[] = {{"auroc", offsetof(dn_metrics, auroc)},
              {"aupr_out", offsetof(dn_metrics, aupr_out)},
              {"aupr_in", offsetof(dn_metrics, aupr_in)},
              {"fpr95", offsetof(dn_metrics, fpr95)},
              {"tnr95", offsetof(dn_metrics, tnr95)},
              {"detection_error", offsetof(dn_metrics, detection_error)},
              {"best_accuracy", offsetof(dn_metrics, best_accuracy)},
              {"best_threshold", offsetof(dn_metrics, best_threshold)}};
_Static_assert(sizeof fields / sizeof *fields == DN_METRIC_COUNT, "every number has a name");

const char *dn_metric_name(dn_metric metric)
{
    return (unsigned)metric < DN_METRIC_COUNT ? fields[metric].name : "?";
}

double dn_metrics_value(const dn_metrics *metrics, dn_metric metric)
{
    double value = 0.0;
    if ((unsigned)metric < DN_METRIC_COUNT) {
        memcpy(&value, (const char *)metrics + fields[metric].offset, sizeof value);
    }
    return value;
}

static const char *const rule_names[] = {"first", "closest", "band", "oodeel"};
static const char *const positive_names[] = {"ood", "id"};
_Static_assert(sizeof rule_names / sizeof *rule_names == DN_FPR_RULE_COUNT, "every rule has a name");
_Static_assert(sizeof positive_names / sizeof *positive_names == DN_POSITIVE_COUNT, "every class has a name");

const char *dn_fpr_rule_name(dn_fpr_rule rule)
{
    return (unsigned)rule < DN_FPR_RULE_COUNT ? rule_names[rule] : "?";
}

dn_status dn_fpr_rule_parse(dn_fpr_rule *out, const char *name)
{
    for (int i = 0; i < DN_FPR_RULE_COUNT; i++) {
        if (strcmp(name, rule_names[i]) != 0) continue;
        *out = (dn_fpr_rule)i;
        return DN_OK;
    }
    return dn_fail(DN_ERROR_ARGUMENT, "no FPR95 rule is called '%s'; choose first, closest, band or oodeel", name);
}

const char *dn_positive_name(dn_positive positive)
{
    return (unsigned)positive < DN_POSITIVE_COUNT ? positive_names[positive] : "?";
}

dn_status dn_positive_parse(dn_positive *out, const char *name)
{
    for (int i = 0; i < DN_POSITIVE_COUNT; i++) {
        if (strcmp(name, positive_names[i]) != 0) continue;
        *out = (dn_positive)i;
        return DN_OK;
    }
    return dn_fail(DN_ERROR_ARGUMENT, "the positive class '%s' does not exist; choose ood or id", name);
}
