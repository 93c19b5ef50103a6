#include "datasets/array_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "datasets/array_hdf5.h"

enum { MAGIC_BYTES = 8 };

static bool is_there(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0;
}

/** Cuts FILE:NAME in two, in place. File names with colons exist: the first part that is there is the file.
 *  @return NAME, or NULL if there is none */
static char *split(char *path)
{
    if (is_there(path)) return NULL;
    for (char *colon = strchr(path, ':'); colon; colon = strchr(colon + 1, ':')) {
        *colon = '\0';
        if (is_there(path)) return colon + 1;
        *colon = ':';
    }
    char *colon = strchr(path, ':'); /* none is there: the error shall speak of the file */
    if (colon) *colon = '\0';
    return colon ? colon + 1 : NULL;
}

/** @param magic receives the first bytes; zeros behind the end of the file */
static dn_status read_magic(const char *path, unsigned char magic[MAGIC_BYTES])
{
    struct stat facts;
    memset(magic, 0, MAGIC_BYTES);
    if (stat(path, &facts) != 0) return dn_fail(DN_ERROR_FILE, "%s: cannot open: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode)) return dn_fail(DN_ERROR_FILE, "%s: not a regular file", path);
    if (facts.st_size == 0)
        return dn_fail(DN_ERROR_FORMAT, "%s: the file is empty, expected a .npy or HDF5 file", path);
    FILE *file = fopen(path, "rb");
    if (!file) return dn_fail(DN_ERROR_FILE, "%s: cannot open: %s", path, strerror(errno));
    const size_t got = fread(magic, 1, MAGIC_BYTES, file);
    fclose(file);
    return got > 0 ? DN_OK : dn_fail(DN_ERROR_FILE, "%s: cannot read the file", path);
}

/** What is no .npy file, but known. @return DN_OK if it may be HDF5 */
static dn_status refuse_packed(const char *path, const unsigned char magic[MAGIC_BYTES])
{
    if (memcmp(magic, "\x1f\x8b", 2) == 0)
        return dn_fail(DN_ERROR_FORMAT, "%s: gzip data, expected a .npy or HDF5 file: unpack it with gunzip", path);
    if (memcmp(magic, "PK\x03\x04", 4) == 0)
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: a zip archive (.npz and .pt files are such), expected a .npy or HDF5 file: save each array "
                       "with numpy.save",
                       path);
    return DN_OK;
}

static dn_status open_array(dn_npy **out, const char *path, const char *array)
{
    unsigned char magic[MAGIC_BYTES];
    DN_TRY(read_magic(path, magic));
    if (memcmp(magic, "\x93NUMPY", 6) == 0) {
        if (!array) return dn_npy_open(out, path);
        return dn_fail(DN_ERROR_ARGUMENT, "%s: a .npy file holds one array without a name: leave out ':%s'", path,
                       array);
    }
    DN_TRY(refuse_packed(path, magic));
    return dn__array_hdf5_open(out, path, array);
}

dn_status dn_array_file_open(dn_npy **out, const char *name)
{
    *out = NULL;
    if (!name || !name[0]) return dn_fail(DN_ERROR_ARGUMENT, "an array to read needs a name, FILE.npy or FILE.h5:NAME");
    char *path = dn_strdup(name);
    if (!path) return DN_ERROR_MEMORY;
    const char *array = split(path);
    const dn_status status = open_array(out, path, array);
    dn_free(path);
    return status;
}
