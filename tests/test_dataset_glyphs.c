/* The drawn sets: the same bytes everywhere and always, balanced, and what they are said to be. */
#include <criterion/criterion.h>
#include <omp.h>
#include <string.h>

#include "datasets/dataset.h"

enum { PIXELS = 32 * 32 };

static dn_dataset *draw(const char *expression, uint64_t seed, int64_t limit)
{
    dn_dataset *d = NULL;
    cr_assert_eq(dn_dataset_open(&d, expression, &(dn_dataset_options){.seed = seed, .limit = limit}), DN_OK, "%s",
                 dn_error_last());
    return d;
}

static size_t image_bytes(const dn_dataset *d)
{
    return (size_t)d->n * (size_t)(d->height * d->width * d->channels);
}

/* FNV-1a over all bytes. */
static uint64_t checksum(const dn_dataset *d)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < image_bytes(d); i++) hash = (hash ^ ((const uint8_t *)d->images)[i]) * 0x100000001b3u;
    return hash;
}

/* These sums hold for every compiler and machine; a change of the drawing code makes another benchmark, and must be
 * meant. */
Test(dataset_glyphs, bytes_are_the_same_everywhere)
{
    static const struct {
        const char *expression;
        uint64_t sum;
    } cases[] = {{"glyphs:train", 0xdd231ad43c375cbb},        {"glyphs:test", 0x7169cf6b3eeb9eb6},
                 {"glyphs:letters", 0x554017cb11ab2429},      {"glyphs:textures", 0x2d49544d4d8f38b6},
                 {"glyphs:patches", 0x9cdf580da51026aa},      {"noise:uniform", 0x613922b2e2bf980a},
                 {"noise:gaussian@5x3x3", 0x2dc1b9cb37def121}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dn_dataset *d = draw(cases[i].expression, 0, 600);
        cr_expect_eq(checksum(d), cases[i].sum, "%s: checksum 0x%016llx", cases[i].expression,
                     (unsigned long long)checksum(d));
        dn_dataset_close(d);
    }
}

Test(dataset_glyphs, threads_and_limits_change_nothing_but_seeds_do)
{
    omp_set_num_threads(1);
    dn_dataset *alone = draw("glyphs:train", 5, 300);
    omp_set_num_threads(3);
    dn_dataset *many = draw("glyphs:train", 5, 400), *other = draw("glyphs:train", 6, 300);
    cr_expect_eq(memcmp(alone->images, many->images, image_bytes(alone)), 0);
    int same = 0;
    for (int64_t i = 0; i < 300; i++)
        same += memcmp((char *)alone->images + i * PIXELS, (char *)other->images + i * PIXELS, PIXELS) == 0;
    cr_expect_eq(same, 0);
    dn_dataset_close(alone);
    dn_dataset_close(many);
    dn_dataset_close(other);
}

static void expect_balance(const char *expression, int64_t n, int classes)
{
    int count[16] = {0}, most = 0, least = 1 << 30;
    dn_dataset *d = draw(expression, 0, 0);
    cr_expect(d->n == n && d->classes == classes && d->height == 32 && d->width == 32 && d->channels == 1);
    for (int64_t i = 0; i < n; i++) count[d->labels[i]]++;
    for (int c = 0; c < classes; c++) {
        most = count[c] > most ? count[c] : most;
        least = count[c] < least ? count[c] : least;
        cr_expect(d->class_names[c][0]);
    }
    cr_expect_leq(most - least, 1, "%s: %d to %d items in a class", expression, least, most);
    dn_dataset_close(d);
}

Test(dataset_glyphs, classes_are_balanced)
{
    expect_balance("glyphs:train", 20000, 10);
    expect_balance("glyphs:test", 4000, 10);
    expect_balance("glyphs:letters", 4000, 13);
    expect_balance("glyphs:textures", 4000, 5);
}

/* Every image shows something: the strokes stand out from the ground, and nothing is drawn twice. */
Test(dataset_glyphs, images_have_contrast_and_differ)
{
    static const char *const sets[] = {"glyphs:train", "glyphs:test", "glyphs:letters"};
    for (int s = 0; s < 3; s++) {
        dn_dataset *d = draw(sets[s], 0, 4000);
        for (int64_t i = 0; i < d->n; i++) {
            const uint8_t *image = (const uint8_t *)d->images + i * PIXELS;
            int count[256] = {0}, low = 0, high = 255, seen = 0;
            for (int p = 0; p < PIXELS; p++) count[image[p]]++;
            for (seen = count[0]; seen < PIXELS / 4; seen += count[low]) low++;
            for (seen = count[255]; seen < PIXELS / 100; seen += count[high]) high--;
            cr_assert_gt(high - low, 25, "%s: image %d reaches from %d to %d only", sets[s], (int)i, low, high);
            cr_assert(i == 0 || memcmp(image, image - PIXELS, PIXELS) != 0);
        }
        dn_dataset_close(d);
    }
}

/* @return whether the 8x8 patch at `a` of one image equals that at `b` of another */
static int same_patch(const uint8_t *one, int a, const uint8_t *other, int b)
{
    for (int row = 0; row < 8; row++)
        if (memcmp(one + (a / 4 * 8 + row) * 32 + a % 4 * 8, other + (b / 4 * 8 + row) * 32 + b % 4 * 8, 8) != 0)
            return 0;
    return 1;
}

Test(dataset_glyphs, patches_are_those_of_the_test_digits_in_another_order)
{
    dn_dataset *digits = draw("glyphs:test", 0, 500), *patches = draw("glyphs:patches", 0, 500);
    cr_expect(patches->labels == NULL && patches->classes == 0);
    for (int i = 0; i < 500; i++) {
        const uint8_t *digit = (const uint8_t *)digits->images + i * PIXELS;
        const uint8_t *shuffled = (const uint8_t *)patches->images + i * PIXELS;
        int found = 0;
        for (int a = 0; a < 16; a++)
            for (int b = 0; b < 16; b++) found += same_patch(shuffled, a, digit, b);
        cr_assert_geq(found, 16, "image %d", i);
        cr_assert_neq(memcmp(digit, shuffled, PIXELS), 0, "image %d", i);
    }
    dn_dataset_close(digits);
    dn_dataset_close(patches);
}

Test(dataset_glyphs, noise_has_the_right_moments)
{
    static const char *const sets[] = {"noise:uniform", "noise:gaussian"};
    /* Uniform on 0..255: (256^2 - 1) / 12. Normal with deviation 64, rounded and cut at 0 and 255: the sum over the 256
     * values, taken with the distribution function. */
    static const double variance[] = {65535.0 / 12, 3764.75};
    for (int s = 0; s < 2; s++) {
        dn_dataset *d = draw(sets[s], 0, 500);
        double sum = 0, square = 0;
        const double n = (double)image_bytes(d);
        for (size_t i = 0; i < image_bytes(d); i++) {
            const double x = ((const uint8_t *)d->images)[i] - 127.5;
            sum += x, square += x * x;
        }
        cr_expect_lt(sum / n, 5 * 74 / 715.0, "%s: mean %g", sets[s], sum / n);
        cr_expect(square / n > variance[s] * 0.99 && square / n < variance[s] * 1.01, "%s: variance %g", sets[s],
                  square / n);
        dn_dataset_close(d);
    }
}
