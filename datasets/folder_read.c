/* A folder's files, by all threads. */
#include <string.h>

#include "core/alloc.h"
#include "datasets/expression.h"
#include "datasets/folder_private.h"
#include "datasets/image.h"

dn_status dn__for_files(dn__file_job *job, void *context, int64_t n)
{
    int64_t failed = INT64_MAX, failures = 0;
#pragma omp parallel for schedule(dynamic, 8) reduction(min : failed) reduction(+ : failures)
    for (int64_t i = 0; i < n; i++)
        if (job(context, i) != DN_OK) {
            failed = i < failed ? i : failed;
            failures++;
        }
    if (failures == 0) return DN_OK;
    /* The text of an error stays with its thread: once more, on this one. */
    const dn_status status = job(context, failed);
    if (status == DN_OK) return dn_fail(DN_ERROR_FILE, "a file changed while the folder was read; try again");
    if (failures > 1) return dn_fail(status, "%s (the first of %lld such files)", dn_error_last(), (long long)failures);
    return status;
}

char *dn__folder_file(const dn_folder *folder, int64_t i)
{
    return dn_format("%s/%s", folder->path, folder->files[i]);
}

/* ---- sizes ---- */

typedef struct measuring {
    const dn_folder *folder;
    dn_image *sizes; /* [N], without pixels */
} measuring;

static dn_status measure(void *context, int64_t i)
{
    const measuring *m = context;
    char *path = dn__folder_file(m->folder, i);
    const dn_status status = path ? dn_image_measure_file(&m->sizes[i], path) : DN_ERROR_MEMORY;
    dn_free(path);
    return status;
}

/* The error names two files that differ, and a size that makes no image larger. */
static dn_status several_sizes(const dn_folder *f, const dn_image *sizes, int64_t other)
{
    int side = 64, channels = 1;
    for (int64_t i = 0; i < f->n; i++) {
        side = sizes[i].height < side ? sizes[i].height : side;
        side = sizes[i].width < side ? sizes[i].width : side;
        channels = sizes[i].channels > channels ? sizes[i].channels : channels;
    }
    return dn_fail(DN_ERROR_SHAPE,
                   "%s: images of several sizes: %s has %dx%d, %s %dx%d; say which size they shall have, such as "
                   "@%dx%dx%d/crop at the end of the name",
                   f->path, f->files[0], sizes[0].height, sizes[0].width, f->files[other], sizes[other].height,
                   sizes[other].width, side, side, channels);
}

static dn_status check_sides(const dn_folder *f)
{
    if (f->size.height <= DN__LONGEST_SIDE && f->size.width <= DN__LONGEST_SIDE) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE,
                   "%s: images of %dx%d, expected sides of at most %d in a set; say which size they shall have, such "
                   "as @64x64x%d/crop at the end of the name",
                   f->path, f->size.height, f->size.width, DN__LONGEST_SIDE, f->size.channels);
}

dn_status dn__folder_measure(dn_folder *f)
{
    measuring m = {f, dn_calloc((size_t)f->n, sizeof *m.sizes)};
    if (!m.sizes) return DN_ERROR_MEMORY;
    dn_status status = dn__for_files(measure, &m, f->n);
    if (status == DN_OK) f->size = (dn_size){.height = m.sizes[0].height, .width = m.sizes[0].width, .channels = 1};
    for (int64_t i = 0; i < f->n && status == DN_OK; i++) {
        if (m.sizes[i].height != f->size.height || m.sizes[i].width != f->size.width)
            status = several_sizes(f, m.sizes, i);
        if (m.sizes[i].channels > f->size.channels) f->size.channels = m.sizes[i].channels;
    }
    dn_free(m.sizes);
    return status == DN_OK ? check_sides(f) : status;
}

/* ---- pixels ---- */

typedef struct reading {
    const dn_folder *folder;
    uint8_t *images; /* [n,H,W,C] */
    int64_t first;
    const int64_t *items; /* [n]; NULL: those from `first` on */
    size_t image_bytes;
} reading;

static dn_status fit(const reading *r, uint8_t *to, dn_image *image)
{
    dn_dataset one = {.n = 1,
                      .type = DN_U8,
                      .height = image->height,
                      .width = image->width,
                      .channels = image->channels,
                      .images = image->pixels};
    const dn_status status = dn_dataset_resize(&one, &r->folder->size);
    image->pixels = one.images; /* whichever it is now */
    if (status == DN_OK) memcpy(to, one.images, r->image_bytes);
    return status;
}

static dn_status read_one(void *context, int64_t i)
{
    const reading *r = context;
    dn_image image = {0};
    char *path = dn__folder_file(r->folder, r->items ? r->items[i] : r->first + i);
    dn_status status = path ? dn_image_read(&image, path) : DN_ERROR_MEMORY;
    if (status == DN_OK) {
        status = fit(r, r->images + (size_t)i * r->image_bytes, &image);
        if (status != DN_OK) dn_fail_context(status, "%s", path);
    }
    dn_image_clear(&image);
    dn_free(path);
    return status;
}

static size_t image_bytes(const dn_folder *f)
{
    return (size_t)f->size.height * (size_t)f->size.width * (size_t)f->size.channels;
}

dn_status dn_folder_read(const dn_folder *f, uint8_t *images, int64_t first, int64_t n)
{
    if (first < 0 || n < 0 || first > f->n || n > f->n - first)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: images %lld to %lld, expected 0 to %lld", f->path, (long long)first,
                       (long long)(first + n - 1), (long long)(f->n - 1));
    reading r = {.folder = f, .images = images, .first = first, .image_bytes = image_bytes(f)};
    return dn__for_files(read_one, &r, n);
}

dn_status dn_folder_gather(const dn_folder *f, uint8_t *images, const int64_t *items, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (items[i] < 0 || items[i] >= f->n)
            return dn_fail(DN_ERROR_ARGUMENT, "%s: image %lld, expected 0 to %lld", f->path, (long long)items[i],
                           (long long)(f->n - 1));
    reading r = {.folder = f, .images = images, .items = items, .image_bytes = image_bytes(f)};
    return dn__for_files(read_one, &r, n);
}
