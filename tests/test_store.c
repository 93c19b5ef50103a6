#include <criterion/criterion.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/store.h"

#define OK(call)          cr_assert_eq((call), DN_OK, "%s: %s", #call, dn_error_last())
#define FAILS(code, call) cr_assert_eq((call), (code), "%s: %s", #call, dn_error_last())
#define SAYS(text)        cr_expect(strstr(dn_error_last(), (text)), "not \"%s\": %s", (text), dn_error_last())

static char folder[64];
static hsize_t identifiers_before;

/** @return HDF5's identifiers of the kinds that a store uses; what is left open counts */
static hsize_t identifiers(void)
{
    static const H5I_type_t kinds[] = {H5I_FILE,      H5I_GROUP, H5I_DATASET,     H5I_DATATYPE,
                                       H5I_DATASPACE, H5I_ATTR,  H5I_GENPROP_LST, H5I_VFL};
    hsize_t sum = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        hsize_t count = 0;
        if (H5Inmembers(kinds[i], &count) >= 0) sum += count;
    }
    return sum;
}

static void setup(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5Fis_hdf5("/"); /* wakes up what HDF5 keeps for good */
    identifiers_before = identifiers();
    snprintf(folder, sizeof folder, "/tmp/dn-store-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

/** The last line of each test. (Criterion does not count what fails in a .fini function.) */
static void nothing_is_left(void)
{
    char path[128];
    cr_expect_eq(identifiers(), identifiers_before, "%d identifiers of HDF5 are left open",
                 (int)(identifiers() - identifiers_before));
    static const char *const names[] = {"a.h5", "b.h5", "c.h5", "list.py"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    cr_expect_eq(rmdir(folder), 0, "temporary files are left in %s", folder);
}

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/** memcmp, also for floats that must agree in every bit. */
static int differs(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes);
}

static void fill(void *data, size_t bytes, uint32_t purpose)
{
    dn_random_sequence r = {.seed = 5, .purpose = purpose};
    for (size_t i = 0; i < bytes; i++) ((unsigned char *)data)[i] = (unsigned char)(dn_random_next(&r) >> 8);
}

/** A file with one array of each type, and attributes. */
static void write_sample(const char *path, int deflate)
{
    float f[2 * 3 * 4];
    double d[5] = {0.0, -0.0, 1e-310, INFINITY, NAN};
    int32_t labels[3] = {INT32_MIN, 0, INT32_MAX};
    dn_store *store = NULL;
    unsigned char *images = dn_calloc(3000000, 1);
    fill(images, 3000000, 1);
    for (int i = 0; i < 24; i++) f[i] = (float)i / 3;
    OK(dn_store_create(&store, path));
    OK(dn_store_set_deflate(store, deflate));
    OK(dn_store_set_kind(store, "sample", 2));
    OK(dn_store_write(store, "set/logits", DN_F32, 3, (int64_t[]){2, 3, 4}, f));
    OK(dn_store_write(store, "set/deep/d", DN_F64, 1, (int64_t[]){5}, d));
    OK(dn_store_write(store, "labels", DN_I32, 1, (int64_t[]){3}, labels));
    OK(dn_store_write(store, "images", DN_U8, 5, (int64_t[]){30, 100, 10, 10, 10}, images));
    OK(dn_store_write(store, "none", DN_F32, 2, (int64_t[]){0, 7}, NULL));
    OK(dn_store_set_int(store, "/", "step", 1234567890123));
    OK(dn_store_set_double(store, "set", "rate", 0.1));
    OK(dn_store_set_text(store, "set", "name", "Alpenstrandläufer"));
    OK(dn_store_set_text(store, "labels", "empty", ""));
    OK(dn_store_set_text(store, "new/group", "note", "before"));
    OK(dn_store_set_text(store, "new/group", "note", "after, and longer"));
    OK(dn_store_commit(store));
    dn_store_close(store);
    dn_free(images);
}

static char *bytes_of(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    char *data = dn_calloc(*bytes, 1);
    cr_assert_eq(fread(data, 1, *bytes, file), *bytes);
    fclose(file);
    return data;
}

/* HDF5 notes whole seconds. */
Test(store, the_same_content_gives_the_same_bytes_later, .init = setup)
{
    size_t first = 0, second = 0;
    write_sample(in_folder("a.h5"), 4);
    sleep(1);
    usleep(100000);
    write_sample(in_folder("b.h5"), 4);
    char *a = bytes_of(in_folder("a.h5"), &first), *b = bytes_of(in_folder("b.h5"), &second);
    cr_assert_eq(first, second);
    cr_expect_eq(memcmp(a, b, first), 0);
    dn_free(a);
    dn_free(b);
}

Test(store, round_trip, .init = setup)
{
    for (int deflate = 0; deflate <= 4; deflate += 4) {
        write_sample(in_folder("a.h5"), deflate);
        dn_store *store = NULL;
        float f[24];
        double d[5], number = 0;
        int32_t labels[3];
        int64_t step = 0;
        int version = 0;
        char *text = NULL;
        unsigned char *images = dn_calloc(3000000, 1), *expected = dn_calloc(3000000, 1);
        fill(expected, 3000000, 1);
        OK(dn_store_open(&store, in_folder("a.h5")));
        OK(dn_store_expect_kind(store, "sample", 3, &version));
        cr_expect_eq(version, 2);
        OK(dn_store_read(store, "set/logits", DN_F32, 24, f));
        for (int i = 0; i < 24; i++) cr_expect_eq(f[i], (float)i / 3);
        OK(dn_store_read(store, "set/deep/d", DN_F64, 5, d));
        cr_expect(signbit(d[1]) && d[2] == 1e-310 && isinf(d[3]) && isnan(d[4]));
        OK(dn_store_read(store, "labels", DN_I32, 3, labels));
        cr_expect(labels[0] == INT32_MIN && labels[2] == INT32_MAX);
        OK(dn_store_read(store, "images", DN_U8, 3000000, images));
        cr_expect_eq(differs(images, expected, 3000000), 0);
        OK(dn_store_read(store, "none", DN_F32, 0, NULL));
        OK(dn_store_get_int(store, "/", "step", &step));
        cr_expect_eq(step, 1234567890123);
        OK(dn_store_get_double(store, "set", "rate", &number));
        cr_expect_eq(number, 0.1);
        OK(dn_store_get_double(store, "/", "step", &number));
        cr_expect_eq(number, 1234567890123.0);
        OK(dn_store_get_text(store, "set", "name", &text));
        cr_expect_str_eq(text, "Alpenstrandläufer");
        dn_free(text);
        OK(dn_store_get_text(store, "labels", "empty", &text));
        cr_expect_str_eq(text, "");
        dn_free(text);
        OK(dn_store_get_text(store, "new/group", "note", &text));
        cr_expect_str_eq(text, "after, and longer");
        dn_free(text);
        dn_store_close(store);
        dn_free(images);
        dn_free(expected);
    }
    nothing_is_left();
}

Test(store, long_texts_fit, .init = setup)
{
    const size_t bytes = 300000; /* more than one object header holds */
    char *text = dn_calloc(bytes + 1, 1), *found = NULL;
    memset(text, 'x', bytes);
    dn_store *store = NULL;
    OK(dn_store_create(&store, in_folder("a.h5")));
    OK(dn_store_set_text(store, "/", "recipe", text));
    OK(dn_store_commit(store));
    dn_store_close(store);
    OK(dn_store_open(&store, in_folder("a.h5")));
    OK(dn_store_get_text(store, "/", "recipe", &found));
    cr_expect_str_eq(found, text);
    dn_store_close(store);
    dn_free(found);
    dn_free(text);
    nothing_is_left();
}

static dn_status collect(void *context, const char *name, bool is_group)
{
    char *names = context;
    const size_t used = strlen(names);
    snprintf(names + used, 256 - used, "%s%s ", name, is_group ? "/" : "");
    return DN_OK;
}

static dn_status stop(void *context, const char *name, bool is_group)
{
    (void)is_group;
    snprintf(context, 256, "%s", name);
    return DN_ERROR_INTERRUPTED;
}

Test(store, lists_and_describes, .init = setup)
{
    char names[256] = "";
    dn_store *store = NULL;
    dn_store_info info;
    write_sample(in_folder("a.h5"), 0);
    OK(dn_store_open(&store, in_folder("a.h5")));
    OK(dn_store_list(store, "/", collect, names));
    cr_expect_str_eq(names, "images labels new/ none set/ ");
    names[0] = '\0';
    OK(dn_store_list(store, "set", collect, names));
    cr_expect_str_eq(names, "deep/ logits ");
    FAILS(DN_ERROR_INTERRUPTED, dn_store_list(store, "/", stop, names));
    cr_expect_str_eq(names, "images");
    FAILS(DN_ERROR_FORMAT, dn_store_list(store, "nothing", collect, names));
    FAILS(DN_ERROR_FORMAT, dn_store_list(store, "labels", collect, names));
    OK(dn_store_array_info(store, "images", &info));
    cr_expect(info.dtype == DN_U8 && info.rank == 5 && info.dim[1] == 100 && info.count == 3000000);
    OK(dn_store_array_info(store, "none", &info));
    cr_expect(info.rank == 2 && info.dim[0] == 0 && info.dim[1] == 7 && info.count == 0);
    cr_expect(dn_store_exists(store, "/") && dn_store_exists(store, "set/deep") &&
              dn_store_exists(store, "/set/deep/d"));
    cr_expect_not(dn_store_exists(store, "set/deep/d/x"));
    cr_expect_not(dn_store_exists(store, "x/y"));
    cr_expect_not(dn_store_exists(store, ""));
    cr_expect(dn_store_has_attribute(store, "/", "step") && !dn_store_has_attribute(store, "set", "step"));
    dn_store_close(store);
    nothing_is_left();
}

/** Features [E,N,D] written in pieces along N, and read in other pieces. */
Test(store, streams_rows, .init = setup)
{
    enum { E = 3, N = 2000, D = 150, PIECE = 130 };
    float *all = dn_calloc((size_t)E * N * D, sizeof *all), *piece = dn_calloc((size_t)E * N * D, sizeof *piece);
    for (int i = 0; i < E * N * D; i++) all[i] = (float)i;
    dn_store *store = NULL;
    OK(dn_store_create(&store, in_folder("a.h5")));
    OK(dn_store_create_array(store, "set/features", DN_F32, 3, (int64_t[]){E, N, D}));
    for (int first = 0; first < N; first += PIECE) {
        const int rows = first + PIECE < N ? PIECE : N - first;
        for (int e = 0; e < E; e++)
            memcpy(piece + (size_t)e * rows * D, all + ((size_t)e * N + first) * D, (size_t)rows * D * sizeof *all);
        OK(dn_store_write_rows(store, "set/features", DN_F32, 1, first, rows, piece));
    }
    OK(dn_store_commit(store));
    dn_store_close(store);
    OK(dn_store_open(&store, in_folder("a.h5")));
    OK(dn_store_read(store, "set/features", DN_F32, E * N * D, piece));
    cr_expect_eq(differs(all, piece, (size_t)E * N * D * sizeof *all), 0);
    OK(dn_store_read_rows(store, "set/features", DN_F32, 1, 777, 50, piece));
    for (int e = 0; e < E; e++)
        cr_expect_eq(differs(piece + (size_t)e * 50 * D, all + ((size_t)e * N + 777) * D, 50 * D * sizeof *all), 0);
    OK(dn_store_read_rows(store, "set/features", DN_F32, 0, 2, 1, piece));
    cr_expect_eq(differs(piece, all + 2 * N * D, N * D * sizeof *all), 0);
    OK(dn_store_read_rows(store, "set/features", DN_F32, 2, 149, 1, piece));
    cr_expect_eq(piece[1], all[D + 149]);
    OK(dn_store_read_rows(store, "set/features", DN_F32, 1, N, 0, piece));
    FAILS(DN_ERROR_SHAPE, dn_store_read_rows(store, "set/features", DN_F32, 1, N - 1, 2, piece));
    SAYS("no 2 places from place 1999 along axis 1");
    FAILS(DN_ERROR_SHAPE, dn_store_read_rows(store, "set/features", DN_F32, 1, -1, 2, piece));
    FAILS(DN_ERROR_SHAPE, dn_store_read_rows(store, "set/features", DN_F32, 3, 0, 1, piece));
    FAILS(DN_ERROR_SHAPE, dn_store_read_rows(store, "set/features", DN_F32, 1, INT64_MAX, 1, piece));
    FAILS(DN_ERROR_SHAPE, dn_store_read_rows(store, "set/features", DN_F64, 1, 0, 1, piece));
    OK(dn_store_read_part(store, "set/features", DN_F32, (int64_t[]){2, 777, 0}, (int64_t[]){1, 50, D}, piece));
    cr_expect_eq(differs(piece, all + ((size_t)2 * N + 777) * D, 50 * D * sizeof *all), 0);
    OK(dn_store_read_part(store, "set/features", DN_F32, (int64_t[]){1, 5, 3}, (int64_t[]){1, 2, 2}, piece));
    cr_expect_eq(piece[3], all[(N + 6) * D + 4]);
    FAILS(DN_ERROR_SHAPE,
          dn_store_read_part(store, "set/features", DN_F32, (int64_t[]){E, 0, 0}, (int64_t[]){1, 1, 1}, piece));
    SAYS("no 1 places from place");
    dn_store_close(store);
    dn_free(all);
    dn_free(piece);
    nothing_is_left();
}

Test(store, an_array_that_is_not_full_is_not_committed, .init = setup)
{
    dn_store *store = NULL;
    const int32_t rows[2] = {1, 2};
    OK(dn_store_create(&store, in_folder("a.h5")));
    OK(dn_store_create_array(store, "x", DN_I32, 1, (int64_t[]){5}));
    OK(dn_store_write_rows(store, "x", DN_I32, 0, 0, 2, rows));
    OK(dn_store_write_rows(store, "x", DN_I32, 0, 2, 2, rows));
    FAILS(DN_ERROR_ARGUMENT, dn_store_commit(store));
    SAYS("4 of 5 elements");
    dn_store_close(store);
    cr_expect_neq(access(in_folder("a.h5"), F_OK), 0);
    nothing_is_left();
}

Test(store, errors_say_what_was_found_and_expected, .init = setup)
{
    dn_store *store = NULL;
    float f[24];
    int64_t value;
    char *text = NULL;
    write_sample(in_folder("a.h5"), 0);
    OK(dn_store_open(&store, in_folder("a.h5")));
    FAILS(DN_ERROR_SHAPE, dn_store_read(store, "set/logits", DN_F64, 24, f));
    SAYS("a.h5: the array \"set/logits\" holds f32, expected f64");
    FAILS(DN_ERROR_SHAPE, dn_store_read(store, "set/logits", DN_F32, 23, f));
    SAYS("shape [2,3,4], that is 24 elements, expected 23");
    FAILS(DN_ERROR_FORMAT, dn_store_read(store, "set/nothing", DN_F32, 24, f));
    SAYS("no array \"set/nothing\"");
    FAILS(DN_ERROR_FORMAT, dn_store_read(store, "set", DN_F32, 24, f));
    FAILS(DN_ERROR_ARGUMENT, dn_store_read(store, "", DN_F32, 24, f));
    FAILS(DN_ERROR_FORMAT, dn_store_get_int(store, "/", "nothing", &value));
    FAILS(DN_ERROR_FORMAT, dn_store_get_int(store, "nothing", "step", &value));
    FAILS(DN_ERROR_FORMAT, dn_store_get_int(store, "set", "rate", &value));
    FAILS(DN_ERROR_FORMAT, dn_store_get_text(store, "set", "rate", &text));
    FAILS(DN_ERROR_FORMAT, dn_store_expect_kind(store, "checkpoint", 1, NULL));
    SAYS("the file is a sample, expected a checkpoint");
    FAILS(DN_ERROR_FORMAT, dn_store_expect_kind(store, "sample", 1, NULL));
    SAYS("version 2, this program reads 1 to 1");
    FAILS(DN_ERROR_ARGUMENT, dn_store_write(store, "x", DN_F32, 1, (int64_t[]){1}, f));
    SAYS("open for reading");
    FAILS(DN_ERROR_ARGUMENT, dn_store_commit(store));
    dn_store_close(store);
    FAILS(DN_ERROR_FILE, dn_store_open(&store, in_folder("missing.h5")));
    SAYS("No such file");
    FAILS(DN_ERROR_FILE, dn_store_open(&store, folder));
    SAYS("not a file");
    FAILS(DN_ERROR_FILE, dn_store_create(&store, "/tmp/no-such-folder/x.h5"));
    SAYS("No such file");
    FAILS(DN_ERROR_FILE, dn_store_create(&store, folder));
    FAILS(DN_ERROR_ARGUMENT, dn_store_create(&store, ""));
    cr_expect_null(store);
    FILE *file = fopen(in_folder("b.h5"), "w");
    fputs("learning_rate: 0.1\n", file);
    fclose(file);
    FAILS(DN_ERROR_FORMAT, dn_store_open(&store, in_folder("b.h5")));
    SAYS("not an HDF5 file");
    dn_store_close(NULL);
    nothing_is_left();
}

Test(store, wrong_writes, .init = setup)
{
    dn_store *store = NULL;
    const float f[4] = {0};
    OK(dn_store_create(&store, in_folder("a.h5")));
    OK(dn_store_write(store, "x", DN_F32, 1, (int64_t[]){4}, f));
    FAILS(DN_ERROR_ARGUMENT, dn_store_write(store, "x", DN_F32, 1, (int64_t[]){4}, f));
    SAYS("already something named \"x\"");
    FAILS(DN_ERROR_SHAPE, dn_store_write(store, "y", DN_F32, 0, (int64_t[]){4}, f));
    FAILS(DN_ERROR_SHAPE, dn_store_write(store, "y", DN_F32, 6, (int64_t[]){1, 1, 1, 1, 1, 1}, f));
    FAILS(DN_ERROR_SHAPE, dn_store_write(store, "y", DN_F32, 2, (int64_t[]){4, -1}, f));
    FAILS(DN_ERROR_SHAPE, dn_store_write(store, "y", DN_F32, 3, (int64_t[]){1 << 30, 1 << 30, 1 << 30}, f));
    FAILS(DN_ERROR_ARGUMENT, dn_store_write(store, "y", DN_BF16, 1, (int64_t[]){4}, f));
    FAILS(DN_ERROR_ARGUMENT, dn_store_write_rows(store, "y", DN_F32, 0, 0, 1, f));
    FAILS(DN_ERROR_FILE, dn_store_write(store, "x/y", DN_F32, 1, (int64_t[]){4}, f));
    FAILS(DN_ERROR_ARGUMENT, dn_store_set_deflate(store, 10));
    OK(dn_store_commit(store));
    FAILS(DN_ERROR_ARGUMENT, dn_store_commit(store));
    FAILS(DN_ERROR_ARGUMENT, dn_store_set_int(store, "/", "a", 1));
    FAILS(DN_ERROR_ARGUMENT, dn_store_read(store, "x", DN_F32, 4, (void *)f));
    dn_store_close(store);
    nothing_is_left();
}

/* What h5py reads of ours, and what of its own must open here, or must not. */
static const char script[] =
    "import sys, h5py, numpy as np\n"
    "f = h5py.File(sys.argv[1], 'r')\n"
    "assert f['set/logits'].dtype == np.float32 and f['set/logits'].shape == (2, 3, 4)\n"
    "assert np.array_equal(f['set/logits'][...].ravel(), (np.arange(24) / np.float32(3)).astype(np.float32))\n"
    "assert f['labels'][0] == -2**31 and f['none'].shape == (0, 7) and f['images'].fletcher32\n"
    "assert f.attrs['step'] == 1234567890123 and f['set'].attrs['rate'] == 0.1\n"
    "g = h5py.File(sys.argv[2], 'w')\n"
    "g['big'] = np.arange(6).reshape(2, 3).astype('>f4')\n"
    "g.create_dataset('packed', data=np.arange(100000, dtype=np.int32), compression='gzip', chunks=(777,))\n"
    "g['long'] = np.arange(3)\n"
    "g.create_dataset('unwritten', (10,), 'f4')\n"
    "g.create_dataset('partly', (10, 10), 'i4', chunks=(1, 5))[3] = 1\n"
    "g.create_dataset('compact', (), 'i4')\n"
    "g.create_dataset('external', (10,), 'f4', external=[('/etc/hostname', 0, 40)])\n"
    "g['loop'] = h5py.SoftLink('/loop')\n"
    "g['out'] = h5py.ExternalLink('/nowhere.h5', '/x')\n"
    "g.attrs['name'] = 'Lappensteckel'\n"
    "g.attrs['small'] = np.int8(-3)\n"
    "g.attrs['wide'] = np.uint64(2**64 - 1)\n"
    "g.attrs['many'] = np.arange(3)\n";

/** Runs the script. @return false if there is no h5py */
static bool run_python(void)
{
    char command[512], said[2048];
    FILE *file = fopen(in_folder("list.py"), "w");
    fputs(script, file);
    fclose(file);
    snprintf(command, sizeof command, "/usr/bin/python3 %s %s %s 2>&1", in_folder("list.py"), in_folder("a.h5"),
             in_folder("c.h5"));
    FILE *python = popen(command, "r"); /* NOLINT(cert-env33-c): no text of it comes from outside */
    said[fread(said, 1, sizeof said - 1, python)] = '\0';
    const int status = pclose(python);
    if (strstr(said, "ModuleNotFoundError") || strstr(said, "not found")) return false;
    cr_assert_eq(status, 0, "%s", said);
    return true;
}

Test(store, h5py_reads_and_writes_the_same_files, .init = setup)
{
    write_sample(in_folder("a.h5"), 0);
    if (!run_python()) cr_skip_test("no h5py");
    dn_store *store = NULL;
    float f[6];
    static int32_t packed[100000];
    int64_t number = 0;
    char *text = NULL, names[256] = "";
    OK(dn_store_open(&store, in_folder("c.h5")));
    OK(dn_store_read(store, "big", DN_F32, 6, f));
    cr_expect_eq(f[5], 5.0f);
    OK(dn_store_read(store, "packed", DN_I32, 100000, packed));
    cr_expect_eq(packed[99999], 99999);
    FAILS(DN_ERROR_FORMAT, dn_store_read(store, "long", DN_I32, 3, packed));
    SAYS("holds int64, expected float32, float64, uint8 or int32");
    FAILS(DN_ERROR_FORMAT, dn_store_read(store, "unwritten", DN_F32, 10, packed));
    FAILS(DN_ERROR_FORMAT, dn_store_read(store, "partly", DN_I32, 100, packed));
    SAYS("never written completely");
    FAILS(DN_ERROR_FORMAT, dn_store_read(store, "compact", DN_I32, 1, packed));
    SAYS("has 0 axes");
    FAILS(DN_ERROR_FORMAT, dn_store_read(store, "external", DN_F32, 10, packed));
    SAYS("lie in other files");
    FAILS(DN_ERROR_FORMAT, dn_store_expect_kind(store, "sample", 1, NULL));
    SAYS("not one of Dunlin's");
    OK(dn_store_get_text(store, "/", "name", &text));
    cr_expect_str_eq(text, "Lappensteckel");
    dn_free(text);
    OK(dn_store_get_int(store, "/", "small", &number));
    cr_expect_eq(number, -3);
    FAILS(DN_ERROR_FORMAT, dn_store_get_int(store, "/", "wide", &number));
    FAILS(DN_ERROR_FORMAT, dn_store_get_int(store, "/", "many", &number));
    OK(dn_store_list(store, "/", collect, names));
    cr_expect_str_eq(names, "big compact external long packed partly unwritten ");
    dn_store_close(store);
    nothing_is_left();
}
