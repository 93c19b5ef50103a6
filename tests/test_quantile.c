/** Quantiles by digits against sorting, and the largest entries of a row. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/largest_entries.h"
#include "ood/order_key.h"
#include "ood/quantile.h"

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** The definition: sort, then a line between the neighbours. */
static double sorted_quantile(const double *x, size_t n, double q)
{
    double *sorted = dn_calloc(n, sizeof *sorted);
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    const double at = q * (double)(n - 1), below = floor(at);
    const size_t i = (size_t)below;
    const double low = sorted[i], high = sorted[i + 1 < n ? i + 1 : i], t = at - below;
    dn_free(sorted);
    return low * (1.0 - t) + high * t;
}

static void compare(const double *x, size_t n, const char *what)
{
    static const double q[] = {0, .05, .1, .25, 1.0 / 3, .5, .65, .9, .95, .999, 1};
    for (size_t i = 0; i < sizeof q / sizeof *q; i++) {
        for (size_t j = 0; j < sizeof q / sizeof *q; j++) {
            const double asked[2] = {q[i], q[j]};
            double got[2];
            cr_assert_eq(dn__quantiles(got, asked, 2, x, n), DN_OK, "%s", dn_error_last());
            for (int k = 0; k < 2; k++) {
                const double want = sorted_quantile(x, n, asked[k]);
                cr_expect(fabs(got[k] - want) <= 4 * DBL_EPSILON * fabs(want) + 0x1p-1074, "%s, q=%g: %.17g, not %.17g",
                          what, asked[k], got[k], want);
            }
        }
    }
}

Test(order_key, has_the_order_of_the_numbers)
{
    const double x[] = {-DBL_MAX, -1.5,     -1,  -DBL_MIN, -0x1p-1074,      0,   0x1p-1074,
                        DBL_MIN,  1 - 1e-9, 1.0, 1.5,      nextafter(2, 1), 2.0, DBL_MAX};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        cr_expect_eq(dn__order_value(dn__order_key(x[i])), x[i], "%g", x[i]);
        if (i > 0) cr_expect_lt(dn__order_key(x[i - 1]), dn__order_key(x[i]), "%g", x[i]);
    }
    cr_expect_eq(dn__order_key(-0.0), dn__order_key(0.0));
}

Test(quantile, agrees_with_sorting)
{
    enum { N = 1003 };
    static double x[N];
    dn_random_sequence r = {.seed = 5};
    for (size_t i = 0; i < N; i++) x[i] = (double)dn_random_next_normal(&r);
    compare(x, N, "normal");
    for (size_t i = 0; i < N; i++) x[i] = fmax(x[i], 0);
    compare(x, N, "half of them 0");
    for (size_t i = 0; i < N; i++) x[i] = (double)dn_random_next_below(&r, 4) - 2;
    compare(x, N, "four values");
    for (size_t i = 0; i < N; i++) x[i] = ldexp((double)dn_random_next_below(&r, 1000), -1074);
    compare(x, N, "denormal");
    for (size_t i = 0; i < N; i++) x[i] = 1 + ldexp((double)dn_random_next_below(&r, 70000), -52);
    compare(x, N, "last digits only");
    for (size_t i = 0; i < N; i++)
        x[i] = ldexp((double)dn_random_next_normal(&r), (int)dn_random_next_below(&r, 2000) - 1000);
    compare(x, N, "all magnitudes");
    for (size_t i = 0; i < N; i++) x[i] = i % 2 ? -0.0 : 0.0;
    compare(x, N, "zeros of both signs");
    for (size_t i = 0; i < N; i++) x[i] = -7.25;
    compare(x, N, "constant");
}

Test(quantile, of_few_numbers)
{
    static const double x[] = {3, -1, 2, 2};
    compare(x, 1, "one");
    compare(x, 2, "two");
    compare(x, 3, "three");
    compare(x, 4, "four");
    const double far[] = {-DBL_MAX, DBL_MAX};
    compare(far, 2, "whose difference is no number");
}

/* ---- the largest entries ---- */

Test(largest_entries, halves_go_to_even)
{
    static const struct {
        size_t dim;
        double p;
        size_t kept;
    } cases[] = {{49, .5, 25},  /* 24.5 -> 24 go */
                 {47, .5, 23},  /* 23.5 -> 24 go */
                 {3, .5, 1},    /* 1.5 -> 2 go */
                 {1, .5, 1},    /* 0.5 -> 0 go */
                 {49, .9, 5},   /* 44.1 */
                 {49, .999, 1}, /* 48.951 -> 49 go, but one is kept */
                 {49, 1, 1},    {49, 0, 49}, {10, .25, 8} /* 2.5 -> 2 */, {10, .35, 6}, /* 3.5 in double -> 4 */
                 {100, .29, 71}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(dn__entries_kept(cases[i].dim, cases[i].p), cases[i].kept, "%zu of %zu at p=%g",
                     dn__entries_kept(cases[i].dim, cases[i].p), cases[i].dim, cases[i].p);
    }
}

Test(largest_entries, agree_with_sorting)
{
    enum { D = 49 };
    double row[D], sorted[D], scratch[D];
    dn_random_sequence r = {.seed = 6};
    for (int trial = 0; trial < 200; trial++) {
        double all = 0;
        for (size_t d = 0; d < D; d++) {
            row[d] = trial % 2 ? (double)dn_random_next_normal(&r) : (double)dn_random_next_below(&r, 5) - 1;
            sorted[d] = row[d];
            all += row[d];
        }
        qsort(sorted, D, sizeof *sorted, by_value);
        double sum = 0;
        size_t ties = 0;
        for (size_t kept = 1; kept <= D; kept++) {
            const double least = sorted[D - kept];
            sum += least;
            ties = kept > 1 && sorted[D - kept + 1] == least ? ties + 1 : 1;
            const dn__largest got = dn__largest_entries(row, D, kept, scratch);
            cr_assert_eq(got.least, least, "trial %d, %zu kept", trial, kept);
            cr_assert_eq(got.ties, ties, "trial %d, %zu kept: %zu ties, not %zu", trial, kept, got.ties, ties);
            cr_assert_float_eq(got.all, all, 1e-12);
            cr_assert_float_eq(got.taken, sum, 1e-12);
        }
    }
}
