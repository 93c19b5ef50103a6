/* SVHN's .mat files, good and bad. The good ones were written by SciPy and by hand: fuzz/seeds_mat.py. */
#include "datasets/mat.h"
#include "test_dataset_files.h"

#define TEST_FILE "svhn/test_32x32.mat"

enum { IMAGE = 3072, HEAD = 128, UINT8 = 9, DOUBLE = 6, CHAR = 4 };

/* Puts a file of the corpus at its place. @return its bytes */
static size_t take(folder *f, const char *name, unsigned char bytes[FILE_ROOM])
{
    char path[LONGEST_PATH];
    snprintf(path, sizeof path, DN_FUZZ_CORPUS "/mat/%s.mat", name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    const size_t n = fread(bytes, 1, FILE_ROOM, file);
    fclose(file);
    folder_write(f, TEST_FILE, bytes, n);
    return n;
}

static void expect_images(const dn_dataset *d, int n)
{
    static const int labels[3] = {0, 3, 1};
    cr_assert(d->n == n && d->height == 32 && d->width == 32 && d->channels == 3 && d->type == DN_U8);
    cr_expect_eq(d->classes, 10);
    cr_expect_str_eq(d->class_names[0], "0");
    const uint8_t *pixel = d->images;
    for (int i = 0; i < n; i++) {
        cr_expect_eq(d->labels[i], labels[i]);
        for (int h = 0; h < 32; h++)
            for (int w = 0; w < 32; w++)
                for (int c = 0; c < 3; c++, pixel++)
                    cr_assert_eq(*pixel, (uint8_t)(7 * h + 3 * w + 50 * c + 11 * i), "%d %d %d %d", i, h, w, c);
    }
}

Test(dataset_mat, every_form_gives_the_same_images)
{
    static const char *const names[] = {"packed", "packed_double", "plain", "among_others", "big_endian"};
    static const int count[] = {3, 3, 1, 3, 1};
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    for (int i = 0; i < 5; i++) {
        take(&f, names[i], bytes);
        for (int limit = 0; limit < 3; limit++) {
            dn_dataset *d = NULL;
            const dn_dataset_options options = {.data_dir = f.path, .limit = limit};
            cr_assert_eq(dn_dataset_open(&d, "svhn:test", &options), DN_OK, "%s: %s", names[i], dn_error_last());
            expect_images(d, limit && limit < count[i] ? limit : count[i]);
            dn_dataset_close(d);
        }
    }
    folder_close(&f);
}

Test(dataset_mat, other_files_are_refused_by_name)
{
    static const struct {
        const char *name;
        dn_status status;
        const char *text;
    } cases[] = {
        {"v4", DN_ERROR_UNSUPPORTED, "a file of MATLAB 4 by its first bytes, expected MATLAB 5 to 7"},
        {"v73", DN_ERROR_UNSUPPORTED, "a file of MATLAB 7.3 (HDF5), expected MATLAB 5 to 7"},
        {"X_cells", DN_ERROR_UNSUPPORTED, "array \"X\": it holds something else than real numbers"},
        {"X_record", DN_ERROR_UNSUPPORTED, "array \"X\": it holds something else than real numbers"},
        {"X_sparse", DN_ERROR_UNSUPPORTED, "array \"X\": it holds something else than real numbers"},
        {"X_complex", DN_ERROR_UNSUPPORTED, "array \"X\": it holds something else than real numbers"},
        {"X_text", DN_ERROR_UNSUPPORTED, "array \"X\": it holds something else than real numbers"},
        {"X_flag", DN_ERROR_FORMAT, "array \"X\": found u8 of 2 dimensions, 2 values, expected uint8 [32,32,3,N]"},
        {"wide", DN_ERROR_UNSUPPORTED, "array \"X\": element 1 is an integer beyond 32 bits"},
        {"no_images", DN_ERROR_FORMAT, "array \"X\": found u8 of 4 dimensions, 0 values, expected uint8 [32,32,3,N]"},
        {"promise", DN_ERROR_FORMAT, "array \"X\": its shape promises more than the file can hold"},
        {"overflow", DN_ERROR_FORMAT, "array \"X\": its shape promises more than a file can hold"},
        {"negative", DN_ERROR_FORMAT, "array \"X\": its shape promises more than"},
    };
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    expect_error(&f, "svhn:test", DN_ERROR_FILE, "cannot find svhn/test_32x32.mat in the data directory");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        take(&f, cases[i].name, bytes);
        expect_error(&f, "svhn:test", cases[i].status, cases[i].text);
    }
    folder_write(&f, TEST_FILE, "an HTML page, perhaps, not data", 30);
    expect_error(&f, "svhn:test", DN_ERROR_FORMAT, "the file ends after 30 bytes");
    memset(bytes, 'a', HEAD);
    folder_write(&f, TEST_FILE, bytes, HEAD);
    expect_error(&f, "svhn:test", DN_ERROR_FORMAT,
                 TEST_FILE ": not a .mat file of MATLAB 5 to 7, by its first 128 bytes");
    folder_close(&f);
}

/* ---- files written here ---- */

static unsigned char *put_words(unsigned char *to, const uint32_t *words, int n)
{
    for (int i = 0; i < n; i++)
        for (unsigned b = 0; b < 4; b++) *to++ = (unsigned char)(words[i] >> 8U * b);
    return to;
}

/* An array without packing: name of one letter, `bytes` bytes of type `stored` that a double may be kept as, too.
 * @param data NULL: zeros */
static unsigned char *put_array(unsigned char *to, char name, uint32_t class, const uint32_t dims[4], const void *data,
                                uint32_t stored, uint32_t bytes)
{
    const uint32_t padded = (bytes + 7) / 8 * 8;
    const uint32_t words[] = {14,      64 + padded, 6, 8, class,          0, 5,      16,   dims[0], dims[1],
                              dims[2], dims[3],     1, 1, (uint32_t)name, 0, stored, bytes};
    to = put_words(to, words, sizeof words / sizeof *words);
    memset(to, 0, padded);
    if (data) memcpy(to, data, bytes);
    return to + padded;
}

static unsigned char *put_head(unsigned char *to)
{
    memset(to, ' ', HEAD);
    memcpy(to, "MATLAB 5.0 MAT-file", 19);
    memcpy(to + HEAD - 4, "\0\1IM", 4);
    return to + HEAD;
}

/* What y is beside an X of two images, and what the error must say. */
typedef struct label_case {
    uint32_t rows, columns;
    double values[3];
    const char *text; /* NULL: good */
} label_case;

Test(dataset_mat, labels_are_1_to_10_and_one_for_each_image)
{
    static const label_case cases[] = {
        {2, 1, {10, 9}, NULL},
        {1, 2, {10, 9}, NULL},
        {2, 1, {1, 0}, "array \"y\": element 1: label 0, expected 1 to 10 (10 is the digit 0)"},
        {2, 1, {11, 1}, "array \"y\": element 0: label 11, expected 1 to 10"},
        {2, 1, {2.5, 1}, "array \"y\": element 0: label 2.5, expected"},
        {2, 1, {1, 0.0 / 0.0}, "array \"y\": element 1: label"},
        {3, 1, {1, 1, 1}, "array \"y\": found 3 values in 4 dimensions, expected [2,1], one for each image"},
        {1, 1, {1}, "array \"y\": found 1 values"}};
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const label_case *c = &cases[i];
        unsigned char *end = put_head(bytes);
        end = put_array(end, 'y', DOUBLE, (const uint32_t[]){c->rows, c->columns, 1, 1}, c->values, 9,
                        8 * c->rows * c->columns);
        end = put_array(end, 'X', UINT8, (const uint32_t[]){32, 32, 3, 2}, NULL, 2, 2 * IMAGE);
        folder_write(&f, TEST_FILE, bytes, (size_t)(end - bytes));
        if (c->text)
            expect_error(&f, "svhn:test", DN_ERROR_FORMAT, c->text);
        else
            cr_expect_eq(folder_try(&f, "svhn:test"), DN_OK, "%s", dn_error_last());
    }
    folder_close(&f);
}

Test(dataset_mat, images_have_their_type_and_shape)
{
    static const struct {
        uint32_t class, stored, dims[4];
        const char *text;
    } cases[] = {
        {DOUBLE, 2, {32, 32, 3, 2}, "array \"X\": found f64 of 4 dimensions, 6144 values, expected uint8 [32,32,3,N]"},
        {UINT8, 2, {32, 32, 1, 6}, "array \"X\": found u8 of 4 dimensions, 6144 values, expected uint8 [32,32,3,N]"},
        {UINT8, 2, {2, 32, 3, 32}, "array \"X\": found u8 of 4 dimensions"},
        {CHAR, 2, {32, 32, 3, 2}, "array \"X\": it holds something else than real numbers"}};
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char *end =
            put_array(put_head(bytes), 'X', cases[i].class, cases[i].dims, NULL, cases[i].stored, 2 * IMAGE);
        end = put_array(end, 'y', UINT8, (const uint32_t[]){2, 1, 1, 1}, "\1\2", 2, 2);
        folder_write(&f, TEST_FILE, bytes, (size_t)(end - bytes));
        expect_error(&f, "svhn:test", i == 3 ? DN_ERROR_UNSUPPORTED : DN_ERROR_FORMAT, cases[i].text);
    }
    const unsigned char *end =
        put_array(put_head(bytes), 'X', UINT8, (const uint32_t[]){32, 32, 3, 2}, NULL, 2, 2 * IMAGE);
    folder_write(&f, TEST_FILE, bytes, (size_t)(end - bytes));
    expect_error(&f, "svhn:test", DN_ERROR_FORMAT, "array \"y\": there is no such array in the file, or it is damaged");
    folder_close(&f);
}

/* Every cut is noticed, and every change of a packed byte: by the frame, the library or the checksum. */
Test(dataset_mat, cut_and_damaged_files)
{
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    const size_t n = take(&f, "packed", bytes);
    for (size_t cut = 0; cut < n; cut += 61) {
        folder_write(&f, TEST_FILE, bytes, cut);
        cr_expect_eq(folder_try(&f, "svhn:test"), DN_ERROR_FORMAT, "cut at byte %zu", cut);
    }
    expect_error(&f, "svhn:test", DN_ERROR_FORMAT, "the file is cut off");
    for (size_t at = HEAD + 10; at < n; at += 53) {
        bytes[at] ^= 4;
        folder_write(&f, TEST_FILE, bytes, n);
        dn_dataset *d = NULL;
        if (dn_dataset_open(&d, "svhn:test", &(dn_dataset_options){.data_dir = f.path}) == DN_OK)
            expect_images(d, 3); /* a repeat of other bytes that are equal */
        dn_dataset_close(d);
        bytes[at] ^= 4;
    }
    bytes[n - 1] ^= 1; /* the Adler-32 of y */
    folder_write(&f, TEST_FILE, bytes, n);
    expect_error(&f, "svhn:test", DN_ERROR_FORMAT, "the packed array is damaged");
    folder_close(&f);
}
