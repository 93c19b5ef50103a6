/* The sets in the form of MNIST: one IDX file of images, one of labels. */
#include "core/alloc.h"
#include "datasets/idx.h"
#include "datasets/sets.h"

static dn_status load(dn_dataset *d, const dn__set *set, const char *images_path, const char *labels_path)
{
    dn__idx_images images;
    DN_TRY(dn__idx_read_images(&images, images_path));
    d->images = images.pixels; /* [N,H,W] is [N,H,W,1] */
    d->n = images.n, d->height = images.height, d->width = images.width;
    d->channels = 1, d->type = DN_U8, d->classes = set->classes;
    if (d->height != set->height || d->width != set->width)
        return dn_fail(DN_ERROR_FORMAT, "%s: at byte 8: images of %dx%d, expected %dx%d", images_path, d->height,
                       d->width, set->height, set->width);
    DN_TRY(dn__idx_read_labels(&d->labels, labels_path, d->n, d->classes));
    d->provenance = dn_format("%s, %s", images_path, labels_path);
    if (!d->provenance) return DN_ERROR_MEMORY;
    return dn__dataset_copy_names(d, set->class_names);
}

dn_status dn__load_idx(dn_dataset *d, const dn__request *request)
{
    char *images = NULL, *labels = NULL;
    dn_status status = dn__set_file(&images, request->directory, request->set->files[0]);
    if (status == DN_OK) status = dn__set_file(&labels, request->directory, request->set->files[1]);
    if (status == DN_OK) status = load(d, request->set, images, labels);
    dn_free(images);
    dn_free(labels);
    return status;
}
