#include "datasets/fetch/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/whole_file.h"
#include "datasets/fetch/digest.h"
#include "datasets/fetch/download.h"
#include "datasets/fetch/lock.h"
#include "datasets/fetch/part.h"
#include "datasets/fetch/place.h"
#include "datasets/sets.h"

typedef struct fetching {
    const dn_fetch_set *set;
    const dn_fetch_options *options;
    char *directory;
    int used; /* files of options->from */
} fetching;

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* ---- by hand ---- */

/** Sets *path to what options->from has of this file, NULL if it is one other file of the set. */
static dn_status find_in_from(char **path, const fetching *f, const dn__job *job)
{
    struct stat info;
    const char *from = f->options->from;
    if (stat(from, &info) != 0) return dn_fail(DN_ERROR_FILE, "%s: cannot read it: %s", from, strerror(errno));
    if (!S_ISDIR(info.st_mode)) {
        const bool only = !f->set->files[1].path;
        if (!only && strcmp(base_of(from), job->label) != 0) return DN_OK;
        *path = dn_strdup(from);
        return *path ? DN_OK : DN_ERROR_MEMORY;
    }
    *path = dn_format("%s/%s", from, job->label);
    if (!*path) return DN_ERROR_MEMORY;
    if (is_file(*path)) return DN_OK;
    dn_free(*path);
    *path = NULL;
    return dn_fail(DN_ERROR_FILE, "%s: does not hold %s, a file of %s", from, job->label, f->set->name);
}

/** Copies a file to its place, by which name it stands only if it is the right one. */
static dn_status copy_checked(const dn__job *job, FILE *from, const char *target)
{
    static char block[1 << 16];
    struct stat info;
    dn_whole_file copy;
    if (lstat(target, &info) == 0 && !S_ISREG(info.st_mode)) /* a link may lead to the very file that is read */
        return dn_fail(DN_ERROR_FILE, "%s: is there and no file of its own (a link?): remove it first", target);
    dn_status status = dn_whole_file_open(&copy, target);
    for (size_t got; status == DN_OK && (got = fread(block, 1, sizeof block, from)) > 0;)
        if (fwrite(block, 1, got, copy.file) != got)
            status = dn_fail(DN_ERROR_FILE, "%s: cannot write: %s", target, strerror(errno));
    if (status == DN_OK && ferror(from))
        status = dn_fail(DN_ERROR_FILE, "%s: cannot be read: %s", job->label, strerror(errno));
    if (status == DN_OK && (!copy.temporary || fflush(copy.file) != 0))
        status = dn_fail(DN_ERROR_FILE, "%s: cannot write it as a file: %s", target, strerror(errno));
    if (status == DN_OK) status = dn__digest_check(job, copy.temporary);
    if (status == DN_OK) status = dn_whole_file_commit(&copy);
    dn_whole_file_close(&copy);
    return status;
}

/** Takes a file that somebody brought; it stays where it is. */
static dn_status use_brought(const fetching *f, const dn__job *job, const char *path, const char *target)
{
    DN_TRY(dn__digest_check(job, path));
    if (job->file->folder) return dn__place_archive(job, f->directory, path);
    FILE *from = fopen(path, "rb");
    if (!from) return dn_fail(DN_ERROR_FILE, "%s: cannot read it: %s", path, strerror(errno));
    const dn_status status = copy_checked(job, from, target);
    fclose(from);
    return status;
}

static dn_status use_from(fetching *f, const dn__job *job, const char *target)
{
    char *path = NULL;
    DN_TRY(find_in_from(&path, f, job));
    if (!path) return DN_OK;
    f->used++;
    const dn_status status = use_brought(f, job, path, target);
    dn_free(path);
    return status;
}

/* ---- download ---- */

/** Gives a checked part its name, or unpacks it and removes it. */
static dn_status place_part(const fetching *f, const dn__job *job, const char *part, const char *target)
{
    dn_status status = DN_OK;
    if (job->file->folder) {
        status = dn__place_archive(job, f->directory, part);
        if (status == DN_ERROR_FORMAT) dn__part_remove(part); /* it will never unpack */
        DN_TRY(status);
    }
    if (!job->file->folder || f->options->keep) status = dn__place_file(part, target);
    if (status == DN_OK) dn__part_remove(part);
    return status;
}

/** @return whether an earlier call had all bytes, but no time to place them */
static bool is_whole(const dn__job *job, const char *part)
{
    struct stat info;
    if (stat(part, &info) != 0 || info.st_size == 0) return false;
    return (job->file->bytes == 0 || info.st_size == job->file->bytes) && dn__digest_check(job, part) == DN_OK;
}

/** Downloads from one address and checks. @return DN_ERROR_FORMAT where another address may do better */
static dn_status try_address(const fetching *f, const dn__job *job, const char *address, const char *part)
{
    const char *mirror = f->options->mirror;
    const size_t length = mirror ? strlen(mirror) : 0;
    char *own = mirror ? dn_format("%s%s%s", mirror, mirror[length - 1] == '/' ? "" : "/", job->label) : NULL;
    if (mirror && !own) return DN_ERROR_MEMORY;
    dn_status status = dn__download(job, own ? own : address, part);
    if (status == DN_OK) {
        status = dn__digest_check(job, part);
        if (status == DN_ERROR_FORMAT) {
            dn__part_remove(part); /* nobody knows which of its bytes are right */
            status = dn_fail_context(status, "%s", own ? own : address);
        }
    }
    dn_free(own);
    return status;
}

static dn_status download(const fetching *f, const dn__job *job, const char *part)
{
    char reasons[1024] = "";
    const char *const *addresses = job->file->addresses;
    for (int i = 0; addresses[i] && (i == 0 || !f->options->mirror); i++) {
        const dn_status status = try_address(f, job, addresses[i], part);
        if (status != DN_ERROR_FORMAT) return status;
        if (addresses[i + 1] && !f->options->mirror) dn__job_note(job, "%s; trying another address", dn_error_last());
        const size_t used = strlen(reasons);
        snprintf(reasons + used, sizeof reasons - used, "%s%s", used ? "; " : "", dn_error_last());
    }
    return dn_fail(DN_ERROR_FORMAT, "cannot download %s: %s. If you have the file, or get it elsewhere: --from FILE",
                   job->label, reasons);
}

static dn_status download_and_place(const fetching *f, const dn__job *job, const char *target)
{
    char *part = dn_format("%s.part", target);
    if (!part) return DN_ERROR_MEMORY;
    dn_status status = is_whole(job, part) ? DN_OK : download(f, job, part);
    if (status == DN_OK) status = place_part(f, job, part, target);
    dn_free(part);
    return status;
}

/* ---- one file ---- */

/** What is there stays; a file that is there under the published name is checked. */
static dn_status accept(const dn__job *job, const char *target)
{
    if (!job->file->folder && is_file(target)) {
        const dn_status status = dn__digest_check(job, target);
        if (status == DN_ERROR_FORMAT)
            return dn_fail(status, "%s. Remove it, or replace it with --again", dn_error_last());
        DN_TRY(status);
    }
    return DN_OK;
}

static dn_status bring(fetching *f, const dn__job *job, const char *target)
{
    const dn_fetch_options *o = f->options;
    DN_TRY(dn__place_make_folders(target));
    if (o->from) return use_from(f, job, target);
    if (!o->again && job->file->folder && is_file(target)) {
        dn__job_note(job, "%s is there: nothing to download", target);
        const dn_status status = use_brought(f, job, target, target);
        if (status != DN_ERROR_FORMAT) return status;
        return dn_fail(status, "%s. Remove it, or download it with --again", dn_error_last());
    }
    return download_and_place(f, job, target);
}

static dn_status fetch_file(fetching *f, const dn_fetch_file *file)
{
    const dn__job job = {.file = file, .options = f->options, .label = base_of(file->path)};
    char *target = dn_format("%s/%s", f->directory, file->path);
    if (!target) return DN_ERROR_MEMORY;
    const bool filled = !f->options->again && dn__place_is_filled(file, f->directory);
    f->used += filled;
    const dn_status status = filled ? accept(&job, target) : bring(f, &job, target);
    if (status == DN_OK && dn__place_is_filled(file, f->directory))
        dn__job_note(&job, "%s/%s is there", f->directory, file->folder ? file->folder : file->path);
    dn_free(target);
    return status;
}

/* ---- a set ---- */

static dn_status still_wanted(void *context)
{
    const fetching *f = context;
    const dn__job job = {.options = f->options, .label = f->set->name};
    return dn__job_progress(&job, "waiting for another process that fetches it", 0, 0);
}

static dn_status fetch_files(fetching *f)
{
    if (!f->set->files[0].path) return dn_fail(DN_ERROR_INTERNAL, "%s: a set without files", f->set->name);
    for (const dn_fetch_file *file = f->set->files; file->path; file++) {
        const dn_status status = fetch_file(f, file);
        if (status != DN_OK) return dn_fail_context(status, "%s", f->set->name);
    }
    if (f->options->from && f->used == 0)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: none of its files has the name of %s; the first is %s", f->set->name,
                       f->options->from, base_of(f->set->files[0].path));
    return DN_OK;
}

static dn_status fetch_locked(fetching *f)
{
    dn__lock lock;
    char *name = dn_format("%s/.%s.fetching", f->directory, f->set->name);
    if (!name) return DN_ERROR_MEMORY;
    dn_status status = dn__place_make_folders(name);
    if (status == DN_OK) {
        status = dn__lock_open(&lock, name, still_wanted, f);
        if (status == DN_OK) status = fetch_files(f);
        dn__lock_close(&lock);
    }
    dn_free(name);
    return status;
}

dn_status dn_fetch(const dn_fetch_set *set, const dn_fetch_options *options)
{
    static const dn_fetch_options defaults = {0};
    fetching f = {.set = set, .options = options ? options : &defaults};
    const char *mirror = f.options->mirror;
    if (mirror && strncmp(mirror, "http://", 7) != 0 && strncmp(mirror, "https://", 8) != 0)
        return dn_fail(DN_ERROR_ARGUMENT, "mirror '%s': expected an address that begins with http:// or https://",
                       mirror);
    f.directory = dn__data_directory(&(dn_dataset_options){.data_dir = f.options->data_dir});
    if (!f.directory) return DN_ERROR_MEMORY;
    const dn_status status = fetch_locked(&f);
    dn_free(f.directory);
    return status;
}
