/** Planes of all small sizes beside plain loops: sizes that fill no vector are computed by overlapping. */
#include <criterion/criterion.h>
#include <math.h>

#include "ood/planes.h"

enum { MOST = 27, ROOM = MOST * MOST };

static void fill(double *x, size_t count, double step)
{
    for (size_t i = 0; i < count; i++) x[i] = sin(step * (double)(i + 1));
}

Test(planes, transpose_moves_every_number)
{
    double from[ROOM], to[ROOM];
    fill(from, ROOM, 0.7);
    for (size_t rows = 1; rows <= MOST; rows++) {
        for (size_t columns = 1; columns <= MOST; columns++) {
            for (size_t i = 0; i < ROOM; i++) to[i] = NAN;
            dn__transpose(to, from, rows, columns);
            for (size_t i = 0; i < rows * columns; i++)
                cr_assert_eq(to[i % columns * rows + i / columns], from[i], "%zu x %zu: %zu", rows, columns, i);
            for (size_t i = rows * columns; i < ROOM; i++) cr_assert(isnan(to[i]), "wrote past the end");
        }
    }
}

static void check_products(size_t count, size_t columns, size_t n)
{
    double weights[ROOM], x[ROOM], products[ROOM];
    fill(weights, count * columns, 0.3);
    fill(x, columns * n, 1.1);
    for (size_t i = 0; i < ROOM; i++) products[i] = NAN;
    dn__planes_multiply(products, weights, x, count, columns, n);
    for (size_t i = 0; i < count * n; i++) {
        double want = 0;
        for (size_t c = 0; c < columns; c++) want += weights[i / n * columns + c] * x[c * n + i % n];
        cr_assert_float_eq(products[i], want, 1e-13, "%zu x %zu x %zu: %zu", count, columns, n, i);
    }
    for (size_t i = count * n; i < ROOM; i++) cr_assert(isnan(products[i]), "wrote past the end");
}

Test(planes, products_of_all_sizes)
{
    for (size_t count = 1; count <= MOST; count++) {
        for (size_t n = 1; n <= MOST; n++) {
            check_products(count, 1, n);
            check_products(count, 10, n);
            check_products(count, MOST, n);
        }
    }
}
