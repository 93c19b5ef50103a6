/** Scores that combine an ensemble's members themselves. Scratch: p [members, classes], mean [classes], own [classes],
 *  one [members]. */
#include <math.h>

#include "ood/method_functions.h"
#include "ood/probability.h"

typedef struct workspace {
    double *p, *mean, *own, *one;
} workspace;

static workspace carve(const dn_score_block *in, double *scratch)
{
    double *mean = scratch + in->members * in->classes;
    return (workspace){scratch, mean, mean + in->classes, mean + 2 * in->classes};
}

static const double *member_logits(const dn_score_block *in, size_t e, size_t row)
{
    return in->member[e].logits + row * in->member[e].columns;
}

void dn__member_probabilities(double *p, double *mean, double *own, const dn_score_block *in, size_t row)
{
    const size_t classes = in->classes;
    for (size_t i = 0; i < in->members * classes; i++) p[i] = 0.0;
    for (size_t e = 0; e < in->members; e++) {
        const dn_score_rows *member = &in->member[e];
        dn__softmax(own, member_logits(in, e, row), member->columns, 1.0);
        for (size_t k = 0; k < member->columns; k++) p[e * classes + (size_t)member->classes[k]] = own[k];
    }
    if (!mean) return;
    for (size_t c = 0; c < classes; c++) {
        double sum = 0.0;
        for (size_t e = 0; e < in->members; e++) sum += p[e * classes + c];
        mean[c] = sum / (double)in->members;
    }
}

/** @param x [count], `stride` apart @return ln sum exp(x), minus infinity if all x are */
static double log_sum_exp_strided(const double *x, size_t count, size_t stride)
{
    double top = -INFINITY, sum = 0.0;
    for (size_t i = 0; i < count; i++) top = fmax(top, x[i * stride]);
    if (isinf(top)) return top;
    for (size_t i = 0; i < count; i++) sum += exp(x[i * stride] - top);
    return top + log(sum);
}

void dn__log_mean_probabilities(double *l, const dn_score_block *in, size_t row, double *scratch)
{
    const workspace w = carve(in, scratch);
    const size_t classes = in->classes;
    for (size_t i = 0; i < in->members * classes; i++) w.p[i] = -INFINITY;
    for (size_t e = 0; e < in->members; e++) {
        const dn_score_rows *member = &in->member[e];
        dn__log_softmax(w.own, member_logits(in, e, row), member->columns);
        for (size_t k = 0; k < member->columns; k++) w.p[e * classes + (size_t)member->classes[k]] = w.own[k];
    }
    const double log_members = log((double)in->members);
    for (size_t c = 0; c < classes; c++) l[c] = log_sum_exp_strided(w.p + c, in->members, classes) - log_members;
    /* Where the members agree, ln pm of the top class is lost in rounding; the other classes know it. */
    const size_t top = dn__argmax(l, classes);
    double others = 0.0;
    for (size_t c = 0; c < classes; c++) {
        if (c != top) others += exp(l[c]);
    }
    if (others < 0.5) l[top] = log1p(-others);
}

/** Mean over members of H(p_e); p as dn__member_probabilities() leaves it. */
static double mean_entropy(const dn_score_block *in, const double *p)
{
    double sum = 0.0;
    for (size_t e = 0; e < in->members; e++) sum += dn__entropy(p + e * in->classes, in->classes);
    return sum / (double)in->members;
}

void dn__score_predictive_entropy(double *scores, const dn_score_block *in, const double *options, double *scratch)
{
    (void)options;
    const workspace w = carve(in, scratch);
    for (size_t r = 0; r < in->rows; r++) {
        dn__member_probabilities(w.p, w.mean, w.own, in, r);
        scores[r] = dn__entropy(w.mean, in->classes);
    }
}

void dn__score_expected_entropy(double *scores, const dn_score_block *in, const double *options, double *scratch)
{
    (void)options;
    const workspace w = carve(in, scratch);
    for (size_t r = 0; r < in->rows; r++) {
        dn__member_probabilities(w.p, NULL, w.own, in, r);
        scores[r] = mean_entropy(in, w.p);
    }
}

void dn__score_mutual_information(double *scores, const dn_score_block *in, const double *options, double *scratch)
{
    (void)options;
    const workspace w = carve(in, scratch);
    for (size_t r = 0; r < in->rows; r++) {
        dn__member_probabilities(w.p, w.mean, w.own, in, r);
        scores[r] = fmax(0.0, dn__entropy(w.mean, in->classes) - mean_entropy(in, w.p));
    }
}

void dn__score_ensemble_msp(double *scores, const dn_score_block *in, const double *options, double *scratch)
{
    (void)options;
    const workspace w = carve(in, scratch);
    for (size_t r = 0; r < in->rows; r++) {
        dn__member_probabilities(w.p, w.mean, w.own, in, r);
        scores[r] = dn__sum_of_others(w.mean, in->classes, dn__argmax(w.mean, in->classes));
    }
}

void dn__score_variance(double *scores, const dn_score_block *in, const double *options, double *scratch)
{
    (void)options;
    const workspace w = carve(in, scratch);
    for (size_t r = 0; r < in->rows; r++) {
        dn__member_probabilities(w.p, w.mean, w.own, in, r);
        double sum = 0.0;
        for (size_t i = 0; i < in->members * in->classes; i++) {
            const double difference = w.p[i] - w.mean[i % in->classes];
            sum += difference * difference;
        }
        scores[r] = sum / (double)in->members;
    }
}

void dn__score_variation_ratio(double *scores, const dn_score_block *in, const double *options, double *scratch)
{
    (void)options;
    double *votes = carve(in, scratch).mean;
    for (size_t r = 0; r < in->rows; r++) {
        for (size_t c = 0; c < in->classes; c++) votes[c] = 0.0;
        for (size_t e = 0; e < in->members; e++) {
            const dn_score_rows *member = &in->member[e];
            votes[member->classes[dn__argmax(member_logits(in, e, r), member->columns)]] += 1.0;
        }
        const double members = (double)in->members;
        scores[r] = (members - votes[dn__argmax(votes, in->classes)]) / members;
    }
}

/** Sum over ordered pairs of members i != j of p_i (ln p_i - ln p_j), for one class.
 *  @param p [members], `stride` apart, becomes floored @param logs [members] scratch */
static double pairwise_terms(double *p, size_t members, size_t stride, double *logs)
{
    const double least = 1e-12;
    for (size_t e = 0; e < members; e++) {
        p[e * stride] = fmax(p[e * stride], least);
        logs[e] = log(p[e * stride]);
    }
    double sum = 0.0;
    for (size_t i = 0; i < members; i++) {
        for (size_t j = 0; j < members; j++) sum += p[i * stride] * (logs[i] - logs[j]);
    }
    return sum;
}

void dn__score_pairwise_kl(double *scores, const dn_score_block *in, const double *options, double *scratch)
{
    (void)options;
    const workspace w = carve(in, scratch);
    const double pairs = (double)in->members * (double)(in->members - 1);
    for (size_t r = 0; r < in->rows; r++) {
        scores[r] = 0.0;
        if (in->members == 1) continue;
        dn__member_probabilities(w.p, NULL, w.own, in, r);
        for (size_t c = 0; c < in->classes; c++) {
            scores[r] += pairwise_terms(w.p + c, in->members, in->classes, w.one);
        }
        scores[r] /= pairs;
    }
}

/** options: T. Over each member's own classes only. */
void dn__score_leave_out(double *scores, const dn_score_block *in, const double *options, double *scratch)
{
    double *p = carve(in, scratch).own;
    for (size_t r = 0; r < in->rows; r++) {
        double sum = 0.0;
        for (size_t e = 0; e < in->members; e++) {
            const size_t n = in->member[e].columns;
            dn__softmax(p, member_logits(in, e, r), n, options[0]);
            sum += dn__entropy(p, n) - p[dn__argmax(p, n)];
        }
        scores[r] = sum;
    }
}
