/* Unpacking one input as an archive. What comes out must be files and folders, below the target and within limits. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/fetch/unpack.h"
#include "fuzz.h"

static const dn__unpack_limits limits = {.bytes = 1 << 18, .entries = 40};

typedef struct found {
    int64_t bytes, entries;
} found;

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/** Adds up what is in a folder. @param folder a descriptor, closed here */
static void count(found *f, int folder)
{
    DIR *list = fdopendir(folder);
    if (!list) fail("a folder cannot be listed");
    for (const struct dirent *entry; (entry = readdir(list));) {
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) fail("an entry that is none");
        if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) fail("neither a file nor a folder");
        if (info.st_mode & (S_ISUID | S_ISGID | S_ISVTX)) fail("rights from the archive");
        if (S_ISREG(info.st_mode)) f->bytes += info.st_size, f->entries++;
        if (S_ISDIR(info.st_mode)) count(f, openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    closedir(list);
}

void fuzz_archive(const uint8_t *bytes, size_t n)
{
    static const dn_fetch_options options;
    static const dn__job job = {.options = &options, .label = "input"};
    char folder[96];
    found f = {0};
    const char *path = fuzz_file(bytes, n);
    snprintf(folder, sizeof folder, "%s.unpacked", path);
    const dn_status status = dn__unpack(&job, path, folder, &limits);
    if (status == DN_OK) {
        count(&f, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (f.bytes > limits.bytes || f.entries > limits.entries) fail("beyond the limits");
        if (dn__remove_tree(folder) != DN_OK) fail(dn_error_last());
    } else if (access(folder, F_OK) == 0) {
        fail("something is left after an error");
    } else if (!dn_error_last()[0] || status == DN_ERROR_INTERNAL) {
        fail("an error without a text, or a wrong one");
    }
    unlink(path);
}
