#include "core/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/store_private.h"

enum { TAG_DIGITS = 12 }; /* PATH.tmp- and as many hexadecimal digits */
static const char TAG[] = ".tmp-";

/* ---- errors ---- */

static herr_t take_innermost(unsigned n, const H5E_error2_t *error, void *context)
{
    if (n == 0 && error->desc) snprintf(context, 256, "%s", error->desc);
    return 0;
}

void dn__hdf5_message(char message[256])
{
    message[0] = '\0';
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, message);
}

dn_status dn__store_fail(const dn_store *store, dn_status code, const char *format, ...)
{
    char message[256], text[1024];
    dn__hdf5_message(message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!message[0]) return dn_fail(code, "%s: %s", store->path, text);
    return dn_fail(code, "%s: %s (HDF5: %s)", store->path, text, message);
}

dn_status dn__store_check_disk(const dn_store *store)
{
    if (!store->target.error) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "%s: cannot write: %s; an older file of this name is untouched", store->path,
                   strerror(store->target.error));
}

dn_status dn__store_check_writing(const dn_store *store)
{
    if (!store->writing) return dn_fail(DN_ERROR_ARGUMENT, "%s: the store is open for reading", store->path);
    if (store->file < 0) return dn_fail(DN_ERROR_ARGUMENT, "%s: the store was committed already", store->path);
    return dn__store_check_disk(store);
}

/* ---- temporary files ---- */

static bool is_temporary_of(const char *name, const char *base)
{
    const size_t base_length = strlen(base), tag_length = sizeof TAG - 1;
    if (strncmp(name, base, base_length) != 0 || strncmp(name + base_length, TAG, tag_length) != 0) return false;
    const char *digits = name + base_length + tag_length;
    return strlen(digits) == TAG_DIGITS && strspn(digits, "0123456789abcdef") == TAG_DIGITS;
}

/** @return the directory of the path, opened; negative with errno if it cannot be */
static int open_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = dn_format("%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    const int descriptor = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    dn_free(directory);
    return descriptor;
}

/** A process that writes holds a lock on its temporary file; one that died does not. */
static void remove_stale_temporaries(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const int descriptor = open_directory(path);
    DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
    if (!directory) {
        if (descriptor >= 0) close(descriptor);
        return; /* creating the file will say why */
    }
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (!is_temporary_of(entry->d_name, base)) continue;
        const int file = openat(descriptor, entry->d_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (file < 0) continue;
        if (flock(file, LOCK_EX | LOCK_NB) == 0) unlinkat(descriptor, entry->d_name, 0);
        close(file);
    }
    closedir(directory);
}

/** Until it is locked, another process may take a new file for a stale one. @return whether the name still is this
 *  file, locked */
static bool lock_is_ours(const char *path, int descriptor)
{
    struct stat named, opened;
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
    if (stat(path, &named) != 0 || fstat(descriptor, &opened) != 0) return false;
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

static dn_status open_temporary(dn_store *store)
{
    static unsigned counter; /* stores belong to one thread at a time */
    for (int attempt = 0; attempt < 100; attempt++) {
        dn_free(store->temporary);
        store->temporary = dn_format("%s%s%08x%04x", store->path, TAG, (unsigned)getpid(), counter++ & 0xffffu);
        if (!store->temporary) return DN_ERROR_MEMORY;
        store->target.descriptor = open(store->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (store->target.descriptor < 0 && errno == EEXIST) continue;
        if (store->target.descriptor < 0) break;
        if (lock_is_ours(store->temporary, store->target.descriptor)) return DN_OK;
        close(store->target.descriptor);
        store->target.descriptor = -1;
    }
    const int reason = errno;
    dn_free(store->temporary);
    store->temporary = NULL;
    return dn_fail(DN_ERROR_FILE, "%s: cannot create the file: %s; does its folder exist, and may you write there?",
                   store->path, strerror(reason));
}

/* ---- opening ---- */

static dn_store *new_store(const char *path)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    dn_store *store = dn_calloc(1, sizeof *store);
    if (!store) return NULL;
    store->file = H5I_INVALID_HID;
    store->target.descriptor = -1;
    store->path = dn_strdup(path);
    if (store->path) return store;
    dn_free(store);
    return NULL;
}

static dn_status create_file(dn_store *store)
{
    struct stat present;
    if (stat(store->path, &present) == 0 && !S_ISREG(present.st_mode))
        return dn_fail(DN_ERROR_FILE, "%s: there is something that is not a file; choose another path", store->path);
    remove_stale_temporaries(store->path);
    DN_TRY(open_temporary(store));
    DN__ID access = H5Pcreate(H5P_FILE_ACCESS);
    DN_TRY(dn__store_set_target(access, &store->target));
    /* The newest format that HDF5 1.10 reads: in it the structures around the data have checksums too. */
    DN__ID root = H5Pcreate(H5P_FILE_CREATE);
    dn__store_forget_times(root);
    if (H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0)
        store->file = H5Fcreate(store->temporary, H5F_ACC_TRUNC, root, access);
    DN_TRY(dn__store_check_disk(store));
    return store->file < 0 ? dn__store_fail(store, DN_ERROR_FILE, "cannot create the file") : DN_OK;
}

dn_status dn_store_create(dn_store **out, const char *path)
{
    *out = NULL;
    if (!path || !path[0]) return dn_fail(DN_ERROR_ARGUMENT, "a file to write needs a path");
    dn_store *store = new_store(path);
    if (!store) return DN_ERROR_MEMORY;
    store->writing = true;
    const dn_status status = create_file(store);
    if (status != DN_OK) {
        dn_store_close(store);
        return status;
    }
    *out = store;
    return DN_OK;
}

static dn_status open_file(dn_store *store)
{
    const char *path = store->path;
    struct stat present;
    if (stat(path, &present) != 0) return dn_fail(DN_ERROR_FILE, "%s: cannot open the file: %s", path, strerror(errno));
    if (!S_ISREG(present.st_mode)) return dn_fail(DN_ERROR_FILE, "%s: not a file", path);
    if (access(path, R_OK) != 0) return dn_fail(DN_ERROR_FILE, "%s: cannot read the file: %s", path, strerror(errno));
    if (present.st_size == 0) return dn_fail(DN_ERROR_FORMAT, "%s: the file is empty, expected an HDF5 file", path);
    if (H5Fis_hdf5(path) <= 0)
        return dn_fail(DN_ERROR_FORMAT, "%s: not an HDF5 file: its first bytes are not HDF5's signature", path);
    DN_TRY(dn__store_rehearse(store));
    return dn__store_open_hdf5(store);
}

dn_status dn__store_open_hdf5(dn_store *store)
{
    store->file = H5Fopen(store->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (store->file >= 0) return DN_OK;
    return dn__store_fail(store, DN_ERROR_FORMAT, "the file is cut off or damaged; restore it or make it again");
}

dn_status dn_store_open(dn_store **out, const char *path)
{
    *out = NULL;
    if (!path || !path[0]) return dn_fail(DN_ERROR_ARGUMENT, "a file to read needs a path");
    dn_store *store = new_store(path);
    if (!store) return DN_ERROR_MEMORY;
    const dn_status status = open_file(store);
    if (status != DN_OK) {
        dn_store_close(store);
        return status;
    }
    *out = store;
    return DN_OK;
}

/* ---- closing ---- */

/** Closes the HDF5 file; its last pages are written here. */
static dn_status close_file(dn_store *store)
{
    dn_status status = dn__store_close_arrays(store);
    if (store->file >= 0 && H5Fclose(store->file) < 0 && status == DN_OK)
        status = dn__store_fail(store, DN_ERROR_FILE, "cannot close the file");
    store->file = H5I_INVALID_HID;
    return status;
}

/** A rename is on the disk when its directory is. File systems without that notion refuse harmlessly. */
static void sync_directory(const char *path)
{
    const int directory = open_directory(path);
    if (directory < 0) return;
    (void)fsync(directory);
    close(directory);
}

dn_status dn_store_commit(dn_store *store)
{
    DN_TRY(dn__store_check_writing(store));
    DN_TRY(close_file(store));
    DN_TRY(dn__store_check_disk(store));
    if (fsync(store->target.descriptor) != 0) {
        store->target.error = errno;
        return dn__store_check_disk(store);
    }
    if (rename(store->temporary, store->path) != 0)
        return dn_fail(DN_ERROR_FILE, "%s: cannot rename %s to it: %s", store->path, store->temporary, strerror(errno));
    dn_free(store->temporary);
    store->temporary = NULL;
    sync_directory(store->path);
    return DN_OK;
}

void dn_store_close(dn_store *store)
{
    if (!store) return;
    store->writing = false; /* arrays that are thrown away need not be full: the error of what failed before stays */
    (void)close_file(store);
    if (store->temporary) unlink(store->temporary);
    if (store->target.descriptor >= 0) close(store->target.descriptor);
    dn_free(store->arrays);
    dn_free(store->temporary);
    dn_free(store->path);
    dn_free(store);
}

const char *dn_store_path(const dn_store *store)
{
    return store->path;
}
