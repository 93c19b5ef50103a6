/** The scale of largest likelihood for a shape k is (mean of x^k)^(1/k); the shape is the root of
 *
 *      g(k) = sum x^k ln x / sum x^k - mean of ln x - 1/k,
 *
 * which grows with k from minus infinity to ln max x - mean of ln x > 0. With y = ln(x / max x) <= 0 instead of ln x, g
 * is the same and powers stay within 0 and 1.
 */
#include "ood/weibull.h"

#include <math.h>

typedef struct sample {
    const double *x;          /* [n] */
    size_t n, used;           /* used: those greater than 0 */
    double largest, mean_log; /* mean of y */
} sample;

/** @return g(k); `slope` receives its derivative, `mean` the mean of (x / largest)^k */
static double equation(const sample *s, double k, double *slope, double *mean)
{
    double sum = 0.0, first = 0.0, second = 0.0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->x[i] <= 0.0) continue;
        const double y = log(s->x[i] / s->largest), power = exp(k * y);
        sum += power;
        first += power * y;
        second += power * y * y;
    }
    first /= sum;
    *slope = second / sum - first * first + 1.0 / (k * k);
    *mean = sum / (double)s->used;
    return first - s->mean_log - 1.0 / k;
}

static sample take(const double *x, size_t n)
{
    sample s = {.x = x, .n = n};
    for (size_t i = 0; i < n; i++) s.largest = fmax(s.largest, x[i]);
    for (size_t i = 0; i < n; i++) {
        if (x[i] <= 0.0) continue;
        s.mean_log += log(x[i] / s.largest);
        s.used++;
    }
    if (s.used > 0) s.mean_log /= (double)s.used;
    return s;
}

dn__weibull dn__weibull_fit(const double *x, size_t n)
{
    enum { STEPS = 200 };
    const sample s = take(x, n);
    if (!(s.mean_log < 0.0)) return (dn__weibull){INFINITY, s.largest};
    /* g(-1 / mean of y) = the weighted mean of y, which is at most 0: the root is there or above it. */
    double low = -1.0 / s.mean_log, high = INFINITY, k = low, mean = 1.0;
    for (int step = 0; step < STEPS; step++) {
        double slope;
        const double value = equation(&s, k, &slope, &mean);
        if (value <= 0.0) low = k;
        if (value >= 0.0) high = k;
        double next = k - value / slope;
        if (!(next >= low && next <= high)) next = high < INFINITY ? 0.5 * (low + high) : 2.0 * low;
        if (fabs(next - k) <= 1e-14 * k) break;
        k = next;
    }
    return (dn__weibull){k, s.largest * pow(mean, 1.0 / k)};
}

double dn__weibull_cdf(const dn__weibull *w, double x)
{
    if (x <= 0.0) return 0.0;
    if (isinf(w->shape)) return x > w->scale ? 1.0 : 0.0;
    return -expm1(-exp(w->shape * log(x / w->scale)));
}
