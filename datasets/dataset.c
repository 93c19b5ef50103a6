#include "datasets/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/rows.h"
#include "datasets/sets.h"

dn_status dn__dataset_allocate(dn_dataset *d, int64_t n, int height, int width, int channels, int labelled)
{
    d->n = n, d->height = height, d->width = width, d->channels = channels;
    const size_t item = (size_t)height * (size_t)width * (size_t)channels * dn_dtype_size(d->type);
    if (n < 0 || (item && (uint64_t)n > SIZE_MAX / item))
        return dn_fail(DN_ERROR_MEMORY, "%" PRId64 " images of %dx%dx%d do not fit into memory", n, height, width,
                       channels);
    d->images = dn_calloc_aligned((size_t)n * item);
    if (!d->images) return DN_ERROR_MEMORY;
    if (labelled) d->labels = dn_calloc((size_t)n, sizeof *d->labels);
    return labelled && !d->labels ? DN_ERROR_MEMORY : DN_OK;
}

static void free_names(char **names, int64_t count)
{
    for (int64_t i = 0; names && i < count; i++) dn_free(names[i]);
    dn_free(names);
}

dn_status dn__dataset_copy_names(dn_dataset *d, const char *const *names)
{
    d->class_names = dn_calloc((size_t)d->classes, sizeof *d->class_names);
    if (!d->class_names) return DN_ERROR_MEMORY;
    for (int i = 0; i < d->classes; i++) {
        d->class_names[i] = dn_strdup(names[i]);
        if (!d->class_names[i]) return DN_ERROR_MEMORY;
    }
    return DN_OK;
}

/* ---- which items ---- */

/* Puts an item in the place of one before it, which is dropped. */
static void move_item(dn_dataset *d, int64_t to, int64_t from)
{
    const size_t image = dn_dataset_image_bytes(d);
    if (to == from) return;
    memcpy((char *)d->images + (size_t)to * image, (char *)d->images + (size_t)from * image, image);
    if (d->labels) d->labels[to] = d->labels[from];
    if (!d->item_names) return;
    dn_free(d->item_names[to]);
    d->item_names[to] = d->item_names[from];
    d->item_names[from] = NULL;
}

/* Drops the items behind the first n. */
static void cut(dn_dataset *d, int64_t n)
{
    if (n == d->n) return;
    for (int64_t i = n; d->item_names && i < d->n; i++) dn_free(d->item_names[i]);
    d->n = n;
    d->images = dn_shrink(d->images, (size_t)n * dn_dataset_image_bytes(d));
    if (d->labels) d->labels = dn_shrink(d->labels, (size_t)n * sizeof *d->labels);
}

dn_status dn_dataset_keep(dn_dataset *d, const uint8_t *wanted)
{
    int64_t kept = 0;
    if (!d->images)
        return dn_fail(DN_ERROR_ARGUMENT, "the images of data set '%s' are not in memory: none can be dropped",
                       d->name);
    for (int64_t i = 0; i < d->n; i++)
        if (wanted[i]) move_item(d, kept++, i);
    cut(d, kept);
    return DN_OK;
}

/* Keeps the items with number[label] >= 0, at most `most` of them, and gives them these numbers as labels.
 * NULL keeps labels as they are. */
static dn_status keep_items(dn_dataset *d, const int *number, int64_t most)
{
    if (d->rows) return dn__rows_keep(d, number, most);
    int64_t kept = 0;
    for (int64_t i = 0; i < d->n && kept < most; i++) {
        if (number && number[d->labels[i]] < 0) continue;
        move_item(d, kept, i);
        if (number) d->labels[kept] = number[d->labels[kept]];
        kept++;
    }
    cut(d, kept);
    return DN_OK;
}

/* Renumbers the class names. */
static dn_status choose_names(dn_dataset *d, const int *chosen, int count)
{
    char **names = NULL;
    if (d->class_names) {
        names = dn_calloc((size_t)count, sizeof *names);
        if (!names) return DN_ERROR_MEMORY;
        for (int i = 0; i < count; i++) {
            names[i] = d->class_names[chosen[i]]; /* moved: no class is chosen twice */
            d->class_names[chosen[i]] = NULL;
        }
        free_names(d->class_names, d->classes);
    }
    d->class_names = names;
    d->classes = count;
    return DN_OK;
}

static dn_status choose_classes(dn_dataset *d, const char *list, int64_t most)
{
    int *chosen = NULL, count = 0;
    if (!d->labels) return dn_fail(DN_ERROR_ARGUMENT, "classes [%s] of a set without labels", list);
    DN_TRY(dn__classes_parse(&chosen, &count, list, d->classes, d->class_names));
    int *number = dn_calloc((size_t)d->classes, sizeof *number);
    dn_status status = number ? DN_OK : DN_ERROR_MEMORY;
    if (number) {
        for (int c = 0; c < d->classes; c++) number[c] = -1;
        for (int i = 0; i < count; i++) number[chosen[i]] = i;
        status = keep_items(d, number, most);
    }
    if (status == DN_OK) status = choose_names(d, chosen, count);
    dn_free(number);
    dn_free(chosen);
    return status;
}

/* Adds to the line what was done to the items after they were read. */
static dn_status describe(dn_dataset *d, const dn__expression *e)
{
    char size[64] = "";
    if (e->size.height)
        snprintf(size, sizeof size, ", as %dx%dx%d%s%s", e->size.height, e->size.width, e->size.channels,
                 e->size.filter == DN_FILTER_BICUBIC ? "/bicubic" : "",
                 e->size.fit == DN_FIT_CROP  ? "/crop"
                 : e->size.fit == DN_FIT_CUT ? "/cut"
                                             : "");
    char *line = dn_format("%s%s%s%s%s; %" PRId64 " items", d->provenance, e->classes ? ", classes [" : "",
                           e->classes ? e->classes : "", e->classes ? "]" : "", size, d->n);
    if (!line) return DN_ERROR_MEMORY;
    dn_free(d->provenance);
    d->provenance = line;
    return DN_OK;
}

static dn_status load(dn_dataset *d, const dn__expression *e, const dn_dataset_options *options)
{
    const int64_t most = options && options->limit > 0 ? options->limit : INT64_MAX;
    dn__request request = {.expression = e, .seed = options ? options->seed : 0, .most = e->classes ? INT64_MAX : most};
    request.limit = most < INT64_MAX ? most : 0;
    DN_TRY(dn__set_find(&request.set, e));
    char *directory = dn__data_directory(options);
    if (!directory) return DN_ERROR_MEMORY;
    request.directory = directory;
    const dn_status status = request.set->load(d, &request);
    dn_free(directory);
    DN_TRY(status);
    if (dn__set_chooses(request.set)) {
        DN_TRY(dn__rows_settle(d, options));
        return describe(d, e);
    }
    if (e->classes)
        DN_TRY(choose_classes(d, e->classes, most));
    else
        DN_TRY(keep_items(d, NULL, most));
    if (e->size.height) DN_TRY(d->rows ? dn__rows_resize(d, &e->size) : dn_dataset_resize(d, &e->size));
    DN_TRY(dn__rows_settle(d, options));
    return describe(d, e);
}

dn_status dn_dataset_open(dn_dataset **out, const char *expression, const dn_dataset_options *options)
{
    dn__expression e = {0};
    *out = NULL;
    if (options && options->limit < 0)
        return dn_fail(DN_ERROR_ARGUMENT, "limit %" PRId64 ", expected 0 (all) or more", options->limit);
    dn_dataset *d = dn_calloc(1, sizeof *d);
    if (!d) return DN_ERROR_MEMORY;
    dn_status status = dn__expression_parse(&e, expression);
    if (status == DN_OK) {
        d->name = dn_strdup(expression);
        status = d->name ? load(d, &e, options) : DN_ERROR_MEMORY;
    }
    if (status != DN_OK) dn_fail_context(status, "data set '%s'", expression);
    dn__expression_clear(&e);
    if (status == DN_OK)
        *out = d;
    else
        dn_dataset_close(d);
    return status;
}

void dn_dataset_close(dn_dataset *d)
{
    if (!d) return;
    dn_free(d->name);
    dn_free(d->provenance);
    dn_free(d->images);
    dn__rows_close(d->rows);
    dn_free(d->labels);
    free_names(d->class_names, d->classes);
    free_names(d->item_names, d->n);
    dn_free(d);
}
