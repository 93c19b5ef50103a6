/* What the fuzzers found worth keeping, and mutants of it, through the readers of files from anywhere. A reader must
 * come back with an array or with a text, and the sanitizers must stay silent; readers.c ends the test otherwise. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change_bytes.h"
#include "fuzz/fuzz.h"

enum { LARGEST = 1 << 16, LONGEST_PATH = 1024, LONGEST_NAME = 256, MOST_FILES = 512 };

typedef void reader(const uint8_t *bytes, size_t n);

typedef struct input {
    uint8_t bytes[LARGEST];
    size_t n;
} input;

static void load(input *in, const char *folder, const char *name)
{
    char path[LONGEST_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    in->n = fread(in->bytes, 1, sizeof in->bytes, file);
    cr_assert_lt(in->n, sizeof in->bytes, "%s", path);
    fclose(file);
}

static char names[MOST_FILES][LONGEST_NAME];

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/** Fills `names`, in order: a directory has none of its own. @return how many */
static uint32_t list(const char *folder)
{
    uint32_t files = 0;
    DIR *directory = opendir(folder);
    cr_assert_not_null(directory, "%s: the corpus is missing", folder);
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue;
        cr_assert_lt(files, MOST_FILES);
        snprintf(names[files++], LONGEST_NAME, "%s", entry->d_name);
    }
    closedir(directory);
    qsort(names, files, sizeof *names, by_text);
    return files;
}

/** Feeds every file of the corpus, and `mutants` changed ones in turn. */
static void feed(const char *name, reader *read, uint32_t mutants)
{
    static input in;
    char folder[LONGEST_PATH];
    snprintf(folder, sizeof folder, DN_FUZZ_CORPUS "/%s", name);
    const uint32_t files = list(folder);
    cr_assert_gt(files, 10, "%s: the corpus is missing", folder);
    for (uint32_t i = 0; i < files; i++) {
        load(&in, folder, names[i]);
        read(in.bytes, in.n);
    }
    for (uint32_t m = 0; m < mutants; m++) {
        load(&in, folder, names[m % files]);
        change_bytes(in.bytes, in.n, m);
        read(in.bytes, in.n);
    }
}

Test(fuzz_corpus, npy)
{
    feed("npy", fuzz_npy, 20000);
}

Test(fuzz_corpus, array_file)
{
    feed("array_file", fuzz_array_file, 400);
}

Test(fuzz_corpus, store)
{
    feed("store", fuzz_store, 150);
}

Test(fuzz_corpus, image)
{
    feed("image", fuzz_image, 3000);
}

Test(fuzz_corpus, mat)
{
    feed("mat", fuzz_mat, 150);
}

Test(fuzz_corpus, keras)
{
    feed("keras", fuzz_keras, 150);
}

#if DN_HAS_FETCH
Test(fuzz_corpus, archive)
{
    feed("archive", fuzz_archive, 400);
}
#endif

Test(fuzz_corpus, packed)
{
    feed("packed", fuzz_packed, 150);
}

Test(fuzz_corpus, records)
{
    feed("records", fuzz_records, 300);
}
