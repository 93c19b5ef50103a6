/* Against plain loops and against what defines each result, on random and on degenerate matrices. */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/linear_algebra.h"

enum { MOST = 20 * 20 }; /* numbers in any matrix here */

static void fill(double *x, size_t n, uint64_t seed)
{
    dn_random_sequence random = {.seed = seed};
    for (size_t i = 0; i < n; i++) x[i] = (double)dn_random_next_normal(&random);
}

/** c = alpha a b + beta c by its definition; b is [k,n], or [n,k] if transposed. */
static void multiply_plainly(double *c, const double *a, const double *b, size_t m, size_t n, size_t k, double alpha,
                             double beta, bool transposed)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t l = 0; l < k; l++) sum += a[i * k + l] * (transposed ? b[j * k + l] : b[l * n + j]);
            c[i * n + j] = alpha * sum + (beta == 0.0 ? 0.0 : beta * c[i * n + j]);
        }
    }
}

static void expect_near(const double *found, const double *expected, size_t n, double tolerance, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        cr_expect(fabs(found[i] - expected[i]) <= tolerance, "%s: entry %zu is %.17g, not %.17g", what, i, found[i],
                  expected[i]);
    }
}

Test(linear_algebra, multiplies)
{
    const struct {
        size_t m, n, k;
    } sizes[] = {{1, 1, 1}, {3, 5, 7}, {7, 1, 4}, {1, 9, 2}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}};
    const double factors[][2] = {{1, 0}, {-2, 1}, {.5, -3}};
    double a[MOST], b[MOST], start[MOST], found[MOST], expected[MOST];
    fill(a, MOST, 1);
    fill(b, MOST, 2);
    fill(start, MOST, 3);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t m = sizes[s].m, n = sizes[s].n, k = sizes[s].k;
        for (size_t f = 0; f < 3; f++) {
            for (int transposed = 0; transposed < 2; transposed++) {
                memcpy(found, start, sizeof start);
                memcpy(expected, start, sizeof start);
                if (factors[f][1] == 0.0) found[0] = NAN; /* what is not read may hold anything */
                if (m * n == 0) found[0] = expected[0];
                multiply_plainly(expected, a, b, m, n, k, factors[f][0], factors[f][1], transposed);
                (transposed ? dn__multiply_transposed : dn__multiply)(found, a, b, m, n, k, factors[f][0],
                                                                      factors[f][1]);
                /* All of it: what lies behind the result must stay as it was. */
                expect_near(found, expected, MOST, 1e-13, transposed ? "a b'" : "a b");
            }
        }
    }
}

Test(linear_algebra, adds_a_gram_matrix_to_the_upper_triangle)
{
    enum { ROWS = 13, D = 6 };
    double x[ROWS * D], sum[D * D], start[D * D];
    fill(x, ROWS * D, 4);
    fill(start, D * D, 5);
    memcpy(sum, start, sizeof start);
    dn__add_gram(sum, x, 0, D);
    expect_near(sum, start, D * D, 0.0, "no rows");
    dn__add_gram(sum, x, ROWS, D);
    for (size_t i = 0; i < D; i++) {
        for (size_t j = 0; j < D; j++) {
            double expected = start[i * D + j];
            for (size_t r = 0; j >= i && r < ROWS; r++) expected += x[r * D + i] * x[r * D + j];
            cr_expect_float_eq(sum[i * D + j], expected, 1e-13, "entry %zu, %zu", i, j);
        }
    }
}

/** The upper triangle of a random symmetric positive semidefinite matrix of this rank; below it NaNs, not to be read.
 *  @param full [d,d] the whole matrix */
static void fill_semidefinite(double *upper, double *full, size_t d, size_t rank, uint64_t seed)
{
    double x[MOST];
    fill(x, rank * d, seed);
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            double sum = 0.0;
            for (size_t r = 0; r < rank; r++) sum += x[r * d + i] * x[r * d + j];
            full[i * d + j] = sum;
            upper[i * d + j] = j >= i ? sum : NAN;
        }
    }
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

Test(linear_algebra, eigenvectors_are_rows_by_falling_eigenvalue)
{
    const size_t sizes[] = {1, 2, 7, 20};
    for (size_t s = 0; s < 4; s++) {
        const size_t d = sizes[s];
        double a[MOST], full[MOST], values[20], image[20];
        fill_semidefinite(a, full, d, d, 6 + s);
        cr_assert_eq(dn__eigen_symmetric(values, a, d), DN_OK);
        for (size_t i = 0; i < d; i++) {
            const double *v = a + i * d;
            cr_expect(i == 0 || values[i] <= values[i - 1]);
            multiply_plainly(image, full, v, d, 1, d, 1, 0, false);
            for (size_t j = 0; j < d; j++) {
                cr_expect_float_eq(image[j], values[i] * v[j], 1e-12 * values[0]);
                cr_expect_float_eq(dot(v, a + j * d, d), i == j ? 1.0 : 0.0, 1e-13);
            }
        }
    }
}

/** Of pinv(a) = L' L: a L' L a = a, and L a L' is the identity of the rank. */
static void check_factor(const double *l, const double *full, size_t d, size_t rank)
{
    double la[MOST], product[MOST], again[MOST];
    multiply_plainly(la, l, full, rank, d, d, 1, 0, false);
    multiply_plainly(product, la, l, rank, rank, d, 1, 0, true);
    for (size_t i = 0; i < rank * rank; i++) {
        cr_expect_float_eq(product[i], i % (rank + 1) == 0 ? 1.0 : 0.0, 1e-9);
    }
    double largest = 0.0;
    for (size_t i = 0; i < d * d; i++) largest = fmax(largest, fabs(full[i]));
    memset(again, 0, sizeof again);
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            for (size_t r = 0; r < rank; r++) again[i * d + j] += la[r * d + i] * la[r * d + j];
        }
    }
    expect_near(again, full, d * d, 1e-10 * largest, "a pinv(a) a");
}

Test(linear_algebra, pseudo_inverse_has_the_rank_of_the_matrix)
{
    const struct {
        size_t d, rank;
    } cases[] = {{1, 1}, {2, 1}, {9, 9}, {9, 4}, {20, 1}, {20, 19}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double a[MOST], full[MOST];
        size_t rank = 99;
        fill_semidefinite(a, full, cases[i].d, cases[i].rank, 20 + i);
        cr_assert_eq(dn__pseudo_inverse_factor(&rank, a, cases[i].d), DN_OK);
        cr_assert_eq(rank, cases[i].rank);
        check_factor(a, full, cases[i].d, rank);
    }
}

Test(linear_algebra, pseudo_inverse_drops_at_the_cut)
{
    /* The cut is 2 * 2^-52 * largest, and an eigenvalue at the cut is dropped. */
    double kept[4] = {1, 0, 0, 2.5 * DBL_EPSILON}, dropped[4] = {1, 0, 0, 2 * DBL_EPSILON}, zero[9] = {0};
    size_t rank;
    cr_assert_eq(dn__pseudo_inverse_factor(&rank, kept, 2), DN_OK);
    cr_expect_eq(rank, 2);
    cr_assert_eq(dn__pseudo_inverse_factor(&rank, dropped, 2), DN_OK);
    cr_expect_eq(rank, 1);
    cr_assert_eq(dn__pseudo_inverse_factor(&rank, zero, 3), DN_OK);
    cr_expect_eq(rank, 0);
    double negative = -1;
    cr_assert_eq(dn__pseudo_inverse_factor(&rank, &negative, 1), DN_OK);
    cr_expect_eq(rank, 0);
}

Test(linear_algebra, refuses_what_is_not_finite)
{
    double values[3], a[9] = {1, 0, 0, 0, 1, INFINITY, 0, 0, 1}, w[2] = {1, NAN}, b = 1, x[2];
    size_t rank;
    cr_expect_eq(dn__eigen_symmetric(values, a, 3), DN_ERROR_NUMERIC);
    cr_expect(strstr(dn_error_last(), "row 1 of a 3 x 3"), "%s", dn_error_last());
    a[5] = NAN;
    cr_expect_eq(dn__pseudo_inverse_factor(&rank, a, 3), DN_ERROR_NUMERIC);
    cr_expect_eq(dn__least_squares(x, w, &b, 1, 2), DN_ERROR_NUMERIC);
}

/** x = pinv(w) b: the residual is orthogonal to w's columns, and x lies in the span of w's rows. */
Test(linear_algebra, least_squares_is_the_shortest_of_the_best)
{
    const struct {
        size_t c, d, rank;
    } cases[] = {{1, 1, 1}, {1, 5, 1}, {5, 1, 1}, {4, 9, 4}, {9, 4, 4}, {6, 9, 2}, {9, 6, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t c = cases[i].c, d = cases[i].d, rank = cases[i].rank;
        double left[MOST], right[MOST], w[MOST], b[20], x[20], residual[20];
        fill(left, c * rank, 40 + i);
        fill(right, rank * d, 60 + i);
        fill(b, c, 80 + i);
        multiply_plainly(w, left, right, c, d, rank, 1, 0, false);
        cr_assert_eq(dn__least_squares(x, w, b, c, d), DN_OK);
        memcpy(residual, b, sizeof b);
        multiply_plainly(residual, w, x, c, 1, d, 1, -1, false);
        for (size_t j = 0; j < d; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < c; k++) sum += w[k * d + j] * residual[k];
            cr_expect_float_eq(sum, 0.0, 1e-11, "c %zu, d %zu: residual", c, d);
        }
        /* pinv(w) (w x) is x again, for no x but one within the span of the rows. */
        double image[20], again[20];
        multiply_plainly(image, w, x, c, 1, d, 1, 0, false);
        cr_assert_eq(dn__least_squares(again, w, image, c, d), DN_OK);
        expect_near(again, x, d, 1e-11, "span");
        /* A change of x that w does not see makes it longer. */
        fill(again, d, 100 + i);
        multiply_plainly(image, w, again, c, 1, d, 1, 0, false);
        double seen[20];
        cr_assert_eq(dn__least_squares(seen, w, image, c, d), DN_OK);
        for (size_t j = 0; j < d; j++) again[j] -= seen[j];
        cr_expect_float_eq(dot(again, x, d), 0.0, 1e-11);
    }
}

Test(linear_algebra, least_squares_of_zeros)
{
    double w[6] = {0}, b[2] = {1, 2}, x[3] = {7, 7, 7};
    cr_assert_eq(dn__least_squares(x, w, b, 2, 3), DN_OK);
    for (int i = 0; i < 3; i++) cr_expect_eq(x[i], 0.0);
}

/** Sizes from which on threads share the work, in pieces that do not fit evenly. */
Test(linear_algebra, any_number_of_threads)
{
    enum { ROWS = 301, D = 290 };
    double *a = dn_calloc(ROWS * D, sizeof *a), *expected = dn_calloc(ROWS * ROWS, sizeof *expected);
    double *found = dn_calloc(ROWS * ROWS, sizeof *found);
    cr_assert(a && expected && found);
    fill(a, ROWS * D, 7);
    for (int threads = 0; threads < 5; threads++) {
        dn__blas_threads(threads);
        multiply_plainly(expected, a, a, ROWS, ROWS, D, 1, 0, true);
        dn__multiply_transposed(found, a, a, ROWS, ROWS, D, 1, 0);
        expect_near(found, expected, ROWS * ROWS, 1e-11, "a a'");
        multiply_plainly(expected, a, a, ROWS, D, D, 1, 0, false); /* its first D rows as a square matrix */
        dn__multiply(found, a, a, ROWS, D, D, 1, 0);
        expect_near(found, expected, ROWS * D, 1e-11, "a a");
        memset(expected, 0, D * D * sizeof *expected);
        for (size_t r = 0; r < ROWS; r++) {
            for (size_t i = 0; i < D; i++) {
                for (size_t j = i; j < D; j++) expected[i * D + j] += a[r * D + i] * a[r * D + j];
            }
        }
        memset(found, 0, D * D * sizeof *found);
        dn__add_gram(found, a, ROWS, D);
        expect_near(found, expected, D * D, 1e-11, "a' a");
    }
    dn_free(a);
    dn_free(expected);
    dn_free(found);
}
