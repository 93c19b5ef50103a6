/* Packed sets: what is written comes back, in memory or from the file, and damaged files do no harm. */
#include <math.h>

#include "change_bytes.h"
#include "core/alloc.h"
#include "core/store.h"
#include "datasets/npy.h"
#include "datasets/packed.h"
#include "datasets/rows.h"
#include "test_dataset_files.h"

static folder f;

static void open_folder(void)
{
    folder_open(&f);
}

static void close_folder(void)
{
    folder_close(&f);
}

TestSuite(packed, .init = open_folder, .fini = close_folder, .timeout = 120);

/* ---- helpers ---- */

static dn_dataset *open_set(const char *expression, bool stream, int64_t limit)
{
    dn_dataset *d = NULL;
    const dn_dataset_options o = {.data_dir = f.path, .stream = stream, .memory = 1, .limit = limit};
    cr_assert_eq(dn_dataset_open(&d, expression, &o), DN_OK, "%s", dn_error_last());
    return d;
}

/** @return the expression of the packed set in the folder, with `rest` behind it and classes in front, static */
static const char *packed(const char *classes, const char *rest)
{
    static char text[LONGEST_PATH];
    snprintf(text, sizeof text, "file%s:%s/set.h5%s", classes, f.path, rest);
    return text;
}

static void pack(const dn_dataset *set, int compress)
{
    const dn_packed_options o = {.compress = compress};
    cr_assert_eq(dn_packed_write(folder_file(&f, "set.h5"), set, &o), DN_OK, "%s", dn_error_last());
}

static uint64_t print_of(const dn_dataset *d)
{
    uint64_t print = 0;
    cr_assert_eq(dn_dataset_fingerprint(d, &print), DN_OK, "%s", dn_error_last());
    return print;
}

static void *images_of(const dn_dataset *d)
{
    void *images = dn_calloc((size_t)d->n, dn_dataset_image_bytes(d));
    cr_assert_eq(dn_dataset_read(d, 0, d->n, images), DN_OK, "%s", dn_error_last());
    return images;
}

static void expect_same(const dn_dataset *a, const dn_dataset *b)
{
    cr_assert_eq(a->n, b->n);
    cr_assert(a->height == b->height && a->width == b->width && a->channels == b->channels && a->type == b->type);
    cr_assert_eq(a->classes, b->classes);
    cr_assert_eq(!a->labels, !b->labels);
    cr_assert_eq(!a->class_names, !b->class_names);
    for (int c = 0; a->class_names && c < a->classes; c++) cr_expect_str_eq(a->class_names[c], b->class_names[c]);
    if (a->labels) cr_expect_arr_eq(a->labels, b->labels, (size_t)a->n * sizeof *a->labels);
    void *x = images_of(a), *y = images_of(b);
    cr_expect_eq(memcmp(x, y, (size_t)a->n * dn_dataset_image_bytes(a)), 0, "the images are others");
    dn_free(x);
    dn_free(y);
    cr_expect_eq(print_of(a), print_of(b));
}

/** Items in a random order, some twice. */
static void expect_gather(const dn_dataset *d)
{
    enum { ITEMS = 300 };
    const size_t image = dn_dataset_image_bytes(d);
    dn_random_sequence r = {.seed = 5};
    int64_t items[ITEMS];
    for (int i = 0; i < ITEMS; i++) items[i] = dn_random_next_below(&r, (uint32_t)d->n);
    char *all = images_of(d), *some = dn_calloc(ITEMS, image);
    cr_assert_eq(dn_dataset_gather(d, items, ITEMS, some), DN_OK, "%s", dn_error_last());
    for (int i = 0; i < ITEMS; i++)
        cr_expect_eq(memcmp(some + (size_t)i * image, all + (size_t)items[i] * image, image), 0, "item %d", i);
    items[7] = d->n;
    cr_expect_eq(dn_dataset_gather(d, items, ITEMS, some), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_dataset_read(d, d->n - 1, 2, some), DN_ERROR_ARGUMENT);
    if (!d->images) cr_expect_eq(dn_dataset_keep((dn_dataset *)d, NULL), DN_ERROR_ARGUMENT);
    dn_free(some);
    dn_free(all);
}

/** Packs a set and compares it with what is read, in both ways. */
static void check_round_trip(const char *expression, int64_t limit, int compress)
{
    dn_dataset *set = open_set(expression, false, limit);
    pack(set, compress);
    for (int stream = 0; stream < 2; stream++) {
        dn_dataset *d = open_set(packed("", ""), stream, 0);
        cr_expect_eq(!d->images, stream);
        expect_same(set, d);
        expect_gather(d);
        dn_dataset_close(d);
    }
    dn_dataset_close(set);
}

/* ---- round trips ---- */

Test(packed, round_trips)
{
    check_round_trip("glyphs:test", 2500, 0); /* more than two chunks */
    check_round_trip("glyphs:test", 100, 6);
    check_round_trip("noise:gaussian@31x7x3", 900, 3); /* without labels, with a last chunk that is not full */
    check_round_trip("noise:uniform@600x600x3", 2, 0); /* larger than a chunk */
    check_round_trip("noise:uniform@1x1x1", 2, 9);
}

static void write_floats(int64_t n, float first)
{
    const int64_t dims[4] = {n, 9, 5, 2};
    float *data = dn_calloc((size_t)n * 90, sizeof *data);
    for (int64_t i = 0; i < n * 90; i++) data[i] = sinf((float)i) / 3;
    data[0] = first;
    cr_assert_eq(dn_npy_write(folder_file(&f, "floats.npy"), DN_F32, 4, dims, data), DN_OK, "%s", dn_error_last());
    dn_free(data);
}

Test(packed, floats)
{
    char expression[LONGEST_PATH];
    snprintf(expression, sizeof expression, "npy:%s/floats.npy", f.path);
    write_floats(5000, 0.25f);
    check_round_trip(expression, 0, 0);
    check_round_trip(expression, 0, 4); /* shuffled bytes */
}

Test(packed, what_could_not_be_read_again_is_not_written)
{
    char pixels[5000 * 2] = {0};
    const dn_dataset tall = {.name = (char[]){"tall"},
                             .n = 1,
                             .height = 5000,
                             .width = 2,
                             .channels = 1,
                             .type = DN_U8,
                             .images = pixels},
                     deep = {.name = (char[]){"deep"},
                             .n = 1,
                             .height = 1,
                             .width = 2,
                             .channels = 5000,
                             .type = DN_U8,
                             .images = pixels};
    cr_expect_eq(dn_packed_write(folder_file(&f, "set.h5"), &tall, NULL), DN_ERROR_SHAPE);
    cr_expect(strstr(dn_error_last(), "'tall' has images of 5000x2x1, a packed set at most 4096"), "%s",
              dn_error_last());
    cr_expect_eq(dn_packed_write(folder_file(&f, "set.h5"), &deep, NULL), DN_ERROR_SHAPE);
    cr_expect_neq(access(folder_file(&f, "set.h5"), F_OK), 0);
}

/** Packed again and again: still one level. */
Test(packed, a_copy_names_the_first_source)
{
    char origin[LONGEST_PATH], expected[2 * LONGEST_PATH];
    dn_dataset *set = open_set("glyphs:test", false, 30);
    snprintf(origin, sizeof origin, "%s", set->provenance);
    pack(set, 0);
    dn_dataset_close(set);
    for (int i = 0; i < 2; i++) {
        set = open_set(packed("", ""), true, 0);
        cr_assert_eq(dn_packed_write(folder_file(&f, "copy.h5"), set, NULL), DN_OK, "%s", dn_error_last());
        dn_dataset_close(set);
        cr_assert_eq(rename(folder_file(&f, "copy.h5"), folder_file(&f, "set.h5")), 0);
    }
    set = open_set(packed("", ""), true, 0);
    snprintf(expected, sizeof expected, "%s/set.h5 (%s); 30 items", f.path, origin);
    cr_expect_str_eq(set->provenance, expected);
    dn_dataset_close(set);
    set = open_set(packed("[1]", "@4x4x1"), true, 2);
    cr_assert_eq(dn_packed_write(folder_file(&f, "copy.h5"), set, NULL), DN_OK, "%s", dn_error_last());
    dn_dataset_close(set);
    cr_assert_eq(rename(folder_file(&f, "copy.h5"), folder_file(&f, "set.h5")), 0);
    set = open_set(packed("", ""), true, 0);
    snprintf(expected, sizeof expected, "%s/set.h5 (%s, classes [1], as 4x4x1; 2 items); 2 items", f.path, origin);
    cr_expect_str_eq(set->provenance, expected);
    dn_dataset_close(set);
}

/* ---- what expressions say ---- */

Test(packed, classes_limit_and_size)
{
    static const char *const classes[] = {"", "[7,2]", "[3-5]", "[1]"};
    static const char *const sizes[] = {"@20x24x3", "", "@16x16x1/crop", "@16x16x1"};
    dn_dataset *all = open_set("glyphs:test", false, 1200);
    pack(all, 0);
    dn_dataset_close(all);
    for (int i = 0; i < 4; i++)
        for (int64_t limit = 0; limit <= 70; limit += 70) {
            dn_dataset *a = open_set(packed(classes[i], sizes[i]), false, limit);
            dn_dataset *b = open_set(packed(classes[i], sizes[i]), true, limit);
            cr_expect(a->images && !b->images);
            cr_expect_str_eq(a->provenance, b->provenance);
            expect_same(a, b);
            dn_dataset_close(a);
            dn_dataset_close(b);
        }
    dn_dataset *chosen = open_set("glyphs[7,2]:test@20x24x3", false, 70),
               *d = open_set(packed("[7,2]", "@20x24x3"), true, 70);
    expect_same(chosen, d);
    dn_dataset_close(chosen);
    dn_dataset_close(d);
}

typedef struct counter {
    int64_t most; /* rows asked for at once */
} counter;

static dn_status count_rows(const void *context, const int64_t *rows, int64_t n, void *to)
{
    counter *c = (counter *)context;
    (void)rows;
    if (n > c->most) c->most = n;
    memset(to, 7, (size_t)n * 28 * 28);
    return DN_OK;
}

/** Whichever of the two sizes is larger. */
Test(packed, blocks_of_resized_images_are_small)
{
    static const int sides[] = {512, 28, 7};
    static const int64_t most[] = {(8 << 20) / (512 * 512 * 3), (8 << 20) / (28 * 28 * 3), 4096};
    for (int i = 0; i < 3; i++) {
        counter c = {0};
        dn__rows *rows = dn_calloc(1, sizeof *rows);
        *rows = (dn__rows){.read = count_rows, .context = &c};
        dn_dataset d = {
            .name = (char[]){"set"}, .n = 5000, .height = 28, .width = 28, .channels = 1, .type = DN_U8, .rows = rows};
        const dn_size size = {.height = sides[i], .width = sides[i], .channels = i < 2 ? 3 : 1};
        cr_assert_eq(dn__rows_resize(&d, &size), DN_OK, "%s", dn_error_last());
        const int64_t n = i == 0 ? 25 : d.n;
        uint8_t *images = dn_calloc((size_t)n, dn_dataset_image_bytes(&d));
        cr_assert_eq(dn_dataset_read(&d, 0, n, images), DN_OK, "%s", dn_error_last());
        cr_expect_eq(c.most, most[i], "%d: %d at once", sides[i], (int)c.most);
        cr_expect_eq(images[(size_t)n * dn_dataset_image_bytes(&d) - 1], 7);
        dn_free(images);
        dn__rows_close(rows);
    }
}

Test(packed, memory_decides)
{
    dn_dataset *set = open_set("glyphs:test", false, 100), *d = NULL;
    pack(set, 0);
    dn_dataset_close(set);
    const int64_t bytes = 100 * 32 * 32;
    for (int64_t less = 0; less < 2; less++) {
        cr_assert_eq(dn_dataset_open(&d, packed("", ""), &(dn_dataset_options){.stream = true, .memory = bytes - less}),
                     DN_OK);
        cr_expect_eq(!d->images, less);
        dn_dataset_close(d);
    }
    const dn_dataset_options by_environment = {.stream = true};
    setenv("DUNLIN_MEMORY", "99K", 1);
    cr_assert_eq(dn_dataset_open(&d, packed("", ""), &by_environment), DN_OK);
    cr_expect_null(d->images);
    dn_dataset_close(d);
    setenv("DUNLIN_MEMORY", "0.1M", 1);
    cr_assert_eq(dn_dataset_open(&d, packed("", ""), &by_environment), DN_OK);
    cr_expect_not_null(d->images);
    dn_dataset_close(d);
    setenv("DUNLIN_MEMORY", "much", 1);
    cr_expect_eq(dn_dataset_open(&d, packed("", ""), &by_environment), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "'much', expected a size such as 500M"), "%s", dn_error_last());
    unsetenv("DUNLIN_MEMORY");
}

/* ---- errors ---- */

static void refuses(const char *expression, dn_status status, const char *text)
{
    dn_dataset *d = NULL;
    cr_expect_eq(dn_dataset_open(&d, expression, &(dn_dataset_options){.stream = true, .memory = 1}), status, "%s",
                 expression);
    cr_expect(strstr(dn_error_last(), text), "%s", dn_error_last());
    dn_dataset_close(d);
}

Test(packed, what_is_no_packed_set)
{
    dn_store *store = NULL;
    refuses("file", DN_ERROR_ARGUMENT, "expected file:PATH.h5");
    refuses("file:/nowhere/x.h5", DN_ERROR_FILE, "/nowhere/x.h5: cannot open the file");
    refuses("file:/tmp", DN_ERROR_FILE, "not a file");
    folder_write(&f, "set.h5", "hello, I am a text", 18);
    refuses(packed("", ""), DN_ERROR_FORMAT, "not an HDF5 file");
    folder_write(&f, "set.h5", "", 0);
    refuses(packed("", ""), DN_ERROR_FORMAT, "is empty");
    cr_assert_eq(dn_store_create(&store, folder_file(&f, "set.h5")), DN_OK);
    cr_assert_eq(dn_store_set_kind(store, "checkpoint", 1), DN_OK);
    cr_assert_eq(dn_store_commit(store), DN_OK);
    dn_store_close(store);
    refuses(packed("", ""), DN_ERROR_FORMAT, "is a checkpoint, expected a dunlin images");
    const dn_dataset none = {.name = "none", .height = 1, .width = 1, .channels = 1};
    cr_expect_eq(dn_packed_write(folder_file(&f, "none.h5"), &none, NULL), DN_ERROR_ARGUMENT);
}

Test(packed, nan_is_refused)
{
    char expression[LONGEST_PATH];
    snprintf(expression, sizeof expression, "npy:%s/floats.npy", f.path);
    write_floats(20, 1.0f);
    dn_dataset *set = open_set(expression, false, 0), *d = NULL;
    ((float *)set->images)[95] = NAN;
    pack(set, 0);
    dn_dataset_close(set);
    cr_expect_eq(dn_dataset_open(&d, packed("", ""), NULL), DN_ERROR_NUMERIC);
    cr_expect(strstr(dn_error_last(), "image 1 holds"), "%s", dn_error_last());
}

/** Something changed in the file after the set was opened. */
Test(packed, file_changes_under_way)
{
    char room[3 * 32 * 32];
    dn_dataset *set = open_set("glyphs:test", false, 2500);
    pack(set, 0);
    dn_dataset *d = open_set(packed("", ""), true, 0);
    const char *path = folder_file(&f, "set.h5");
    cr_expect_eq(dn_dataset_read(d, 0, 3, room), DN_OK);
    cr_assert_eq(truncate(path, 1 << 20), 0);
    cr_expect_eq(dn_dataset_read(d, 2200, 3, room), DN_ERROR_FILE);
    cr_expect(strstr(dn_error_last(), "was cut off while it was in use"), "%s", dn_error_last());
    dn_dataset_close(d);
    /* A new file of the name is another file: the set goes on with the old one. */
    pack(set, 0);
    d = open_set(packed("", ""), true, 0);
    dn_dataset *few = open_set("glyphs:letters", false, 30);
    pack(few, 0);
    expect_same(set, d);
    dn_dataset_close(few);
    dn_dataset_close(d);
    dn_dataset_close(set);
}

Test(packed, a_changed_pixel_is_found)
{
    unsigned char one = 0, room[32 * 32];
    dn_dataset *set = open_set("glyphs:test", false, 1500), *d = NULL;
    for (int compress = 0; compress < 2; compress++) {
        pack(set, compress);
        FILE *file = fopen(folder_file(&f, "set.h5"), "r+b");
        fseek(file, -(compress ? 5000 : 2000), SEEK_END);
        cr_assert_eq(fread(&one, 1, 1, file), 1);
        one ^= 4;
        fseek(file, -1, SEEK_CUR);
        cr_assert_eq(fwrite(&one, 1, 1, file), 1);
        fclose(file);
        dn_status status = dn_dataset_open(&d, packed("", ""), NULL);
        cr_expect_eq(status, DN_ERROR_FORMAT);
        cr_expect(strstr(dn_error_last(), "the sum of their bytes is wrong"), "%s", dn_error_last());
        d = open_set(packed("", ""), true, 0);
        cr_expect_eq(dn_dataset_read(d, 0, 1, room), DN_OK, "the other images are there: %s", dn_error_last());
        dn_dataset_close(d);
    }
    dn_dataset_close(set);
}

/* Opens the set and touches all of it. */
static dn_status open_and_touch(void)
{
    dn_dataset *d = NULL;
    DN_TRY(dn_dataset_open(&d, packed("", ""), &(dn_dataset_options){.stream = true, .memory = 1}));
    const size_t bytes = (size_t)d->n * dn_dataset_image_bytes(d);
    unsigned char *images = bytes < 1 << 24 ? dn_calloc(bytes, 1) : NULL;
    const dn_status status = images ? dn_dataset_read(d, 0, d->n, images) : DN_ERROR_MEMORY;
    dn_free(images);
    dn_dataset_close(d);
    return status;
}

Test(packed, cut_and_mutated)
{
    static unsigned char bytes[FILE_ROOM], changed[FILE_ROOM];
    dn_dataset *set = open_set("glyphs:test@8x8x1", false, 100);
    for (int compress = 0; compress < 2; compress++) {
        pack(set, compress);
        const size_t n = folder_read(&f, "set.h5", bytes);
        int refused = 0;
        for (size_t cut = 1; cut < n; cut += n / 25) {
            folder_write(&f, "set.h5", bytes, cut);
            cr_expect_neq(open_and_touch(), DN_OK, "cut at byte %zu of %zu", cut, n);
        }
        for (uint32_t m = 0; m < 50; m++) {
            memcpy(changed, bytes, n);
            change_bytes(changed, n, m);
            folder_write(&f, "set.h5", changed, n);
            const dn_status status = open_and_touch();
            refused += status != DN_OK;
            cr_expect(status == DN_OK || (dn_error_last()[0] && status != DN_ERROR_INTERNAL), "%s", dn_error_last());
        }
        cr_expect_gt(refused, 15);
        folder_write(&f, "set.h5", bytes, n);
        cr_expect_eq(open_and_touch(), DN_OK, "%s", dn_error_last());
    }
    dn_dataset_close(set);
}

/** A small file as another program could write it.
 *  @param labels [6] of three classes @param names of them, a line each */
static void write_by_hand(const int32_t *labels, const char *names)
{
    dn_store *store = NULL;
    const int64_t dim[4] = {6, 4, 3, 2}, bytes = (int64_t)strlen(names);
    uint8_t images[6 * 24];
    for (int i = 0; i < 6 * 24; i++) images[i] = (uint8_t)(i * 7);
    cr_assert_eq(dn_store_create(&store, folder_file(&f, "set.h5")), DN_OK);
    cr_assert_eq(dn_store_set_kind(store, "dunlin images", 1), DN_OK);
    cr_assert_eq(dn_store_set_int(store, "/", "classes", 3), DN_OK);
    cr_assert_eq(dn_store_set_text(store, "/", "provenance", "by hand"), DN_OK);
    cr_assert_eq(dn_store_write(store, "images", DN_U8, 4, dim, images), DN_OK);
    cr_assert_eq(dn_store_write(store, "labels", DN_I32, 1, dim, labels), DN_OK);
    cr_assert_eq(dn_store_write(store, "class_names", DN_U8, 1, &bytes, names), DN_OK);
    cr_assert_eq(dn_store_commit(store), DN_OK, "%s", dn_error_last());
    dn_store_close(store);
}

Test(packed, written_by_hand)
{
    const int32_t labels[6] = {0, 1, 2, 0, 1, 2}, wrong[6] = {0, 1, 3, 0, 1, 2};
    write_by_hand(labels, "one\ntwo\nthree\n");
    dn_dataset *a = open_set(packed("[three,one]", ""), false, 0), *b = open_set(packed("[three,one]", ""), true, 0);
    expect_same(a, b); /* fingerprints too: there is none in the file */
    cr_expect_eq(a->n, 4);
    cr_expect_str_eq(a->class_names[0], "three");
    dn_dataset_close(a);
    dn_dataset_close(b);
    a = open_set(packed("", ""), false, 0), b = open_set(packed("", ""), true, 0);
    expect_same(a, b);
    dn_dataset_close(a);
    dn_dataset_close(b);
    write_by_hand(wrong, "one\ntwo\nthree\n");
    refuses(packed("", ""), DN_ERROR_FORMAT, "label 3 of item 2, expected 0 to 2");
    write_by_hand(labels, "one\ntwo\n");
    refuses(packed("", ""), DN_ERROR_FORMAT, "has 2 lines for 3 classes");
}
