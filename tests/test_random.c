#include <criterion/criterion.h>
#include <math.h>

#include "core/random.h"

Test(random, normal_distribution_has_the_right_moments)
{
    dn_random_sequence r = {.seed = 1};
    double sum[5] = {0};
    const int n = 400000;
    for (int i = 0; i < n; i++) {
        const double x = dn_random_next_normal(&r);
        for (int k = 1; k <= 4; k++) sum[k] += pow(x, k);
    }
    /* Standard errors of the four moments: sqrt(1/n), sqrt(2/n), sqrt(15/n), sqrt(96/n); five of them allowed. */
    cr_expect_lt(fabs(sum[1] / n), 5 * sqrt(1.0 / n));
    cr_expect_lt(fabs(sum[2] / n - 1), 5 * sqrt(2.0 / n));
    cr_expect_lt(fabs(sum[3] / n), 5 * sqrt(15.0 / n));
    cr_expect_lt(fabs(sum[4] / n - 3), 5 * sqrt(96.0 / n));
}

Test(random, box_muller_agrees_with_libm)
{
    double worst = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t bits[4];
        float got[2];
        dn_random_block(bits, 7, 0, 0, 0, i);
        if (i < 8) bits[1] = i << 29; /* the borders of the quarters */
        if (i == 8) bits[0] = 0;
        if (i == 9) bits[0] = UINT32_MAX;
        dn_random_to_normals(got, bits[0], bits[1]);
        const double radius = sqrt(-2 * log((bits[0] + 1.0) * 0x1p-32));
        const double angle = ((bits[1] >> 30) + (bits[1] & 0x3fffffffu) * 0x1p-30 - 0.5) * 1.5707963267948966;
        worst = fmax(worst, fmax(fabs(got[0] - radius * cos(angle)), fabs(got[1] - radius * sin(angle))));
    }
    cr_expect_lt(worst, 6.7 * 0x1p-24, "worst difference %g", worst); /* |normal| < 6.7: half an ulp of a float */
}

Test(random, permutation_is_one_for_any_length)
{
    enum { MOST = 3000 };
    for (uint32_t n = 1; n <= MOST; n = n * 3 / 2 + 1) {
        char seen[MOST] = {0};
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t at = dn_random_permute(i, n, 5, 1, 2, 3);
            cr_assert_lt(at, n);
            cr_assert(!seen[at], "%u appears twice among %u", at, n);
            seen[at] = 1;
        }
    }
}

Test(random, permutations_spread_evenly_and_differ_by_epoch)
{
    enum { N = 10, TRIES = 20000 };
    int count[N][N] = {{0}}, same = 0;
    for (uint32_t epoch = 0; epoch < TRIES; epoch++)
        for (uint32_t i = 0; i < N; i++) count[i][dn_random_permute(i, N, 9, 0, epoch, 0)]++;
    double chi2 = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) chi2 += pow(count[i][j] - TRIES / (double)N, 2) / (TRIES / (double)N);
    cr_expect_lt(chi2, 81 + 5 * sqrt(2.0 * 81), "chi squared %g for 81 degrees of freedom", chi2);
    for (uint32_t i = 0; i < 1000; i++)
        same += dn_random_permute(i, 1000, 9, 0, 0, 0) == dn_random_permute(i, 1000, 9, 0, 1, 0);
    cr_expect_lt(same, 10); /* two random permutations agree in one place on average */
}
