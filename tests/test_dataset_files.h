/* Small data files for the tests of datasets/, in a folder of their own that is removed afterwards. */
#ifndef DN_TESTS_TEST_DATASET_FILES_H
#define DN_TESTS_TEST_DATASET_FILES_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "datasets/dataset.h"

enum { MOST_FILES = 16, LONGEST_PATH = 512, FILE_ROOM = 40000 };

typedef struct folder {
    char path[64];
    char files[MOST_FILES][LONGEST_PATH]; /* every file ever written, to be removed */
    int count;
} folder;

static const char *const subfolders[] = {
    "mnist", "cifar-10-batches-bin", "cifar-100-binary", "textures", "svhn", "LSUN_resize", "LSUN_resize/test",
    "iSUN",  "iSUN/iSUN_patches"};

static inline void folder_open(folder *f)
{
    *f = (folder){.path = "/tmp/dunlin-test-XXXXXX"};
    cr_assert_not_null(mkdtemp(f->path));
    for (size_t i = 0; i < sizeof subfolders / sizeof *subfolders; i++) {
        char path[LONGEST_PATH];
        snprintf(path, sizeof path, "%s/%s", f->path, subfolders[i]);
        cr_assert_eq(mkdir(path, 0700), 0);
    }
}

static inline void folder_close(folder *f)
{
    for (int i = 0; i < f->count; i++) unlink(f->files[i]);
    for (size_t i = sizeof subfolders / sizeof *subfolders; i-- > 0;) {
        char path[LONGEST_PATH];
        snprintf(path, sizeof path, "%s/%s", f->path, subfolders[i]);
        rmdir(path);
    }
    rmdir(f->path);
}

static inline const char *folder_file(folder *f, const char *name)
{
    char path[LONGEST_PATH];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    for (int i = 0; i < f->count; i++)
        if (strcmp(f->files[i], path) == 0) return f->files[i];
    cr_assert_lt(f->count, MOST_FILES);
    memcpy(f->files[f->count], path, sizeof path);
    return f->files[f->count++];
}

static inline void folder_write(folder *f, const char *name, const void *bytes, size_t n)
{
    unlink(folder_file(f, name)); /* some file systems flush a file to disk that is cut to nothing and written anew */
    FILE *file = fopen(folder_file(f, name), "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
}

static inline void folder_write_gzip(folder *f, const char *name, const void *bytes, size_t n)
{
    gzFile file = gzopen(folder_file(f, name), "wb9");
    cr_assert_not_null(file);
    cr_assert_eq(gzwrite(file, bytes, (unsigned)n), (int)n);
    cr_assert_eq(gzclose(file), Z_OK);
}

static inline void folder_remove(folder *f, const char *name)
{
    cr_assert_eq(unlink(folder_file(f, name)), 0);
}

/* Reads a whole file into `bytes`. */
static inline size_t folder_read(folder *f, const char *name, unsigned char bytes[FILE_ROOM])
{
    FILE *file = fopen(folder_file(f, name), "rb");
    cr_assert_not_null(file);
    const size_t n = fread(bytes, 1, FILE_ROOM, file);
    cr_assert_lt(n, FILE_ROOM);
    fclose(file);
    return n;
}

/* Opens an expression over the folder, and closes it. */
static inline dn_status folder_try(folder *f, const char *expression)
{
    dn_dataset *d = NULL;
    const dn_status status = dn_dataset_open(&d, expression, &(dn_dataset_options){.data_dir = f->path});
    cr_assert_eq(status == DN_OK, d != NULL);
    dn_dataset_close(d);
    return status;
}

static inline void expect_error(folder *f, const char *expression, dn_status status, const char *text)
{
    const dn_status got = folder_try(f, expression);
    cr_expect_eq(got, status, "%s: status %d (%s), expected %d", expression, got,
                 got == DN_OK ? "no error" : dn_error_last(), status);
    cr_expect(got == DN_OK || strstr(dn_error_last(), text), "%s: error '%s', expected '%s' in it", expression,
              dn_error_last(), text);
}

static inline void put_be32(unsigned char *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* IDX images of 28x28 with pixel values that follow a rule. @return bytes */
static inline size_t make_idx_images(unsigned char *to, uint32_t n)
{
    const uint32_t header[4] = {0x803, n, 28, 28};
    for (int i = 0; i < 4; i++) put_be32(to + 4 * i, header[i]);
    for (uint32_t i = 0; i < n * 784; i++) to[16 + i] = (unsigned char)(i * 7 + i / 784);
    return 16 + n * 784;
}

/* Labels 9, 8, 7, ... */
static inline size_t make_idx_labels(unsigned char *to, uint32_t n)
{
    put_be32(to, 0x801);
    put_be32(to + 4, n);
    for (uint32_t i = 0; i < n; i++) to[8 + i] = (unsigned char)(9 - i % 10);
    return 8 + n;
}

/* Records with `label_bytes` labels i, i+1, ... and planes whose values tell channel and place. */
static inline size_t make_cifar(unsigned char *to, int n, int label_bytes)
{
    unsigned char *at = to;
    for (int i = 0; i < n; i++) {
        for (int l = 0; l < label_bytes; l++) *at++ = (unsigned char)(i + l);
        for (int p = 0; p < 3072; p++) *at++ = (unsigned char)(p / 1024 * 80 + p % 1024 % 79 + i);
    }
    return (size_t)(at - to);
}

#endif
