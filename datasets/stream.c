#include "datasets/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/alloc.h"

/* Deflate packs 258 bytes into two bits at best: 1032 to 1. */
enum { DEFLATE_RATIO = 1032, PIECE = 1 << 30 };

struct dn__stream {
    gzFile file; /* also reads plain files */
    char *path;
    uint64_t size; /* of the file on disk */
    uint64_t at;   /* uncompressed bytes delivered */
    int plain;
};

static dn_status open_file(dn__stream *s, const char *path)
{
    struct stat facts;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not block before it is refused */
    if (file < 0) return dn_fail(DN_ERROR_FILE, "%s: cannot open: %s", path, strerror(errno));
    if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(file);
        return dn_fail(DN_ERROR_FILE, "%s: not a regular file", path);
    }
    s->size = (uint64_t)facts.st_size;
    s->file = gzdopen(file, "rb");
    if (!s->file) {
        close(file);
        return dn_fail(DN_ERROR_MEMORY, "%s: no memory to read it", path);
    }
    gzbuffer(s->file, 1 << 16);
    s->plain = gzdirect(s->file);
    return DN_OK;
}

dn_status dn__stream_open(dn__stream **out, const char *path)
{
    *out = NULL;
    dn__stream *s = dn_calloc(1, sizeof *s);
    if (!s) return DN_ERROR_MEMORY;
    s->path = dn_strdup(path);
    const dn_status status = s->path ? open_file(s, path) : DN_ERROR_MEMORY;
    if (status != DN_OK) {
        dn__stream_close(s);
        return status;
    }
    *out = s;
    return DN_OK;
}

dn_status dn__stream_open_plain(dn__stream **out, const char *path)
{
    DN_TRY(dn__stream_open(out, path));
    if ((*out)->plain) return DN_OK;
    dn__stream_close(*out);
    *out = NULL;
    return dn_fail(DN_ERROR_FORMAT, "%s: at byte 0: gzip data, expected a plain file: unpack it with gunzip", path);
}

void dn__stream_close(dn__stream *s)
{
    if (!s) return;
    if (s->file) gzclose(s->file);
    dn_free(s->path);
    dn_free(s);
}

uint64_t dn__stream_at(const dn__stream *s)
{
    return s->at;
}

uint64_t dn__stream_left(const dn__stream *s)
{
    const uint64_t most = s->plain ? s->size : s->size * DEFLATE_RATIO;
    return most > s->at ? most - s->at : 0;
}

dn_status dn__stream_fail(const dn__stream *s, uint64_t offset, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return dn_fail(DN_ERROR_FORMAT, "%s: at byte %" PRIu64 "%s: %s", s->path, offset,
                   s->plain ? "" : " of the unpacked data", text);
}

dn_status dn__stream_read(dn__stream *s, void *to, size_t bytes, const char *what)
{
    size_t done = 0;
    while (done < bytes) {
        const size_t rest = bytes - done;
        const int got = gzread(s->file, (char *)to + done, (unsigned)(rest < PIECE ? rest : PIECE));
        if (got <= 0) break;
        done += (size_t)got;
    }
    s->at += done;
    if (done == bytes) return DN_OK;
    int code = Z_OK;
    const char *reason = gzerror(s->file, &code);
    if (code == Z_ERRNO) return dn_fail(DN_ERROR_FILE, "%s: read error: %s", s->path, strerror(errno));
    if (code != Z_OK && code != Z_BUF_ERROR) return dn__stream_fail(s, s->at, "damaged gzip data (%s)", reason);
    return dn__stream_fail(s, s->at, "the file ends here, after %zu of %zu bytes of %s%s", done, bytes, what,
                           code == Z_BUF_ERROR ? " (the gzip data are cut off)" : "");
}

dn_status dn__stream_expect(dn__stream *s, uint64_t bytes, const char *what)
{
    if (bytes <= dn__stream_left(s)) return DN_OK;
    return dn__stream_fail(s, s->at, "found at most %" PRIu64 " bytes, expected %" PRIu64 " bytes of %s",
                           dn__stream_left(s), bytes, what);
}

dn_status dn__stream_end(dn__stream *s)
{
    char extra;
    const int got = gzread(s->file, &extra, 1);
    if (got == 1 && s->plain)
        return dn__stream_fail(s, s->at, "found %" PRIu64 " bytes too many, expected the end of the file",
                               s->size - s->at);
    if (got == 1) return dn__stream_fail(s, s->at, "found more bytes, expected the end of the data");
    int code = Z_OK;
    const char *reason = gzerror(s->file, &code); /* the gzip trailer holds a checksum, looked at only now */
    if (got < 0 || code == Z_DATA_ERROR || code == Z_BUF_ERROR)
        return dn__stream_fail(s, s->at, "damaged gzip data (%s)", code == Z_BUF_ERROR ? "cut off" : reason);
    return DN_OK;
}
