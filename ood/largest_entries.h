/** The largest entries of a row of features, for ash and scale: library-private. */
#ifndef DN_OOD_LARGEST_ENTRIES_H
#define DN_OOD_LARGEST_ENTRIES_H

#include <stddef.h>

/** Taken are the entries above `least`, and the first `ties` of those equal to it. */
typedef struct dn__largest {
    double least;
    size_t ties;
    double all, taken; /**< sums s1 of all entries and s2 of those taken */
} dn__largest;

/** @return how many entries stay when a share p of them goes: dim - p dim, halves to even, at least 1 */
size_t dn__entries_kept(size_t dim, double p);

/** @param row [dim] @param kept 1 to dim @param scratch [dim] */
dn__largest dn__largest_entries(const double *row, size_t dim, size_t kept, double *scratch);

/** @return exp(s1 / s2), or 1 if s2 <= 0 */
double dn__largest_factor(const dn__largest *largest);

#endif
