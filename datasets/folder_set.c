/* Own images: folder:PATH, folder:PATH:train, folder:PATH:test. */
#include <inttypes.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/folder.h"
#include "datasets/rows.h"
#include "datasets/sets.h"

/* Cuts ":train" or ":test" off the path. */
static dn_folder_part take_part(char *path)
{
    static const char *const endings[] = {":train", ":test"};
    const size_t length = strlen(path);
    for (int i = 0; i < 2; i++) {
        const size_t end = strlen(endings[i]);
        if (length <= end || strcmp(path + length - end, endings[i]) != 0) continue;
        path[length - end] = 0;
        return i == 0 ? DN_FOLDER_TRAIN : DN_FOLDER_TEST;
    }
    return DN_FOLDER_ALL;
}

static dn_status describe(dn_dataset *d, const dn_folder *f, dn_folder_part part)
{
    static const char *const parts[] = {"", ", part train", ", part test"};
    char *others = f->skipped ? dn_format(", without %" PRId64 " other file%s (%s%s)", f->skipped,
                                          f->skipped > 1 ? "s" : "", f->first_skipped, f->skipped > 1 ? ", ..." : "")
                              : dn_strdup("");
    if (others) d->provenance = dn_format("%s%s%s", f->path, parts[part], others);
    dn_free(others);
    return d->provenance ? DN_OK : DN_ERROR_MEMORY;
}

/* ---- images that are decoded whenever they are asked for ---- */

static dn_status read_rows(const void *context, const int64_t *rows, int64_t n, void *to)
{
    return dn_folder_gather(context, to, rows, n);
}

static void close_folder(void *context)
{
    dn_folder_close(context);
}

/* Labels and class names change hands; the files' names are needed on both sides. */
static dn_status take(dn_dataset *d, dn_folder *f)
{
    d->type = DN_U8;
    d->n = f->n, d->height = f->size.height, d->width = f->size.width, d->channels = f->size.channels;
    d->labels = f->labels, d->classes = f->classes, d->class_names = f->class_names;
    f->labels = NULL, f->classes = 0, f->class_names = NULL;
    d->item_names = dn_calloc((size_t)f->n, sizeof *d->item_names);
    if (!d->item_names) return DN_ERROR_MEMORY;
    for (int64_t i = 0; i < f->n; i++)
        if (!(d->item_names[i] = dn_strdup(f->files[i]))) return DN_ERROR_MEMORY;
    return DN_OK;
}

static dn_status open_set(dn_dataset *d, char *path, const dn__request *request)
{
    dn_folder *f = NULL;
    const dn__expression *e = request->expression;
    const dn_folder_options options = {
        .size = e->size, .part = take_part(path), .classes = e->classes, .limit = request->limit};
    d->rows = dn_calloc(1, sizeof *d->rows);
    if (!d->rows) return DN_ERROR_MEMORY;
    DN_TRY(dn_folder_open(&f, path, &options));
    *d->rows = (dn__rows){.read = read_rows, .close = close_folder, .context = f};
    DN_TRY(describe(d, f, options.part));
    return take(d, f);
}

dn_status dn__load_folder(dn_dataset *d, const dn__request *request)
{
    const char *named = request->expression->split;
    if (!named) return dn_fail(DN_ERROR_ARGUMENT, "no folder is named, expected folder:PATH");
    if (strncmp(named, "~/", 2) == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "a shell replaces ~ only at the beginning of a word; write folder:$HOME%s",
                       named + 1);
    char *path = dn_strdup(named);
    dn_status status = path ? open_set(d, path, request) : DN_ERROR_MEMORY;
    if (status == DN_ERROR_FILE && strchr(path, ':')) /* more than a part was cut off */
        status = dn_fail(status, "%s; the parts of a folder are ':train' and ':test'", dn_error_last());
    dn_free(path);
    return status;
}
