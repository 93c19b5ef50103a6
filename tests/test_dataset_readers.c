/* IDX and CIFAR files, good and bad. */
#include "datasets/image.h"
#include "datasets/npy.h"
#include "test_dataset_files.h"

#define IMAGES "mnist/t10k-images-idx3-ubyte"
#define LABELS "mnist/t10k-labels-idx1-ubyte"

static void write_mnist(folder *f, uint32_t images, uint32_t labels)
{
    unsigned char bytes[FILE_ROOM];
    folder_write(f, IMAGES, bytes, make_idx_images(bytes, images));
    folder_write(f, LABELS, bytes, make_idx_labels(bytes, labels));
}

Test(dataset_readers, idx_gives_what_was_written)
{
    folder f;
    folder_open(&f);
    write_mnist(&f, 12, 12);
    dn_dataset *d = NULL;
    cr_assert_eq(dn_dataset_open(&d, "mnist:test", &(dn_dataset_options){.data_dir = f.path}), DN_OK, "%s",
                 dn_error_last());
    cr_expect_eq(d->n, 12);
    cr_expect(d->height == 28 && d->width == 28 && d->channels == 1 && d->type == DN_U8 && d->classes == 10);
    for (int i = 0; i < 12 * 784; i++)
        cr_assert_eq(((uint8_t *)d->images)[i], (uint8_t)(i * 7 + i / 784), "pixel %d", i);
    for (int i = 0; i < 12; i++) cr_expect_eq(d->labels[i], 9 - i % 10);
    cr_expect_str_eq(d->class_names[3], "3");
    cr_expect_str_eq(d->name, "mnist:test");
    cr_expect(strstr(d->provenance, IMAGES) && strstr(d->provenance, "12 items"), "%s", d->provenance);
    dn_dataset_close(d);
    folder_close(&f);
}

Test(dataset_readers, idx_packed_and_plain_and_both_spellings_are_equal)
{
    static const char *const spellings[4][2] = {{IMAGES, LABELS},
                                                {IMAGES ".gz", LABELS ".gz"},
                                                {"mnist/t10k-images.idx3-ubyte", "mnist/t10k-labels.idx1-ubyte"},
                                                {"mnist/t10k-images.idx3-ubyte.gz", "mnist/t10k-labels.idx1-ubyte.gz"}};
    unsigned char images[FILE_ROOM], labels[64];
    const size_t image_bytes = make_idx_images(images, 5), label_bytes = make_idx_labels(labels, 5);
    folder f;
    folder_open(&f);
    for (int s = 0; s < 4; s++) {
        dn_dataset *d = NULL;
        (s & 1 ? folder_write_gzip : folder_write)(&f, spellings[s][0], images, image_bytes);
        (s & 1 ? folder_write_gzip : folder_write)(&f, spellings[s][1], labels, label_bytes);
        cr_assert_eq(dn_dataset_open(&d, "mnist:test", &(dn_dataset_options){.data_dir = f.path}), DN_OK, "%s: %s",
                     spellings[s][0], dn_error_last());
        cr_expect_eq(memcmp(d->images, images + 16, 5 * 784), 0);
        cr_expect_eq(d->labels[4], 5);
        dn_dataset_close(d);
        folder_remove(&f, spellings[s][0]);
        folder_remove(&f, spellings[s][1]);
    }
    folder_close(&f);
}

/* One change to a good pair of files, and what the error must say. */
typedef struct idx_case {
    int of_labels, at;
    uint32_t value;
    const char *text;
} idx_case;

Test(dataset_readers, idx_errors_name_file_offset_found_and_expected)
{
    static const idx_case cases[] = {
        {0, 0, 0x802, IMAGES ": at byte 0: magic number 0x00000802, expected 0x00000803 (images)"},
        {1, 0, 0x803, LABELS ": at byte 0: magic number 0x00000803, expected 0x00000801 (labels)"},
        {0, 4, 0, IMAGES ": at byte 4: number of images 0, expected 1 to 2147483647"},
        {0, 4, 4, IMAGES ": at byte 16: found at most 2352 bytes, expected 3136 bytes of image data"},
        {0, 4, 2, IMAGES ": at byte 1584: found 784 bytes too many, expected the end of the file"},
        {0, 4, 0x7fffffff, "bytes"},
        {0, 8, 0xffffffff, IMAGES ": at byte 8: image height 4294967295, expected 1 to 4096"},
        {0, 12, 14, "bytes too many"},
        {1, 4, 4, LABELS ": at byte 4: 4 labels, expected 3, as many as there are images"},
        {1, 8, 0x0102ff04, LABELS ": at byte 10: label 255, expected 0 to 9"}};
    folder f;
    folder_open(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char bytes[2][FILE_ROOM];
        const size_t n[2] = {make_idx_images(bytes[0], 3), make_idx_labels(bytes[1], 3)};
        put_be32(bytes[cases[i].of_labels] + cases[i].at, cases[i].value);
        folder_write(&f, IMAGES, bytes[0], n[0]);
        folder_write(&f, LABELS, bytes[1], n[1]);
        expect_error(&f, "mnist:test", DN_ERROR_FORMAT, cases[i].text);
    }
    folder_close(&f);
}

Test(dataset_readers, idx_of_another_size_is_refused)
{
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    write_mnist(&f, 4, 4);
    const size_t n = make_idx_images(bytes, 4);
    put_be32(bytes + 8, 14);
    put_be32(bytes + 12, 56);
    folder_write(&f, IMAGES, bytes, n);
    expect_error(&f, "mnist:test", DN_ERROR_FORMAT, "at byte 8: images of 14x56, expected 28x28");
    folder_close(&f);
}

Test(dataset_readers, packed_promises_are_refused_before_memory_is_taken)
{
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    write_mnist(&f, 3, 3);
    folder_remove(&f, IMAGES);
    make_idx_images(bytes, 3);
    put_be32(bytes + 4, 4000000); /* 3 GB from a few hundred bytes */
    folder_write_gzip(&f, IMAGES ".gz", bytes, 16 + 3 * 784);
    expect_error(&f, "mnist:test", DN_ERROR_FORMAT, "of the unpacked data: found at most");
    put_be32(bytes + 4, 3);
    folder_write_gzip(&f, IMAGES ".gz", bytes, FILE_ROOM - 1); /* more than promised */
    expect_error(&f, "mnist:test", DN_ERROR_FORMAT, "at byte 2368 of the unpacked data: found more bytes");
    folder_close(&f);
}

Test(dataset_readers, packed_checksum_is_looked_at)
{
    unsigned char bytes[FILE_ROOM], packed[FILE_ROOM];
    folder f;
    folder_open(&f);
    write_mnist(&f, 3, 3);
    folder_remove(&f, IMAGES);
    folder_write_gzip(&f, IMAGES ".gz", bytes, make_idx_images(bytes, 3));
    const size_t n = folder_read(&f, IMAGES ".gz", packed);
    packed[n - 8] ^= 1; /* the CRC-32 */
    folder_write(&f, IMAGES ".gz", packed, n);
    expect_error(&f, "mnist:test", DN_ERROR_FORMAT, "damaged gzip data");
    folder_close(&f);
}

Test(dataset_readers, missing_files_and_folders_are_named)
{
    folder f;
    folder_open(&f);
    expect_error(&f, "mnist:test", DN_ERROR_FILE, "cannot find mnist/t10k-images-idx3-ubyte.gz in the data directory");
    cr_assert_eq(mkdir(folder_file(&f, IMAGES), 0700), 0);
    expect_error(&f, "mnist:test", DN_ERROR_FILE, "cannot find mnist/t10k-labels");
    unsigned char bytes[64];
    folder_write(&f, LABELS, bytes, make_idx_labels(bytes, 3));
    expect_error(&f, "mnist:test", DN_ERROR_FILE, IMAGES ": not a regular file");
    rmdir(folder_file(&f, IMAGES));
    folder_close(&f);
}

Test(dataset_readers, cifar_planes_become_pixels)
{
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    folder_write(&f, "cifar-100-binary/test.bin", bytes, make_cifar(bytes, 4, 2));
    for (int coarse = 0; coarse < 2; coarse++) {
        dn_dataset *d = NULL;
        cr_assert_eq(dn_dataset_open(&d, coarse ? "cifar100-coarse:test" : "cifar100:test",
                                     &(dn_dataset_options){.data_dir = f.path}),
                     DN_OK, "%s", dn_error_last());
        cr_expect(d->n == 4 && d->height == 32 && d->width == 32 && d->channels == 3);
        cr_expect_eq(d->classes, coarse ? 20 : 100);
        for (int i = 0; i < 4; i++) {
            cr_expect_eq(d->labels[i], coarse ? i : i + 1);
            for (int p = 0; p < 3072; p++)
                cr_assert_eq(((uint8_t *)d->images)[i * 3072 + p], (uint8_t)(p % 3 * 80 + p / 3 % 79 + i));
        }
        dn_dataset_close(d);
    }
    folder_close(&f);
}

/* The official lists: one name a line, in the order of the numbers, and an empty line at the end. */
Test(dataset_readers, cifar100_has_names_of_both_kinds)
{
    unsigned char bytes[FILE_ROOM];
    char fine[2000] = "", coarse[400] = "";
    folder f;
    folder_open(&f);
    for (int i = 0; i < 100; i++) snprintf(fine + strlen(fine), sizeof fine - strlen(fine), "fine_%d\n", i);
    for (int i = 0; i < 20; i++)
        snprintf(coarse + strlen(coarse), sizeof coarse - strlen(coarse), "coarse_%d\n%s", i, i == 19 ? "\n" : "");
    folder_write(&f, "cifar-100-binary/train.bin", bytes, make_cifar(bytes, 4, 2));
    folder_write(&f, "cifar-100-binary/fine_label_names.txt", fine, strlen(fine));
    folder_write(&f, "cifar-100-binary/coarse_label_names.txt", coarse, strlen(coarse));
    static const char *const names[2][2] = {{"cifar100[fine_4,fine_1]", "fine_4"},
                                            {"cifar100-coarse[coarse_3,coarse_0]:train", "coarse_3"}};
    for (int kind = 0; kind < 2; kind++) {
        dn_dataset *d = NULL;
        cr_assert_eq(dn_dataset_open(&d, names[kind][0], &(dn_dataset_options){.data_dir = f.path}), DN_OK, "%s",
                     dn_error_last());
        cr_expect(d->n == 2 && d->classes == 2 && d->labels[0] == 1 && d->labels[1] == 0);
        cr_expect_str_eq(d->class_names[0], names[kind][1]);
        dn_dataset_close(d);
    }
    bytes[0] = 20, bytes[3074 + 1] = 100; /* a coarse label, then a fine one, out of range */
    folder_write(&f, "cifar-100-binary/train.bin", bytes, 4 * 3074);
    expect_error(&f, "cifar100-coarse", DN_ERROR_FORMAT, "train.bin: at byte 0: label 20, expected 0 to 19");
    expect_error(&f, "cifar100", DN_ERROR_FORMAT, "train.bin: at byte 3075: label 100, expected 0 to 99");
    folder_write(&f, "cifar-100-binary/fine_label_names.txt", fine, strlen(fine) - 8);
    bytes[3075] = 99;
    folder_write(&f, "cifar-100-binary/train.bin", bytes, 4 * 3074);
    expect_error(&f, "cifar100", DN_ERROR_FORMAT,
                 "fine_label_names.txt: at byte 782: the file ends after 99 class names");
    folder_close(&f);
}

Test(dataset_readers, cifar_errors)
{
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    const size_t n = make_cifar(bytes, 3, 1);
    folder_write(&f, "cifar-10-batches-bin/test_batch.bin", bytes, n);
    cr_expect_eq(folder_try(&f, "cifar10:test"), DN_OK);
    folder_write(&f, "cifar-10-batches-bin/test_batch.bin", bytes, n - 1);
    expect_error(&f, "cifar10:test", DN_ERROR_FORMAT,
                 "test_batch.bin: at byte 6146: found 9218 bytes in the file, expected a multiple of 3073");
    folder_write(&f, "cifar-10-batches-bin/test_batch.bin", bytes, 0);
    expect_error(&f, "cifar10:test", DN_ERROR_FORMAT, "found 0 bytes");
    bytes[3073] = 10;
    folder_write(&f, "cifar-10-batches-bin/test_batch.bin", bytes, n);
    expect_error(&f, "cifar10:test", DN_ERROR_FORMAT, "test_batch.bin: at byte 3073: label 10, expected 0 to 9");
    folder_write_gzip(&f, "cifar-10-batches-bin/test_batch.bin", bytes, n);
    expect_error(&f, "cifar10:test", DN_ERROR_FORMAT, "at byte 0: gzip data, expected a plain file");
    expect_error(&f, "cifar10:train", DN_ERROR_FILE, "cannot find cifar-10-batches-bin/data_batch_1.bin");
    folder_close(&f);
}

Test(dataset_readers, label_255_means_unlabelled)
{
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    const size_t n = make_cifar(bytes, 2, 1);
    folder_write(&f, "textures/dtd10_crop32.bin", bytes, n);
    cr_expect_eq(folder_try(&f, "textures:crop[0]@8x8x1"), DN_ERROR_ARGUMENT);
    cr_expect_eq(folder_try(&f, "textures[0]:crop@8x8x1"), DN_OK, "%s", dn_error_last());
    bytes[0] = 255;
    folder_write(&f, "textures/dtd10_crop32.bin", bytes, n);
    expect_error(&f, "textures:crop", DN_ERROR_FORMAT, "1 of 2 items unlabelled");
    bytes[3073] = 255;
    folder_write(&f, "textures/dtd10_crop32.bin", bytes, n);
    dn_dataset *d = NULL;
    cr_assert_eq(dn_dataset_open(&d, "textures:crop", &(dn_dataset_options){.data_dir = f.path}), DN_OK);
    cr_expect(d->labels == NULL && d->classes == 0 && d->n == 2);
    dn_dataset_close(d);
    expect_error(&f, "textures[0]:crop", DN_ERROR_ARGUMENT, "classes [0] of a set without labels");
    folder_close(&f);
}

Test(dataset_readers, class_names_come_from_their_file)
{
    static const char good[] = "a\nb\r\nc\nd\ne\n\nf\ng\nh\ni\nten \n\n", few[] = "a\nb\n", bad[] = "a\n\x01\n";
    unsigned char bytes[FILE_ROOM];
    folder f;
    folder_open(&f);
    folder_write(&f, "cifar-10-batches-bin/test_batch.bin", bytes, make_cifar(bytes, 10, 1));
    cr_expect_eq(folder_try(&f, "cifar10[frog]:test"), DN_OK); /* known without the file */
    folder_write(&f, "cifar-10-batches-bin/batches.meta.txt", good, sizeof good - 1);
    dn_dataset *d = NULL;
    cr_assert_eq(dn_dataset_open(&d, "cifar10[ten,b]:test", &(dn_dataset_options){.data_dir = f.path}), DN_OK, "%s",
                 dn_error_last());
    cr_expect(d->n == 2 && d->classes == 2 && d->labels[0] == 1 && d->labels[1] == 0);
    cr_expect_str_eq(d->class_names[0], "ten");
    dn_dataset_close(d);
    folder_write(&f, "cifar-10-batches-bin/batches.meta.txt", few, sizeof few - 1);
    expect_error(&f, "cifar10:test", DN_ERROR_FORMAT, "at byte 4: the file ends after 2 class names, expected 10");
    folder_write(&f, "cifar-10-batches-bin/batches.meta.txt", bad, sizeof bad - 1);
    expect_error(&f, "cifar10:test", DN_ERROR_FORMAT, "batches.meta.txt: at byte 2: byte 0x01, expected class names");
    folder_close(&f);
}

/* ---- ODIN's sets ---- */

static void write_png(folder *f, const char *name, int side, uint8_t first)
{
    static uint8_t pixels[36 * 36 * 3];
    const dn_image image = {.height = side, .width = side, .channels = 3, .pixels = pixels};
    for (int i = 0; i < side * side * 3; i++) pixels[i] = (uint8_t)(first + i);
    cr_assert_eq(dn_image_write_png(folder_file(f, name), &image), DN_OK, "%s", dn_error_last());
}

Test(dataset_readers, odin_folders_are_read_with_and_without_a_sub_folder)
{
    static const char *const sets[] = {"lsun:resize", "isun"};
    folder f;
    folder_open(&f);
    write_png(&f, "LSUN_resize/test/1.png", 32, 1);
    write_png(&f, "LSUN_resize/test/2.png", 32, 2);
    write_png(&f, "iSUN/1.png", 32, 1);
    write_png(&f, "iSUN/2.png", 32, 2);
    for (int s = 0; s < 2; s++) {
        dn_dataset *d = NULL;
        cr_assert_eq(dn_dataset_open(&d, sets[s], &(dn_dataset_options){.data_dir = f.path}), DN_OK, "%s: %s", sets[s],
                     dn_error_last());
        cr_assert(d->n == 2 && d->height == 32 && d->channels == 3 && d->type == DN_U8 && !d->labels && !d->classes);
        for (int i = 0; i < 2 * 3072; i++)
            cr_assert_eq(((uint8_t *)d->images)[i], (uint8_t)(i / 3072 + 1 + i % 3072), "%d", i);
        dn_dataset_close(d);
    }
    write_png(&f, "iSUN/3.png", 32, 3);
    write_png(&f, "iSUN/4.png", 32, 4);
    dn_dataset *first = NULL;
    cr_assert_eq(dn_dataset_open(&first, "isun", &(dn_dataset_options){.data_dir = f.path, .limit = 2}), DN_OK);
    cr_expect(first->n == 2 && ((uint8_t *)first->images)[3072] == 2, "the first items, as of an array");
    cr_expect_str_eq(first->item_names[1], "2.png");
    dn_dataset_close(first);
    write_png(&f, "iSUN/2.png", 36, 2);
    expect_error(&f, "isun", DN_ERROR_SHAPE, "iSUN");
    write_png(&f, "iSUN/1.png", 36, 1);
    write_png(&f, "iSUN/3.png", 36, 3);
    write_png(&f, "iSUN/4.png", 36, 4);
    cr_expect_eq(folder_try(&f, "isun@32x32x3/cut"), DN_OK, "%s", dn_error_last());
    expect_error(&f, "isun:crop", DN_ERROR_ARGUMENT, "unknown split 'crop' of 'isun'");
    expect_error(&f, "lsun:crop", DN_ERROR_FILE, "cannot find LSUN in the data directory");
    folder_close(&f);
}

/* As iSUN.tar.gz unpacks. */
Test(dataset_readers, odin_folders_may_hold_jpeg_files)
{
    static const char *const names[] = {"iSUN/iSUN_patches/1.jpeg", "iSUN/iSUN_patches/2.jpeg"};
    unsigned char bytes[FILE_ROOM];
    folder f;
    dn_dataset *d = NULL;
    folder_open(&f);
    FILE *file = fopen(DN_FUZZ_CORPUS "/image/rgb_444.jpg", "rb");
    cr_assert_not_null(file);
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (int i = 0; i < 2; i++) folder_write(&f, names[i], bytes, n);
    cr_assert_eq(dn_dataset_open(&d, "isun@32x32x3", &(dn_dataset_options){.data_dir = f.path}), DN_OK, "%s",
                 dn_error_last());
    cr_expect(d->n == 2 && d->height == 32 && d->channels == 3 && !d->labels && !d->classes && !d->class_names);
    cr_expect_str_eq(d->item_names[1], "iSUN_patches/2.jpeg");
    cr_expect(memcmp(d->images, (char *)d->images + 3072, 3072) == 0);
    dn_dataset_close(d);
    folder_close(&f);
}

Test(dataset_readers, odin_arrays_stand_in_for_folders)
{
    static uint8_t images[2 * 3072];
    folder f;
    folder_open(&f);
    for (int i = 0; i < 2 * 3072; i++) images[i] = (uint8_t)(i * 5);
    cr_assert_eq(dn_npy_write(folder_file(&f, "Imagenet.npy"), DN_U8, 4, (const int64_t[]){2, 32, 32, 3}, images),
                 DN_OK);
    dn_dataset *d = NULL;
    cr_assert_eq(dn_dataset_open(&d, "tiny_imagenet_odin", &(dn_dataset_options){.data_dir = f.path, .limit = 1}),
                 DN_OK, "%s", dn_error_last());
    cr_expect(d->n == 1 && !d->labels && memcmp(d->images, images, 3072) == 0);
    dn_dataset_close(d);
    cr_assert_eq(dn_npy_write(folder_file(&f, "Imagenet.npy"), DN_U8, 3, (const int64_t[]){2, 32, 96}, images), DN_OK);
    expect_error(&f, "tiny_imagenet_odin:crop", DN_ERROR_FORMAT, "found images of 32x96x1, expected three channels");
    folder_close(&f);
}
