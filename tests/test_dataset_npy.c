/* .npy files, good and bad, and data sets made of them. */
#include <math.h>
#include <stdbool.h>

#include "datasets/npy.h"
#include "test_dataset_files.h"

/* Makes a file of version `version` from a dictionary and data. @return bytes */
static size_t make_npy(unsigned char *to, int version, const char *dictionary, const void *data, size_t bytes)
{
    const size_t length = strlen(dictionary), start = version == 1 ? 10 : 12;
    memcpy(to, "\x93NUMPY", 6);
    to[6] = (unsigned char)version, to[7] = 0;
    to[8] = (unsigned char)length, to[9] = (unsigned char)(length >> 8), to[10] = to[11] = 0;
    memcpy(to + start, dictionary, length);
    memcpy(to + start + length, data, bytes);
    return start + length + bytes;
}

static void write_npy(folder *f, const char *name, int version, const char *dictionary, const void *data, size_t bytes)
{
    unsigned char file[FILE_ROOM];
    folder_write(f, name, file, make_npy(file, version, dictionary, data, bytes));
}

#define HEADER(descr, order, shape) "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }   \n"

/* A stored type with the bytes of two values, and what they are. */
typedef struct type_case {
    const char *dictionary;
    size_t bytes;
    unsigned char data[16];
    dn_dtype type;
    double values[2];
} type_case;

static double element(const dn_npy *a, int i)
{
    switch (a->type) {
    case DN_U8: return ((uint8_t *)a->data)[i];
    case DN_I32: return ((int32_t *)a->data)[i];
    case DN_F32: return (double)((float *)a->data)[i];
    default: return ((double *)a->data)[i];
    }
}

Test(dataset_npy, every_listed_type_is_read)
{
    static const type_case cases[] = {
        {HEADER("|b1", "False", "(2,)"), 2, {0, 1}, DN_U8, {0, 1}},
        {HEADER("|u1", "False", "(2,)"), 2, {3, 255}, DN_U8, {3, 255}},
        {HEADER("|i1", "False", "(2,)"), 2, {3, 255}, DN_I32, {3, -1}},
        {HEADER("<i2", "False", "(2,)"), 4, {1, 2, 0xfe, 0xff}, DN_I32, {513, -2}},
        {HEADER(">i2", "False", "(2,)"), 4, {2, 1, 0xff, 0xfe}, DN_I32, {513, -2}},
        {HEADER("<u2", "False", "(2,)"), 4, {1, 2, 0xfe, 0xff}, DN_I32, {513, 65534}},
        {HEADER("<i4", "False", "(2,)"), 8, {0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff}, DN_I32, {65536, -1}},
        {HEADER(">i4", "False", "(2,)"), 8, {0, 1, 0, 0, 0x80, 0, 0, 0}, DN_I32, {65536, -2147483648.0}},
        {HEADER("<i8", "False", "(2,)"),
         16,
         {7, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255},
         DN_I32,
         {7, -1}},
        {HEADER("<f2", "False", "(2,)"), 4, {0x01, 0x00, 0x00, 0xc1}, DN_F32, {0x1p-24, -2.5}},
        {HEADER(">f2", "False", "(2,)"), 4, {0x7c, 0x00, 0x7b, 0xff}, DN_F32, {INFINITY, 65504}},
        {HEADER("<f4", "False", "(2,)"), 8, {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0}, DN_F32, {1, -2.5}},
        {HEADER(">f4", "False", "(2,)"), 8, {0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0}, DN_F32, {1, -2.5}},
        {HEADER(">f8", "False", "(2,)"),
         16,
         {0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 4, 0, 0, 0, 0, 0, 0},
         DN_F64,
         {1, -2.5}}};
    folder f;
    folder_open(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dn_npy *a = NULL;
        write_npy(&f, "a.npy", 1 + (int)i % 3, cases[i].dictionary, cases[i].data, cases[i].bytes);
        cr_assert_eq(dn_npy_open(&a, folder_file(&f, "a.npy")), DN_OK, "%s: %s", cases[i].dictionary, dn_error_last());
        cr_expect(a->type == cases[i].type && a->rank == 1 && a->dims[0] == 2 && a->count == 2);
        for (int k = 0; k < 2; k++)
            cr_expect_eq(element(a, k), cases[i].values[k], "%s: %g", cases[i].dictionary, element(a, k));
        dn_npy_close(a);
    }
    folder_close(&f);
}

Test(dataset_npy, fortran_order_is_turned)
{
    unsigned char data[24];
    dn_npy *a = NULL;
    folder f;
    folder_open(&f);
    for (int i = 0; i < 24; i++) data[i] = (unsigned char)i;
    write_npy(&f, "a.npy", 1, HEADER("|u1", "True", "(2, 3, 4)"), data, 24);
    cr_assert_eq(dn_npy_open(&a, folder_file(&f, "a.npy")), DN_OK, "%s", dn_error_last());
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++) cr_expect_eq(((uint8_t *)a->data)[(i * 3 + j) * 4 + k], i + 2 * j + 6 * k);
    dn_npy_close(a);
    folder_close(&f);
}

Test(dataset_npy, what_is_written_is_read)
{
    static const dn_dtype types[] = {DN_U8, DN_I32, DN_F32, DN_F64};
    int64_t dims[DN_NPY_MOST_RANK] = {3, 1, 2, 1, 2, 1, 1, 2};
    unsigned char data[8 * 24], head[FILE_ROOM];
    folder f;
    folder_open(&f);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i % 61);
    for (int rank = 0; rank <= DN_NPY_MOST_RANK; rank++)
        for (int t = 0; t < 4; t++) {
            dn_npy *a = NULL;
            const char *path = folder_file(&f, "a.npy");
            cr_assert_eq(dn_npy_write(path, types[t], rank, dims, data), DN_OK, "%s", dn_error_last());
            cr_assert_eq(dn_npy_open(&a, path), DN_OK, "%s", dn_error_last());
            cr_expect(a->type == types[t] && a->rank == rank &&
                      memcmp(a->dims, dims, (size_t)rank * sizeof *dims) == 0);
            cr_expect_eq(memcmp(a->data, data, (size_t)a->count * dn_dtype_size(types[t])), 0);
            cr_expect_eq((folder_read(&f, "a.npy", head) - (size_t)a->count * dn_dtype_size(types[t])) % 64, 0);
            dn_npy_close(a);
        }
    cr_expect_eq(dn_npy_write("/nonexistent/a.npy", DN_U8, 0, NULL, data), DN_ERROR_FILE);
    cr_expect_eq(dn_npy_write(folder_file(&f, "a.npy"), DN_BF16, 0, NULL, data), DN_ERROR_UNSUPPORTED);
    cr_expect_eq(dn_npy_write(folder_file(&f, "a.npy"), DN_U8, 9, dims, data), DN_ERROR_SHAPE);
    folder_close(&f);
}

/* A dictionary that must be refused, and what the error must say. */
typedef struct bad_header {
    dn_status status;
    const char *dictionary, *text;
} bad_header;

Test(dataset_npy, bad_headers_are_refused_with_place_found_and_expected)
{
    static const bad_header cases[] = {
        {DN_ERROR_FORMAT, "", "at byte 10: header: found '', expected a dictionary"},
        {DN_ERROR_FORMAT, "{", "expected one of the keys"},
        {DN_ERROR_FORMAT, "{}", "expected the keys 'descr', 'fortran_order' and 'shape'"},
        {DN_ERROR_FORMAT, "{'descr': '|u1', 'descr': '|u1', }", "at byte 27: header: found ''descr': '|u1', }'"},
        {DN_ERROR_FORMAT, "{'descr' '|u1'}", "expected ':'"},
        {DN_ERROR_FORMAT, "{'descr': '|u1' 'shape': (2,)}", "expected ',' or '}'"},
        {DN_ERROR_FORMAT, "{'descr': [('a', '<f4')]}", "structured arrays are not read"},
        {DN_ERROR_UNSUPPORTED, "{'descr': '<c8'}", "found ''<c8'}', expected an element type among"},
        {DN_ERROR_UNSUPPORTED, "{'descr': '|O'}", "expected an element type among"},
        {DN_ERROR_UNSUPPORTED, "{'descr': '|f4'}", "expected an element type among"},
        {DN_ERROR_UNSUPPORTED, "{'descr': '<U3'}", "expected an element type among"},
        {DN_ERROR_FORMAT, "{'fortran_order': 1}", "expected True or False"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "(2)"), "expected a tuple such as (100,)"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "2"), "expected a shape such as"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "(-2,)"), "expected a dimension"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "(2 2)"), "expected ',' or ')'"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "(99999999999999999999,)"), "expected a dimension below 2^63"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "(4294967296, 4294967296)"), "product of the dimensions"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "(0, 4294967296, 4294967296)"), "product of the dimensions"},
        {DN_ERROR_UNSUPPORTED, HEADER("|u1", "False", "(1,1,1,1,1,1,1,1,1)"), "expected at most 8 dimensions"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "(2,)") "x", "expected only spaces after the dictionary"},
        {DN_ERROR_FORMAT, HEADER("<f4", "False", "(1125899906842624,)"),
         "expected 4503599627370496 bytes of array data"},
        {DN_ERROR_FORMAT, HEADER("|u1", "False", "(1,)"), "found 1 bytes too many"}};
    folder f;
    folder_open(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dn_npy *a = NULL;
        write_npy(&f, "a.npy", 1, cases[i].dictionary, "ab", 2);
        cr_expect_eq(dn_npy_open(&a, folder_file(&f, "a.npy")), cases[i].status, "%s", cases[i].dictionary);
        cr_expect(strstr(dn_error_last(), cases[i].text) && strstr(dn_error_last(), "a.npy: at byte "),
                  "%s: error '%s', expected '%s' in it", cases[i].dictionary, dn_error_last(), cases[i].text);
        cr_expect_null(a);
    }
    folder_close(&f);
}

Test(dataset_npy, bad_beginnings_and_numbers_are_refused)
{
    unsigned char bytes[FILE_ROOM];
    dn_npy *a = NULL;
    folder f;
    folder_open(&f);
    const char *path = folder_file(&f, "a.npy");
    size_t n = make_npy(bytes, 2, HEADER("<i8", "False", "(1,)"), "\0\0\0\x80\0\0\0\0", 8);
    folder_write(&f, "a.npy", bytes, n);
    cr_expect_eq(dn_npy_open(&a, path), DN_ERROR_UNSUPPORTED);
    cr_expect(strstr(dn_error_last(), "an integer beyond 32 bits"), "%s", dn_error_last());
    bytes[10] = 1; /* the header's length: 65,536 more */
    folder_write(&f, "a.npy", bytes, n);
    cr_expect_eq(dn_npy_open(&a, path), DN_ERROR_FORMAT);
    cr_expect(strstr(dn_error_last(), "at byte 8: header length"), "%s", dn_error_last());
    bytes[6] = 4;
    folder_write(&f, "a.npy", bytes, n);
    cr_expect_eq(dn_npy_open(&a, path), DN_ERROR_FORMAT);
    cr_expect(strstr(dn_error_last(), "at byte 6: version 4.0, expected 1.0"), "%s", dn_error_last());
    bytes[1] = 'X';
    folder_write(&f, "a.npy", bytes, n);
    cr_expect_eq(dn_npy_open(&a, path), DN_ERROR_FORMAT);
    cr_expect(strstr(dn_error_last(), "at byte 0: found bytes 93 58 55"), "%s", dn_error_last());
    folder_close(&f);
}

/* Opens npy:images.npy,labels.npy of the folder, with classes and size around. */
static dn_status open_own(dn_dataset **d, folder *f, const char *classes, const char *size)
{
    char expression[2 * LONGEST_PATH];
    snprintf(expression, sizeof expression, "npy%s:%s/images.npy,%s/labels.npy%s", classes, f->path, f->path, size);
    return dn_dataset_open(d, expression, NULL);
}

Test(dataset_npy, own_arrays_become_a_set)
{
    const int64_t dims[3] = {4, 2, 3}, count = 4;
    const int32_t labels[4] = {0, 2, 1, 2};
    double images[24];
    dn_dataset *d = NULL;
    folder f;
    folder_open(&f);
    for (int i = 0; i < 24; i++) images[i] = i / 8.0;
    cr_assert_eq(dn_npy_write(folder_file(&f, "images.npy"), DN_F64, 3, dims, images), DN_OK);
    cr_assert_eq(dn_npy_write(folder_file(&f, "labels.npy"), DN_I32, 1, &count, labels), DN_OK);
    cr_assert_eq(open_own(&d, &f, "[2,0]", ""), DN_OK, "%s", dn_error_last());
    cr_expect(d->n == 3 && d->height == 2 && d->width == 3 && d->channels == 1 && d->type == DN_F32 && d->classes == 2);
    cr_expect(d->labels[0] == 1 && d->labels[1] == 0 && d->labels[2] == 0);
    for (int i = 0; i < 6; i++) cr_expect_eq(((float *)d->images)[12 + i], (float)(18 + i) / 8);
    dn_dataset_close(d);
    cr_assert_eq(open_own(&d, &f, "", "@2x3x3"), DN_OK, "%s", dn_error_last());
    for (int i = 0; i < 72; i++) cr_expect_eq(((float *)d->images)[i] * 24, (float)(i - i % 3));
    dn_dataset_close(d);
    folder_close(&f);
}

static void expect_own_error(folder *f, dn_status status, const char *text)
{
    dn_dataset *d = NULL;
    cr_expect_eq(open_own(&d, f, "", ""), status, "%s", text);
    cr_expect(strstr(dn_error_last(), text), "error '%s', expected '%s' in it", dn_error_last(), text);
}

Test(dataset_npy, own_arrays_that_do_not_fit_are_refused)
{
    const int64_t dims[4] = {2, 2, 3, 5000}, two = 2, three = 3;
    float images[12] = {0};
    int32_t labels[3] = {0, -1, 0};
    folder f;
    folder_open(&f);
    const char *images_path = folder_file(&f, "images.npy"), *labels_path = folder_file(&f, "labels.npy");
    images[7] = NAN;
    cr_assert_eq(dn_npy_write(images_path, DN_F32, 3, dims, images), DN_OK);
    expect_own_error(&f, DN_ERROR_NUMERIC, "element 7 (of image 1) is nan");
    images[7] = 0;
    cr_assert_eq(dn_npy_write(images_path, DN_F32, 3, dims, images), DN_OK);
    cr_assert_eq(dn_npy_write(labels_path, DN_I32, 1, &three, labels), DN_OK);
    expect_own_error(&f, DN_ERROR_SHAPE, "the first of 3, expected labels [2]");
    cr_assert_eq(dn_npy_write(labels_path, DN_I32, 1, &two, labels), DN_OK);
    expect_own_error(&f, DN_ERROR_FORMAT, "element 1: label -1, expected 0 to 65535");
    cr_assert_eq(dn_npy_write(labels_path, DN_F32, 1, &two, images), DN_OK);
    expect_own_error(&f, DN_ERROR_UNSUPPORTED, "labels of type f32, expected int32");
    cr_assert_eq(dn_npy_write(images_path, DN_I32, 3, dims, images), DN_OK);
    expect_own_error(&f, DN_ERROR_UNSUPPORTED, "integer images, expected uint8");
    cr_assert_eq(dn_npy_write(images_path, DN_F32, 2, dims, images), DN_OK);
    expect_own_error(&f, DN_ERROR_SHAPE, "found 2 dimensions, expected images [N,H,W]");
    folder_close(&f);
}
