/* A .mat file of level 5 is a head of 128 bytes (text, version, "IM" or "MI" for the order of bytes) and elements: a
 * tag of two 32-bit words, type and bytes, and that many bytes. An element is an array, or one packed with zlib, as a
 * whole. Source: "MAT-File Format", The MathWorks. libmatio reads the arrays; it looks neither whether a file is cut
 * off nor at the checksums. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "core/alloc.h"
#include "core/child.h"
#include "datasets/mat_private.h"

enum {
    HEAD = 128,
    LEVEL_4_HEAD = 20,
    TAG = 8,
    ARRAY = 14,
    PACKED = 15,
    LEVEL_5 = 0x0100,
    LEVEL_7_3 = 0x0200,
    PIECE = 1 << 18
};

typedef struct frame {
    FILE *file;
    const char *path;
    uint64_t bytes, at; /* of the file; of the next tag */
    bool big_endian;
} frame;

typedef struct element {
    uint32_t type, bytes;
    uint64_t at; /* of what follows the tag */
} element;

/* ---- the head ---- */

static dn_status open_file(frame *f, const char *path)
{
    struct stat facts;
    *f = (frame){.path = path, .at = HEAD};
    if (stat(path, &facts) != 0) return dn_fail(DN_ERROR_FILE, "%s: cannot open: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode)) return dn_fail(DN_ERROR_FILE, "%s: not a regular file", path);
    f->bytes = (uint64_t)facts.st_size;
    f->file = fopen(path, "rb");
    return f->file ? DN_OK : dn_fail(DN_ERROR_FILE, "%s: cannot open: %s", path, strerror(errno));
}

/** What is no file of level 5. */
static dn_status refuse_head(const frame *f, const unsigned char head[HEAD], unsigned version)
{
    if (version == LEVEL_7_3 || memcmp(head, "\x89HDF", 4) == 0)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "%s: a file of MATLAB 7.3 (HDF5), expected MATLAB 5 to 7: save it with '-v7' or with "
                       "scipy.io.savemat",
                       f->path);
    /* Level 4 has no head: its first word is a number below 5000, in any order of bytes. */
    if (memchr(head, 0, 4))
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "%s: a file of MATLAB 4 by its first bytes, expected MATLAB 5 to 7: save "
                       "it with '-v7'",
                       f->path);
    return dn_fail(DN_ERROR_FORMAT, "%s: not a .mat file of MATLAB 5 to 7, by its first %d bytes", f->path, HEAD);
}

static dn_status read_head(frame *f)
{
    unsigned char head[HEAD] = {0};
    const size_t got = fread(head, 1, HEAD, f->file);
    if (got >= LEVEL_4_HEAD && memchr(head, 0, 4)) return refuse_head(f, head, 0);
    if (got != HEAD)
        return dn_fail(DN_ERROR_FORMAT, "%s: the file ends after %" PRIu64 " bytes, expected the head of a .mat file",
                       f->path, f->bytes);
    const unsigned char *version = head + HEAD - 4, *order = head + HEAD - 2;
    f->big_endian = memcmp(order, "MI", 2) == 0;
    const unsigned level = f->big_endian ? version[0] << 8U | version[1] : version[1] << 8U | version[0];
    const bool known = f->big_endian || memcmp(order, "IM", 2) == 0;
    return known && level == LEVEL_5 && head[0] ? DN_OK : refuse_head(f, head, known ? level : 0);
}

/* ---- elements ---- */

static uint32_t word(const frame *f, const unsigned char *at)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) value |= (uint32_t)at[i] << 8U * (f->big_endian ? 3 - i : i);
    return value;
}

/** Reads a tag; an element's bytes must be in the file. */
static dn_status next_element(frame *f, element *e)
{
    unsigned char tag[TAG];
    if (fseeko(f->file, (off_t)f->at, SEEK_SET) != 0 || fread(tag, 1, TAG, f->file) != TAG)
        return dn_fail(DN_ERROR_FORMAT, "%s: at byte %" PRIu64 ": the file is cut off within the tag of an array",
                       f->path, f->at);
    *e = (element){.type = word(f, tag), .bytes = word(f, tag + 4), .at = f->at + TAG};
    if (e->type != ARRAY && e->type != PACKED)
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: at byte %" PRIu64 ": an element of type %" PRIu32 ", expected %d (array) "
                       "or %d (packed array): the file is damaged",
                       f->path, f->at, e->type, ARRAY, PACKED);
    if (e->bytes > f->bytes - e->at)
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: at byte %" PRIu64 ": an array of %" PRIu32 " bytes, but only %" PRIu64
                       " follow: the file is cut off; get it again",
                       f->path, f->at, e->bytes, f->bytes - e->at);
    f->at = e->at + e->bytes;
    return DN_OK;
}

typedef dn_status see_element(const frame *f, const element *e);

static dn_status walk(const char *path, see_element *see, uint64_t *file_bytes)
{
    frame f;
    dn_status status = open_file(&f, path);
    if (status == DN_OK) status = read_head(&f);
    if (status == DN_OK && f.at == f.bytes)
        status = dn_fail(DN_ERROR_FORMAT, "%s: there is no array in the file", path);
    while (status == DN_OK && f.at < f.bytes) {
        element e;
        status = next_element(&f, &e);
        if (status == DN_OK && see) status = see(&f, &e);
    }
    if (file_bytes) *file_bytes = f.bytes;
    if (f.file) fclose(f.file);
    return status;
}

dn_status dn__mat_check_frame(const char *path, uint64_t *file_bytes)
{
    return walk(path, NULL, file_bytes);
}

/* ---- packed elements ---- */

/** @param in, out [PIECE] @return zlib's last answer: Z_STREAM_END if all is well */
static int unpack(const frame *f, const element *e, z_stream *z, unsigned char *in, unsigned char *out)
{
    int answer = Z_OK;
    uint32_t left = e->bytes;
    while (answer == Z_OK || (answer == Z_BUF_ERROR && z->avail_in == 0)) {
        if (z->avail_in == 0) {
            const size_t n = left < PIECE ? left : PIECE;
            if (n == 0 || fread(in, 1, n, f->file) != n) return Z_BUF_ERROR;
            z->next_in = in, z->avail_in = (unsigned)n, left -= (uint32_t)n;
            dn__child_alive();
        }
        z->next_out = out, z->avail_out = PIECE;
        answer = inflate(z, Z_NO_FLUSH);
    }
    return answer == Z_STREAM_END && (left || z->avail_in) ? Z_DATA_ERROR : answer;
}

static dn_status see_packed(const frame *f, const element *e)
{
    if (e->type != PACKED) return DN_OK;
    z_stream z = {0};
    unsigned char *room = dn_calloc(2, PIECE);
    if (!room) return DN_ERROR_MEMORY;
    const bool ready = inflateInit(&z) == Z_OK;
    const int answer = ready ? unpack(f, e, &z, room, room + PIECE) : Z_MEM_ERROR;
    if (ready) inflateEnd(&z);
    dn_free(room);
    if (answer == Z_STREAM_END) return DN_OK;
    if (answer == Z_MEM_ERROR) return dn_fail(DN_ERROR_MEMORY, "%s: no memory for unpacking", f->path);
    return dn_fail(DN_ERROR_FORMAT,
                   "%s: at byte %" PRIu64 ": the packed array is damaged (its data do not unpack, or "
                   "not to their checksum); get the file again",
                   f->path, e->at);
}

dn_status dn__mat_check_packed(const char *path)
{
    return walk(path, see_packed, NULL);
}
