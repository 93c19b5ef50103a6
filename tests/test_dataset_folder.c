/* Image folders: layouts, parts, classes, sizes, and what is wrong with them. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "datasets/folder.h"
#include "datasets/image.h"

enum { LONGEST = 512 };

static char root[64];

static void make_root(void)
{
    snprintf(root, sizeof root, "/tmp/dunlin-folder-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
}

static void remove_all(const char *path)
{
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        DIR *directory = opendir(path);
        for (const struct dirent *entry; directory && (entry = readdir(directory));) {
            char inner[LONGEST + 256];
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
            snprintf(inner, sizeof inner, "%.500s/%.255s", path, entry->d_name);
            remove_all(inner);
        }
        if (directory) closedir(directory);
    }
    (void)remove(path);
}

static void remove_root(void)
{
    remove_all(root);
}

TestSuite(dataset_folder, .init = make_root, .fini = remove_root);

/* @return ROOT/FILE, after making the folders on the way there */
static const char *place(const char *file)
{
    static char path[LONGEST];
    snprintf(path, sizeof path, "%s/%s", root, file);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(path, 0700);
        *at = '/';
    }
    return path;
}

/* An image of which all pixels have one value. */
static void put(const char *file, int height, int width, int channels, int value)
{
    uint8_t pixels[64 * 64 * 3];
    memset(pixels, value, sizeof pixels);
    const dn_image image = {height, width, channels, pixels};
    cr_assert_eq(dn_image_write_png(place(file), &image), DN_OK, "%s", dn_error_last());
}

static void put_text(const char *file, const char *text)
{
    FILE *f = fopen(place(file), "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

static const char *expression(const char *classes, const char *rest)
{
    static char text[LONGEST];
    snprintf(text, sizeof text, "folder%s:%s%s", classes, root, rest);
    return text;
}

static dn_dataset *open_set(const char *classes, const char *rest, int64_t limit)
{
    dn_dataset *d = NULL;
    const dn_dataset_options options = {.limit = limit};
    cr_assert_eq(dn_dataset_open(&d, expression(classes, rest), &options), DN_OK, "%s", dn_error_last());
    return d;
}

static void expect_error(const char *classes, const char *rest, dn_status status, const char *text)
{
    dn_dataset *d = NULL;
    const dn_status got = dn_dataset_open(&d, expression(classes, rest), NULL);
    cr_expect_eq(got, status, "%s%s: status %d, expected %d", classes, rest, got, status);
    cr_expect(got == DN_OK || strstr(dn_error_last(), text), "error '%s', expected '%s' in it", dn_error_last(), text);
    dn_dataset_close(d);
}

/* Items by name, label and value of their pixels. */
typedef struct item {
    const char *name;
    int label, value;
} item;

static void expect_items(const dn_dataset *d, int n, const item *items)
{
    cr_assert_eq(d->n, n, "%s: %d items", d->provenance, (int)d->n);
    const size_t bytes = (size_t)d->height * (size_t)d->width * (size_t)d->channels;
    for (int i = 0; i < n; i++) {
        cr_expect_str_eq(d->item_names[i], items[i].name);
        if (d->labels) cr_expect_eq(d->labels[i], items[i].label, "%s", items[i].name);
        for (size_t k = 0; k < bytes; k++)
            cr_assert_eq(((uint8_t *)d->images)[(size_t)i * bytes + k], items[i].value, "%s", items[i].name);
    }
}

static void put_animals(void)
{
    put("dog/b.png", 4, 5, 1, 4);
    put("cat/z.PNG", 4, 5, 1, 3);
    put("cat/deep/er/no_ending", 4, 5, 1, 2); /* what it is, it says itself */
    put("cat-like/x.png", 4, 5, 1, 9);
    put("cat/a.jpg", 4, 5, 1, 1); /* the name of another format */
    put(".hidden/h.png", 9, 9, 1, 0);
    put("cat/.h.png", 9, 9, 1, 0);
    put_text("readme.txt", "all of them are animals");
    put_text("cat/list", "");
}

Test(dataset_folder, a_class_for_each_sub_folder_in_the_order_of_names)
{
    static const item items[] = {{"cat/a.jpg", 0, 1},
                                 {"cat/deep/er/no_ending", 0, 2},
                                 {"cat/z.PNG", 0, 3},
                                 {"cat-like/x.png", 1, 9},
                                 {"dog/b.png", 2, 4}};
    put_animals();
    dn_dataset *d = open_set("", "/", 0);
    expect_items(d, 5, items);
    cr_expect(d->classes == 3 && d->height == 4 && d->width == 5 && d->channels == 1 && d->type == DN_U8);
    cr_expect_str_eq(d->class_names[0], "cat");
    cr_expect_str_eq(d->class_names[1], "cat-like");
    cr_expect_str_eq(d->class_names[2], "dog");
    cr_expect(strstr(d->provenance, ", without 2 other files (cat/list, ...); 5 items"), "%s", d->provenance);
    dn_dataset_close(d);
}

Test(dataset_folder, classes_are_chosen_by_name_before_anything_is_decoded)
{
    static const item items[] = {{"cat-like/x.png", 1, 9}, {"dog/b.png", 0, 4}};
    put_animals();
    put_text("cat/damaged.png", "\x89PNG\r\n\x1a\nno more");
    dn_dataset *d = open_set("[dog,1]", "", 0);
    expect_items(d, 2, items);
    cr_expect_str_eq(d->class_names[0], "dog");
    dn_dataset_close(d);
    expect_error("[cow]", "", DN_ERROR_ARGUMENT, "unknown class 'cow'");
    expect_error("[cat]", "", DN_ERROR_FORMAT, "cat/damaged.png: a damaged PNG: ");
}

Test(dataset_folder, items_are_dropped_with_labels_and_names)
{
    static const item items[] = {{"cat/deep/er/no_ending", 0, 2}, {"dog/b.png", 2, 4}};
    static const uint8_t wanted[5] = {0, 1, 0, 0, 1}, none[2] = {0, 0};
    put_animals();
    dn_dataset *d = open_set("", "", 0);
    cr_assert_eq(dn_dataset_keep(d, wanted), DN_OK, "%s", dn_error_last());
    expect_items(d, 2, items);
    cr_assert_eq(dn_dataset_keep(d, none), DN_OK, "%s", dn_error_last());
    cr_expect_eq(d->n, 0);
    dn_dataset_close(d);
}

/* Folders may be called 3 and 10: then that is what the numbers mean. */
Test(dataset_folder, a_class_that_is_called_a_number_is_meant_by_it)
{
    static const item items[] = {{"3/x.png", 0, 3}};
    put("10/x.png", 2, 2, 1, 10);
    put("3/x.png", 2, 2, 1, 3);
    dn_dataset *d = open_set("[3]", "", 0);
    expect_items(d, 1, items);
    dn_dataset_close(d);
}

Test(dataset_folder, images_beside_each_other_have_no_labels)
{
    static const item items[] = {{"1.png", 0, 1}, {"10.png", 0, 10}, {"2.png", 0, 2}};
    put("2.png", 3, 3, 1, 2);
    put("10.png", 3, 3, 3, 10); /* one in colour makes three channels */
    put("1.png", 3, 3, 1, 1);
    cr_assert_eq(mkdir(place("empty"), 0700), 0);
    dn_dataset *one = open_set("", "/10.png@3x3x1", 0);
    expect_items(one, 1, &items[1]);
    cr_expect(!one->labels && one->channels == 1);
    dn_dataset_close(one);
    dn_dataset *d = open_set("", "", 0);
    expect_items(d, 3, items);
    cr_expect(d->classes == 0 && !d->labels && !d->class_names && d->channels == 3);
    dn_dataset_close(d);
    expect_error("[0]", "", DN_ERROR_ARGUMENT, "no sub-folders and so no classes");
}

Test(dataset_folder, each_image_is_brought_to_the_size_asked_for)
{
    static const item items[] = {{"a/1.png", 0, 7}, {"a/2.png", 0, 8}, {"a/3.png", 0, 9}};
    static const char *const sizes[] = {"@6x4x3", "@6x4x1", "@6x4x3/bicubic", "@6x4x3/crop", "@6x4x1/cut"};
    put("a/1.png", 6, 4, 1, 7);
    put("a/2.png", 31, 17, 3, 8);
    put("a/3.png", 64, 63, 3, 9);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        dn_dataset *d = open_set("", sizes[s], 0);
        expect_items(d, 3, items);
        cr_expect(d->height == 6 && d->width == 4 && d->channels == (strstr(sizes[s], "x1") ? 1 : 3));
        dn_dataset_close(d);
    }
    expect_error("", "", DN_ERROR_SHAPE,
                 "several sizes: a/1.png has 6x4, a/2.png 31x17; say which size they shall have, "
                 "such as @4x4x3/crop");
    expect_error("", "@7x4x3/cut", DN_ERROR_SHAPE, "a/1.png: an image of 6x4 is too small to cut 7x4 out of it");
}

Test(dataset_folder, sides_that_no_set_can_have_need_a_size)
{
    static const item small[] = {{"a/1.png", 0, 7}};
    put("a/1.png", 2, 4096, 1, 7);
    dn_dataset *d = open_set("", "", 0);
    cr_expect_eq(d->width, 4096);
    dn_dataset_close(d);
    put("a/1.png", 4097, 2, 1, 7);
    expect_error("", "", DN_ERROR_SHAPE,
                 "images of 4097x2, expected sides of at most 4096 in a set; say which size they shall have, such as "
                 "@64x64x1/crop");
    d = open_set("", "@8x8x1/crop", 0);
    expect_items(d, 1, small);
    dn_dataset_close(d);
}

/* The same bytes as from an array of the same images. */
Test(dataset_folder, images_are_resized_as_arrays_are)
{
    uint8_t pixels[13 * 11 * 3];
    for (int i = 0; i < 13 * 11 * 3; i++) pixels[i] = (uint8_t)(i * i * 31 % 253);
    const dn_image image = {13, 11, 3, pixels};
    cr_assert_eq(dn_image_write_png(place("x.png"), &image), DN_OK);
    dn_dataset *d = open_set("", "@8x8x3/bicubic/crop", 0);
    dn_dataset array = {.n = 1, .type = DN_U8, .height = 13, .width = 11, .channels = 3};
    array.images = dn_calloc(1, sizeof pixels);
    memcpy(array.images, pixels, sizeof pixels);
    cr_assert_eq(dn_dataset_resize(&array, &(dn_size){8, 8, 3, DN_FILTER_BICUBIC, DN_FIT_CROP}), DN_OK);
    cr_expect_arr_eq(d->images, array.images, 8 * 8 * 3);
    dn_free(array.images);
    dn_dataset_close(d);
}

static void put_many(int first, int end)
{
    for (int i = first; i < end; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/%d.png", i % 2 ? "odd" : "even", i);
        put(name, 1, 2, 1, i);
    }
}

static bool has(const dn_dataset *d, const char *name)
{
    for (int64_t i = 0; i < d->n; i++)
        if (strcmp(d->item_names[i], name) == 0) return true;
    return false;
}

Test(dataset_folder, parts_are_complete_and_stay_as_they_are)
{
    put_many(0, 100);
    dn_dataset *all = open_set("", "", 0), *train = open_set("", ":train", 0), *test = open_set("", ":test@1x2x1", 0);
    cr_expect(train->n + test->n == 100 && test->n > 8 && test->n < 35, "%d test images", (int)test->n);
    for (int64_t i = 0; i < all->n; i++)
        cr_expect_neq(has(train, all->item_names[i]), has(test, all->item_names[i]), "%s", all->item_names[i]);
    put_many(100, 200);
    dn_dataset *later = open_set("", ":test", 0);
    for (int64_t i = 0; i < test->n; i++) cr_expect(has(later, test->item_names[i]));
    dn_dataset_close(later);
    dn_dataset_close(test);
    dn_dataset_close(train);
    dn_dataset_close(all);
}

/* One image cannot be in both parts. */
Test(dataset_folder, a_class_that_a_part_has_no_image_of_is_an_error)
{
    put_many(0, 40);
    put("rare/x.png", 1, 2, 1, 1);
    dn_dataset *train = NULL, *test = NULL;
    const dn_status in_train = dn_dataset_open(&train, expression("", ":train"), NULL);
    const dn_status in_test = dn_dataset_open(&test, expression("", ":test"), NULL);
    cr_expect((in_train == DN_OK) != (in_test == DN_OK));
    cr_expect(strstr(dn_error_last(), "' of 'rare'; remove this folder, or put images into it"), "%s", dn_error_last());
    dn_dataset_close(train);
    dn_dataset_close(test);
}

Test(dataset_folder, a_limit_takes_some_of_each_class)
{
    put_many(0, 40);
    dn_dataset *d = open_set("", "", 10);
    int odd = 0;
    for (int i = 0; i < 10; i++) odd += d->labels[i];
    cr_expect(d->n == 10 && odd == 5, "%d of %d", odd, (int)d->n);
    dn_dataset_close(d);
}

Test(dataset_folder, blocks_are_the_same_as_the_whole)
{
    put_many(0, 50);
    dn_dataset *d = open_set("", "@3x3x3", 0);
    dn_folder *f = NULL;
    cr_assert_eq(dn_folder_open(&f, root, &(dn_folder_options){.size = {3, 3, 3, 0, 0}}), DN_OK, "%s", dn_error_last());
    cr_assert_eq(f->n, 50);
    for (int64_t first = 0; first < 50; first += 7) {
        uint8_t block[7 * 27];
        const int64_t n = f->n - first < 7 ? f->n - first : 7;
        cr_assert_eq(dn_folder_read(f, block, first, n), DN_OK);
        cr_expect_arr_eq(block, (uint8_t *)d->images + first * 27, (size_t)n * 27);
    }
    cr_expect_eq(dn_folder_read(f, d->images, 49, 2), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_folder_read(f, d->images, -1, 2), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_folder_read(f, d->images, 50, 0), DN_OK);
    cr_expect_eq(dn_folder_gather(f, d->images, (int64_t[]){0, 50}, 2), DN_ERROR_ARGUMENT);
    put_text("odd/7.png", "\x89PNG\r\n\x1a\n");
    put_text("odd/9.png", "\x89PNG\r\n\x1a\n");
    cr_expect_eq(dn_folder_read(f, d->images, 0, 50), DN_ERROR_FORMAT);
    cr_expect(strstr(dn_error_last(), "/odd/7.png: a damaged PNG: "), "%s", dn_error_last());
    cr_expect(strstr(dn_error_last(), "(the first of 2 such files)"), "%s", dn_error_last());
    dn_folder_close(f);
    dn_dataset_close(d);
}

/* A set that is larger than the memory it may take stays in its files. */
Test(dataset_folder, large_sets_are_decoded_when_they_are_asked_for)
{
    put_many(0, 30);
    dn_dataset *d = open_set("[odd,even]", ":train@3x3x1", 0), *streamed = NULL;
    cr_assert_eq(dn_dataset_open(&streamed, expression("[odd,even]", ":train@3x3x1"),
                                 &(dn_dataset_options){.stream = true, .memory = 8}),
                 DN_OK, "%s", dn_error_last());
    cr_expect(d->images && !streamed->images && d->n == streamed->n && d->classes == 2);
    uint64_t print[2] = {0, 1};
    cr_expect_eq(dn_dataset_fingerprint(d, &print[0]), DN_OK);
    cr_expect_eq(dn_dataset_fingerprint(streamed, &print[1]), DN_OK);
    cr_expect_eq(print[0], print[1]);
    uint8_t some[3 * 9];
    cr_expect_eq(dn_dataset_gather(streamed, (int64_t[]){4, 0, 4}, 3, some), DN_OK);
    cr_expect_arr_eq(some, (uint8_t *)d->images + 4 * 9, 9);
    cr_expect_arr_eq(some + 9, d->images, 9);
    cr_expect_arr_eq(some + 18, some, 9);
    for (int64_t i = 0; i < d->n; i++) cr_expect_str_eq(streamed->item_names[i], d->item_names[i]);
    dn_dataset_close(streamed);
    dn_dataset_close(d);
}

Test(dataset_folder, links_are_followed_but_not_in_circles)
{
    static const item items[] = {{"a/1.png", 0, 1}, {"b/1.png", 1, 1}};
    char target[LONGEST];
    put("a/1.png", 2, 2, 1, 1);
    snprintf(target, sizeof target, "%.400s", place("a"));
    cr_assert_eq(symlink(target, place("b")), 0);
    dn_dataset *d = open_set("", "", 0);
    expect_items(d, 2, items);
    dn_dataset_close(d);
    cr_assert_eq(symlink("nowhere", place("a/gone")), 0); /* skipped */
    dn_dataset_close(open_set("", "", 0));
    cr_assert_eq(symlink("nowhere", place("a/gone.png")), 0);
    expect_error("", "", DN_ERROR_FILE, "/a/gone.png: cannot be read");
    unlink(place("a/gone.png"));
    cr_assert_eq(symlink("..", place("a/up")), 0);
    expect_error("", "", DN_ERROR_FORMAT, "more than 16 folders deep; a link to a folder that it is in?");
}

Test(dataset_folder, a_folder_that_makes_no_sense_is_an_error)
{
    expect_error("", "", DN_ERROR_FORMAT, ": no PNG or JPEG file in it");
    expect_error("", "/none:trian", DN_ERROR_FILE, "; the parts of a folder are ':train' and ':test'");
    put_text("notes.txt", "");
    expect_error("", "", DN_ERROR_FORMAT, ": no PNG or JPEG file in it, only other files such as notes.txt");
    expect_error("", "/none", DN_ERROR_FILE, "none: cannot open the folder: ");
    expect_error("", "/notes.txt", DN_ERROR_FORMAT, ": no PNG or JPEG file in it, only other files such as notes.txt");
    put("a/1.png", 2, 2, 1, 1);
    put("2.png", 2, 2, 1, 1);
    expect_error("", "", DN_ERROR_FORMAT, "images in sub-folders and beside them (2.png)");
    unlink(place("2.png"));
    cr_assert_eq(mkdir(place("b"), 0700), 0);
    expect_error("", "", DN_ERROR_FORMAT, "no image in 'b'; remove this folder, or put images into it");
    expect_error("", ":test", DN_ERROR_FORMAT, "no image in 'b'");
    put_text("b/x.gif", "GIF89a");
    expect_error("", "", DN_ERROR_FORMAT, "/b/x.gif: neither PNG nor JPEG, or damaged at its beginning; convert it");
    unlink(place("b/x.gif"));
    put("b\n/1.png", 2, 2, 1, 1);
    rmdir(place("b"));
    expect_error("", "", DN_ERROR_FORMAT, "holds the byte 0x0a; rename it");
}

Test(dataset_folder, parts_of_a_set_are_no_classes)
{
    put("train/cat/1.png", 2, 2, 1, 1);
    put("test/cat/1.png", 2, 2, 1, 1);
    expect_error("", "", DN_ERROR_FORMAT, "look like parts of a data set, not like classes; name one of them");
    dn_dataset *d = open_set("", "/train", 0);
    cr_expect_str_eq(d->class_names[0], "cat");
    dn_dataset_close(d);
    expect_error("", "/train:test", DN_ERROR_FORMAT, "the part 'test'");
}

Test(dataset_folder, expressions_without_a_folder_are_errors)
{
    dn_dataset *d = NULL;
    cr_expect_eq(dn_dataset_open(&d, "folder", NULL), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "expected folder:PATH"), "%s", dn_error_last());
    cr_expect_eq(dn_dataset_open(&d, "folder:~/photos", NULL), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "write folder:$HOME/photos"), "%s", dn_error_last());
}
