#include "datasets/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"

enum { BLOCK_BYTES = 8 << 20, MOST_AT_ONCE = 4096 };
static const int64_t GIBIBYTE = 1 << 30;

void dn__rows_close(dn__rows *rows)
{
    if (!rows) return;
    if (rows->close) rows->close(rows->context);
    dn_free(rows->chosen);
    dn_free(rows);
}

/* ---- choosing ---- */

static int64_t count_kept(const dn_dataset *d, const int *number, int64_t most)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < d->n && kept < most; i++) kept += !number || number[d->labels[i]] >= 0;
    return kept;
}

dn_status dn__rows_keep(dn_dataset *d, const int *number, int64_t most)
{
    dn__rows *r = d->rows;
    const int64_t kept = count_kept(d, number, most);
    if (kept < d->n || number) r->has_print = false;
    if (number && !r->chosen) {
        r->chosen = dn_calloc((size_t)kept, sizeof *r->chosen);
        if (!r->chosen) return DN_ERROR_MEMORY;
        for (int64_t i = 0, to = 0; to < kept; i++) {
            if (number[d->labels[i]] < 0) continue;
            r->chosen[to] = i;
            d->labels[to++] = number[d->labels[i]];
        }
    }
    d->n = kept;
    if (d->labels && kept > 0) d->labels = dn_shrink(d->labels, (size_t)kept * sizeof *d->labels);
    return DN_OK;
}

/* ---- another size ---- */

/* Brings images [n] of the file's size to the set's. */
static dn_status resize_block(const dn_dataset *d, void **images, int64_t n)
{
    dn_dataset block = {.n = n,
                        .height = d->rows->height,
                        .width = d->rows->width,
                        .channels = d->rows->channels,
                        .type = d->type,
                        .images = *images};
    const dn_status status = dn_dataset_resize(&block, &d->rows->size);
    *images = block.images;
    return status;
}

dn_status dn__rows_resize(dn_dataset *d, const dn_size *size)
{
    dn__rows *r = d->rows;
    r->height = d->height, r->width = d->width, r->channels = d->channels;
    r->size = *size;
    r->has_print = false;
    void *one = dn_calloc_aligned(dn_dataset_image_bytes(d));
    if (!one) return DN_ERROR_MEMORY;
    const dn_status status = resize_block(d, &one, 1);
    dn_free(one);
    d->height = size->height, d->width = size->width, d->channels = size->channels;
    return status;
}

/* ---- reading ---- */

size_t dn_dataset_image_bytes(const dn_dataset *d)
{
    return (size_t)d->height * (size_t)d->width * (size_t)d->channels * dn_dtype_size(d->type);
}

static dn_status check_there(const dn_dataset *d)
{
    return d->images ? DN_OK
                     : dn_fail(DN_ERROR_ARGUMENT, "the images of data set '%s' are not there any more", d->name);
}

static dn_status check_items(const dn_dataset *d, const int64_t *items, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (items[i] < 0 || items[i] >= d->n)
            return dn_fail(DN_ERROR_ARGUMENT, "data set '%s' has %" PRId64 " items, there is no item %" PRId64, d->name,
                           d->n, items[i]);
    return DN_OK;
}

/* @param rows [n] of the file */
static dn_status read_resized(const dn_dataset *d, const int64_t *rows, int64_t n, void *to)
{
    const dn__rows *r = d->rows;
    const size_t stored = (size_t)r->height * (size_t)r->width * (size_t)r->channels * dn_dtype_size(d->type);
    void *images = dn_calloc_aligned((size_t)n * stored);
    if (!images) return DN_ERROR_MEMORY;
    dn_status status = r->read(r->context, rows, n, images);
    if (status == DN_OK) status = resize_block(d, &images, n);
    if (status == DN_OK) memcpy(to, images, (size_t)n * dn_dataset_image_bytes(d));
    dn_free(images);
    return status;
}

/* How many images are read at once: of resized ones, there are several copies, of both sizes. */
static int64_t at_once(const dn_dataset *d)
{
    const dn__rows *r = d->rows;
    if (!r->size.height) return MOST_AT_ONCE;
    const size_t stored = (size_t)r->height * (size_t)r->width * (size_t)r->channels * dn_dtype_size(d->type);
    const size_t shown = dn_dataset_image_bytes(d);
    const int64_t n = BLOCK_BYTES / (int64_t)(stored > shown ? stored : shown);
    return n < 1 ? 1 : n > MOST_AT_ONCE ? MOST_AT_ONCE : n;
}

/* At most MOST_AT_ONCE rows, of items or, where that is NULL, from `first` on. */
static dn_status read_some(const dn_dataset *d, const int64_t *items, int64_t first, int64_t n, void *to)
{
    int64_t rows[MOST_AT_ONCE];
    for (int64_t i = 0; i < n; i++) {
        const int64_t item = items ? items[i] : first + i;
        rows[i] = d->rows->chosen ? d->rows->chosen[item] : item;
    }
    return d->rows->size.height ? read_resized(d, rows, n, to) : d->rows->read(d->rows->context, rows, n, to);
}

static dn_status name_set(dn_status status, const dn_dataset *d)
{
    return status == DN_OK ? DN_OK : dn_fail_context(status, "data set '%s'", d->name);
}

/* @param items NULL: those from `first` on */
static dn_status read_all(const dn_dataset *d, const int64_t *items, int64_t first, int64_t n, void *to)
{
    const size_t item = dn_dataset_image_bytes(d);
    const int64_t most = at_once(d);
    for (int64_t i = 0; i < n; i += most)
        DN_TRY(read_some(d, items ? items + i : NULL, first + i, n - i < most ? n - i : most,
                         (char *)to + (size_t)i * item));
    return DN_OK;
}

dn_status dn_dataset_gather(const dn_dataset *d, const int64_t *items, int64_t n, void *to)
{
    const size_t item = dn_dataset_image_bytes(d);
    char *at = to;
    DN_TRY(check_items(d, items, n));
    if (!d->rows) {
        DN_TRY(check_there(d));
        for (int64_t i = 0; i < n; i++)
            memcpy(at + (size_t)i * item, (char *)d->images + (size_t)items[i] * item, item);
        return DN_OK;
    }
    return name_set(read_all(d, items, 0, n, to), d);
}

dn_status dn_dataset_read(const dn_dataset *d, int64_t first, int64_t n, void *to)
{
    const size_t item = dn_dataset_image_bytes(d);
    if (first < 0 || n < 0 || first > d->n - n)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "data set '%s' has %" PRId64 " items, there are no %" PRId64 " from item %" PRId64, d->name,
                       d->n, n, first);
    if (!d->rows) {
        DN_TRY(check_there(d));
        memcpy(to, (char *)d->images + (size_t)first * item, (size_t)n * item);
        return DN_OK;
    }
    return name_set(read_all(d, NULL, first, n, to), d);
}

/* ---- in memory or not ---- */

/* Reads "500M", "2G" or plain bytes. */
static dn_status parse_bytes(const char *text, int64_t *bytes)
{
    static const char units[] = "KMGT";
    char *end = NULL;
    const double number = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;
    double factor = 1.0;
    for (const char *u = units; unit && u <= unit; u++) factor *= 1024.0;
    const bool whole = end != text && (*end == '\0' || (unit && end[1] == '\0'));
    if (!whole || !(number * factor >= 1.0 && number * factor < 0x1p62))
        return dn_fail(DN_ERROR_ARGUMENT, "memory for images '%s', expected a size such as 500M or 2G", text);
    *bytes = (int64_t)(number * factor);
    return DN_OK;
}

static dn_status find_limit(const dn_dataset_options *options, int64_t *bytes)
{
    const char *said = getenv("DUNLIN_MEMORY");
    *bytes = options->memory;
    if (*bytes > 0) return DN_OK;
    if (said && *said) return parse_bytes(said, bytes);
    const int64_t pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    const int64_t quarter = pages > 0 && size > 0 ? pages * (size / 4) : GIBIBYTE;
    *bytes = quarter < 2 * GIBIBYTE ? quarter : 2 * GIBIBYTE;
    return DN_OK;
}

dn_status dn__rows_settle(dn_dataset *d, const dn_dataset_options *options)
{
    const size_t item = dn_dataset_image_bytes(d);
    int64_t limit = 0;
    if (!d->rows) return DN_OK;
    if (options && options->stream) {
        DN_TRY(find_limit(options, &limit));
        if ((double)d->n * (double)item > (double)limit) return DN_OK;
    }
    if ((uint64_t)d->n > SIZE_MAX / item)
        return dn_fail(DN_ERROR_MEMORY, "%" PRId64 " images of %zu bytes do not fit into memory", d->n, item);
    void *images = dn_calloc_aligned((size_t)d->n * item);
    if (!images) return DN_ERROR_MEMORY;
    const dn_status status = read_all(d, NULL, 0, d->n, images); /* who opens the set names it */
    if (status != DN_OK) {
        dn_free(images);
        return status;
    }
    d->images = images;
    dn__rows_close(d->rows);
    d->rows = NULL;
    return DN_OK;
}

/* ---- fingerprints ---- */

void dn__fingerprint_begin(dn_hash *hash, const dn_dataset *d)
{
    const int64_t shape[6] = {d->n, d->height, d->width, d->channels, d->type, d->classes};
    dn_hash_begin(hash, dn_hash_of(0, shape, sizeof shape), (uint64_t)d->n * dn_dataset_image_bytes(d));
}

uint64_t dn__fingerprint_end(dn_hash *hash, const dn_dataset *d)
{
    const uint64_t print = dn_hash_end(hash);
    return d->labels ? dn_hash_of(print, d->labels, (size_t)d->n * sizeof *d->labels) : print;
}

static dn_status add_images(const dn_dataset *d, dn_hash *hash)
{
    const size_t item = dn_dataset_image_bytes(d);
    const int64_t most = (int64_t)(BLOCK_BYTES / item) + 1;
    if (!d->rows) {
        DN_TRY(check_there(d));
        dn_hash_add(hash, d->images, (size_t)d->n * item);
        return DN_OK;
    }
    void *block = dn_calloc((size_t)most, item);
    dn_status status = block ? DN_OK : DN_ERROR_MEMORY;
    for (int64_t i = 0; i < d->n && status == DN_OK; i += most) {
        const int64_t n = d->n - i < most ? d->n - i : most;
        status = dn_dataset_read(d, i, n, block);
        if (status == DN_OK) dn_hash_add(hash, block, (size_t)n * item);
    }
    dn_free(block);
    return status;
}

dn_status dn_dataset_fingerprint(const dn_dataset *d, uint64_t *print)
{
    dn_hash hash;
    if (d->rows && d->rows->has_print) {
        *print = d->rows->print;
        return DN_OK;
    }
    dn__fingerprint_begin(&hash, d);
    DN_TRY(add_images(d, &hash));
    *print = dn__fingerprint_end(&hash, d);
    return DN_OK;
}
