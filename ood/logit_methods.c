/** Scores of one model's logits. */
#include <math.h>

#include "ood/methods.h"
#include "ood/probability.h"

static dn_status msp(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    const size_t n = in->columns;
    double *p = dn_workspace_doubles(space, n);
    if (!p) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < in->rows; r++) {
        dn__softmax(p, in->logits + r * n, n, 1.0);
        scores[r] = dn__sum_of_others(p, n, dn__argmax(p, n));
    }
    return DN_OK;
}

const dn_method dn__method_msp = {
    .name = "msp",
    .text = "1 - max p",
    .source =
        "Hendrycks and Gimpel, A Baseline for Detecting Misclassified and Out-of-Distribution Examples, ICLR 2017",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .score.single = msp,
};

static dn_status max_logit(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    (void)space;
    for (size_t r = 0; r < in->rows; r++) {
        const double *z = in->logits + r * in->columns;
        scores[r] = -z[dn__argmax(z, in->columns)];
    }
    return DN_OK;
}

const dn_method dn__method_max_logit = {
    .name = "max_logit",
    .text = "-max z",
    .source = "Hendrycks et al., Scaling Out-of-Distribution Detection for Real-World Settings, ICML 2022",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .score.single = max_logit,
};

/** options: T */
static dn_status energy(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)space;
    for (size_t r = 0; r < in->rows; r++) {
        scores[r] = -dn__log_sum_exp(in->logits + r * in->columns, in->columns, by->option[0]);
    }
    return DN_OK;
}

const dn_method dn__method_energy = {
    .name = "energy",
    .text = "-T ln sum exp(z / T)",
    .source = "Liu et al., Energy-based Out-of-distribution Detection, NeurIPS 2020",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .option_count = 1,
    .option = {{.name = "T", .text = "temperature", .standard = 1, .low = 0, .high = 1e6, .above_low = true}},
    .score.single = energy,
};

static dn_status entropy(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)by;
    double *p = dn_workspace_doubles(space, in->columns);
    if (!p) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < in->rows; r++) {
        dn__softmax(p, in->logits + r * in->columns, in->columns, 1.0);
        scores[r] = dn__entropy(p, in->columns);
    }
    return DN_OK;
}

const dn_method dn__method_entropy = {
    .name = "entropy",
    .text = "H(p)",
    .source = "Shannon, A Mathematical Theory of Communication, 1948",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .score.single = entropy,
};

/** Moves heap[at] down to its place in a heap of n entries with the smallest at the front. */
static void sift_down(double *heap, size_t n, size_t at)
{
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && heap[child + 1] < heap[child]) child++;
        if (heap[at] <= heap[child]) return;
        const double swapped = heap[at];
        heap[at] = heap[child];
        heap[child] = swapped;
        at = child;
    }
}

/** Brings the k largest of x [n] to its front, in O(n log k); the rest is lost. */
static void select_largest(double *x, size_t n, size_t k)
{
    if (k == 0 || k >= n) return;
    for (size_t i = k / 2; i-- > 0;) sift_down(x, k, i);
    for (size_t i = k; i < n; i++) {
        if (x[i] <= x[0]) continue;
        x[0] = x[i];
        sift_down(x, k, 0);
    }
}

/** options: gamma, top. Only the largest p can be so near 1 that 1 - p must be summed from the others. */
static dn_status gen(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const size_t n = in->columns;
    const double gamma = by->option[0];
    const size_t taken = by->option[1] < (double)n ? (size_t)by->option[1] : n;
    double *p = dn_workspace_doubles(space, n);
    if (!p) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < in->rows; r++) {
        dn__softmax(p, in->logits + r * n, n, 1.0);
        const size_t top = dn__argmax(p, n);
        double sum = pow(p[top] * dn__sum_of_others(p, n, top), gamma);
        p[top] = p[n - 1];
        select_largest(p, n - 1, taken - 1);
        for (size_t i = 0; i + 1 < taken; i++) sum += pow(p[i] * (1.0 - p[i]), gamma);
        scores[r] = sum;
    }
    return DN_OK;
}

const dn_method dn__method_gen = {
    .name = "gen",
    .text = "sum of (p (1 - p))^gamma over the `top` largest p",
    .source = "Liu, Lochman and Zach, GEN: Pushing the Limits of Softmax-Based OOD Detection, CVPR 2023",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .option_count = 2,
    .option = {{.name = "gamma", .text = "exponent", .standard = .1, .low = 0, .high = 100, .above_low = true},
               {.name = "top", .text = "largest p taken", .standard = 100, .low = 1, .high = 1e9, .integer = true}},
    .score.single = gen,
};
