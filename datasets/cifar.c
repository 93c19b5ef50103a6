/* The binary form of CIFAR: records of one or two label bytes and three planes of 32x32 bytes. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/names_file.h"
#include "datasets/sets.h"
#include "datasets/stream.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, CHANNELS = 3, MOST_LABEL_BYTES = 2, UNLABELLED = 255 };

typedef struct layout {
    int label_bytes, label_at, record;
    bool may_lack_labels;
} layout;

static layout layout_of(const dn__set *set)
{
    const bool cifar10 = strcmp(set->name, "cifar10") == 0, fine = strcmp(set->name, "cifar100") == 0;
    const bool coarse = strcmp(set->name, "cifar100-coarse") == 0;
    layout l = {.label_bytes = fine || coarse ? 2 : 1, .label_at = fine ? 1 : 0};
    l.record = l.label_bytes + CHANNELS * PLANE;
    l.may_lack_labels = !cifar10 && !fine && !coarse;
    return l;
}

/* Reads one record to label and image [H,W,C]. */
static dn_status read_record(dn__stream *s, const layout *l, int classes, int32_t *label, uint8_t *image)
{
    uint8_t record[MOST_LABEL_BYTES + CHANNELS * PLANE];
    const uint64_t at = dn__stream_at(s);
    DN_TRY(dn__stream_read(s, record, (size_t)l->record, "a record"));
    *label = record[l->label_at];
    if (*label >= classes && !(l->may_lack_labels && *label == UNLABELLED))
        return dn__stream_fail(s, at + (uint64_t)l->label_at, "label %d, expected %s%d%s", (int)*label,
                               classes ? "0 to " : "", classes ? classes - 1 : UNLABELLED,
                               classes && l->may_lack_labels ? " or 255 (unlabelled)" : "");
    const uint8_t *planes = record + l->label_bytes;
    for (int i = 0; i < PLANE; i++)
        for (int c = 0; c < CHANNELS; c++) image[i * CHANNELS + c] = planes[c * PLANE + i];
    return DN_OK;
}

static dn_status count_records(dn__stream *s, const layout *l, int64_t *n)
{
    const uint64_t bytes = dn__stream_left(s);
    *n = (int64_t)(bytes / (uint64_t)l->record);
    if (bytes > 0 && bytes % (uint64_t)l->record == 0) return DN_OK;
    return dn__stream_fail(s, (uint64_t)*n * (uint64_t)l->record,
                           "found %" PRIu64 " bytes in the file, expected a multiple of %d (the size of a record)",
                           bytes, l->record);
}

/* Labels are there for all items or for none. */
static dn_status settle_labels(dn_dataset *d, const char *file)
{
    int64_t unlabelled = 0;
    for (int64_t i = 0; i < d->n; i++) unlabelled += d->labels[i] == UNLABELLED;
    if (unlabelled == 0) return DN_OK;
    if (unlabelled < d->n)
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: found %" PRId64 " of %" PRId64 " items unlabelled (255), expected none or all", file,
                       unlabelled, d->n);
    dn_free(d->labels);
    d->labels = NULL;
    d->classes = 0;
    return DN_OK;
}

static dn_status read_all(dn_dataset *d, const dn__set *set, dn__stream *streams[], int files)
{
    const layout l = layout_of(set);
    int64_t count[DN__MOST_FILES] = {0}, n = 0;
    for (int f = 0; f < files; f++) {
        DN_TRY(count_records(streams[f], &l, &count[f]));
        n += count[f];
    }
    d->type = DN_U8;
    d->classes = set->classes;
    DN_TRY(dn__dataset_allocate(d, n, SIDE, SIDE, CHANNELS, 1));
    uint8_t *image = d->images;
    int32_t *label = d->labels;
    for (int f = 0; f < files; f++)
        for (int64_t i = 0; i < count[f]; i++, image += CHANNELS * PLANE)
            DN_TRY(read_record(streams[f], &l, set->classes, label++, image));
    return settle_labels(d, set->files[0]);
}

static dn_status load_names(dn_dataset *d, const dn__request *request)
{
    const dn__set *set = request->set;
    if (!d->labels) return DN_OK;
    if (set->names_file) {
        char *path = dn_format("%s/%s", request->directory, set->names_file);
        if (!path) return DN_ERROR_MEMORY;
        const dn_status status = dn__names_read(&d->class_names, path, d->classes);
        dn_free(path);
        DN_TRY(status);
    }
    return d->class_names || !set->class_names ? DN_OK : dn__dataset_copy_names(d, set->class_names);
}

dn_status dn__load_cifar(dn_dataset *d, const dn__request *request)
{
    const char *const *files = request->set->files;
    dn__stream *streams[DN__MOST_FILES] = {NULL};
    dn_status status = DN_OK;
    int count = 0;
    for (; files[count] && status == DN_OK; count++) {
        char *path = NULL;
        status = dn__set_file(&path, request->directory, files[count]);
        if (status == DN_OK) status = dn__stream_open_plain(&streams[count], path);
        dn_free(path);
    }
    if (status == DN_OK) status = read_all(d, request->set, streams, count);
    for (int f = 0; f < count; f++) dn__stream_close(streams[f]);
    DN_TRY(status);
    d->provenance = dn_format("%s/%s%s", request->directory, files[0], count > 1 ? " and the batches after it" : "");
    if (!d->provenance) return DN_ERROR_MEMORY;
    return load_names(d, request);
}
