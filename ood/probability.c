#include "ood/probability.h"

#include <math.h>

size_t dn__argmax(const double *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        if (x[i] > x[best]) best = i;
    }
    return best;
}

double dn__sum_of_others(const double *x, size_t n, size_t left_out)
{
    double sum = 0.0;
    for (size_t i = 0; i < left_out; i++) sum += x[i];
    for (size_t i = left_out + 1; i < n; i++) sum += x[i];
    return sum;
}

void dn__softmax(double *p, const double *z, size_t n, double temperature)
{
    const double top = z[dn__argmax(z, n)];
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        p[i] = exp((z[i] - top) / temperature);
        sum += p[i];
    }
    for (size_t i = 0; i < n; i++) p[i] /= sum;
}

/** ln of the sum of exp((z - z_top) / temperature), at least 0: log1p keeps it apart from 0 in saturated rows. */
static double log_sum_below(const double *z, size_t n, size_t top, double temperature)
{
    double others = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (i != top) others += exp((z[i] - z[top]) / temperature);
    }
    return log1p(others);
}

void dn__log_softmax(double *l, const double *z, size_t n)
{
    const size_t top = dn__argmax(z, n);
    const double largest = z[top], sum = log_sum_below(z, n, top, 1.0);
    for (size_t i = 0; i < n; i++) l[i] = (z[i] - largest) - sum;
}

double dn__log_sum_exp(const double *z, size_t n, double temperature)
{
    const size_t top = dn__argmax(z, n);
    return z[top] + temperature * log_sum_below(z, n, top, temperature);
}

double dn__entropy(const double *p, size_t n)
{
    const size_t top = dn__argmax(p, n);
    const double others = dn__sum_of_others(p, n, top);
    /* The largest p may have rounded to 1, its logarithm to 0; the others know better. */
    double sum = -p[top] * (others < 0.5 ? log1p(-others) : log(p[top]));
    for (size_t i = 0; i < n; i++) {
        if (i != top && p[i] > 0.0) sum -= p[i] * log(p[i]);
    }
    return sum;
}
