/* The sets of unknown images that ODIN (Liang et al., ICLR 2018) published, as its archives unpack: a folder of PNG
 * files (JPEG for iSUN), alone or in one sub-folder; or the same images as an array, FOLDER.npy. None has labels. */
#include <stdbool.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "datasets/folder.h"
#include "datasets/sets.h"

/* @param most so many of the first files are enough: as of an array, not evenly spaced ones */
static dn_status read_folder(dn_dataset *d, const char *path, int64_t most)
{
    dn_folder *f = NULL;
    DN_TRY(dn_folder_open(&f, path, NULL));
    const int64_t n = f->n < most ? f->n : most;
    d->type = DN_U8;
    dn_status status = dn__dataset_allocate(d, n, f->size.height, f->size.width, f->size.channels, 0);
    if (status == DN_OK) status = dn_folder_read(f, d->images, 0, n);
    if (status == DN_OK) {
        for (int64_t i = n; i < f->n; i++) dn_free(f->files[i]);
        d->item_names = f->files;
        f->files = NULL, f->n = 0; /* they change hands */
    }
    dn_folder_close(f);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/** The archives' sub-folder is "test", which dn_folder_open() takes for a part and not for a class. */
static dn_status enter_test(char **path)
{
    char *inner = dn_format("%s/test", *path);
    if (!inner) return DN_ERROR_MEMORY;
    const bool inside = is_folder(inner);
    dn_free(inside ? *path : inner);
    if (inside) *path = inner;
    return DN_OK;
}

dn_status dn__load_odin(dn_dataset *d, const dn__request *request)
{
    DN_TRY(dn__set_file(&d->provenance, request->directory, request->set->files[0]));
    if (is_folder(d->provenance)) {
        DN_TRY(enter_test(&d->provenance));
        DN_TRY(read_folder(d, d->provenance, request->most));
    } else {
        DN_TRY(dn__npy_images(d, d->provenance));
    }
    if (d->channels == 3) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "%s: found images of %dx%dx%d, expected three channels", d->provenance, d->height,
                   d->width, d->channels);
}
