/* The grammar of expressions, classes, limits, and the list of sets. */
#include "test_dataset_files.h"

static dn_dataset *open_all(const char *expression, int64_t limit)
{
    dn_dataset *d = NULL;
    cr_assert_eq(dn_dataset_open(&d, expression, &(dn_dataset_options){.limit = limit}), DN_OK, "%s", dn_error_last());
    return d;
}

Test(dataset_expression, classes_are_numbered_in_the_order_listed)
{
    dn_dataset *d = open_all("glyphs[7,1-3,0]:test", 0), *all = open_all("glyphs:test", 0);
    static const int old[5] = {7, 1, 2, 3, 0};
    cr_expect(d->classes == 5 && d->n == 2000);
    for (int c = 0; c < 5; c++) cr_expect(d->class_names[c][0] == '0' + old[c] && d->class_names[c][1] == 0);
    int64_t at = 0; /* items keep their order */
    for (int64_t i = 0; i < all->n; i++) {
        int number = -1;
        for (int c = 0; c < 5; c++)
            if (old[c] == all->labels[i]) number = c;
        if (number < 0) continue;
        cr_assert_eq(d->labels[at], number);
        cr_assert_eq(memcmp((char *)d->images + at * 1024, (char *)all->images + i * 1024, 1024), 0);
        at++;
    }
    cr_expect_eq(at, d->n);
    dn_dataset_close(d);
    dn_dataset_close(all);
}

Test(dataset_expression, limit_counts_after_the_choice_of_classes)
{
    dn_dataset *d = open_all("glyphs[9]:test", 7), *first = open_all("glyphs:test", 13),
               *many = open_all("glyphs:test", 99999);
    cr_expect(d->n == 7 && d->classes == 1);
    for (int i = 0; i < 7; i++) cr_expect_eq(d->labels[i], 0);
    cr_expect(first->n == 13 && first->labels[12] == 2);
    cr_expect_eq(many->n, 4000);
    cr_expect_eq(memcmp((char *)many->images + 9 * 1024, d->images, 1024), 0);
    dn_dataset_close(d);
    dn_dataset_close(first);
    dn_dataset_close(many);
    cr_expect_eq(dn_dataset_open(&d, "glyphs", &(dn_dataset_options){.limit = -1}), DN_ERROR_ARGUMENT);
}

Test(dataset_expression, plain_names_mean_the_first_split)
{
    dn_dataset *d = open_all("glyphs@16x24x3", 10);
    cr_expect(strstr(d->provenance, "glyphs:train"), "%s", d->provenance);
    cr_expect(d->height == 16 && d->width == 24 && d->channels == 3 && d->n == 10);
    dn_dataset_close(d);
}

/* An expression that means nothing, and what the error must say. */
typedef struct bad_expression {
    const char *text, *error;
} bad_expression;

Test(dataset_expression, errors_name_what_comes_nearest)
{
    static const bad_expression cases[] = {
        {"glyfs", "data set 'glyfs': unknown data set 'glyfs'; the nearest is 'glyphs'; there are: mnist, "},
        {"glyphs:tset", "unknown split 'tset' of 'glyphs'; the nearest is 'test'; there are: train, test, letters"},
        {"zzzzzz", "unknown data set 'zzzzzz'; there are: mnist, "},
        {"./nowhere", "'./nowhere': there is no file or folder of this name"},
        {"/dev", "write folder:/dev for PNG and JPEG files"},
        {"glyphs:zzzzzz", "unknown split 'zzzzzz' of 'glyphs'; there are: train, test, letters"},
        {"glyphs[zzzzzz]:textures", "unknown class 'zzzzzz', expected a number 0 to 4"},
        {"glyphs[10]:test", "class 10 in '[10]', expected 0 to 9"},
        {"glyphs[4-2]:test", "unknown class '4-2'"},
        {"glyphs[1,,2]:test", "unknown class ''"},
        {"glyphs[99999999999]:test", "unknown class '99999999999'"},
        {"glyphs[0-3,2]:test", "class 2 is listed twice"},
        {"glyphs[stripe]:textures", "unknown class 'stripe'; the nearest is 'stripes' (number 0)"},
        {"glyphs[3", "']' is missing"},
        {"glyphs[3]x", "found 'x', expected name[classes][:split][@HxWxC[/METHOD]]"},
        {"", "expected name[classes][:split][@HxWxC[/METHOD]]"},
        {":test", "expected name[classes][:split][@HxWxC[/METHOD]]"},
        {"glyphs:", "the split after ':' is empty"},
        {"glyphs@32x32", "size '@32x32', expected @HxWxC such as @32x32x3"},
        {"glyphs@", "size '@', expected @HxWxC"},
        {"glyphs@8x8x1/lanczos", "'lanczos' is no way to resize, expected bilinear, bicubic, crop or cut"},
        {"glyphs@8x8x1/", "'' is no way to resize"},
        {"glyphs@0x32x1", "size '@0x32x1', expected"},
        {"glyphs@32x32x4", "size '@32x32x4', expected"},
        {"glyphs@32x32x3x3", "size '@32x32x3x3', expected"},
        {"glyphs@5000x32x3", "height and width 1 to 4096"},
        {"noise[0]:uniform@2x2x1", "classes [0] of a set without labels"},
        {"npy", "expected npy:IMAGES.npy[,LABELS.npy]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dn_dataset *d = NULL;
        cr_expect_eq(dn_dataset_open(&d, cases[i].text, NULL), DN_ERROR_ARGUMENT, "%s", cases[i].text);
        cr_expect(strstr(dn_error_last(), cases[i].error), "error '%s', expected '%s' in it", dn_error_last(),
                  cases[i].error);
        cr_expect_null(d);
    }
}

Test(dataset_expression, list_knows_which_files_are_there)
{
    int found = 0;
    unsigned char bytes[64];
    folder f;
    folder_open(&f);
    const dn_dataset_options options = {.data_dir = f.path};
    folder_write(&f, "mnist/t10k-images.idx3-ubyte", bytes, make_idx_labels(bytes, 2));
    for (int i = 0; i < dn_dataset_info_count(); i++) {
        dn_dataset_info info;
        cr_assert_eq(dn_dataset_info_get(&info, i, &options), DN_OK);
        cr_assert(info.name && info.split && info.about && info.files);
        if (!info.files[0]) cr_expect_null(info.missing, "%s", info.name);
        if (strcmp(info.name, "mnist") != 0 || strcmp(info.split, "test") != 0) continue;
        cr_expect(info.n == 10000 && info.height == 28 && info.channels == 1 && info.classes == 10);
        cr_expect_str_eq(info.missing, "mnist/t10k-labels-idx1-ubyte.gz");
        folder_write(&f, "mnist/t10k-labels-idx1-ubyte.gz", bytes, 4);
        cr_assert_eq(dn_dataset_info_get(&info, i, &options), DN_OK);
        cr_expect_null(info.missing);
        found++;
    }
    cr_expect_eq(found, 1);
    dn_dataset_info info;
    cr_expect_eq(dn_dataset_info_get(&info, -1, NULL), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_dataset_info_get(&info, dn_dataset_info_count(), NULL), DN_ERROR_ARGUMENT);
    folder_close(&f);
}
