#include "datasets/fetch/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/whole_file.h"

enum { LONGEST_ADDRESS = 2048 };

static dn_status cannot(const dn__part *part, const char *what)
{
    return dn_fail(DN_ERROR_FILE, "%s: cannot %s: %s", part->path, what, strerror(errno));
}

/** Reads a line without its end. @return whether there was one that fits */
static bool read_line(FILE *file, char *line, size_t size)
{
    line[0] = '\0';
    if (!fgets(line, (int)size, file)) return false;
    char *end = strchr(line, '\n');
    if (!end) return false;
    *end = '\0';
    return true;
}

/** @return whether the part's bytes are from this address, and if so which validator they have */
static bool read_note(dn__part *part, const char *address)
{
    char from[LONGEST_ADDRESS];
    char *name = dn_format("%s.from", part->path);
    FILE *file = name ? fopen(name, "r") : NULL;
    dn_free(name);
    if (!file) return false;
    const bool read = read_line(file, from, sizeof from) && read_line(file, part->validator, sizeof part->validator);
    fclose(file);
    return read && strcmp(from, address) == 0;
}

static dn_status write_note(const dn__part *part, const char *address)
{
    dn_whole_file note;
    char *name = dn_format("%s.from", part->path);
    if (!name) return DN_ERROR_MEMORY;
    dn_status status = dn_whole_file_open(&note, name);
    if (status == DN_OK) {
        fprintf(note.file, "%s\n%s\n", address, part->validator);
        status = dn_whole_file_commit(&note);
    }
    dn_whole_file_close(&note);
    dn_free(name);
    return status;
}

dn_status dn__part_open(dn__part *out, const char *path, const char *address)
{
    struct stat info;
    *out = (dn__part){.path = path};
    out->file = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (out->file < 0) return cannot(out, "open it for writing");
    if (fstat(out->file, &info) != 0) return cannot(out, "ask for its size");
    if (!S_ISREG(info.st_mode)) return dn_fail(DN_ERROR_FILE, "%s: expected a regular file", path);
    if (info.st_size > 0 && !read_note(out, address)) {
        out->validator[0] = '\0';
        if (ftruncate(out->file, 0) != 0) return cannot(out, "empty it");
        return DN_OK;
    }
    out->bytes = info.st_size;
    return DN_OK;
}

void dn__part_close(dn__part *part)
{
    if (part->file >= 0) close(part->file);
    part->file = -1;
}

dn_status dn__part_restart(dn__part *part, const char *address, const char *validator)
{
    /* Empty first: a note never stands beside bytes that it does not speak of. */
    if (ftruncate(part->file, 0) != 0) return cannot(part, "empty it");
    part->bytes = 0;
    snprintf(part->validator, sizeof part->validator, "%s", validator);
    return write_note(part, address);
}

dn_status dn__part_add(dn__part *part, const void *from, size_t bytes)
{
    const char *at = from;
    while (bytes > 0) {
        const ssize_t written = write(part->file, at, bytes);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            return dn_fail(DN_ERROR_FILE, "%s: cannot write after %lld bytes: %s; the same command goes on from there",
                           part->path, (long long)part->bytes, strerror(errno));
        at += written;
        bytes -= (size_t)written;
        part->bytes += written;
    }
    return DN_OK;
}

void dn__part_remove(const char *path)
{
    char *note = dn_format("%s.from", path);
    unlink(path);
    if (note) unlink(note);
    dn_free(note);
}
