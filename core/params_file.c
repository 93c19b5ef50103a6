#include "core/params_file.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"

static const char *const groups[] = {
    [DN_BLOCK_VALUES] = "parameters", [DN_BLOCK_STATES] = "states", [DN_BLOCK_SLOTS] = "slots"};

/* One array of the file: an entry's elements of all members, or a whole slot. */
typedef struct piece {
    char name[512];
    dn_buffer *buffer;
    size_t offset, stride, bytes; /* in the device buffer: first byte, from member to member, of one member */
    int rank;
    int64_t dim[DN_STORE_MAX_RANK];
} piece;

static void describe(piece *out, const dn_params *params, dn_params_block block, int index)
{
    const dn_params_entry *entry = dn_params_at(params, block, index);
    const size_t real = dn_dtype_size(dn_params_dtype(params));
    const int64_t slice = dn_params_slice(params, block);
    *out = (piece){.buffer = dn_params_buffer(params, block, index), .stride = (size_t)slice * real, .rank = 1};
    out->dim[0] = dn_params_members(params);
    snprintf(out->name, sizeof out->name, "%s/%s", groups[block], entry->name);
    if (block == DN_BLOCK_SLOTS) {
        out->bytes = out->stride;
        out->dim[out->rank++] = slice;
        return;
    }
    out->offset = entry->offset * real;
    out->bytes = (size_t)dn_shape_count(&entry->shape) * real;
    for (int i = 0; i < entry->shape.rank; i++) out->dim[out->rank++] = entry->shape.dim[i];
}

/* How many members' elements pass through host memory at once: all of them, unless that is much. */
static int64_t members_at_once(const piece *p)
{
    enum { MUCH = 16 << 20 };
    return p->bytes > MUCH / (size_t)p->dim[0] ? 1 : p->dim[0];
}

static dn_status save_piece(const piece *p, dn_dtype dtype, dn_store *to)
{
    const int64_t part = members_at_once(p), all = p->dim[0];
    char *data = dn_calloc((size_t)part, p->bytes);
    if (!data) return DN_ERROR_MEMORY;
    dn_status status = part < all ? dn_store_create_array(to, p->name, dtype, p->rank, p->dim) : DN_OK;
    for (int64_t e = 0; e < all && status == DN_OK; e++) {
        char *place = part < all ? data : data + (size_t)e * p->bytes;
        status = dn_buffer_download(p->buffer, p->offset + (size_t)e * p->stride, place, p->bytes);
        if (part < all && status == DN_OK) status = dn_store_write_rows(to, p->name, dtype, 0, e, 1, data);
    }
    if (part == all && status == DN_OK) status = dn_store_write(to, p->name, dtype, p->rank, p->dim, data);
    dn_free(data);
    return status;
}

/* The array in the file must have the entry's shape. */
static dn_status check_shape(const piece *p, dn_store *from)
{
    dn_store_info info;
    DN_TRY(dn_store_array_info(from, p->name, &info));
    bool same = info.rank == p->rank;
    for (int i = 0; same && i < p->rank; i++) same = info.dim[i] == p->dim[i];
    if (same) return DN_OK;
    dn_shape found = {.rank = info.rank > 1 ? info.rank - 1 : 0}, wanted = {.rank = p->rank - 1};
    char one[64], other[64];
    memcpy(found.dim, info.dim + 1, (size_t)found.rank * sizeof *found.dim);
    memcpy(wanted.dim, p->dim + 1, (size_t)wanted.rank * sizeof *wanted.dim);
    return dn_fail(DN_ERROR_SHAPE, "%s: '%s' is %s of %lld members, the network needs %s of %lld", dn_store_path(from),
                   p->name, dn_shape_text(&found, one), (long long)info.dim[0], dn_shape_text(&wanted, other),
                   (long long)p->dim[0]);
}

static dn_status load_piece(const piece *p, dn_dtype dtype, dn_store *from)
{
    DN_TRY(check_shape(p, from));
    const int64_t part = members_at_once(p), all = p->dim[0];
    const int64_t count = all * (int64_t)(p->bytes / dn_dtype_size(dtype));
    char *data = dn_calloc((size_t)part, p->bytes);
    if (!data) return DN_ERROR_MEMORY;
    dn_status status = part == all ? dn_store_read(from, p->name, dtype, count, data) : DN_OK;
    for (int64_t e = 0; e < all && status == DN_OK; e++) {
        const char *place = part < all ? data : data + (size_t)e * p->bytes;
        if (part < all) status = dn_store_read_rows(from, p->name, dtype, 0, e, 1, data);
        if (status == DN_OK) status = dn_buffer_upload(p->buffer, p->offset + (size_t)e * p->stride, place, p->bytes);
    }
    dn_free(data);
    return status;
}

dn_status dn_params_save(const dn_params *params, dn_store *to)
{
    for (int block = DN_BLOCK_VALUES; block <= DN_BLOCK_SLOTS; block++)
        for (int i = 0; i < dn_params_count(params, block); i++) {
            piece p;
            describe(&p, params, block, i);
            if (!p.buffer) return dn_fail(DN_ERROR_ARGUMENT, "parameters that are on no device cannot be saved");
            DN_TRY(save_piece(&p, dn_params_dtype(params), to));
        }
    return DN_OK;
}

dn_status dn_params_load(dn_params *params, dn_store *from, bool with_slots)
{
    for (int block = DN_BLOCK_VALUES; block <= (with_slots ? DN_BLOCK_SLOTS : DN_BLOCK_STATES); block++)
        for (int i = 0; i < dn_params_count(params, block); i++) {
            piece p;
            describe(&p, params, block, i);
            if (!p.buffer) return dn_fail(DN_ERROR_ARGUMENT, "parameters must be on a device before they are loaded");
            DN_TRY(load_piece(&p, dn_params_dtype(params), from));
        }
    return DN_OK;
}
