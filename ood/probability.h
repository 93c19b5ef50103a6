/** Arithmetic on one row of logits or probabilities, in double and without cancellation: library-private.
 *
 * Rows may hold logits of -infinity (a class that nobody knows), as long as one is finite.
 */
#ifndef DN_OOD_PROBABILITY_H
#define DN_OOD_PROBABILITY_H

#include <stddef.h>

/** @param x [n] @return the index of the largest entry, the lowest one on ties */
size_t dn__argmax(const double *x, size_t n);

/** p = softmax(z / temperature). @param p [n], may be `z` itself @param z [n] */
void dn__softmax(double *p, const double *z, size_t n, double temperature);

/** @param z [n] @return temperature * ln sum_c exp(z_c / temperature) */
double dn__log_sum_exp(const double *z, size_t n, double temperature);

/** 1 - x[left_out] of a row of probabilities, as the sum of the others, so that rows whose largest probability rounds
 *  to 1 keep their order. @param x [n] */
double dn__sum_of_others(const double *x, size_t n, size_t left_out);

#endif
