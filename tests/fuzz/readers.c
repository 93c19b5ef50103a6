/* The readers of files from anywhere, each fed with one input. Used by the fuzzers and by test_fuzz_corpus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/store.h"
#include "datasets/array_file.h"
#include "datasets/keras_file.h"
#include "datasets/mat.h"
#include "fuzz.h"

static char file_name[64];

const char *fuzz_file(const uint8_t *bytes, size_t n)
{
    if (!file_name[0]) {
        const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(file_name, sizeof file_name, "%s/dunlin-fuzz-%d", folder, (int)getpid());
    }
    FILE *file = fopen(file_name, "wb");
    if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) {
        perror(file_name);
        abort();
    }
    return file_name;
}

/* A process may end in ways that run no exit handler: the file goes after each input. */
void fuzz_remove_file(void)
{
    if (file_name[0]) unlink(file_name);
}

/* HDF5 1.10 itself loses some memory when it finds a file damaged. Asked for by the sanitizers. */
const char *__lsan_default_suppressions(void); /* NOLINT(bugprone-reserved-identifier): their name */
const char *__lsan_default_suppressions(void)  /* NOLINT(bugprone-reserved-identifier): their name */
{
    return "leak:libhdf5";
}

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/** An error has a text, and is not Dunlin's own fault. */
static void expect_text(dn_status status)
{
    const char *text = dn_error_last();
    if (!text[0] || strcmp(text, "no error") == 0) fail("an error without a text");
    if (status == DN_ERROR_INTERNAL) fail(text);
}

void fuzz_expect(dn_status status, const dn_npy *array)
{
    if (status != DN_OK) {
        if (array) fail("an array beside an error");
        expect_text(status);
        return;
    }
    int64_t count = 1;
    for (int i = 0; i < array->rank; i++) count *= array->dims[i];
    if (count != array->count) fail("the dims do not fit the count");
    unsigned sum = 0; /* touches all that is there */
    for (size_t i = 0; i < (size_t)count * dn_dtype_size(array->type); i++) sum += ((unsigned char *)array->data)[i];
    if (sum == 1 && count > INT64_MAX / 2) fail("never");
}

void fuzz_npy(const uint8_t *bytes, size_t n)
{
    dn_npy *array = NULL;
    const dn_status status = dn_npy_open(&array, fuzz_file(bytes, n));
    fuzz_expect(status, array);
    dn_npy_close(array);
    fuzz_remove_file();
}

/* ---- HDF5 ---- */

/* The names that an error's text lists are tried too. */
static void open_listed(const char *path, const char *text)
{
    char names[2048], full[2200];
    snprintf(names, sizeof names, "%s", text);
    for (char *at = names; at && *at;) {
        char *comma = strstr(at, ", ");
        if (comma) *comma = '\0';
        dn_npy *array = NULL;
        snprintf(full, sizeof full, "%s:%s", path, at);
        const dn_status status = dn_array_file_open(&array, full);
        fuzz_expect(status, array);
        dn_npy_close(array);
        at = comma ? comma + 2 : NULL;
    }
}

void fuzz_array_file(const uint8_t *bytes, size_t n)
{
    static const char before[] = "with NAME one of ";
    dn_npy *array = NULL;
    const char *path = fuzz_file(bytes, n);
    const dn_status status = dn_array_file_open(&array, path);
    fuzz_expect(status, array);
    dn_npy_close(array);
    const char *names = status == DN_OK ? NULL : strstr(dn_error_last(), before);
    if (names) open_listed(path, names + sizeof before - 1);
    fuzz_remove_file();
}

/* ---- MATLAB ---- */

static void read_mat(const char *path, dn__mat_array *arrays, int count)
{
    const dn_status status = dn__mat_read(arrays, count, path);
    for (int i = 0; i < count; i++) {
        fuzz_expect(status, arrays[i].array);
        dn_npy_close(arrays[i].array);
    }
}

void fuzz_mat(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_file(bytes, n);
    read_mat(path, (dn__mat_array[]){{.name = "X", .most = INT64_MAX}, {.name = "y", .most = INT64_MAX}}, 2);
    read_mat(path, (dn__mat_array[]){{.name = "X", .most = 2}}, 1);
    fuzz_remove_file();
}

/* ---- Keras ---- */

void fuzz_keras(const uint8_t *bytes, size_t n)
{
    dn_keras_file *file = NULL;
    const dn_status status = dn_keras_open(&file, fuzz_file(bytes, n));
    if (status != DN_OK) expect_text(status);
    if ((status == DN_OK) != (file != NULL)) fail("weights beside an error, or none");
    for (int i = 0; file && i < file->n; i++) {
        if (!file->weights[i].layer[0] || !file->weights[i].name[0]) fail("a weight without a name");
        fuzz_expect(DN_OK, file->weights[i].array);
    }
    dn_keras_close(file);
    fuzz_remove_file();
}

/* ---- stores ---- */

typedef struct visiting {
    dn_store *store;
    const char *group;
    int depth;
} visiting;

static void expect(dn_status status)
{
    if (status != DN_OK) expect_text(status);
}

static void read_array(dn_store *store, const char *name)
{
    enum { MOST = 1 << 24 };
    dn_store_info info;
    const dn_status status = dn_store_array_info(store, name, &info);
    expect(status);
    if (status != DN_OK || info.count > MOST) return;
    void *data = dn_calloc((size_t)info.count, dn_dtype_size(info.dtype));
    expect(dn_store_read(store, name, info.dtype, info.count, data));
    expect(dn_store_read_rows(store, name, info.dtype, info.rank - 1, 0, info.dim[info.rank - 1] / 2, data));
    dn_free(data);
}

static void read_attributes(dn_store *store, const char *object)
{
    static const char *const names[] = {"step", "rate", "name", "dunlin_kind", "dunlin_version", "note"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int64_t integer;
        double number;
        char *text = NULL;
        if (!dn_store_has_attribute(store, object, names[i])) continue;
        expect(dn_store_get_int(store, object, names[i], &integer));
        expect(dn_store_get_double(store, object, names[i], &number));
        expect(dn_store_get_text(store, object, names[i], &text));
        dn_free(text);
    }
}

static dn_status visit(void *context, const char *name, bool is_group)
{
    const visiting *v = context;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", v->group, name);
    read_attributes(v->store, path);
    visiting inner = {v->store, path, v->depth + 1};
    if (!is_group)
        read_array(v->store, path);
    else if (v->depth < 4)
        expect(dn_store_list(v->store, path, visit, &inner));
    return DN_OK;
}

static void read_store(dn_store *store)
{
    visiting v = {.store = store, .group = ""};
    expect(dn_store_expect_kind(store, "dunlin checkpoint", 1, NULL));
    read_attributes(store, "/");
    expect(dn_store_list(store, "/", visit, &v));
}

void fuzz_store(const uint8_t *bytes, size_t n)
{
    dn_store *store = NULL;
    const dn_status status = dn_store_open(&store, fuzz_file(bytes, n));
    expect(status);
    if (status == DN_OK) read_store(store);
    dn_store_close(store);
    fuzz_remove_file();
}
