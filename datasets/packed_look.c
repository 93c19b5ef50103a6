/* The structure of a packed set, found by libhdf5 in a child process: a file that crashes it does no harm. */
#include <inttypes.h>
#include <string.h>

#include "core/alloc.h"
#include "core/child.h"
#include "core/store_private.h"
#include "datasets/expression.h"
#include "datasets/packed_private.h"

enum { PIECE_CHUNKS = 4096, MOST_TEXT = 64 << 20 };

/* ---- in the child ---- */

typedef struct looking {
    dn_store store;
    hid_t images;
    int pipe;
    dn__packed_facts facts;
    dn__chunk found; /* where the chunk that is asked for lies */
    bool seen;
} looking;

static void locate(void *context, uint64_t address, uint64_t bytes)
{
    looking *l = context;
    l->seen = bytes <= UINT32_MAX;
    l->found = (dn__chunk){.address = address, .bytes = (uint32_t)bytes};
}

static dn_status open_images(looking *l)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    (void)H5PLset_loading_state(0);         /* plug-ins are code that a file would choose */
    (void)H5Lunregister(H5L_TYPE_EXTERNAL); /* links into other files */
    DN__ID access = H5Pcreate(H5P_FILE_ACCESS);
    DN_TRY(dn__store_set_target(access, &l->store.target));
    l->store.file = H5Fopen(l->store.path, H5F_ACC_RDONLY, access);
    if (l->store.file < 0)
        return dn__store_fail(&l->store, DN_ERROR_FORMAT,
                              "not an HDF5 file, or cut off or damaged; make it again with `dunlin data convert`");
    return dn_store_expect_kind(&l->store, DN__PACKED_KIND, DN__PACKED_VERSION, NULL);
}

/* Filters come in the order shuffle, deflate, sum, if they are there. */
static dn_status take_filters(looking *l, hid_t layout)
{
    static const H5Z_filter_t known[3] = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32};
    dn__packed_facts *f = &l->facts;
    const int filters = H5Pget_nfilters(layout);
    int at = 0;
    for (int i = 0; i < filters && i < 3; i++) {
        unsigned flags = 0, config = 0;
        size_t values = 0;
        const H5Z_filter_t id = H5Pget_filter2(layout, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        while (at < 3 && known[at] != id) at++;
        f->filter[f->filters++] = at++;
    }
    if (filters >= 1 && filters <= 3 && f->filter[filters - 1] == DN__FILTER_SUM) return DN_OK;
    return dn_fail(
        DN_ERROR_FORMAT,
        "%s: \"images\" is packed in another way than with fletcher32 at the end, and shuffle and gzip before "
        "it if anything",
        l->store.path);
}

static dn_status look_at_images(looking *l)
{
    dn_store_info info = {0};
    dn__packed_facts *f = &l->facts;
    hsize_t sides[H5S_MAX_RANK] = {0};
    DN_TRY(dn_store_array_info(&l->store, "images", &info));
    f->type = info.dtype;
    bool sound = info.rank == DN__PACKED_RANK && info.count > 0 && (info.dtype == DN_U8 || info.dtype == DN_F32);
    for (int i = 0; i < info.rank && i < DN__PACKED_RANK; i++) f->dim[i] = info.dim[i];
    l->images = H5Dopen2(l->store.file, "images", H5P_DEFAULT);
    DN__ID layout = H5Dget_create_plist(l->images);
    DN__ID type = H5Dget_type(l->images);
    sound = sound && layout >= 0 && H5Pget_layout(layout) == H5D_CHUNKED &&
            H5Pget_chunk(layout, H5S_MAX_RANK, sides) == DN__PACKED_RANK &&
            H5Tequal(type, info.dtype == DN_U8 ? H5T_STD_U8LE : H5T_IEEE_F32LE) > 0;
    for (int i = 1; i < DN__PACKED_RANK; i++) sound = sound && sides[i] == (hsize_t)info.dim[i];
    if (!sound)
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: \"images\" is not uint8 or float32 [N,H,W,C] in chunks of whole images; write it with "
                       "`dunlin data convert`",
                       l->store.path);
    f->chunk_rows = (int64_t)sides[0];
    f->chunks = (info.dim[0] - 1) / f->chunk_rows + 1;
    return take_filters(l, layout);
}

/* Asks for each chunk without reading it: the file's driver hears where that would be. HDF5 1.10 has functions that say
 * it, but they walk through all chunks for each. */
static dn_status send_chunks(looking *l)
{
    dn__chunk piece[PIECE_CHUNKS];
    const dn__packed_facts *f = &l->facts;
    char nothing = 0;
    l->store.target.context = l;
    for (int64_t i = 0; i < f->chunks; i++) {
        const hsize_t place[DN__PACKED_RANK] = {(hsize_t)(i * f->chunk_rows)};
        l->seen = false;
        l->store.target.locate = locate;
        const herr_t asked = H5Dread_chunk(l->images, H5P_DEFAULT, place, &l->found.skipped, &nothing);
        l->store.target.locate = NULL;
        if (asked < 0 || !l->seen)
            return dn__store_fail(&l->store, DN_ERROR_FORMAT, "chunk %" PRId64 " of \"images\" is not in the file", i);
        piece[i % PIECE_CHUNKS] = l->found;
        if (i % PIECE_CHUNKS != PIECE_CHUNKS - 1 && i != f->chunks - 1) continue;
        dn__child_alive();
        DN_TRY(dn__child_send(l->pipe, piece, (size_t)(i % PIECE_CHUNKS + 1) * sizeof *piece));
    }
    return DN_OK;
}

static dn_status send_labels(looking *l)
{
    int32_t piece[1 << 14];
    enum { MOST = sizeof piece / sizeof *piece };
    for (int64_t i = 0; i < l->facts.dim[0]; i += MOST) {
        const int64_t n = l->facts.dim[0] - i < MOST ? l->facts.dim[0] - i : MOST;
        dn__child_alive();
        DN_TRY(dn_store_read_rows(&l->store, "labels", DN_I32, 0, i, n, piece));
        DN_TRY(dn__child_send(l->pipe, piece, (size_t)n * sizeof *piece));
    }
    return DN_OK;
}

static dn_status send_names(looking *l)
{
    const size_t bytes = (size_t)l->facts.names_bytes;
    char *names = dn_calloc(bytes, 1);
    if (!names) return DN_ERROR_MEMORY;
    DN_TRY(dn_store_read(&l->store, "class_names", DN_U8, (int64_t)bytes, names));
    return dn__child_send(l->pipe, names, bytes);
}

/* What the file has beside its images. */
static dn_status look_at_rest(looking *l, char **provenance)
{
    dn_store_info info = {0};
    dn__packed_facts *f = &l->facts;
    int64_t print = 0;
    DN_TRY(dn_store_get_int(&l->store, "/", "classes", &f->classes));
    f->has_print = dn_store_has_attribute(&l->store, "/", "fingerprint");
    if (f->has_print) DN_TRY(dn_store_get_int(&l->store, "/", "fingerprint", &print));
    DN_TRY(dn_store_get_text(&l->store, "/", "provenance", provenance));
    f->print = (uint64_t)print;
    f->provenance_bytes = (int64_t)strlen(*provenance);
    if (f->classes > 0) {
        DN_TRY(dn_store_array_info(&l->store, "labels", &info));
        if (info.rank != 1 || info.dim[0] != f->dim[0] || info.dtype != DN_I32)
            return dn_fail(DN_ERROR_FORMAT, "%s: \"labels\" is not int32 [%" PRId64 "], one for each image",
                           l->store.path, f->dim[0]);
    }
    if (!dn_store_exists(&l->store, "class_names")) return DN_OK;
    DN_TRY(dn_store_array_info(&l->store, "class_names", &info));
    f->names_bytes = info.count;
    if (info.dtype == DN_U8 && info.count <= MOST_TEXT) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "%s: \"class_names\" is not uint8, or is longer than %d bytes", l->store.path,
                   MOST_TEXT);
}

/* The process ends behind this function: nothing is closed. */
static dn_status work(void *context, int pipe)
{
    const dn__packed *p = context;
    looking l = {.store = {.path = p->path, .file = H5I_INVALID_HID, .target = {.descriptor = p->descriptor}},
                 .pipe = pipe};
    char *provenance = NULL;
    DN_TRY(open_images(&l));
    DN_TRY(look_at_images(&l));
    DN_TRY(look_at_rest(&l, &provenance));
    DN_TRY(dn__child_send(pipe, &l.facts, sizeof l.facts));
    DN_TRY(send_chunks(&l));
    if (l.facts.classes > 0) DN_TRY(send_labels(&l));
    if (l.facts.names_bytes > 0) DN_TRY(send_names(&l));
    return dn__child_send(pipe, provenance, (size_t)l.facts.provenance_bytes);
}

/* ---- here ---- */

static dn_status senseless(const char *what)
{
    return dn_fail(DN_ERROR_FORMAT, "%s makes no sense: the file is damaged; make it again", what);
}

/* The child may be what a hostile file made of it: sizes are checked before memory is asked for. */
static dn_status check_shape(const dn__packed *p)
{
    const dn__packed_facts *f = &p->facts;
    const int64_t *dim = f->dim,
                  most[DN__PACKED_RANK] = {INT64_MAX / 8, DN__LONGEST_SIDE, DN__LONGEST_SIDE, DN__PACKED_MOST_CHANNELS};
    bool sound = f->type == DN_U8 || f->type == DN_F32;
    for (int i = 0; i < DN__PACKED_RANK; i++) sound = sound && dim[i] >= 1 && dim[i] <= most[i];
    if (!sound)
        return dn_fail(DN_ERROR_FORMAT,
                       "\"images\" has the shape [%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
                       "], expected at least one image, with height and width 1 to %d and 1 to %d channels",
                       dim[0], dim[1], dim[2], dim[3], DN__LONGEST_SIDE, DN__PACKED_MOST_CHANNELS);
    const int64_t image = (int64_t)dn__packed_image_bytes(p);
    if (f->chunk_rows < 1 || f->chunk_rows > dim[0] || f->chunk_rows > UINT32_MAX / image ||
        f->chunks != (dim[0] - 1) / f->chunk_rows + 1)
        return senseless("the layout of \"images\"");
    /* A chunk has a sum of four bytes, and deflate packs 1032 bytes into one at best. */
    if ((uint64_t)f->chunks > p->file_bytes / 4 || (double)dim[0] * (double)image > 1032.0 * (double)p->file_bytes)
        return senseless("the number of images");
    return DN_OK;
}

dn_status dn__packed_check_facts(const dn__packed *p)
{
    const dn__packed_facts *f = &p->facts;
    DN_TRY(check_shape(p));
    if (f->filters < 1 || f->filters > 3) return senseless("the packing");
    for (int i = 0; i < f->filters; i++)
        if (f->filter[i] < (i ? f->filter[i - 1] + 1 : 0) || f->filter[i] > DN__FILTER_SUM)
            return senseless("the packing");
    if (f->filter[f->filters - 1] != DN__FILTER_SUM) return senseless("the packing");
    if (f->classes < 0 || f->classes > DN__PACKED_MOST_CLASSES) return senseless("the number of classes");
    if (f->names_bytes < 0 || f->names_bytes > MOST_TEXT || f->provenance_bytes < 0 || f->provenance_bytes > MOST_TEXT)
        return senseless("a text");
    return DN_OK;
}

dn_status dn__packed_check_chunks(const dn__packed *p)
{
    const dn__packed_facts *f = &p->facts;
    const uint32_t sum = 1u << (f->filters - 1);
    const uint64_t plain = dn__packed_chunk_bytes(p) + 4, most = plain + plain / 512 + 64; /* what deflate adds */
    for (int64_t i = 0; i < f->chunks; i++) {
        const dn__chunk *c = &p->chunk[i];
        if (c->bytes > p->file_bytes || c->address > p->file_bytes - c->bytes)
            return dn_fail(DN_ERROR_FORMAT,
                           "chunk %" PRId64 " of \"images\" ends at byte %" PRIu64 ", the file has %" PRIu64
                           ": it was cut off; copy it again",
                           i, c->address + c->bytes, p->file_bytes);
        if (c->bytes < 4 || c->bytes > most || (c->skipped & sum) || (dn__packed_is_plain(p) && c->bytes != plain))
            return dn_fail(DN_ERROR_FORMAT,
                           "chunk %" PRId64 " of \"images\" has %u bytes: damaged; make the file again", i, c->bytes);
    }
    return DN_OK;
}

static dn_status check_labels(const dn__packed *p)
{
    for (int64_t i = 0; i < p->facts.dim[0]; i++)
        if (p->labels[i] < 0 || p->labels[i] >= p->facts.classes)
            return dn_fail(DN_ERROR_FORMAT, "label %d of item %" PRId64 ", expected 0 to %" PRId64, p->labels[i], i,
                           p->facts.classes - 1);
    return DN_OK;
}

static dn_status receive_text(int pipe, int64_t bytes, char **text)
{
    *text = dn_calloc((size_t)bytes + 1, 1);
    return *text ? dn__child_receive(pipe, *text, (size_t)bytes) : DN_ERROR_MEMORY;
}

static dn_status take(void *context, int pipe)
{
    dn__packed *p = context;
    dn__packed_facts *f = &p->facts;
    DN_TRY(dn__child_receive(pipe, f, sizeof *f));
    DN_TRY(dn__packed_check_facts(p));
    p->chunk = dn_calloc((size_t)f->chunks, sizeof *p->chunk);
    if (!p->chunk) return DN_ERROR_MEMORY;
    DN_TRY(dn__child_receive(pipe, p->chunk, (size_t)f->chunks * sizeof *p->chunk));
    DN_TRY(dn__packed_check_chunks(p));
    if (f->classes > 0) {
        p->labels = dn_calloc((size_t)f->dim[0], sizeof *p->labels);
        if (!p->labels) return DN_ERROR_MEMORY;
        DN_TRY(dn__child_receive(pipe, p->labels, (size_t)f->dim[0] * sizeof *p->labels));
        DN_TRY(check_labels(p));
    }
    if (f->names_bytes > 0) DN_TRY(receive_text(pipe, f->names_bytes, &p->names));
    return receive_text(pipe, f->provenance_bytes, &p->provenance);
}

dn_status dn__packed_look(dn__packed *p)
{
    return dn__child_run(p->path, work, take, p);
}
