/** Halves of a set: one chooses a threshold, the other measures it. */
#ifndef DN_APPS_HALF_H
#define DN_APPS_HALF_H

#include <stdbool.h>
#include <stddef.h>

/** @return whether the row belongs to the half that chooses: (rows + 1) / 2 rows, drawn once and for all sets of that
 *  size, since every second row of a set whose classes alternate would be half of the classes */
bool dn_half_chooses(size_t row, size_t rows);

/** Moves the scores of the half that chooses to the front, each half in its order.
 *  @param other [n] room @return how many choose */
size_t dn_half_split(double *scores, size_t n, double *other);

#endif
