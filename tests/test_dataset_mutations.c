/* Damaged files: cut off at every byte, and changed at random with fixed seeds. A reader must come back with an error
 * or with a sound set, and the sanitizers must stay silent. */
#include "change_bytes.h"
#include "datasets/npy.h"
#include "test_dataset_files.h"

#define IMAGES "mnist/t10k-images-idx3-ubyte"
#define LABELS "mnist/t10k-labels-idx1-ubyte"

enum { MUTANTS = 1500 };

/* A file of the folder, the expression that reads it, and its good bytes. */
typedef struct subject {
    const char *file;
    char expression[2 * LONGEST_PATH];
    unsigned char bytes[FILE_ROOM];
    size_t n;
} subject;

/* Opens what the expression says and touches everything that it gives. */
static dn_status open_and_touch(folder *f, const subject *s)
{
    dn_dataset *d = NULL;
    const dn_status status = dn_dataset_open(&d, s->expression, &(dn_dataset_options){.data_dir = f->path});
    if (status != DN_OK) {
        cr_assert(dn_error_last()[0]);
        return status;
    }
    const size_t bytes = (size_t)d->n * (size_t)(d->height * d->width * d->channels) * dn_dtype_size(d->type);
    unsigned sum = 0;
    for (size_t i = 0; i < bytes; i++) sum += ((unsigned char *)d->images)[i];
    for (int64_t i = 0; d->labels && i < d->n; i++) cr_assert(d->labels[i] >= 0 && d->labels[i] < d->classes);
    cr_assert_neq(sum, 1); /* use the sum */
    dn_dataset_close(d);
    return DN_OK;
}

static void mutate(folder *f, const subject *s)
{
    int refused = 0;
    for (uint32_t m = 0; m < MUTANTS; m++) {
        unsigned char bytes[FILE_ROOM] = {0};
        memcpy(bytes, s->bytes, s->n);
        change_bytes(bytes, s->n, m);
        folder_write(f, s->file, bytes, s->n);
        refused += open_and_touch(f, s) != DN_OK;
    }
    cr_expect_gt(refused, 0, "%s: none of %d mutants was refused", s->file, MUTANTS);
    folder_write(f, s->file, s->bytes, s->n);
    cr_expect_eq(open_and_touch(f, s), DN_OK, "%s", dn_error_last());
}

/* @param record a cut at a multiple of this leaves a good file (0: none does) */
static void cut(folder *f, const subject *s, size_t record)
{
    for (size_t n = 0; n < s->n; n++) {
        folder_write(f, s->file, s->bytes, n);
        const dn_status status = open_and_touch(f, s);
        const int good = record && n && n % record == 0;
        cr_assert_eq(status == DN_OK, good, "%s cut at byte %zu: status %d", s->file, n, status);
        if (!good)
            cr_assert(strstr(dn_error_last(), s->file) && strstr(dn_error_last(), "at byte "), "%s", dn_error_last());
    }
    folder_write(f, s->file, s->bytes, s->n);
}

static void write_mnist(folder *f)
{
    unsigned char bytes[FILE_ROOM];
    folder_write(f, IMAGES, bytes, make_idx_images(bytes, 2));
    folder_write(f, LABELS, bytes, make_idx_labels(bytes, 2));
}

Test(dataset_mutations, idx_images)
{
    folder f;
    subject s = {.file = IMAGES, .expression = "mnist:test"};
    folder_open(&f);
    write_mnist(&f);
    s.n = make_idx_images(s.bytes, 2);
    cut(&f, &s, 0);
    mutate(&f, &s);
    folder_close(&f);
}

Test(dataset_mutations, idx_labels)
{
    folder f;
    subject s = {.file = LABELS, .expression = "mnist:test"};
    folder_open(&f);
    write_mnist(&f);
    s.n = make_idx_labels(s.bytes, 2);
    cut(&f, &s, 0);
    mutate(&f, &s);
    folder_close(&f);
}

Test(dataset_mutations, idx_images_packed)
{
    folder f;
    unsigned char bytes[FILE_ROOM];
    subject s = {.file = IMAGES ".gz", .expression = "mnist:test"};
    folder_open(&f);
    write_mnist(&f);
    folder_remove(&f, IMAGES);
    folder_write_gzip(&f, s.file, bytes, make_idx_images(bytes, 2));
    s.n = folder_read(&f, s.file, s.bytes);
    cut(&f, &s, 0);
    mutate(&f, &s);
    folder_close(&f);
}

Test(dataset_mutations, cifar)
{
    folder f;
    subject s = {.file = "cifar-100-binary/test.bin", .expression = "cifar100:test"};
    folder_open(&f);
    s.n = make_cifar(s.bytes, 2, 2);
    cut(&f, &s, 3074);
    mutate(&f, &s);
    folder_close(&f);
}

Test(dataset_mutations, class_names)
{
    folder f;
    unsigned char bytes[FILE_ROOM];
    subject s = {.file = "cifar-10-batches-bin/batches.meta.txt", .expression = "cifar10:test"};
    folder_open(&f);
    folder_write(&f, "cifar-10-batches-bin/test_batch.bin", bytes, make_cifar(bytes, 2, 1));
    s.n = (size_t)snprintf((char *)s.bytes, sizeof s.bytes, "a\nb\nc\nd\ne\nf\ng\nh\ni\n");
    cr_expect_neq((folder_write(&f, s.file, s.bytes, s.n), open_and_touch(&f, &s)), DN_OK); /* one name too few */
    cut(&f, &s, 0);
    s.n += (size_t)snprintf((char *)s.bytes + s.n, 8, "j\n");
    mutate(&f, &s);
    folder_close(&f);
}

static void make_npy(folder *f, subject *s, dn_dtype type)
{
    const int64_t dims[3] = {3, 4, 5};
    const double data[60] = {1};
    s->file = "images.npy";
    snprintf(s->expression, sizeof s->expression, "npy:%s/images.npy", f->path);
    cr_assert_eq(dn_npy_write(folder_file(f, s->file), type, 3, dims, data), DN_OK, "%s", dn_error_last());
    s->n = folder_read(f, s->file, s->bytes);
}

Test(dataset_mutations, npy_bytes)
{
    folder f;
    subject s = {0};
    folder_open(&f);
    make_npy(&f, &s, DN_U8);
    cut(&f, &s, 0);
    mutate(&f, &s);
    folder_close(&f);
}

Test(dataset_mutations, npy_doubles)
{
    folder f;
    subject s = {0};
    folder_open(&f);
    make_npy(&f, &s, DN_F64);
    cut(&f, &s, 0);
    mutate(&f, &s);
    folder_close(&f);
}
