#include "ood/methods.h"
#include "ood/planes.h"

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

/** Keeps each row's k largest p in the first k planes. Among all but the largest p, p (1 - p) grows with p.
 *  @param product [columns, n] p (1 - p) @param at [n] column of the largest p @param row [columns] scratch */
static void keep_largest(double *product, const double *at, size_t columns, size_t n, size_t k, double *row)
{
    for (size_t r = 0; r < n; r++) {
        size_t others = 0;
        double top = 0.0;
        for (size_t c = 0; c < columns; c++) {
            const double x = product[c * n + r];
            if (c == (size_t)at[r])
                top = x;
            else
                row[others++] = x;
        }
        select_largest(row, others, k - 1);
        product[r] = top;
        for (size_t i = 1; i < k; i++) product[i * n + r] = row[i - 1];
    }
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const double gamma = by->option[0];
    const size_t taken = by->option[1] < (double)in->columns ? (size_t)by->option[1] : in->columns;
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, in, 1.0, space));
    double *product = p.below, *row = dn_workspace_doubles(space, in->columns);
    if (!row) return DN_ERROR_MEMORY;
    for (size_t c = 0; c < in->columns; c++) dn__softmax_product(product + c * p.n, &p, c);
    if (taken < in->columns) keep_largest(product, p.at, in->columns, p.n, taken, row);
    for (size_t r = 0; r < p.n; r++) scores[r] = 0.0;
    for (size_t c = 0; c < taken; c++) dn__add_power(scores, product + c * p.n, gamma, p.n);
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
    .score.single = score,
};
