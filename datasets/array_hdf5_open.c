#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/child.h"
#include "datasets/array_hdf5_private.h"

/* ---- errors ---- */

dn_status dn__foreign_fail(const dn__foreign *f, const char *format, ...)
{
    char message[256], text[512];
    dn__hdf5_message(message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *before = f->name[0] ? "array \"" : "", *after = f->name[0] ? "\": " : "";
    return dn_fail(DN_ERROR_FORMAT, "%s: %s%s%s%s%s%s%s", f->path, before, f->name, after, text,
                   message[0] ? " (HDF5: " : "", message, message[0] ? ")" : "");
}

/* ---- the file ---- */

dn_status dn__foreign_open_file(dn__foreign *f)
{
    struct stat facts;
    if (stat(f->path, &facts) != 0) return dn_fail(DN_ERROR_FILE, "%s: the file is gone", f->path);
    f->file_bytes = (uint64_t)facts.st_size;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    (void)H5PLset_loading_state(0);         /* plug-ins are code that a file would choose */
    (void)H5Lunregister(H5L_TYPE_EXTERNAL); /* links into other files */
    if (H5Fis_hdf5(f->path) == 0)
        return dn_fail(DN_ERROR_FORMAT, "%s: neither a .npy nor an HDF5 file, by its first bytes", f->path);
    f->file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    return f->file >= 0 ? DN_OK : dn__foreign_fail(f, "the file is cut off or damaged; make it again");
}

/* ---- the arrays of a file ---- */

/** What a walk over all objects found. */
typedef struct listing {
    int arrays;
    char first[DN__LONGEST_NAME + 1]; /**< the first array's name; empty if that is too long */
    char some[300];                   /**< names, for an error's text */
} listing;

static herr_t see_object(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
    listing *l = context;
    (void)root;
    dn__child_alive();
    if (info->type != H5O_TYPE_DATASET) return 0;
    const size_t used = strlen(l->some), length = strlen(name);
    if (l->arrays++ == 0 && length < sizeof l->first) memcpy(l->first, name, length + 1);
    if (used + length + 8 < sizeof l->some)
        snprintf(l->some + used, sizeof l->some - used, "%s%s", used ? ", " : "", name);
    else if (used + 6 < sizeof l->some && used > 3 && strcmp(l->some + used - 3, "...") != 0)
        snprintf(l->some + used, sizeof l->some - used, ", ...");
    for (char *at = l->some + used; *at; at++)
        if ((unsigned char)*at < ' ') *at = '?'; /* no escape sequences in a terminal */
    return l->arrays < 100 ? 0 : 1;
}

static dn_status list_arrays(const dn__foreign *f, listing *l)
{
    *l = (listing){0};
    if (H5Ovisit1(f->file, H5_INDEX_NAME, H5_ITER_INC, see_object, l) < 0)
        return dn__foreign_fail(f, "the list of what is in the file is damaged");
    return DN_OK;
}

/* ---- the array ---- */

static dn_status choose_only_array(dn__foreign *f)
{
    listing l;
    DN_TRY(list_arrays(f, &l));
    if (l.arrays == 1 && l.first[0]) {
        memcpy(f->name, l.first, sizeof f->name);
        return DN_OK;
    }
    if (l.arrays == 0) return dn_fail(DN_ERROR_ARGUMENT, "%s: there is no array in the file", f->path);
    return dn_fail(DN_ERROR_ARGUMENT, "%s: the file holds several arrays, say which: %s:NAME, with NAME one of %s",
                   f->path, f->path, l.some);
}

static dn_status no_such_array(const dn__foreign *f)
{
    listing l;
    if (list_arrays(f, &l) != DN_OK || l.arrays == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: there is no array \"%s\", and no other", f->path, f->name);
    return dn_fail(DN_ERROR_ARGUMENT, "%s: there is no array \"%s\"; there are: %s", f->path, f->name, l.some);
}

/** Looks at each link on the way to the array. Soft ones stay within the file, once links into others are off. */
static dn_status check_links(const dn__foreign *f)
{
    char path[DN__LONGEST_NAME + 1];
    const size_t length = strlen(f->name);
    H5L_info_t link;
    for (size_t end = 1; end <= length; end++) {
        if ((f->name[end] != '/' && f->name[end] != '\0') || f->name[end - 1] == '/') continue;
        memcpy(path, f->name, end);
        path[end] = '\0';
        if (H5Lexists(f->file, path, H5P_DEFAULT) <= 0) return no_such_array(f);
        if (H5Lget_info(f->file, path, &link, H5P_DEFAULT) < 0) return dn__foreign_fail(f, "a link is damaged");
        if (link.type == H5L_TYPE_HARD || link.type == H5L_TYPE_SOFT) continue;
        return dn_fail(DN_ERROR_UNSUPPORTED, "%s: \"%s\" is a link into another file; name that file instead", f->path,
                       path);
    }
    return DN_OK;
}

dn_status dn__foreign_open_array(dn__foreign *f)
{
    if (f->wanted) {
        const size_t length = strlen(f->wanted);
        if (length == 0 || length > DN__LONGEST_NAME)
            return dn_fail(DN_ERROR_ARGUMENT, "%s: the name of an array has 1 to %d letters, found %zu", f->path,
                           DN__LONGEST_NAME, length);
        memcpy(f->name, f->wanted, length + 1);
        DN_TRY(check_links(f));
    } else {
        DN_TRY(choose_only_array(f));
    }
    const hid_t object = H5Oopen(f->file, f->name, H5P_DEFAULT);
    if (object < 0) return dn__foreign_fail(f, "it leads nowhere, out of the file, or is damaged");
    if (H5Iget_type(object) != H5I_DATASET)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: \"%s\" is a group, expected an array in it: %s:%s/NAME", f->path,
                       f->name, f->path, f->name);
    f->dataset = object;
    return DN_OK;
}
