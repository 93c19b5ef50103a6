#include "core/store.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/store_private.h"

enum { LONGEST_NAME = 511, LONGEST_TEXT = 16 << 20 };
static const char KIND[] = "dunlin_kind", VERSION[] = "dunlin_version";

/* ---- names ---- */

bool dn__store_has(hid_t file, const char *name)
{
    char path[LONGEST_NAME + 1];
    const size_t length = strlen(name);
    H5L_info_t link;
    if (length > LONGEST_NAME) return false;
    /* HDF5 wants every group on the way to be asked for on its own. */
    for (size_t end = 1; end <= length; end++) {
        if ((name[end] != '/' && name[end] != '\0') || name[end - 1] == '/') continue;
        memcpy(path, name, end);
        path[end] = '\0';
        if (H5Lexists(file, path, H5P_DEFAULT) <= 0 || H5Lget_info(file, path, &link, H5P_DEFAULT) < 0) return false;
        if (link.type != H5L_TYPE_HARD) return false; /* the others may lead out of the file */
    }
    return H5Oexists_by_name(file, name, H5P_DEFAULT) > 0;
}

void dn__store_forget_times(hid_t options)
{
    (void)H5Pset_obj_track_times(options, false);
}

dn_status dn__store_make_groups(const dn_store *store, const char *name, bool last)
{
    char path[LONGEST_NAME + 1];
    const size_t length = strlen(name);
    DN__ID options = H5Pcreate(H5P_GROUP_CREATE);
    dn__store_forget_times(options);
    for (size_t end = 1; end <= length; end++) {
        if ((name[end] != '/' && !(last && name[end] == '\0')) || name[end - 1] == '/') continue;
        memcpy(path, name, end);
        path[end] = '\0';
        if (dn__store_has(store->file, path)) continue;
        DN__ID group = H5Gcreate2(store->file, path, H5P_DEFAULT, options, H5P_DEFAULT);
        if (group < 0) return dn__store_fail(store, DN_ERROR_FILE, "cannot make the group \"%s\"", path);
    }
    return DN_OK;
}

dn_status dn__store_check_name(const dn_store *store, const char *name)
{
    if (name && name[0] && strlen(name) <= LONGEST_NAME) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "%s: a name in the file has 1 to %d letters, found %s", store->path, LONGEST_NAME,
                   !name ? "none" : (name[0] ? "more" : "\"\""));
}

bool dn_store_exists(dn_store *store, const char *name)
{
    return store->file >= 0 && name && name[0] && dn__store_has(store->file, name);
}

/* ---- writing attributes ---- */

static dn_status set_attribute(dn_store *store, const char *object, const char *name, hid_t type_in_file,
                               hid_t type_in_memory, const void *value)
{
    DN_TRY(dn__store_check_writing(store));
    DN_TRY(dn__store_check_name(store, object));
    DN_TRY(dn__store_check_name(store, name));
    DN_TRY(dn__store_make_groups(store, object, true));
    DN__ID owner = H5Oopen(store->file, object, H5P_DEFAULT);
    if (H5Aexists(owner, name) > 0) (void)H5Adelete(owner, name);
    DN__ID space = H5Screate(H5S_SCALAR);
    DN__ID attribute = H5Acreate2(owner, name, type_in_file, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, type_in_memory, value) < 0)
        return dn__store_fail(store, DN_ERROR_FILE, "cannot write the attribute \"%s\" of \"%s\"", name, object);
    return dn__store_check_disk(store);
}

dn_status dn_store_set_int(dn_store *store, const char *object, const char *name, int64_t value)
{
    return set_attribute(store, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

dn_status dn_store_set_double(dn_store *store, const char *object, const char *name, double value)
{
    return set_attribute(store, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

dn_status dn_store_set_text(dn_store *store, const char *object, const char *name, const char *text)
{
    /* Of fixed length: HDF5 keeps no checksum over texts of variable length. */
    DN__ID type = H5Tcopy(H5T_C_S1);
    if (type < 0 || H5Tset_size(type, strlen(text) + 1) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
        return dn__store_fail(store, DN_ERROR_INTERNAL, "cannot make a text type for the attribute \"%s\"", name);
    return set_attribute(store, object, name, type, type, text);
}

/* ---- reading attributes ---- */

bool dn_store_has_attribute(dn_store *store, const char *object, const char *name)
{
    return dn_store_exists(store, object) && H5Aexists_by_name(store->file, object, name, H5P_DEFAULT) > 0;
}

/** @param out receives the attribute, to be closed */
static dn_status open_attribute(dn_store *store, const char *object, const char *name, hid_t *out)
{
    *out = H5I_INVALID_HID;
    if (!dn_store_exists(store, object))
        return dn_fail(DN_ERROR_FORMAT, "%s: there is no \"%s\"", store->path, object ? object : "");
    if (!dn_store_has_attribute(store, object, name))
        return dn_fail(DN_ERROR_FORMAT, "%s: \"%s\" has no attribute \"%s\"", store->path, object, name);
    *out = H5Aopen_by_name(store->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (*out < 0)
        return dn__store_fail(store, DN_ERROR_FORMAT, "the attribute \"%s\" of \"%s\" is damaged", name, object);
    return DN_OK;
}

static dn_status wrong_type(const dn_store *store, const char *object, const char *name, const char *expected)
{
    return dn_fail(DN_ERROR_FORMAT, "%s: the attribute \"%s\" of \"%s\" has another type than expected: %s",
                   store->path, name, object, expected);
}

static dn_status get_number(dn_store *store, const char *object, const char *name, bool integer, hid_t type_in_memory,
                            void *value)
{
    hid_t opened;
    DN_TRY(open_attribute(store, object, name, &opened));
    DN__ID attribute = opened;
    DN__ID type = H5Aget_type(attribute);
    DN__ID space = H5Aget_space(attribute);
    const H5T_class_t class = H5Tget_class(type);
    const bool too_wide = class == H5T_INTEGER && H5Tget_size(type) >= 8 && H5Tget_sign(type) != H5T_SGN_2;
    if (H5Sget_simple_extent_npoints(space) != 1 || too_wide ||
        (class != H5T_INTEGER && (integer || class != H5T_FLOAT)))
        return wrong_type(store, object, name, integer ? "an integer of at most 64 bits" : "a number");
    if (H5Aread(attribute, type_in_memory, value) < 0)
        return dn__store_fail(store, DN_ERROR_FORMAT, "the attribute \"%s\" of \"%s\" is damaged", name, object);
    return DN_OK;
}

dn_status dn_store_get_int(dn_store *store, const char *object, const char *name, int64_t *value)
{
    return get_number(store, object, name, true, H5T_NATIVE_INT64, value);
}

dn_status dn_store_get_double(dn_store *store, const char *object, const char *name, double *value)
{
    return get_number(store, object, name, false, H5T_NATIVE_DOUBLE, value);
}

/** Texts of variable length are what other tools write. */
static char *read_variable_text(hid_t attribute)
{
    DN__ID type = H5Aget_type(attribute);
    char *borrowed = NULL, *copy = NULL;
    if (H5Aread(attribute, type, &borrowed) >= 0 && borrowed) copy = dn_strdup(borrowed);
    H5free_memory(borrowed);
    return copy;
}

static char *read_fixed_text(hid_t attribute, size_t size)
{
    DN__ID type = H5Aget_type(attribute);
    char *text = dn_calloc(size + 1, 1);
    if (text && H5Aread(attribute, type, text) >= 0) return text;
    dn_free(text);
    return NULL;
}

dn_status dn_store_get_text(dn_store *store, const char *object, const char *name, char **text)
{
    hid_t opened;
    *text = NULL;
    DN_TRY(open_attribute(store, object, name, &opened));
    DN__ID attribute = opened;
    DN__ID type = H5Aget_type(attribute);
    DN__ID space = H5Aget_space(attribute);
    if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Tget_size(type) > LONGEST_TEXT)
        return wrong_type(store, object, name, "one text");
    *text =
        H5Tis_variable_str(type) > 0 ? read_variable_text(attribute) : read_fixed_text(attribute, H5Tget_size(type));
    if (*text) return DN_OK;
    return dn__store_fail(store, DN_ERROR_FORMAT, "the attribute \"%s\" of \"%s\" is damaged", name, object);
}

/* ---- the file's kind ---- */

dn_status dn_store_set_kind(dn_store *store, const char *kind, int version)
{
    DN_TRY(dn_store_set_text(store, "/", KIND, kind));
    return dn_store_set_int(store, "/", VERSION, version);
}

dn_status dn_store_expect_kind(dn_store *store, const char *kind, int newest, int *version)
{
    char *found = NULL;
    int64_t number = 0;
    if (!dn_store_has_attribute(store, "/", KIND))
        return dn_fail(DN_ERROR_FORMAT, "%s: an HDF5 file, but not one of Dunlin's; expected a %s", store->path, kind);
    DN_TRY(dn_store_get_text(store, "/", KIND, &found));
    const bool same = strcmp(found, kind) == 0;
    if (!same) dn_fail(DN_ERROR_FORMAT, "%s: the file is a %s, expected a %s", store->path, found, kind);
    dn_free(found);
    if (!same) return DN_ERROR_FORMAT;
    DN_TRY(dn_store_get_int(store, "/", VERSION, &number));
    if (number < 1 || number > newest)
        return dn_fail(DN_ERROR_FORMAT, "%s: a %s of format version %lld, this program reads 1 to %d; use a newer one",
                       store->path, kind, (long long)number, newest);
    if (version) *version = (int)number;
    return DN_OK;
}

/* ---- listing ---- */

static dn_status visit_member(dn_store *store, hid_t group, hsize_t index, dn_store_visitor *visit, void *context)
{
    char name[LONGEST_NAME + 1];
    const ssize_t length =
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, index, name, sizeof name, H5P_DEFAULT);
    if (length < 0 || length > LONGEST_NAME)
        return dn__store_fail(store, DN_ERROR_FORMAT, "cannot read the name of a member of a group");
    if (!dn__store_has(group, name)) return DN_OK; /* a link to elsewhere */
    DN__ID member = H5Oopen(group, name, H5P_DEFAULT);
    if (member < 0) return dn__store_fail(store, DN_ERROR_FORMAT, "\"%s\" is damaged", name);
    return visit(context, name, H5Iget_type(member) == H5I_GROUP);
}

dn_status dn_store_list(dn_store *store, const char *group, dn_store_visitor *visit, void *context)
{
    DN_TRY(dn__store_check_name(store, group));
    if (!dn_store_exists(store, group))
        return dn_fail(DN_ERROR_FORMAT, "%s: there is no group \"%s\"", store->path, group);
    DN__ID id = H5Gopen2(store->file, group, H5P_DEFAULT);
    H5G_info_t info;
    if (id < 0 || H5Gget_info(id, &info) < 0)
        return dn__store_fail(store, DN_ERROR_FORMAT, "\"%s\" is no group, or it is damaged", group);
    for (hsize_t i = 0; i < info.nlinks; i++) DN_TRY(visit_member(store, id, i, visit, context));
    return DN_OK;
}
