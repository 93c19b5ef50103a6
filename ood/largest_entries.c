#include "ood/largest_entries.h"

#include <math.h>

#include "ood/order_key.h"

size_t dn__entries_kept(size_t dim, double p)
{
    const double exact = (double)dim * p, whole = floor(exact), rest = exact - whole;
    const double gone = whole + (rest > 0.5 || (rest == 0.5 && fmod(whole, 2.0) == 1.0));
    return gone < (double)dim ? dim - (size_t)gone : 1;
}

/** Selection by digits: only entries with the right beginning go on, so that the time is O(n) whatever the order.
 *  @return the k-th largest entry, 1 <= k <= n
 *  @param x [n] destroyed @param k receives how many of the equal entries to take */
static double kth_largest(double *x, size_t n, size_t *k)
{
    enum { DIGIT = 8, VALUES = 1 << DIGIT };
    for (int shift = 64 - DIGIT; shift >= 0; shift -= DIGIT) {
        size_t count[VALUES] = {0}, left = 0;
        for (size_t i = 0; i < n; i++) count[dn__order_key(x[i]) >> shift & (VALUES - 1)]++;
        unsigned digit = VALUES - 1;
        while (count[digit] < *k) *k -= count[digit--];
        if (count[digit] == n) continue; /* all go on */
        for (size_t i = 0; i < n; i++) {
            if ((dn__order_key(x[i]) >> shift & (VALUES - 1)) == digit) x[left++] = x[i];
        }
        n = left;
        if (n == 1) break;
    }
    return x[0];
}

dn__largest dn__largest_entries(const double *row, size_t dim, size_t kept, double *scratch)
{
    dn__largest largest = {.ties = kept};
    for (size_t d = 0; d < dim; d++) {
        largest.all += row[d];
        scratch[d] = row[d];
    }
    largest.least = kth_largest(scratch, dim, &largest.ties);
    for (size_t d = 0; d < dim; d++) largest.taken += row[d] > largest.least ? row[d] : 0.0;
    largest.taken += (double)largest.ties * largest.least;
    return largest;
}

double dn__largest_factor(const dn__largest *largest)
{
    return largest->taken > 0.0 ? exp(largest->all / largest->taken) : 1.0;
}
