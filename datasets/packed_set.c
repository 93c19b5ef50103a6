/* `file:PATH.h5`: a packed set as a data set whose images may stay in the file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "datasets/packed_private.h"
#include "datasets/rows.h"
#include "datasets/sets.h"

/* ---- rows ---- */

/* Row `row` is wanted in place `place` of the result. */
typedef struct wish {
    int64_t row, place;
} wish;

static int by_row(const void *a, const void *b)
{
    const int64_t x = ((const wish *)a)->row, y = ((const wish *)b)->row;
    return (x > y) - (x < y);
}

/* NaN and infinity end here, before they reach a training run. */
static dn_status check_floats(const dn__packed *p, const wish *wishes, int64_t n, const char *to)
{
    const size_t image = dn__packed_image_bytes(p), values = image / sizeof(float);
    for (int64_t i = 0; i < n && p->facts.type == DN_F32; i++) {
        const void *stored = to + (size_t)wishes[i].place * image;
        const float *at = stored;
        for (size_t v = 0; v < values; v++)
            if (!isfinite(at[v]))
                return dn_fail(DN_ERROR_NUMERIC, "%s: image %" PRId64 " holds %g, expected finite numbers", p->path,
                               wishes[i].row, (double)at[v]);
    }
    return DN_OK;
}

/* Wishes [n], all of one chunk. @param room [chunk bytes], NULL until it is needed */
static dn_status grant(const dn__packed *p, const wish *wishes, int64_t n, char **room, char *to)
{
    const size_t image = dn__packed_image_bytes(p);
    const int64_t number = wishes[0].row / p->facts.chunk_rows, first = number * p->facts.chunk_rows;
    if (dn__packed_is_plain(p) && atomic_load(&p->checked[number])) {
        for (int64_t i = 0; i < n; i++)
            DN_TRY(dn__packed_pread(p, to + (size_t)wishes[i].place * image, image,
                                    p->chunk[number].address + (uint64_t)(wishes[i].row - first) * image));
        return DN_OK;
    }
    if (!*room && !(*room = dn_calloc(dn__packed_chunk_bytes(p), 1))) return DN_ERROR_MEMORY;
    DN_TRY(dn__packed_chunk(p, number, *room));
    atomic_store(&p->checked[number], 1);
    for (int64_t i = 0; i < n; i++)
        memcpy(to + (size_t)wishes[i].place * image, *room + (size_t)(wishes[i].row - first) * image, image);
    return DN_OK;
}

/* In the order of the file, so that each chunk is read once. */
static dn_status grant_all(const dn__packed *p, wish *wishes, int64_t n, char **room, char *to)
{
    qsort(wishes, (size_t)n, sizeof *wishes, by_row);
    for (int64_t i = 0, end; i < n; i = end) {
        const int64_t number = wishes[i].row / p->facts.chunk_rows;
        for (end = i + 1; end < n && wishes[end].row / p->facts.chunk_rows == number;) end++;
        DN_TRY(grant(p, wishes + i, end - i, room, to));
    }
    return check_floats(p, wishes, n, to);
}

static dn_status read_rows(const void *context, const int64_t *rows, int64_t n, void *to)
{
    const dn__packed *p = context;
    wish *wishes = dn_calloc((size_t)n, sizeof *wishes);
    char *room = NULL;
    for (int64_t i = 0; i < n && wishes; i++) wishes[i] = (wish){rows[i], i};
    const dn_status status = wishes ? grant_all(p, wishes, n, &room, to) : DN_ERROR_MEMORY;
    dn_free(room);
    dn_free(wishes);
    return status;
}

/* ---- opening ---- */

static void close_packed(void *context)
{
    dn__packed *p = context;
    if (!p) return;
    if (p->descriptor >= 0) close(p->descriptor);
    dn_free(p->path);
    dn_free(p->chunk);
    dn_free(p->checked);
    dn_free(p->labels);
    dn_free(p->names);
    dn_free(p->provenance);
    dn_free(p);
}

static dn_status open_packed(dn__packed *p, const char *path)
{
    struct stat facts;
    p->path = dn_strdup(path);
    if (!p->path) return DN_ERROR_MEMORY;
    p->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (p->descriptor < 0 || fstat(p->descriptor, &facts) != 0)
        return dn_fail(DN_ERROR_FILE, "%s: cannot open the file: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode)) return dn_fail(DN_ERROR_FILE, "%s: not a file", path);
    if (facts.st_size == 0) return dn_fail(DN_ERROR_FORMAT, "%s: the file is empty, expected a packed set", path);
    p->file_bytes = (uint64_t)facts.st_size;
    DN_TRY(dn__packed_look(p));
    p->checked = dn_calloc((size_t)p->facts.chunks, sizeof *p->checked);
    return p->checked ? DN_OK : DN_ERROR_MEMORY;
}

/* One name a line: as many lines as classes. */
static dn_status take_names(dn_dataset *d, const dn__packed *p)
{
    if (!p->names) return DN_OK;
    const int64_t bytes = p->facts.names_bytes;
    int64_t lines = 0;
    for (int64_t i = 0; i < bytes; i++) {
        lines += p->names[i] == '\n';
        if (!p->names[i]) return dn_fail(DN_ERROR_FORMAT, "%s: a class name holds a zero byte", p->path);
    }
    if (lines != p->facts.classes || p->names[bytes - 1] != '\n')
        return dn_fail(DN_ERROR_FORMAT, "%s: \"class_names\" has %" PRId64 " lines for %" PRId64 " classes", p->path,
                       lines, p->facts.classes);
    const char **names = dn_calloc((size_t)lines, sizeof *names);
    if (!names) return DN_ERROR_MEMORY;
    char *at = p->names;
    for (int64_t i = 0; i < lines; i++) {
        char *end = strchr(at, '\n');
        *end = '\0';
        names[i] = at;
        at = end + 1;
    }
    const dn_status status = dn__dataset_copy_names(d, names);
    dn_free(names);
    return status;
}

static dn_status take(dn_dataset *d, dn__packed *p)
{
    const dn__packed_facts *f = &p->facts;
    d->n = f->dim[0];
    d->height = (int)f->dim[1], d->width = (int)f->dim[2], d->channels = (int)f->dim[3];
    d->type = f->type;
    d->classes = (int)f->classes;
    d->labels = p->labels;
    p->labels = NULL;
    d->rows->has_print = f->has_print != 0;
    d->rows->print = f->print;
    DN_TRY(take_names(d, p));
    d->rows->origin = p->provenance;
    d->provenance = dn_format("%s (%s)", p->path, p->provenance);
    if (!d->provenance) return DN_ERROR_MEMORY;
    d->rows->named = strlen(d->provenance);
    return DN_OK;
}

dn_status dn__load_packed(dn_dataset *d, const dn__request *request)
{
    const char *path = request->expression->split;
    if (!path) return dn_fail(DN_ERROR_ARGUMENT, "no file is named, expected file:PATH.h5");
    d->rows = dn_calloc(1, sizeof *d->rows);
    dn__packed *p = dn_calloc(1, sizeof *p);
    if (!d->rows || !p) {
        dn_free(p);
        return DN_ERROR_MEMORY;
    }
    p->descriptor = -1;
    *d->rows = (dn__rows){.read = read_rows, .close = close_packed, .context = p};
    DN_TRY(open_packed(p, path));
    return take(d, p);
}
