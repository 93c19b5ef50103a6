/* Real files, where there are any: below $DUNLIN_TEST_DATA, $DUNLIN_DATA, or ../shared/data beside the sources. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/dataset.h"

/* @return the source root, from this file's name */
static const char *source_root(void)
{
    static char root[1024];
    snprintf(root, sizeof root, "%s", __FILE__);
    char *tests = strstr(root, "tests/test_dataset_real.c");
    if (tests) *tests = 0;
    return root;
}

static dn_status open_below(dn_dataset **d, const char *expression, const char *directory)
{
    return dn_dataset_open(d, expression, &(dn_dataset_options){.data_dir = directory});
}

/* Opens a set, or skips the test with a message when its files are nowhere. */
static dn_dataset *open_or_skip(const char *expression)
{
    char beside[1100];
    dn_dataset *d = NULL;
    const char *places[3] = {getenv("DUNLIN_TEST_DATA"), getenv("DUNLIN_DATA"), beside};
    snprintf(beside, sizeof beside, "%s../shared/data", source_root());
    for (int i = 0; i < 3; i++) {
        if (!places[i]) continue;
        const dn_status status = open_below(&d, expression, places[i]);
        if (status == DN_OK) return d;
        cr_assert_eq(status, DN_ERROR_FILE, "%s", dn_error_last()); /* files that are there must be good */
    }
    fprintf(stderr, "skipped: no files of %s; set DUNLIN_TEST_DATA to a data directory\n", expression);
    cr_skip_test("no files");
    return NULL;
}

static double mean_of(const dn_dataset *d)
{
    double sum = 0;
    const int64_t values = d->n * d->height * d->width * d->channels;
    for (int64_t i = 0; i < values; i++) sum += ((const uint8_t *)d->images)[i];
    return sum / (double)values;
}

static void expect_set(const char *expression, int64_t n, int side, int channels, double mean, const int first[5])
{
    dn_dataset *d = open_or_skip(expression);
    cr_expect(d->n == n && d->height == side && d->width == side && d->channels == channels && d->type == DN_U8);
    cr_expect_float_eq(mean_of(d), mean, 0.01, "%s: mean %.4f", expression, mean_of(d));
    for (int i = 0; i < 5; i++) cr_expect_eq(d->labels[i], first[i]);
    dn_dataset_close(d);
}

Test(dataset_real, mnist_train)
{
    expect_set("mnist:train", 60000, 28, 1, 33.3184, (const int[]){5, 0, 4, 1, 9}); /* 0.1307 of 255 */
}

Test(dataset_real, mnist_test)
{
    expect_set("mnist:test", 10000, 28, 1, 33.7912, (const int[]){7, 2, 1, 0, 4});
}

Test(dataset_real, mnist_classes_have_the_known_numbers)
{
    static const int known[10] = {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
    dn_dataset *d = open_or_skip("mnist[5-9,0-4]:test");
    int count[10] = {0};
    for (int64_t i = 0; i < d->n; i++) count[d->labels[i]]++;
    for (int c = 0; c < 10; c++) cr_expect_eq(count[c], known[(c + 5) % 10]);
    dn_dataset_close(d);
}

Test(dataset_real, fashion_mnist_test)
{
    expect_set("fashion_mnist:test", 10000, 28, 1, 73.1467, (const int[]){9, 2, 1, 1, 6});
}

Test(dataset_real, cifar10_train)
{
    expect_set("cifar10:train", 50000, 32, 3, 120.7076, (const int[]){6, 9, 9, 4, 1}); /* means 125.3, 123.0, 113.9 */
}

Test(dataset_real, cifar10_test)
{
    expect_set("cifar10:test", 10000, 32, 3, 121.5292, (const int[]){3, 8, 8, 0, 6});
}

/* Computed once with SciPy from the first 10,000 of the official test crops: sum over i of pixel i times i mod 251. */
Test(dataset_real, svhn_test)
{
    static const int known[10] = {684, 1968, 1590, 1104, 964, 909, 773, 767, 621, 620};
    dn_dataset *d = open_or_skip("svhn:test");
    if (d->n == 10000) {
        int count[10] = {0};
        int64_t sum = 0;
        for (int64_t i = 0; i < d->n; i++) count[d->labels[i]]++;
        for (int c = 0; c < 10; c++) cr_expect_eq(count[c], known[c]);
        for (int64_t i = 0; i < d->n * 3072; i++) sum += ((const uint8_t *)d->images)[i] * (i % 251);
        cr_expect_eq(sum, 449735502024);
        cr_expect_float_eq(mean_of(d), 117.1094, 1e-4);
    }
    dn_dataset_close(d);
}

Test(dataset_real, unlabelled_photographs)
{
    dn_dataset *d = open_or_skip("tiny_imagenet:resize");
    cr_expect(d->n == 10000 && d->labels == NULL && d->classes == 0);
    dn_dataset_close(d);
}

Test(dataset_real, named_textures)
{
    dn_dataset *d = open_or_skip("textures[cracked,banded]:crop@16x16x1");
    cr_expect(d->n == 240 && d->classes == 2 && d->channels == 1);
    cr_expect_str_eq(d->class_names[0], "cracked");
    dn_dataset_close(d);
}
