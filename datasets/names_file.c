#include "datasets/names_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/alloc.h"
#include "datasets/stream.h"

enum { MOST_BYTES = 1 << 20, LONGEST_NAME = 255 };

/* Reads one line without its end; `name` is empty for an empty line. */
static dn_status read_line(dn__stream *s, char name[LONGEST_NAME + 1])
{
    int length = 0;
    for (char c = 0; c != '\n' && dn__stream_left(s) > 0;) {
        const uint64_t at = dn__stream_at(s);
        DN_TRY(dn__stream_read(s, &c, 1, "class names"));
        if (c == '\n' || c == '\r') continue;
        if (!isprint((unsigned char)c) || length == LONGEST_NAME)
            return dn__stream_fail(s, at,
                                   "byte 0x%02x, expected class names, one a line, of at most %d printable characters",
                                   (unsigned char)c, LONGEST_NAME);
        name[length++] = c;
    }
    while (length > 0 && name[length - 1] == ' ') length--;
    name[length] = 0;
    return DN_OK;
}

static dn_status read_names(dn__stream *s, char **names, int classes)
{
    int count = 0;
    if (dn__stream_left(s) > MOST_BYTES)
        return dn__stream_fail(s, 0, "%" PRIu64 " bytes, expected a short list of class names", dn__stream_left(s));
    while (dn__stream_left(s) > 0) {
        char name[LONGEST_NAME + 1] = "";
        const uint64_t at = dn__stream_at(s);
        DN_TRY(read_line(s, name));
        if (!name[0]) continue;
        if (count == classes) return dn__stream_fail(s, at, "one class name more, expected %d", classes);
        names[count] = dn_strdup(name);
        if (!names[count++]) return DN_ERROR_MEMORY;
    }
    if (count == classes) return DN_OK;
    return dn__stream_fail(s, dn__stream_at(s), "the file ends after %d class names, expected %d", count, classes);
}

dn_status dn__names_read(char ***names, const char *path, int classes)
{
    dn__stream *s = NULL;
    *names = NULL;
    if (access(path, F_OK) != 0) return DN_OK; /* names are a comfort: a set without them is complete */
    DN_TRY(dn__stream_open_plain(&s, path));
    char **read = dn_calloc((size_t)classes, sizeof *read);
    const dn_status status = read ? read_names(s, read, classes) : DN_ERROR_MEMORY;
    dn__stream_close(s);
    if (status == DN_OK) {
        *names = read;
        return DN_OK;
    }
    for (int i = 0; read && i < classes; i++) dn_free(read[i]);
    dn_free(read);
    return status;
}
