#include <criterion/criterion.h>
#include <string.h>

#include "datasets/folds.h"

/* numpy.random.RandomState(3).permutation(10) and (100), (12345).permutation(7), from NumPy 1.24. */
static const int ten[10] = {5, 4, 1, 2, 9, 6, 7, 0, 3, 8};
static const int hundred[100] = {93, 67, 6,  64, 96, 83, 98, 42, 25, 15, 77, 9,  71, 97, 34, 75, 82, 23, 59, 45,
                                 73, 12, 8,  4,  79, 86, 17, 65, 47, 50, 30, 5,  13, 31, 88, 11, 58, 85, 32, 40,
                                 16, 27, 35, 36, 92, 90, 78, 76, 68, 46, 53, 70, 80, 61, 18, 91, 57, 95, 54, 55,
                                 28, 52, 84, 89, 49, 87, 37, 48, 33, 43, 7,  62, 99, 29, 69, 51, 1,  60, 63, 2,
                                 66, 22, 81, 26, 14, 39, 44, 20, 38, 94, 10, 41, 74, 19, 21, 0,  72, 56, 3,  24};
static const int seven[7] = {6, 3, 4, 0, 1, 5, 2};

static void expect_permutation(int classes, uint32_t seed, const int *expected)
{
    dn_folds *f = NULL;
    cr_assert_eq(dn_folds_open(&f, classes, 2, seed), DN_OK);
    cr_expect_arr_eq(f->permutation, expected, (size_t)classes * sizeof *expected);
    dn_folds_close(f);
}

Test(dataset_folds, permutations_are_numpys)
{
    expect_permutation(10, 3, ten);
    expect_permutation(100, 3, hundred);
    expect_permutation(7, 12345, seven);
}

Test(dataset_folds, cifar10_in_five_folds)
{
    static const int left_out[5][2] = {{5, 4}, {1, 2}, {9, 6}, {7, 0}, {3, 8}};
    static const int id_of_second[8] = {5, 4, 9, 6, 7, 0, 3, 8};
    dn_folds *f = NULL;
    int count = 0;
    cr_assert_eq(dn_folds_open(&f, 10, 5, 3), DN_OK);
    for (int fold = 0; fold < 5; fold++) {
        cr_expect_arr_eq(dn_folds_left_out(f, fold, &count), left_out[fold], sizeof left_out[fold]);
        cr_expect_eq(count, 2);
    }
    cr_expect_arr_eq(dn_folds_id(f, 1, &count), id_of_second, sizeof id_of_second);
    cr_expect_eq(count, 8);
    int32_t numbers[10];
    dn_folds_numbers(f, 1, numbers);
    const int32_t expected[10] = {5, -1, -1, 6, 1, 0, 3, 4, 7, 2};
    cr_expect_arr_eq(numbers, expected, sizeof expected);
    dn_folds_close(f);
}

Test(dataset_folds, every_class_is_left_out_once_for_any_numbers)
{
    for (int classes = 2; classes <= 40; classes++)
        for (int folds = 2; folds <= classes; folds++) {
            dn_folds *f = NULL;
            int times[40] = {0}, most = 0, least = classes;
            cr_assert_eq(dn_folds_open(&f, classes, folds, 7), DN_OK);
            for (int fold = 0; fold < folds; fold++) {
                int out = 0, id = 0;
                const int *left_out = dn_folds_left_out(f, fold, &out);
                dn_folds_id(f, fold, &id);
                cr_assert_eq(out + id, classes);
                for (int i = 0; i < out; i++) times[left_out[i]]++;
                most = out > most ? out : most;
                least = out < least ? out : least;
            }
            for (int c = 0; c < classes; c++) cr_assert_eq(times[c], 1);
            cr_assert_leq(most - least, 1);
            dn_folds_close(f);
        }
}

Test(dataset_folds, wrong_numbers_are_refused)
{
    dn_folds *f = NULL;
    cr_expect_eq(dn_folds_open(&f, 10, 1, 3), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_folds_open(&f, 10, 11, 3), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_folds_open(&f, -1, -1, 3), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_folds_open(&f, 1 << 30, 5, 3), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "5 folds over 1073741824 classes"));
    cr_expect_null(f);
    dn_folds_close(NULL);
}
