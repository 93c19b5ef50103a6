/** Softmax over blocks of rows that lie class by class, as planes [C,n]: library-private.
 *
 * Neighbouring rows then share a vector, however few classes there are, and a score is a few loops over rows. Blocks
 * are small enough for the second-level cache (score.h's driver sees to it). Memory comes from the workspace; the
 * caller releases it.
 *
 * Rows may hold logits of -infinity (a class that nobody knows), as long as one is finite.
 */
#ifndef DN_OOD_PLANES_H
#define DN_OOD_PLANES_H

#include <stddef.h>

#include "core/status.h"
#include "ood/rows.h"
#include "ood/workspace.h"

/** Turns rows into planes or, sizes exchanged, planes into rows.
 *  @param to [columns, rows] @param from [rows, columns] */
void dn__transpose(double *to, const double *from, size_t rows, size_t columns);

/** The largest entry of every row. @param top [n] @param at [n] its column, the lowest one on ties; a whole number
 *  @param x [columns, n] */
void dn__planes_top(double *top, double *at, const double *x, size_t columns, size_t n);

/** Products of planes with rows of weights: for few columns, where BLAS spends more on preparing than on multiplying,
 *  without it. @param products [count, n] @param weights [count, columns] @param x [columns, n] */
void dn__planes_multiply(double *products, const double *weights, const double *x, size_t count, size_t columns,
                         size_t n);

/** The softmax p of z / T in parts: p = e / (1 + others). The largest p of a row is 1 / (1 + others); what is missing
 *  to 1, others / (1 + others), keeps its digits where the largest p rounds to 1. */
typedef struct dn__softmax_planes {
    size_t columns, n;
    double *below;  /**< [columns, n] (z - top) / T, at most 0 */
    double *e;      /**< [columns, n] exp(below): 1 at the largest */
    double *others; /**< [n] sum of e over all columns but the largest's */
    double *top;    /**< [n] the largest z */
    double *at;     /**< [n] its column */
} dn__softmax_planes;

dn_status dn__softmax_of(dn__softmax_planes *out, const dn_score_rows *in, double temperature,
                         dn_workspace *space) DN_NODISCARD;

/** One plane of probabilities. @param p [n] */
void dn__softmax_column(double *p, const dn__softmax_planes *s, size_t column);

/** One plane of ln p. @param l [n] */
void dn__softmax_log_column(double *l, const dn__softmax_planes *s, size_t column);

/** One plane of p (1 - p). @param x [n] */
void dn__softmax_product(double *x, const dn__softmax_planes *s, size_t column);

/** 1 - max p, as the sum of the others. @param x [n] */
void dn__softmax_rest(double *x, const dn__softmax_planes *s);

/** T ln sum exp(z / T). @param x [n] */
void dn__softmax_log_sum(double *x, const dn__softmax_planes *s, double temperature);

/** H(p), with 0 ln 0 = 0. @param h [n] */
void dn__softmax_entropy(double *h, const dn__softmax_planes *s);

/** 1 - max p of probabilities that sum to 1, as the sum of the others. @param x [n] @param p [columns, n] */
dn_status dn__planes_rest(double *x, const double *p, size_t columns, size_t n, dn_workspace *space) DN_NODISCARD;

/** -sum p ln p of probabilities that sum to 1, with 0 ln 0 = 0. @param h [n] @param p [columns, n] */
dn_status dn__planes_entropy(double *h, const double *p, size_t columns, size_t n, dn_workspace *space) DN_NODISCARD;

/** ln of the mean of exp(l) over members, minus infinity where all l are.
 *  @param mean [plane] @param l [members, plane] */
dn_status dn__planes_log_mean(double *mean, const double *l, size_t members, size_t plane,
                              dn_workspace *space) DN_NODISCARD;

/** Gives the largest of ln p, which may have rounded to 0, the digits that the others know. @param l [columns, n] ln of
 *  probabilities that sum to 1 */
dn_status dn__planes_sharpen_log(double *l, size_t columns, size_t n, dn_workspace *space) DN_NODISCARD;

/** p = max(p, least) and its logarithm. @param logs [count] @param p [count] @param least greater than 0 */
void dn__floored_logs(double *logs, double *p, size_t count, double least);

/** sum += x^exponent, 0 at 0. @param sum [n] @param x [n], from 0 to 1 @param exponent greater than 0 */
void dn__add_power(double *sum, const double *x, double exponent, size_t n);

#endif
