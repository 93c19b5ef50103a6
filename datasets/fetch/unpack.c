#include "datasets/fetch/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "datasets/fetch/libraries.h"

enum {
    BLOCK = 1 << 16,
    SHOWN_NAME = 120,
    SLACK = 1 << 20,
    MOST_TIMES_LARGER = 16,
    MOST_ENTRIES = 500000,
    DEEPEST = 32
};

typedef struct unpacking {
    const dn__job *job;
    const dn__archive *lib;
    struct archive *archive;
    const char *path; /* of the archive, for errors */
    int root;         /* the new folder */
    dn__unpack_limits left;
    int64_t bytes; /* written so far */
    unsigned char *block;
    char shown[SHOWN_NAME]; /* the entry's name, fit for a terminal */
} unpacking;

dn__unpack_limits dn__unpack_limits_for(int64_t archive_bytes)
{
    const int64_t most = (INT64_MAX - SLACK) / MOST_TIMES_LARGER;
    const int64_t packed = archive_bytes < most ? archive_bytes : most;
    return (dn__unpack_limits){.bytes = packed * MOST_TIMES_LARGER + SLACK, .entries = MOST_ENTRIES};
}

/* ---- names ---- */

static void show_name(unpacking *u, const char *name)
{
    size_t i = 0;
    for (; name[i] && i + 1 < sizeof u->shown; i++)
        u->shown[i] = (unsigned char)name[i] < ' ' || (unsigned char)name[i] >= 127 ? '?' : name[i];
    u->shown[i] = '\0';
}

static dn_status refuse(const unpacking *u, const char *why)
{
    return dn_fail(DN_ERROR_FORMAT, "%s: entry '%s' %s: nothing was unpacked", u->path, u->shown, why);
}

/** @return DN_ERROR_FORMAT for a name that is not one of a file below the target */
static dn_status check_name(const unpacking *u, const char *name)
{
    int depth = 0;
    if (name[0] == '/') return refuse(u, "has an absolute name");
    if (strlen(name) >= PATH_MAX) return refuse(u, "has too long a name");
    for (const char *part = name; *part;) {
        const size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.') return refuse(u, "leaves the target by '..'");
        if (length > NAME_MAX) return refuse(u, "has too long a name");
        if (length > 0 && ++depth > DEEPEST) return refuse(u, "stands in too many folders");
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)part[i] < ' ' || part[i] == 127) return refuse(u, "has a control character in its name");
        part += length;
        if (*part == '/') part++;
    }
    return DN_OK;
}

static dn_status cannot_write(const unpacking *u)
{
    /* Names that are in the way of each other are the archive's fault, everything else the disk's. */
    if (errno == EEXIST || errno == ENOTDIR || errno == EISDIR) return refuse(u, "is there twice");
    return dn_fail(DN_ERROR_FILE, "%s: cannot unpack '%s': %s", u->path, u->shown, strerror(errno));
}

/* ---- folders ---- */

/** Opens the folder `length` bytes of `name` long, making what is missing. No link can be in the way: there are none.
 *  @return a descriptor, or -1 with errno */
static int open_folder(const unpacking *u, const char *name, size_t length)
{
    int at = dup(u->root);
    char part[NAME_MAX + 1];
    for (size_t i = 0; i < length && at >= 0;) {
        const size_t n = strcspn(name + i, "/");
        if (n > 0 && !(n == 1 && name[i] == '.')) {
            snprintf(part, sizeof part, "%.*s", (int)n, name + i);
            int next = -1;
            if (mkdirat(at, part, 0777) == 0 || errno == EEXIST)
                next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            const int why = errno;
            close(at);
            errno = why;
            at = next;
        }
        i += n + 1;
    }
    return at;
}

static dn_status make_folder(const unpacking *u, const char *name)
{
    const int folder = open_folder(u, name, strlen(name));
    if (folder < 0) return cannot_write(u);
    close(folder);
    return DN_OK;
}

/* ---- files ---- */

static dn_status write_all(const unpacking *u, int file, const unsigned char *from, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t written = write(file, from, bytes);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return cannot_write(u);
        from += written;
        bytes -= (size_t)written;
    }
    return DN_OK;
}

static dn_status copy_data(unpacking *u, int file)
{
    for (;;) {
        const la_ssize_t got = u->lib->archive_read_data(u->archive, u->block, BLOCK);
        if (got == 0) return DN_OK;
        if (got < 0) {
            const char *why = u->lib->archive_error_string(u->archive);
            return dn_fail(DN_ERROR_FORMAT, "%s: damaged or truncated at entry '%s' (%s): nothing was unpacked",
                           u->path, u->shown, why ? why : "no reason given");
        }
        if (got > u->left.bytes)
            return refuse(u, "makes the whole larger than any data set of this size in the archive");
        u->left.bytes -= got;
        u->bytes += got;
        DN_TRY(write_all(u, file, u->block, (size_t)got));
        DN_TRY(dn__job_progress(u->job, "unpacking", u->bytes, 0));
    }
}

static dn_status make_file(unpacking *u, struct archive_entry *entry, const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    if (!base[0] || strcmp(base, ".") == 0) return refuse(u, "is a file without a name");
    if (u->lib->archive_entry_size_is_set(entry) && u->lib->archive_entry_size(entry) > u->left.bytes)
        return refuse(u, "makes the whole larger than any data set of this size in the archive");
    const int folder = open_folder(u, name, (size_t)(base - name));
    if (folder < 0) return cannot_write(u);
    const int file = openat(folder, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    const int why = errno;
    close(folder);
    errno = why;
    if (file < 0) return cannot_write(u);
    dn_status status = copy_data(u, file);
    if (close(file) != 0 && status == DN_OK) status = cannot_write(u);
    return status;
}

/* ---- entries ---- */

static dn_status unpack_entry(unpacking *u, struct archive_entry *entry)
{
    const char *name = u->lib->archive_entry_pathname(entry);
    show_name(u, name ? name : "?");
    if (!name || !name[0]) return refuse(u, "has no name that this system can read");
    if (u->left.entries-- <= 0) return refuse(u, "is one of too many entries");
    DN_TRY(check_name(u, name));
    if (u->lib->archive_entry_hardlink(entry)) return refuse(u, "is a link");
    switch (u->lib->archive_entry_filetype(entry)) {
    case AE_IFREG: return make_file(u, entry, name);
    case AE_IFDIR: return make_folder(u, name);
    case AE_IFLNK: return refuse(u, "is a link");
    default: return refuse(u, "is neither a file nor a folder");
    }
}

static dn_status unpack_entries(unpacking *u)
{
    const dn__archive *lib = u->lib;
    lib->archive_read_support_filter_gzip(u->archive);
    lib->archive_read_support_format_tar(u->archive);
    lib->archive_read_support_format_zip(u->archive);
    int code = lib->archive_read_open_filename(u->archive, u->path, BLOCK);
    int64_t entries = 0;
    while (code == ARCHIVE_OK || code == ARCHIVE_WARN) {
        struct archive_entry *entry = NULL;
        code = lib->archive_read_next_header(u->archive, &entry);
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN) break;
        entries++;
        DN_TRY(unpack_entry(u, entry));
    }
    if (code != ARCHIVE_EOF) {
        const char *why = lib->archive_error_string(u->archive);
        return dn_fail(DN_ERROR_FORMAT, "%s: damaged, truncated or no archive (%s): nothing was unpacked", u->path,
                       why ? why : "no reason given");
    }
    if (entries == 0) return dn_fail(DN_ERROR_FORMAT, "%s: an empty archive", u->path);
    return DN_OK;
}

static dn_status unpack_into(unpacking *u, const char *folder)
{
    u->root = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (u->root < 0) return dn_fail(DN_ERROR_FILE, "%s: cannot open the folder: %s", folder, strerror(errno));
    u->block = dn_calloc(BLOCK, 1);
    u->archive = u->block ? u->lib->archive_read_new() : NULL;
    dn_status status = DN_ERROR_MEMORY;
    if (u->archive) {
        status = unpack_entries(u);
        u->lib->archive_read_free(u->archive);
    } else if (u->block) {
        status = dn_fail(DN_ERROR_MEMORY, "%s: not enough memory to unpack it", u->path);
    }
    dn_free(u->block);
    close(u->root);
    return status;
}

dn_status dn__unpack(const dn__job *job, const char *archive, const char *folder, const dn__unpack_limits *limits)
{
    unpacking u = {.job = job, .path = archive, .root = -1, .left = *limits};
    DN_TRY(dn__load_archive(&u.lib));
    if (mkdir(folder, 0777) != 0)
        return dn_fail(DN_ERROR_FILE, "%s: cannot make the folder: %s", folder, strerror(errno));
    const dn_status status = unpack_into(&u, folder);
    if (status == DN_OK) return DN_OK;
    char *text = dn_strdup(dn_error_last()); /* what went wrong first is what counts */
    const dn_status removed = dn__remove_tree(folder);
    if (removed != DN_OK || !text) return removed;
    dn_fail(status, "%s", text);
    dn_free(text);
    return status;
}
