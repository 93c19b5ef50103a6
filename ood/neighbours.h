/** The k nearest rows of a bank, exactly: library-private.
 *
 * Inner products in single precision with a proven bound of their error rule out nearly all rows; what could be among
 * the k is computed again in double. The result is therefore that of double arithmetic, whatever computed the products.
 */
#ifndef DN_OOD_NEIGHBOURS_H
#define DN_OOD_NEIGHBOURS_H

#include "ood/bank.h"
#include "ood/workspace.h"

/** What rows are compared by. */
typedef struct dn__nearness {
    const dn__bank *bank;
    const double *weight; /* [rows] or NULL: distances */
    double unit;          /* largest absolute weight: values are found in units of it */
    float *scale;         /* [rows] value = product * scale + offset */
    float *offset;        /* [rows] */
} dn__nearness;

/** @return DN_OK, or an error of the method of that name: k is greater than the number of fit rows */
dn_status dn__neighbours_check(const char *method, double k, const dn_fit *fit) DN_NODISCARD;

/** @param weight [rows] borrowed: rows are compared by weight_j cos(query, row j); NULL: by their distance */
dn_status dn__nearness_init(dn__nearness *out, const dn__bank *bank, const double *weight) DN_NODISCARD;
void dn__nearness_clear(dn__nearness *nearness);

/** The Euclidean distance of each query / max(norm, 1e-10) to its k-th nearest row of the bank.
 *  @param distances [n] @param queries [n, bank->dim] finite @param k 1 .. bank->rows */
dn_status dn__kth_distances(double *distances, const dn__nearness *by, const double *queries, size_t n, size_t k,
                            dn_workspace *space) DN_NODISCARD;

/** The mean of the k largest weight_j * (query / max(norm, 1e-10)) . row j. @param means [n], others as above */
dn_status dn__mean_largest(double *means, const dn__nearness *by, const double *queries, size_t n, size_t k,
                           dn_workspace *space) DN_NODISCARD;

#endif
