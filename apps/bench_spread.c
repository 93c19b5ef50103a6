#include "apps/bench_spread.h"

#include <stdlib.h>
#include <string.h>

#include "apps/clock.h"
#include "core/alloc.h"

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int n, double q)
{
    const double at = q * (n - 1);
    const int before = (int)at;
    const int after = before + 1 < n ? before + 1 : before;
    return sorted[before] + (at - before) * (sorted[after] - sorted[before]);
}

dn_status dn_spread_of(dn_spread *out, const double *samples, int n)
{
    *out = (dn_spread){0};
    if (n < 1) return dn_fail(DN_ERROR_ARGUMENT, "a spread needs at least one sample");
    double *sorted = dn_calloc((size_t)n, sizeof *sorted);
    if (!sorted) return DN_ERROR_MEMORY;
    memcpy(sorted, samples, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    *out = (dn_spread){.n = n,
                       .min = sorted[0],
                       .low = quantile(sorted, n, 0.25),
                       .median = quantile(sorted, n, 0.5),
                       .high = quantile(sorted, n, 0.75)};
    dn_free(sorted);
    return DN_OK;
}
