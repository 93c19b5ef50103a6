/** Scores of one model's logits. */
#include <math.h>

#include "ood/method_functions.h"
#include "ood/probability.h"

void dn__score_msp(double *scores, const dn_score_rows *in, const double *options, double *scratch)
{
    (void)options;
    const size_t n = in->columns;
    for (size_t r = 0; r < in->rows; r++) {
        dn__softmax(scratch, in->logits + r * n, n, 1.0);
        scores[r] = dn__sum_of_others(scratch, n, dn__argmax(scratch, n));
    }
}

void dn__score_max_logit(double *scores, const dn_score_rows *in, const double *options, double *scratch)
{
    (void)options;
    (void)scratch;
    for (size_t r = 0; r < in->rows; r++) {
        const double *z = in->logits + r * in->columns;
        scores[r] = -z[dn__argmax(z, in->columns)];
    }
}

/** options: T */
void dn__score_energy(double *scores, const dn_score_rows *in, const double *options, double *scratch)
{
    (void)scratch;
    for (size_t r = 0; r < in->rows; r++) {
        scores[r] = -dn__log_sum_exp(in->logits + r * in->columns, in->columns, options[0]);
    }
}

void dn__score_entropy(double *scores, const dn_score_rows *in, const double *options, double *scratch)
{
    (void)options;
    for (size_t r = 0; r < in->rows; r++) {
        dn__softmax(scratch, in->logits + r * in->columns, in->columns, 1.0);
        scores[r] = dn__entropy(scratch, in->columns);
    }
}

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
void dn__score_gen(double *scores, const dn_score_rows *in, const double *options, double *scratch)
{
    const size_t n = in->columns;
    const double gamma = options[0];
    const size_t taken = options[1] < (double)n ? (size_t)options[1] : n;
    for (size_t r = 0; r < in->rows; r++) {
        double *p = scratch;
        dn__softmax(p, in->logits + r * n, n, 1.0);
        const size_t top = dn__argmax(p, n);
        double sum = pow(p[top] * dn__sum_of_others(p, n, top), gamma);
        p[top] = p[n - 1];
        select_largest(p, n - 1, taken - 1);
        for (size_t i = 0; i + 1 < taken; i++) sum += pow(p[i] * (1.0 - p[i]), gamma);
        scores[r] = sum;
    }
}
