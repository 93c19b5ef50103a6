/** Scores that combine an ensemble's members themselves. */
#include <math.h>

#include "ood/members.h"
#include "ood/methods.h"
#include "ood/probability.h"

/** What a row needs. */
typedef struct row_memory {
    double *p, *mean, *own, *one; /* [members, classes], [classes], [classes], [members] */
} row_memory;

static dn_status take(row_memory *out, const dn_score_block *in, dn_workspace *space)
{
    const size_t all = in->members * in->classes;
    double *p = dn_workspace_doubles(space, all + 2 * in->classes + in->members);
    if (!p) return DN_ERROR_MEMORY;
    *out = (row_memory){p, p + all, p + all + in->classes, p + all + 2 * in->classes};
    return DN_OK;
}

static const double *member_logits(const dn_score_block *in, size_t e, size_t row)
{
    return in->member[e].logits + row * in->member[e].columns;
}

static void member_probabilities(double *p, double *mean, double *own, const dn_score_block *in, size_t row)
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

static void log_mean_probabilities(double *l, const row_memory *m, const dn_score_block *in, size_t row)
{
    const size_t classes = in->classes;
    for (size_t i = 0; i < in->members * classes; i++) m->p[i] = -INFINITY;
    for (size_t e = 0; e < in->members; e++) {
        const dn_score_rows *member = &in->member[e];
        dn__log_softmax(m->own, member_logits(in, e, row), member->columns);
        for (size_t k = 0; k < member->columns; k++) m->p[e * classes + (size_t)member->classes[k]] = m->own[k];
    }
    const double log_members = log((double)in->members);
    for (size_t c = 0; c < classes; c++) l[c] = log_sum_exp_strided(m->p + c, in->members, classes) - log_members;
    /* Where the members agree, ln pm of the top class is lost in rounding; the other classes know it. */
    const size_t top = dn__argmax(l, classes);
    double others = 0.0;
    for (size_t c = 0; c < classes; c++) {
        if (c != top) others += exp(l[c]);
    }
    if (others < 0.5) l[top] = log1p(-others);
}

dn_status dn__mean_probabilities(double *mean, const dn_score_block *in, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space);
    row_memory w;
    DN_TRY(take(&w, in, space));
    for (size_t r = 0; r < in->rows; r++) member_probabilities(w.p, mean + r * in->classes, w.own, in, r);
    dn_workspace_release(space, mark);
    return DN_OK;
}

dn_status dn__log_mean_probabilities(double *l, const dn_score_block *in, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space);
    row_memory w;
    DN_TRY(take(&w, in, space));
    for (size_t r = 0; r < in->rows; r++) log_mean_probabilities(l + r * in->classes, &w, in, r);
    dn_workspace_release(space, mark);
    return DN_OK;
}

/** Mean over members of H(p_e); p as member_probabilities() leaves it. */
static double mean_entropy(const dn_score_block *in, const double *p)
{
    double sum = 0.0;
    for (size_t e = 0; e < in->members; e++) sum += dn__entropy(p + e * in->classes, in->classes);
    return sum / (double)in->members;
}

static dn_status predictive_entropy(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    row_memory w;
    DN_TRY(take(&w, in, space));
    for (size_t r = 0; r < in->rows; r++) {
        member_probabilities(w.p, w.mean, w.own, in, r);
        scores[r] = dn__entropy(w.mean, in->classes);
    }
    return DN_OK;
}

const dn_method dn__method_predictive_entropy = {
    .name = "predictive_entropy",
    .text = "H(pm), the entropy of the mean",
    .source =
        "Lakshminarayanan, Pritzel and Blundell, Simple and Scalable Predictive Uncertainty Estimation using Deep "
        "Ensembles, NeurIPS 2017",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = predictive_entropy,
};

static dn_status expected_entropy(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    row_memory w;
    DN_TRY(take(&w, in, space));
    for (size_t r = 0; r < in->rows; r++) {
        member_probabilities(w.p, NULL, w.own, in, r);
        scores[r] = mean_entropy(in, w.p);
    }
    return DN_OK;
}

const dn_method dn__method_expected_entropy = {
    .name = "expected_entropy",
    .text = "mean of H(p) over members",
    .source = "Depeweg et al., Decomposition of Uncertainty in Bayesian Deep Learning, ICML 2018",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = expected_entropy,
};

static dn_status mutual_information(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    row_memory w;
    DN_TRY(take(&w, in, space));
    for (size_t r = 0; r < in->rows; r++) {
        member_probabilities(w.p, w.mean, w.own, in, r);
        scores[r] = fmax(0.0, dn__entropy(w.mean, in->classes) - mean_entropy(in, w.p));
    }
    return DN_OK;
}

const dn_method dn__method_mutual_information = {
    .name = "mutual_information",
    .text = "H(pm) - mean of H(p), at least 0",
    .source = "Houlsby et al., Bayesian Active Learning for Classification and Preference Learning, 2011",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = mutual_information,
};

static dn_status ensemble_msp(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    row_memory w;
    DN_TRY(take(&w, in, space));
    for (size_t r = 0; r < in->rows; r++) {
        member_probabilities(w.p, w.mean, w.own, in, r);
        scores[r] = dn__sum_of_others(w.mean, in->classes, dn__argmax(w.mean, in->classes));
    }
    return DN_OK;
}

const dn_method dn__method_ensemble_msp = {
    .name = "ensemble_msp",
    .text = "1 - max pm",
    .source =
        "Lakshminarayanan, Pritzel and Blundell, Simple and Scalable Predictive Uncertainty Estimation using Deep "
        "Ensembles, NeurIPS 2017",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = ensemble_msp,
};

static dn_status variance(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    row_memory w;
    DN_TRY(take(&w, in, space));
    for (size_t r = 0; r < in->rows; r++) {
        member_probabilities(w.p, w.mean, w.own, in, r);
        double sum = 0.0;
        for (size_t i = 0; i < in->members * in->classes; i++) {
            const double difference = w.p[i] - w.mean[i % in->classes];
            sum += difference * difference;
        }
        scores[r] = sum / (double)in->members;
    }
    return DN_OK;
}

const dn_method dn__method_variance = {
    .name = "variance",
    .text = "sum over classes of the variance of p over members",
    .source = "Smith and Gal, Understanding Measures of Uncertainty for Adversarial Example Detection, UAI 2018",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = variance,
};

static dn_status variation_ratio(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    double *votes = dn_workspace_doubles(space, in->classes);
    if (!votes) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < in->rows; r++) {
        for (size_t c = 0; c < in->classes; c++) votes[c] = 0.0;
        for (size_t e = 0; e < in->members; e++) {
            const dn_score_rows *member = &in->member[e];
            votes[member->classes[dn__argmax(member_logits(in, e, r), member->columns)]] += 1.0;
        }
        const double members = (double)in->members;
        scores[r] = (members - votes[dn__argmax(votes, in->classes)]) / members;
    }
    return DN_OK;
}

const dn_method dn__method_variation_ratio = {
    .name = "variation_ratio",
    .text = "1 - share of members that vote for the most voted class",
    .source = "Freeman, Elementary Applied Statistics, 1965",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = variation_ratio,
};

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

static dn_status pairwise_kl(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    row_memory w;
    DN_TRY(take(&w, in, space));
    const double pairs = (double)in->members * (double)(in->members - 1);
    for (size_t r = 0; r < in->rows; r++) {
        scores[r] = 0.0;
        if (in->members == 1) continue;
        member_probabilities(w.p, NULL, w.own, in, r);
        for (size_t c = 0; c < in->classes; c++) {
            scores[r] += pairwise_terms(w.p + c, in->members, in->classes, w.one);
        }
        scores[r] /= pairs;
    }
    return DN_OK;
}

const dn_method dn__method_pairwise_kl = {
    .name = "pairwise_kl",
    .text = "mean KL(p_i, p_j) over ordered pairs of members, p at least 1e-12",
    .source = "Malinin and Gales, Uncertainty Estimation in Autoregressive Structured Prediction, ICLR 2021",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .score.ensemble = pairwise_kl,
};

/** options: T. Over each member's own classes only. */
static dn_status leave_out(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    double *p = dn_workspace_doubles(space, in->classes);
    if (!p) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < in->rows; r++) {
        double sum = 0.0;
        for (size_t e = 0; e < in->members; e++) {
            const size_t n = in->member[e].columns;
            dn__softmax(p, member_logits(in, e, r), n, by->option[0]);
            sum += dn__entropy(p, n) - p[dn__argmax(p, n)];
        }
        scores[r] = sum;
    }
    return DN_OK;
}

const dn_method dn__method_leave_out = {
    .name = "leave_out",
    .text = "sum over members of H(p) - max p, p = softmax(z / T) over the member's own classes",
    .source = "Vyas et al., Out-of-Distribution Detection Using an Ensemble of Self Supervised Leave-out Classifiers, "
              "ECCV 2018",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .option_count = 1,
    .option = {{.name = "T", .text = "temperature", .standard = 1000, .low = 0, .high = 1e6, .above_low = true}},
    .score.ensemble = leave_out,
};
