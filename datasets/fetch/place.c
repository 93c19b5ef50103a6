#define _GNU_SOURCE /* syncfs: many small files, written at once */
#include "datasets/fetch/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "datasets/fetch/unpack.h"
#include "datasets/sets.h"

/** @return the first of the file's needs that is not in the folder; NULL: all are */
static const char *missing(const dn_fetch_file *file, const char *folder)
{
    for (const char *const *need = file->needs; *need; need++) {
        char *path = dn_format("%s/%s", folder, *need);
        const bool there = path && access(path, F_OK) == 0;
        dn_free(path);
        if (!there) return *need;
    }
    return NULL;
}

bool dn__place_is_filled(const dn_fetch_file *file, const char *directory)
{
    if (file->folder) {
        struct stat info;
        char *folder = dn_format("%s/%s", directory, file->folder);
        const bool filled = folder && stat(folder, &info) == 0 && S_ISDIR(info.st_mode) && !missing(file, folder);
        dn_free(folder);
        return filled;
    }
    char *path = NULL;
    const dn_status found = dn__set_file(&path, directory, file->path);
    dn_free(path);
    return found == DN_OK;
}

dn_status dn__place_make_folders(const char *path)
{
    char *folder = dn_strdup(path);
    if (!folder) return DN_ERROR_MEMORY;
    dn_status status = DN_OK;
    for (char *slash = strchr(folder + 1, '/'); slash && status == DN_OK; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            status = dn_fail(DN_ERROR_FILE, "%s: cannot make the folder: %s", folder, strerror(errno));
        *slash = '/';
    }
    dn_free(folder);
    return status;
}

/** Everything on the disk before names change, so that a power cut leaves no empty files under them. */
static dn_status sync_disk(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const bool synced = file >= 0 && syncfs(file) == 0;
    const int why = errno;
    if (file >= 0) close(file);
    return synced ? DN_OK : dn_fail(DN_ERROR_FILE, "%s: cannot bring it to the disk: %s", path, strerror(why));
}

dn_status dn__place_file(const char *from, const char *to)
{
    DN_TRY(sync_disk(from));
    if (rename(from, to) == 0) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "%s: cannot give the file its name: %s", to, strerror(errno));
}

/** Moves the old folder out of the way, not over an even older one. */
static dn_status keep_old(const dn__job *job, const char *folder)
{
    struct stat info;
    if (lstat(folder, &info) != 0) return DN_OK;
    char *old = dn_format("%s.old", folder);
    if (!old) return DN_ERROR_MEMORY;
    dn_status status = DN_OK;
    if (lstat(old, &info) == 0) {
        status = dn_fail(DN_ERROR_FILE, "%s: is there already and would be replaced: remove or rename it", old);
    } else if (rename(folder, old) != 0) {
        status = dn_fail(DN_ERROR_FILE, "%s: cannot rename it to %s: %s", folder, old, strerror(errno));
    } else {
        dn__job_note(job, "%s: what was there is kept as %s", job->label, old);
    }
    dn_free(old);
    return status;
}

/** @param inside the wanted folder of the unpacked archive @param folder its place */
static dn_status place(const dn__job *job, const char *inside, const char *folder)
{
    struct stat info;
    if (lstat(inside, &info) != 0 || !S_ISDIR(info.st_mode))
        return dn_fail(DN_ERROR_FORMAT, "%s: does not hold the folder %s", job->label, job->file->folder);
    const char *lacks = missing(job->file, inside);
    if (lacks) return dn_fail(DN_ERROR_FORMAT, "%s: has no %s/%s", job->label, job->file->folder, lacks);
    DN_TRY(sync_disk(inside));
    DN_TRY(keep_old(job, folder));
    if (rename(inside, folder) == 0) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "%s: cannot give the folder its name: %s", folder, strerror(errno));
}

static dn_status unpack_and_place(const dn__job *job, const char *archive, const char *unpacked, const char *folder)
{
    struct stat info;
    if (stat(archive, &info) != 0) return dn_fail(DN_ERROR_FILE, "%s: cannot read it: %s", archive, strerror(errno));
    const dn__unpack_limits limits = dn__unpack_limits_for(info.st_size);
    DN_TRY(dn__remove_tree(unpacked)); /* of a call that was killed */
    DN_TRY(dn__unpack(job, archive, unpacked, &limits));
    char *inside = dn_format("%s/%s", unpacked, job->file->folder);
    const dn_status status = inside ? place(job, inside, folder) : DN_ERROR_MEMORY;
    dn_free(inside);
    const dn_status removed = dn__remove_tree(unpacked);
    return status != DN_OK ? status : removed;
}

dn_status dn__place_archive(const dn__job *job, const char *directory, const char *archive)
{
    char *folder = dn_format("%s/%s", directory, job->file->folder);
    char *unpacked = folder ? dn_format("%s.unpacking", folder) : NULL;
    const dn_status status = unpacked ? unpack_and_place(job, archive, unpacked, folder) : DN_ERROR_MEMORY;
    dn_free(unpacked);
    dn_free(folder);
    return status;
}
