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

/* log1p keeps the logarithm apart from 0 in saturated rows. */
double dn__log_sum_exp(const double *z, size_t n, double temperature)
{
    const size_t top = dn__argmax(z, n);
    double others = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (i != top) others += exp((z[i] - z[top]) / temperature);
    }
    return z[top] + temperature * log1p(others);
}
