#include "ood/row.h"

#include <float.h>
#include <math.h>

double dn__dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

double dn__sum_abs(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += fabs(x[i]);
    return sum;
}

/** sqrt of the sum of ((a - b) factor)^2 */
static double scaled_distance(const double *a, const double *b, size_t n, double factor)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double difference = (a[i] - (b ? b[i] : 0.0)) * factor;
        sum += difference * difference;
    }
    return sqrt(sum);
}

double dn__distance(const double *a, const double *b, size_t n)
{
    const double plain = scaled_distance(a, b, n, 1.0);
    /* Squares that vanished, or that are beyond the range of double, are formed again in another unit. */
    if (plain > DBL_MAX) return scaled_distance(a, b, n, 0x1p-540) * 0x1p540;
    if (plain < 0x1p-480) return scaled_distance(a, b, n, 0x1p500) * 0x1p-500;
    return plain;
}
