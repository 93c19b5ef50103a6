/* Resizing against the Python Imaging Library (8 bit) and against the formula in two dimensions (float). */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/resize.h"

static dn_dataset *make(dn_dtype type, int64_t n, int height, int width, int channels)
{
    dn_dataset *d = dn_calloc(1, sizeof *d);
    d->type = type, d->n = n, d->height = height, d->width = width, d->channels = channels;
    d->images = dn_calloc((size_t)(n * height * width * channels), dn_dtype_size(type));
    return d;
}

static const uint8_t small[20] = {0, 50, 200, 255, 10, 90, 30, 7, 255, 128, 64, 32, 1, 2, 3, 250, 77, 99, 111, 123};

/* Image.fromarray(small).resize((W, H), Image.BILINEAR), Pillow 9.4. */
static const uint8_t shrunk[3 * 2] = {49, 128, 107, 63, 53, 112};
static const uint8_t grown[7 * 6] = {0,   25,  75, 175, 228, 255, 6,   39,  78, 98, 109, 113, 80,  91,
                                     91,  50,  27, 14,  255, 192, 117, 75,  48, 32, 74,  56,  35,  24,
                                     104, 188, 34, 39,  44,  48,  123, 196, 77, 88, 101, 109, 117, 123};

/* The same by Image.BICUBIC. */
static const uint8_t cubic_shrunk[3 * 2] = {43, 134, 113, 52, 51, 119};
static const uint8_t cubic_grown[7 * 6] = {0,   13,  69, 187, 251, 255, 0,   25,  78, 98, 111, 113, 73,  95,
                                           99,  39,  2,  0,   255, 199, 113, 72,  43, 30, 64,  47,  21,  10,
                                           114, 211, 17, 26,  37,  43,  133, 212, 80, 92, 108, 115, 117, 116};

static void expect_u8(int height, int width, dn_filter filter, const uint8_t *expected)
{
    dn_dataset *d = make(DN_U8, 2, 5, 4, 1);
    for (int i = 0; i < 40; i++) ((uint8_t *)d->images)[i] = small[i % 20];
    cr_assert_eq(dn_dataset_resize(d, &(dn_size){height, width, 3, filter, 0}), DN_OK);
    cr_expect(d->n == 2 && d->height == height && d->width == width && d->channels == 3);
    for (int i = 0; i < 2 * height * width * 3; i++)
        cr_expect_eq(((uint8_t *)d->images)[i], expected[i / 3 % (height * width)], "value %d", i);
    dn_dataset_close(d);
}

Test(dataset_resize, eight_bit_images_agree_with_pillow)
{
    expect_u8(3, 2, DN_FILTER_BILINEAR, shrunk);
    expect_u8(7, 6, DN_FILTER_BILINEAR, grown);
    expect_u8(5, 4, DN_FILTER_BILINEAR, small);
    expect_u8(3, 2, DN_FILTER_BICUBIC, cubic_shrunk);
    expect_u8(7, 6, DN_FILTER_BICUBIC, cubic_grown);
    expect_u8(5, 4, DN_FILTER_BICUBIC, small);
}

/* FNV-1a over all bytes of the images, resized here and by Pillow. */
static void expect_sum(dn_dataset *d, dn_size size, uint64_t expected)
{
    const int64_t all = d->n * d->height * d->width * d->channels;
    for (uint64_t i = 0; i < (uint64_t)all; i++)
        ((uint8_t *)d->images)[i] = (uint8_t)((i * i * 7 + i * 13 + (i >> 5)) % 251);
    cr_assert_eq(dn_dataset_resize(d, &size), DN_OK);
    uint64_t sum = 0xcbf29ce484222325u;
    for (int64_t i = 0; i < d->n * size.height * size.width * size.channels; i++)
        sum = (sum ^ ((uint8_t *)d->images)[i]) * 0x100000001b3u;
    cr_expect_eq(sum, expected, "to %dx%d: 0x%016llx", size.height, size.width, (unsigned long long)sum);
    dn_dataset_close(d);
}

Test(dataset_resize, many_images_agree_with_pillow_in_every_bit)
{
    expect_sum(make(DN_U8, 100, 28, 28, 1), (dn_size){32, 32, 1, DN_FILTER_BILINEAR, 0}, 0x802357fc34b2fad5);
    expect_sum(make(DN_U8, 100, 28, 28, 1), (dn_size){13, 9, 1, DN_FILTER_BILINEAR, 0}, 0x8e935d80b3db2587);
    expect_sum(make(DN_U8, 100, 28, 28, 1), (dn_size){32, 32, 1, DN_FILTER_BICUBIC, 0}, 0x4f8a4a0190a8d569);
    expect_sum(make(DN_U8, 100, 28, 28, 1), (dn_size){13, 9, 1, DN_FILTER_BICUBIC, 0}, 0xf9428d0d4493d410);
}

/* Pillow's resize to (S, int(S * long / short)), then torchvision's CenterCrop. */
Test(dataset_resize, crops_agree_with_torchvision)
{
    expect_sum(make(DN_U8, 20, 41, 30, 3), (dn_size){16, 16, 3, DN_FILTER_BICUBIC, DN_FIT_CROP}, 0x8294bca6373e9e33);
    expect_sum(make(DN_U8, 20, 41, 30, 3), (dn_size){50, 20, 3, DN_FILTER_BICUBIC, DN_FIT_CROP}, 0x9a2d260126c48e23);
    expect_sum(make(DN_U8, 20, 41, 30, 3), (dn_size){8, 33, 3, DN_FILTER_BICUBIC, DN_FIT_CROP}, 0xe7dea679419bc263);
    expect_sum(make(DN_U8, 20, 41, 30, 3), (dn_size){20, 15, 3, DN_FILTER_BILINEAR, DN_FIT_CUT}, 0xa357d1779dac6a1e);
    expect_sum(make(DN_U8, 20, 41, 30, 3), (dn_size){22, 17, 3, DN_FILTER_BILINEAR, DN_FIT_CUT}, 0xc34deaf6b4b9b96f);
    dn_dataset *d = make(DN_U8, 1, 41, 30, 3);
    cr_expect_eq(dn_dataset_resize(d, &(dn_size){32, 32, 3, 0, DN_FIT_CUT}), DN_ERROR_SHAPE);
    cr_expect(strstr(dn_error_last(), "41x30 is too small to cut 32x32"), "%s", dn_error_last());
    dn_dataset_close(d);
}

/* A few bytes packed would become many gibibytes. */
Test(dataset_resize, a_thread_is_not_made_a_sheet)
{
    for (int tall = 0; tall < 2; tall++) {
        dn_dataset *d = make(DN_U8, 1, tall ? 65536 : 1, tall ? 1 : 65536, 1);
        cr_expect_eq(dn_dataset_resize(d, &(dn_size){64, 64, 1, 0, DN_FIT_CROP}), DN_ERROR_SHAPE);
        cr_expect(strstr(dn_error_last(), "too long and thin to fill 64x64"), "%s", dn_error_last());
        cr_expect_eq(dn_dataset_resize(d, &(dn_size){64, 64, 1, 0, 0}), DN_OK);
        cr_expect(d->height == 64 && d->width == 64);
        dn_dataset_close(d);
    }
}

/* The weight of input i for output o by its definition. */
static double weight(int i, int o, int inputs, int outputs)
{
    const double scale = (double)inputs / outputs, reach = fmax(scale, 1);
    return fmax(0, 1 - fabs((i + 0.5) - (o + 0.5) * scale) / reach);
}

static double value_at(const float *image, int h, int w, int channels, int c, const int out[2], const int place[2])
{
    double sum = 0, all = 0;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const double k = weight(y, place[0], h, out[0]) * weight(x, place[1], w, out[1]);
            sum += k * (double)image[(y * w + x) * channels + c];
            all += k;
        }
    return sum / all;
}

Test(dataset_resize, float_images_follow_the_formula)
{
    enum { H = 11, W = 7, C = 3, N = 2 };
    static const int sizes[][2] = {{32, 32}, {4, 3}, {11, 20}, {5, 7}, {1, 1}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        float images[N * H * W * C];
        dn_dataset *d = make(DN_F32, N, H, W, C);
        for (int i = 0; i < N * H * W * C; i++) images[i] = (float)((i * 7919 % 1000) / 100.0 - 5);
        memcpy(d->images, images, sizeof images);
        cr_assert_eq(dn_dataset_resize(d, &(dn_size){sizes[s][0], sizes[s][1], C, 0, 0}), DN_OK);
        double worst = 0;
        for (int n = 0; n < N; n++)
            for (int i = 0; i < sizes[s][0] * sizes[s][1] * C; i++) {
                const int place[2] = {i / C / sizes[s][1], i / C % sizes[s][1]};
                const double want = value_at(images + n * H * W * C, H, W, C, i % C, sizes[s], place);
                worst = fmax(worst, fabs((double)((float *)d->images)[n * sizes[s][0] * sizes[s][1] * C + i] - want));
            }
        cr_expect_lt(worst, 2 * 5 * 0x1p-24, "worst error %g", worst); /* two roundings to float of values below 5 */
        dn_dataset_close(d);
    }
}

Test(dataset_resize, three_channels_become_luma)
{
    dn_dataset *d = make(DN_U8, 1, 1, 6, 3);
    static const uint8_t rgb[18] = {82, 0, 0, 0, 190, 0, 0, 0, 215, 255, 255, 255, 12, 200, 77, 250, 3, 99};
    memcpy(d->images, rgb, sizeof rgb);
    cr_assert_eq(dn_dataset_resize(d, &(dn_size){1, 6, 1, 0, 0}), DN_OK);
    const uint8_t expected[6] = {
        25, 112, 25, 255, 130, 88}; /* Pillow's; 0.299 R + 0.587 G + 0.114 B, just above a half in the first three */
    cr_expect_arr_eq(d->images, expected, 6);
    cr_expect_eq(dn_dataset_resize(d, &(dn_size){1, 6, 2, 0, 0}), DN_ERROR_SHAPE);
    cr_expect_eq(dn_dataset_resize(d, &(dn_size){0, 6, 1, 0, 0}), DN_ERROR_ARGUMENT);
    dn_dataset_close(d);
}
