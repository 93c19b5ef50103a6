#include "datasets/keras_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/child.h"
#include "datasets/array_hdf5_private.h"

enum { LONGEST_NAME = 1 << 16, MOST_BYTES = 1 << 24 };

/** Texts of one list, one after the other. */
typedef struct texts {
    int n;
    char **at; /* [n] */
} texts;

/* ---- attributes that are lists of texts ---- */

static dn_status add(const dn__foreign *f, texts *t, const char *text, size_t most)
{
    const size_t length = strnlen(text, most);
    if (t->n == DN__KERAS_MOST || length == 0 || length >= DN__KERAS_WEIGHT)
        return dn__foreign_fail(f, "a list of more than %d names, or with a name of %zu letters", DN__KERAS_MOST,
                                length);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ') return dn__foreign_fail(f, "a name with control characters in it");
    if (!t->at) t->at = dn_calloc(DN__KERAS_MOST, sizeof *t->at);
    if (!t->at) return DN_ERROR_MEMORY;
    t->at[t->n] = dn_format("%.*s", (int)length, text);
    return t->at[t->n++] ? DN_OK : DN_ERROR_MEMORY;
}

/** Reads n texts of the type into memory and adds them. */
static dn_status read_texts(const dn__foreign *f, texts *t, hid_t attribute, hid_t type, int64_t n)
{
    const bool varies = H5Tis_variable_str(type) > 0;
    const size_t size = varies ? sizeof(char *) : H5Tget_size(type) + 1;
    if (size > LONGEST_NAME || n > MOST_BYTES / (int64_t)size)
        return dn__foreign_fail(f, "a list of names is too long");
    const hid_t memory = H5Tcopy(H5T_C_S1);
    char *all = dn_calloc((size_t)n, size);
    if (!all) return DN_ERROR_MEMORY;
    if (H5Tset_size(memory, varies ? H5T_VARIABLE : size) < 0 || H5Tset_cset(memory, H5Tget_cset(type)) < 0 ||
        H5Aread(attribute, memory, all) < 0)
        return dn__foreign_fail(f, "a list of names is damaged");
    for (int64_t i = 0; i < n; i++) {
        const char *text = varies ? ((char **)(void *)all)[i] : all + i * (int64_t)size;
        if (!text) return dn__foreign_fail(f, "a list of names has an empty one");
        DN_TRY(add(f, t, text, varies ? LONGEST_NAME : size));
    }
    return DN_OK;
}

/** An attribute without elements may be of any type: NumPy makes numbers of an empty list. */
static dn_status read_attribute(const dn__foreign *f, texts *t, hid_t group, const char *name)
{
    const hid_t attribute = H5Aopen(group, name, H5P_DEFAULT), space = H5Aget_space(attribute);
    const hid_t type = H5Aget_type(attribute);
    const int64_t n = H5Sget_simple_extent_npoints(space);
    if (attribute < 0 || type < 0 || n < 0) return dn__foreign_fail(f, "the attribute %s is damaged", name);
    if (n == 0) return DN_OK;
    if (H5Tget_class(type) != H5T_STRING) return dn__foreign_fail(f, "the attribute %s is no list of texts", name);
    return read_texts(f, t, attribute, type, n);
}

/** Reads `name`, or `name`0, `name`1 and so on. @param found receives whether there is any */
static dn_status read_list(const dn__foreign *f, texts *t, hid_t group, const char *name, bool *found)
{
    char piece[32];
    *t = (texts){0};
    *found = H5Aexists(group, name) > 0;
    if (*found) return read_attribute(f, t, group, name);
    for (int i = 0; i < DN__KERAS_MOST; i++) {
        snprintf(piece, sizeof piece, "%s%d", name, i);
        if (H5Aexists(group, piece) <= 0) break;
        *found = true;
        DN_TRY(read_attribute(f, t, group, piece));
    }
    return DN_OK;
}

/* ---- layers ---- */

/** Opens a group by a hard link: it is in this file. */
static hid_t open_group(hid_t parent, const char *name)
{
    H5L_info_t link;
    if (H5Lexists(parent, name, H5P_DEFAULT) <= 0 || H5Lget_info(parent, name, &link, H5P_DEFAULT) < 0) return -1;
    return link.type == H5L_TYPE_HARD ? H5Gopen2(parent, name, H5P_DEFAULT) : -1;
}

static dn_status no_layers(const dn__foreign *f)
{
    return dn_fail(DN_ERROR_FORMAT,
                   "%s: there is no list of layers (attribute layer_names) in the file or its group %s, as Keras 2 "
                   "writes it: save with model.save_weights('NAME.h5'), in Keras 3 with model.save('NAME.h5')",
                   f->path, DN__KERAS_GROUP);
}

/** Sends the names of a layer's weights to `names`. @param n how many there are */
static dn_status add_layer(const dn__foreign *f, hid_t root, const char *layer, dn__keras_name *names, int *n)
{
    texts weights;
    bool found = false;
    const hid_t group = open_group(root, layer);
    if (group < 0 || strlen(layer) >= DN__KERAS_LAYER)
        return dn__foreign_fail(f, "layer '%s' has no group of its own", layer);
    dn__child_alive();
    DN_TRY(read_list(f, &weights, group, "weight_names", &found));
    if (!found) return dn__foreign_fail(f, "layer '%s' has no list of weights (attribute weight_names)", layer);
    for (int i = 0; i < weights.n; i++) {
        if (*n == DN__KERAS_MOST) return dn__foreign_fail(f, "more than %d weights", DN__KERAS_MOST);
        snprintf(names[*n].layer, DN__KERAS_LAYER, "%s", layer);
        snprintf(names[(*n)++].weight, DN__KERAS_WEIGHT, "%s", weights.at[i]);
    }
    H5Gclose(group);
    return DN_OK;
}

dn_status dn__keras_send_names(const char *path, int pipe)
{
    dn__foreign f = {.path = path};
    texts layers;
    bool found = false;
    dn__keras_head head = {0};
    DN_TRY(dn__foreign_open_file(&f));
    hid_t root = open_group(f.file, DN__KERAS_GROUP);
    head.below = root >= 0;
    if (!head.below) root = H5Gopen2(f.file, "/", H5P_DEFAULT);
    if (root < 0) return dn__foreign_fail(&f, "its first group is damaged");
    DN_TRY(read_list(&f, &layers, root, "layer_names", &found));
    if (!found) return no_layers(&f);
    dn__keras_name *names = dn_calloc(DN__KERAS_MOST, sizeof *names);
    if (!names) return DN_ERROR_MEMORY;
    for (int i = 0; i < layers.n; i++) DN_TRY(add_layer(&f, root, layers.at[i], names, &head.n));
    if (head.n == 0) return dn_fail(DN_ERROR_FORMAT, "%s: there are no weights in the file", path);
    DN_TRY(dn__child_send(pipe, &head, sizeof head));
    return dn__child_send(pipe, names, (size_t)head.n * sizeof *names);
}
