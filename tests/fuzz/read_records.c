/* The binary files of MNIST and CIFAR: IDX, plain and gzip, and records of label and image. The first byte says which
 * is read, the second how many labels are wanted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/idx.h"
#include "datasets/sets.h"
#include "fuzz.h"

static void expect(dn_status status, bool something)
{
    if (status == DN_OK ? something : dn_error_last()[0] != '\0' && status != DN_ERROR_INTERNAL) return;
    fprintf(stderr, "%s: %s\n", dn_status_name(status), dn_error_last());
    abort();
}

static void read_images(const char *path)
{
    dn__idx_images images = {0};
    const dn_status status = dn__idx_read_images(&images, path);
    expect(status, images.pixels && images.n > 0);
    unsigned sum = 0; /* touches all that is there */
    for (int64_t i = 0; status == DN_OK && i < images.n * images.height * images.width; i++) sum += images.pixels[i];
    if (sum == 1 && images.n > INT32_MAX) abort();
    dn_free(images.pixels);
}

static void read_labels(const char *path, int64_t n)
{
    int32_t *labels = NULL;
    const dn_status status = dn__idx_read_labels(&labels, path, n, 10);
    expect(status, labels != NULL);
    for (int64_t i = 0; status == DN_OK && i < n; i++)
        if (labels[i] < 0 || labels[i] > 9) abort();
    dn_free(labels);
}

static void read_records(char *path, const char *name, int classes)
{
    char *file = strrchr(path, '/');
    *file++ = '\0';
    const dn__set set = {.name = name, .split = "train", .classes = classes, .files = {file, NULL}};
    const dn__request request = {.set = &set, .directory = path, .most = INT64_MAX};
    dn_dataset *d = dn_calloc(1, sizeof *d);
    if (!d) abort();
    const dn_status status = dn__load_cifar(d, &request);
    expect(status, d->images && d->n > 0);
    for (int64_t i = 0; status == DN_OK && d->labels && i < d->n; i++)
        if (d->labels[i] < 0 || d->labels[i] >= classes) abort();
    dn_dataset_close(d);
}

void fuzz_records(const uint8_t *bytes, size_t n)
{
    char path[64];
    if (n < 2) return;
    snprintf(path, sizeof path, "%s", fuzz_file(bytes + 2, n - 2));
    switch (bytes[0] % 5) {
    case 0: read_images(path); break;
    case 1: read_labels(path, bytes[1]); break;
    case 2: read_records(path, "cifar10", 10); break;
    case 3: read_records(path, "cifar100", 100); break;
    default: read_records(path, "cifar100-coarse", 20); break;
    }
    fuzz_remove_file();
}
