/* Decoding of PNG and JPEG against Pillow, which read the same files (its sums are below), and of files that are cut
 * off, changed or no images. The files are those that the fuzzers start from. Contact sheets are at the end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/contact_sheet.h"
#include "change_bytes.h"
#include "core/alloc.h"
#include "datasets/image_private.h"

enum { ROOM = 1 << 14, LONGEST_PATH = 512, SMALL = 1 << 16 };

typedef struct example {
    const char *file;
    int height, width, channels;
    uint64_t sum; /* FNV-1a of the pixels that Pillow 13 reads, transparency over white, turned as EXIF says */
} example;

static const example examples[] = {
    {"image/gray1.png", 7, 9, 1, 0xaad93fd077135b4b},
    {"image/gray1_interlaced.png", 7, 9, 1, 0x57fd7f85630a060f},
    {"image/gray2.png", 7, 9, 1, 0xd0ef94045a85d3f9},
    {"image/gray2_interlaced.png", 7, 9, 1, 0xd474736553707706},
    {"image/gray4.png", 7, 9, 1, 0xb61cb0d2c00d7913},
    {"image/gray4_interlaced.png", 7, 9, 1, 0x9d312d6e67215c7e},
    {"image/gray8.png", 7, 9, 1, 0x954f81d76fba218f},
    {"image/gray8_interlaced.png", 7, 9, 1, 0xa8d2fa0aa4d2b928},
    {"image/gray16.png", 7, 9, 1, 0x2e6163885014a36e},
    {"image/gray16_interlaced.png", 7, 9, 1, 0xac4aafcd584827fa},
    {"image/rgb8.png", 7, 9, 3, 0xa3e36c45ba07e055},
    {"image/rgb8_interlaced.png", 7, 9, 3, 0x952f5c4aef9f8751},
    {"image/rgb16.png", 7, 9, 3, 0x98cebe230a4fe1eb},
    {"image/rgb16_interlaced.png", 7, 9, 3, 0x72991edc7bb74136},
    {"image/palette1.png", 7, 9, 3, 0xebab24353ce7d0a2},
    {"image/palette1_interlaced.png", 7, 9, 3, 0xc3b12af19949c4c5},
    {"image/palette2.png", 7, 9, 3, 0xa94a8c2beb61389a},
    {"image/palette2_interlaced.png", 7, 9, 3, 0xc18b4d9a613e4d26},
    {"image/palette4.png", 7, 9, 3, 0xfe59227655a172e1},
    {"image/palette4_interlaced.png", 7, 9, 3, 0x1369514dcc255984},
    {"image/palette8.png", 7, 9, 3, 0x0f7d2b3cb4983922},
    {"image/palette8_interlaced.png", 7, 9, 3, 0xf07c28c2b045770c},
    {"image/gray_alpha8.png", 7, 9, 1, 0x229eb5e3c6d57a37},
    {"image/gray_alpha8_interlaced.png", 7, 9, 1, 0xc96cc31bf3d64b69},
    {"image/gray_alpha16.png", 7, 9, 1, 0xb611b811e4aa90f0},
    {"image/gray_alpha16_interlaced.png", 7, 9, 1, 0x2af817818b00857c},
    {"image/rgba8.png", 7, 9, 3, 0x74517e40234f311a},
    {"image/rgba8_interlaced.png", 7, 9, 3, 0x670c343f57b69168},
    {"image/rgba16.png", 7, 9, 3, 0x7baf257311633e14},
    {"image/rgba16_interlaced.png", 7, 9, 3, 0x3a2e35c74bf240ef},
    {"image/palette_trns.png", 7, 9, 3, 0x10ea9764bc9288b9},
    {"image/gray_trns.png", 7, 9, 1, 0x21084d055d4e2682},
    {"image/rgb_trns.png", 7, 9, 3, 0x382cf24169e99432},
    {"image/turned.png", 9, 7, 3, 0xe20a6e2b3593102e},
    {"image/one.png", 1, 1, 3, 0xdb579418fdb2eb7a},
    {"image/texts.png", 5, 6, 3, 0xbba5951e5bde3999},
    {"image/gray.jpg", 21, 19, 1, 0xd10dbe846c07e7fa},
    {"image/rgb_444.jpg", 21, 19, 3, 0x47c246f1579e53cc},
    {"image/rgb_422.jpg", 21, 19, 3, 0xa72ab94ab289349a},
    {"image/rgb_420.jpg", 21, 19, 3, 0x36b3e6ad50dd3ec6},
    {"image/progressive.jpg", 21, 19, 3, 0xdde40a2b8d9c83fe},
    {"image/progressive_gray.jpg", 21, 19, 1, 0xd10dbe846c07e7fa},
    {"image/restarts.jpg", 21, 19, 3, 0x36b3e6ad50dd3ec6},
    {"image/one.jpg", 1, 1, 3, 0x2e0a921ae00e8537},
    {"image/stored_rgb.jpg", 21, 19, 3, 0x0786876be7fb2105},
    {"image/orientation1.jpg", 21, 19, 3, 0xf7cef70ba1126a9b},
    {"image/orientation2.jpg", 21, 19, 3, 0xcba3b01e655d8dfb},
    {"image/orientation3.jpg", 21, 19, 3, 0xbf55dd14db60496b},
    {"image/orientation4.jpg", 21, 19, 3, 0x1aff1ed717848d7b},
    {"image/orientation5.jpg", 19, 21, 3, 0xc694ce1fc3e5c00f},
    {"image/orientation6.jpg", 19, 21, 3, 0xb0f079ad16c2f53f},
    {"image/orientation7.jpg", 19, 21, 3, 0xa758120dfb548a07},
    {"image/orientation8.jpg", 19, 21, 3, 0xe7f9924d3980bda7},
};

enum { EXAMPLES = sizeof examples / sizeof *examples };

static size_t load(uint8_t bytes[ROOM], const char *file)
{
    char path[LONGEST_PATH];
    snprintf(path, sizeof path, DN_FUZZ_CORPUS "/%s", file);
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    const size_t n = fread(bytes, 1, ROOM, f);
    cr_assert_lt(n, ROOM);
    fclose(f);
    return n;
}

static uint64_t sum_of(const dn_image *image)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (int i = 0; i < image->height * image->width * image->channels; i++)
        sum = (sum ^ image->pixels[i]) * 0x100000001b3u;
    return sum;
}

Test(image, pixels_agree_with_pillow)
{
    static uint8_t bytes[ROOM];
    for (int i = 0; i < EXAMPLES; i++) {
        const example *e = &examples[i];
        dn_image image, size;
        const size_t n = load(bytes, e->file);
        cr_assert_eq(dn_image_decode(&image, bytes, n), DN_OK, "%s: %s", e->file, dn_error_last());
        cr_assert_eq(dn_image_measure(&size, bytes, n), DN_OK, "%s: %s", e->file, dn_error_last());
        cr_expect(image.height == e->height && image.width == e->width && image.channels == e->channels, "%s: %dx%dx%d",
                  e->file, image.height, image.width, image.channels);
        cr_expect(size.height == e->height && size.width == e->width && size.channels == e->channels && !size.pixels,
                  "%s: measured as %dx%dx%d", e->file, size.height, size.width, size.channels);
        cr_expect_eq(sum_of(&image), e->sum, "%s: 0x%016llx", e->file, (unsigned long long)sum_of(&image));
        dn_image_clear(&image);
    }
}

/* An allocation of its own, so that the sanitizer sees a read behind the end. */
static dn_status try(const uint8_t *bytes, size_t n)
{
    dn_image image;
    uint8_t *copy = dn_calloc(n + 1, 1);
    memcpy(copy + 1, bytes, n); /* copy + 1 + n is the end */
    const dn_status status = dn__image_decode(&image, copy + 1, n, SMALL);
    const dn_status measured = dn_image_measure(&(dn_image){0}, copy + 1, n);
    cr_expect(status == DN_OK ? image.pixels != NULL && measured == DN_OK : dn_error_last()[0] != 0);
    dn_image_clear(&image);
    dn_free(copy);
    return status;
}

Test(image, files_that_are_cut_off_are_errors)
{
    static uint8_t bytes[ROOM];
    for (int i = 0; i < EXAMPLES; i++) {
        const size_t n = load(bytes, examples[i].file);
        /* libspng does not compare the checksum of the end mark, the last four bytes. */
        const size_t last = strstr(examples[i].file, ".png") ? n - 4 : n;
        for (size_t length = 0; length < last; length++)
            cr_expect_neq(try(bytes, length), DN_OK, "%s: %zu of %zu bytes", examples[i].file, length, n);
    }
}

Test(image, changed_files_do_no_harm)
{
    static uint8_t bytes[ROOM];
    int read = 0;
    for (uint32_t m = 0; m < 4000; m++) {
        const size_t n = load(bytes, examples[m % EXAMPLES].file);
        change_bytes(bytes, n, m);
        read += try(bytes, n) == DN_OK;
    }
    cr_expect(read > 10 && read < 3000, "%d", read); /* JPEG has no checksums */
}

static void expect_refused(const uint8_t *bytes, size_t n, dn_status status, const char *text)
{
    dn_image image;
    const dn_status got = dn_image_decode(&image, bytes, n);
    cr_expect(got == status && strstr(dn_error_last(), text), "%s, expected %s", dn_error_last(), text);
    dn_image_clear(&image);
}

/* A JPEG of so many pixels, with nothing behind its header. */
static void put_size(uint8_t *jpeg, size_t n, int height, int width)
{
    for (size_t i = 2; i + 9 < n; i++) {
        if (jpeg[i] != 0xff || jpeg[i + 1] != 0xc0) continue;
        const uint8_t sides[4] = {(uint8_t)(height >> 8), (uint8_t)height, (uint8_t)(width >> 8), (uint8_t)width};
        memcpy(jpeg + i + 5, sides, sizeof sides);
        return;
    }
    cr_assert_fail("no frame header");
}

Test(image, what_is_not_read_is_an_error)
{
    static uint8_t bytes[ROOM];
    static const uint8_t gif[] = "GIF89a, and more";
    size_t n = load(bytes, "image/cmyk.jpg");
    expect_refused(bytes, n, DN_ERROR_UNSUPPORTED, "CMYK");
    expect_refused(gif, sizeof gif, DN_ERROR_FORMAT, "neither PNG nor JPEG");
    expect_refused(gif, 0, DN_ERROR_FORMAT, "neither PNG nor JPEG");
    n = load(bytes, "image/gray.jpg");
    put_size(bytes, n, 65000, 65000);
    expect_refused(bytes, n, DN_ERROR_UNSUPPORTED, "65000 x 65000 pixels");
    n = load(bytes, "image/rgb8.png");
    bytes[40]++; /* within the packed pixels: their checksum is wrong */
    expect_refused(bytes, n, DN_ERROR_FORMAT, "a damaged PNG: ");
}

/* A header's size and checksum may be made up: the file is too short for it. */
Test(image, a_promise_that_a_file_cannot_hold_is_an_error)
{
    static uint8_t bytes[ROOM];
    static const uint8_t header[] = {0, 0, 32, 0, 0, 0, 32, 0, 8, 2, 0, 0, 0, 0xfd, 0xc8, 0x5d, 0x0e};
    const size_t n = load(bytes, "image/rgb8.png");
    memcpy(bytes + 16, header, sizeof header);
    expect_refused(bytes, n, DN_ERROR_FORMAT, "8192 x 8192 pixels do not fit into its");
}

/* The same data before and behind the pixels: what measuring sees and what decoding sees. */
Test(image, a_png_is_turned_wherever_its_exif_chunk_is)
{
    static uint8_t bytes[ROOM], moved[ROOM];
    const size_t n = load(bytes, "image/turned.png"), end = 12; /* IEND */
    size_t at = 8, length = 0;
    for (; at + 8 < n && memcmp(bytes + at + 4, "eXIf", 4) != 0; at += length)
        length = 12 + ((size_t)bytes[at + 2] << 8 | bytes[at + 3]);
    cr_assert_lt(at + 8, n, "no eXIf chunk");
    length = 12 + ((size_t)bytes[at + 2] << 8 | bytes[at + 3]);
    const size_t rest = n - at - length - end;
    memcpy(moved, bytes, at);
    memcpy(moved + at, bytes + at + length, rest);
    memcpy(moved + at + rest, bytes + at, length);
    memcpy(moved + n - end, bytes + n - end, end);
    dn_image first, last, size;
    cr_assert_eq(dn_image_decode(&first, bytes, n), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_image_decode(&last, moved, n), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_image_measure(&size, moved, n), DN_OK, "%s", dn_error_last());
    cr_expect(last.height == first.height && last.width == first.width, "%dx%d", last.height, last.width);
    cr_expect(size.height == first.height && size.width == first.width, "%dx%d", size.height, size.width);
    cr_expect_eq(sum_of(&last), sum_of(&first));
    dn_image_clear(&first);
    dn_image_clear(&last);
}

/* Few bytes, and few pixels, but one line that a filter would need gibibytes for. */
Test(image, sides_have_a_limit)
{
    enum { LONGEST = 65536 };
    static uint8_t pixels[LONGEST + 1];
    for (int extra = 0; extra < 2; extra++)
        for (int tall = 0; tall < 2; tall++) {
            const dn_image image = {tall ? LONGEST + extra : 1, tall ? 1 : LONGEST + extra, 1, pixels};
            dn_image back;
            uint8_t *bytes = NULL;
            size_t n = 0;
            cr_assert_eq(dn_image_encode_png(&bytes, &n, &image), DN_OK, "%s", dn_error_last());
            if (extra) {
                expect_refused(bytes, n, DN_ERROR_UNSUPPORTED, "expected sides of at most 65536");
                cr_expect_eq(dn_image_measure(&back, bytes, n), DN_ERROR_UNSUPPORTED);
            } else {
                cr_expect_eq(dn_image_decode(&back, bytes, n), DN_OK, "%s", dn_error_last());
                dn_image_clear(&back);
            }
            dn_free(bytes);
        }
}

Test(image, png_files_are_written_and_read)
{
    char path[] = "/tmp/dunlin-image-XXXXXX";
    const int file = mkstemp(path);
    cr_assert_geq(file, 0);
    close(file);
    for (int channels = 1; channels <= 3; channels += 2) {
        uint8_t pixels[5 * 7 * 3];
        for (int i = 0; i < 5 * 7 * 3; i++) pixels[i] = (uint8_t)(i * 37);
        const dn_image image = {5, 7, channels, pixels};
        dn_image back;
        cr_assert_eq(dn_image_write_png(path, &image), DN_OK, "%s", dn_error_last());
        cr_assert_eq(dn_image_read(&back, path), DN_OK, "%s", dn_error_last());
        cr_expect(back.height == 5 && back.width == 7 && back.channels == channels);
        cr_expect_arr_eq(back.pixels, pixels, (size_t)(5 * 7 * channels));
        dn_image_clear(&back);
    }
    const dn_image two = {1, 1, 2, (uint8_t[2]){0}};
    cr_expect_eq(dn_image_write_png(path, &two), DN_ERROR_SHAPE);
    cr_expect_eq(truncate(path, 20), 0);
    dn_image back;
    cr_expect_eq(dn_image_read(&back, path), DN_ERROR_FORMAT);
    cr_expect(strstr(dn_error_last(), path), "%s", dn_error_last());
    cr_expect_eq(dn_image_read(&back, "/tmp"), DN_ERROR_FILE);
    cr_expect_eq(dn_image_read(&back, "/tmp/there is/no such file"), DN_ERROR_FILE);
    unlink(path);
}

/* ---- contact sheets ---- */

/* Image i of class i mod `classes` has the value i in all its pixels. */
static dn_dataset *make_set(int64_t n, int height, int width, int channels, int classes, dn_dtype type)
{
    dn_dataset *d = dn_calloc(1, sizeof *d);
    *d = (dn_dataset){.n = n, .height = height, .width = width, .channels = channels, .classes = classes, .type = type};
    const int64_t pixels = (int64_t)height * width * channels;
    d->images = dn_calloc((size_t)(n * pixels), dn_dtype_size(type));
    if (classes) d->labels = dn_calloc((size_t)n, sizeof *d->labels);
    for (int64_t i = 0; i < n * pixels; i++) {
        const int64_t value = i / pixels;
        if (type == DN_U8)
            ((uint8_t *)d->images)[i] = (uint8_t)value;
        else
            ((float *)d->images)[i] = (float)value;
    }
    for (int64_t i = 0; i < n && classes; i++) d->labels[i] = (int32_t)(i % classes);
    return d;
}

/* The value in the middle of a cell; -1: its three channels differ. */
static int cell(const dn_image *sheet, int margin, int high, int wide, int line, int column)
{
    const int y = 4 + line * (high + 4) + high / 2, x = margin + 4 + column * (wide + 4) + wide / 2;
    const uint8_t *pixel = sheet->pixels + ((size_t)y * (size_t)sheet->width + (size_t)x) * 3;
    return pixel[0] == pixel[1] && pixel[1] == pixel[2] ? pixel[0] : -1;
}

static void draw(dn_image *sheet, dn_dataset *set, int height, int width)
{
    cr_assert_eq(dn_contact_sheet(sheet, set), DN_OK, "%s", dn_error_last());
    cr_assert(sheet->height == height && sheet->width == width && sheet->channels == 3, "%dx%d", sheet->height,
              sheet->width);
    dn_dataset_close(set);
}

Test(image, sheets_have_a_line_for_each_class)
{
    dn_image sheet;
    draw(&sheet, make_set(203, 32, 16, 1, 3, DN_U8), 4 + 3 * 68, 40 + 4 + 10 * 36);
    for (int line = 0; line < 3; line++) {
        for (int column = 0; column < 10; column++) { /* of 68, 68 and 67 images */
            const int count = line < 2 ? 68 : 67, nth = column * count / 10;
            cr_expect_eq(cell(&sheet, 40, 64, 32, line, column), nth * 3 + line, "%d, %d", line, column);
        }
        int ink = 0;
        for (int y = 0; y < 68; y++)
            for (int x = 0; x < 40; x++) ink += sheet.pixels[((line * 68 + y) * sheet.width + x) * 3] < 255;
        cr_expect_eq(ink, 9 * (line == 0 ? 12 : line == 1 ? 8 : 11), "%d dots in number %d", ink / 9, line);
    }
    dn_image_clear(&sheet);
}

Test(image, sheets_of_few_and_many_images)
{
    dn_image sheet;
    draw(&sheet, make_set(13, 64, 64, 3, 0, DN_U8), 4 + 2 * 68, 4 + 10 * 68);
    cr_expect(cell(&sheet, 0, 64, 64, 1, 2) == 12 && cell(&sheet, 0, 64, 64, 1, 3) == 255);
    dn_image_clear(&sheet);
    draw(&sheet, make_set(205, 64, 64, 1, 0, DN_U8), 4 + 10 * 68, 4 + 10 * 68);
    cr_expect(cell(&sheet, 0, 64, 64, 0, 0) == 0 && cell(&sheet, 0, 64, 64, 9, 9) == 202);
    dn_image_clear(&sheet);
    draw(&sheet, make_set(300, 8, 8, 1, 150, DN_U8), 4 + 100 * 68, 40 + 4 + 10 * 68);
    cr_expect(cell(&sheet, 40, 64, 64, 99, 1) == 249 && cell(&sheet, 40, 64, 64, 99, 2) == 255);
    dn_image_clear(&sheet);
    draw(&sheet, make_set(2, 300, 200, 3, 0, DN_U8), 4 + 132, 4 + 10 * 89); /* shrunk to 128 x 85 */
    cr_expect_eq(cell(&sheet, 0, 128, 85, 0, 1), 1);
    dn_image_clear(&sheet);
}

Test(image, sheets_show_numbers_from_the_least_to_the_largest)
{
    dn_image sheet;
    draw(&sheet, make_set(5, 64, 64, 2, 0, DN_F32), 4 + 68, 4 + 10 * 68);
    for (int i = 0; i < 5; i++) cr_expect_eq(cell(&sheet, 0, 64, 64, 0, i), (int)(255.0 * i / 4 + .5));
    dn_image_clear(&sheet);
    dn_dataset *none = make_set(0, 2, 2, 1, 0, DN_U8);
    none->name = dn_strdup("none");
    cr_expect_eq(dn_contact_sheet(&sheet, none), DN_ERROR_ARGUMENT);
    dn_image_clear(&sheet);
    dn_dataset_close(none);
}
