/* Own images: folder:PATH, folder:PATH:train, folder:PATH:test. */
#include <inttypes.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/folder.h"
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

/* The lists change hands. */
static void take_lists(dn_dataset *d, dn_folder *f)
{
    d->labels = f->labels, d->classes = f->classes, d->class_names = f->class_names, d->item_names = f->files;
    f->labels = NULL, f->classes = 0, f->class_names = NULL, f->files = NULL, f->n = 0;
}

dn_status dn__load_folder(dn_dataset *d, const dn__request *request)
{
    const dn__expression *e = request->expression;
    if (!e->split) return dn_fail(DN_ERROR_ARGUMENT, "no folder is named, expected folder:PATH");
    if (strncmp(e->split, "~/", 2) == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "a shell replaces ~ only at the beginning of a word; write folder:$HOME%s",
                       e->split + 1);
    dn_folder *f = NULL;
    char *path = dn_strdup(e->split);
    if (!path) return DN_ERROR_MEMORY;
    const dn_folder_options options = {
        .size = e->size, .part = take_part(path), .classes = e->classes, .limit = request->limit};
    dn_status status = dn_folder_open(&f, path, &options);
    if (status == DN_OK) {
        d->type = DN_U8;
        status = dn__dataset_allocate(d, f->n, f->size.height, f->size.width, f->size.channels, 0);
    }
    if (status == DN_OK) status = dn_folder_read(f, d->images, 0, f->n);
    if (status == DN_OK) status = describe(d, f, options.part);
    if (status == DN_OK) take_lists(d, f);
    dn_folder_close(f);
    dn_free(path);
    return status;
}
