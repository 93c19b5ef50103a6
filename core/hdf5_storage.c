#include "core/hdf5_storage.h"

#include <inttypes.h>

#include "core/store_private.h"

/* Deflate packs 258 bytes into two bits at best: 1032 to 1. */
enum { DEFLATE_RATIO = 1032 };

static dn_status damaged(const char *text)
{
    char message[256];
    dn__hdf5_message(message);
    return message[0] ? dn_fail(DN_ERROR_FORMAT, "%s (HDF5: %s)", text, message) : dn_fail(DN_ERROR_FORMAT, "%s", text);
}

/** @param packed receives whether the data may be more than they take up in the file */
static dn_status check_filters(hid_t layout, bool *packed)
{
    const int filters = H5Pget_nfilters(layout);
    *packed = false;
    for (int i = 0; i < filters; i++) {
        unsigned flags = 0, config = 0;
        size_t values = 0;
        char name[64] = "";
        const H5Z_filter_t id =
            H5Pget_filter2(layout, (unsigned)i, &flags, &values, NULL, sizeof name - 1, name, &config);
        if (id < 0) return damaged("its list of filters is damaged");
        *packed |= id == H5Z_FILTER_DEFLATE;
        if (id == H5Z_FILTER_DEFLATE || id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_FLETCHER32) continue;
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "it is packed with the filter %d (%s), expected deflate, shuffle or "
                       "fletcher32; write it with compression='gzip' or none",
                       (int)id, name);
    }
    return filters < 0 ? damaged("its list of filters is damaged") : DN_OK;
}

/** Fills `whole`, the chunks' parts beyond the edges of the array included, and `chunk`. */
static dn_status check_chunks(dn__hdf5_extent *a, hid_t layout)
{
    hsize_t sides[H5S_MAX_RANK] = {0}, found = 0;
    int64_t expected = 1;
    a->chunk = (int64_t)a->element_size;
    bool good = H5Pget_chunk(layout, a->rank, sides) == a->rank;
    for (int i = 0; good && i < a->rank; i++) {
        good = sides[i] > 0 && sides[i] < UINT32_MAX &&
               !__builtin_mul_overflow(a->chunk, (int64_t)sides[i], &a->chunk) && a->chunk < UINT32_MAX;
        if (good) expected *= (a->dims[i] - 1) / (int64_t)sides[i] + 1;
    }
    if (!good || __builtin_mul_overflow(expected, a->chunk, &a->whole)) return damaged("its chunks make no sense");
    DN__ID space = H5Dget_space(a->id);
    if (H5Dget_num_chunks(a->id, space, &found) < 0) return damaged("its list of chunks is damaged");
    if ((int64_t)found == expected) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT,
                   "%" PRIu64 " of its %" PRId64
                   " chunks are in the file: it was never written completely, or is damaged",
                   (uint64_t)found, expected);
}

static dn_status check_size(const dn__hdf5_extent *a, bool packed)
{
    const uint64_t stored = H5Dget_storage_size(a->id);
    if (stored == 0)
        return dn_fail(DN_ERROR_FORMAT, "it was never written, its %" PRId64 " elements are missing", a->count);
    if (stored > a->file_bytes)
        return dn_fail(DN_ERROR_FORMAT, "it claims %" PRIu64 " bytes of a file of %" PRIu64 ": cut off or damaged",
                       stored, a->file_bytes);
    const uint64_t most = packed ? stored * DEFLATE_RATIO : stored; /* a file has less than 2^53 bytes */
    if ((uint64_t)a->whole <= most) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT,
                   "its shape wants %" PRId64 " bytes, the %" PRIu64 " bytes in the file hold at most %" PRIu64
                   ": damaged",
                   a->whole, stored, most);
}

dn_status dn__hdf5_check_storage(dn__hdf5_extent *a)
{
    DN__ID layout = H5Dget_create_plist(a->id);
    bool packed = false;
    a->whole = a->count * (int64_t)a->element_size;
    a->chunk = 0;
    if (layout < 0) return damaged("its layout is damaged");
    const H5D_layout_t kind = H5Pget_layout(layout);
    if (kind == H5D_VIRTUAL || H5Pget_external_count(layout) != 0)
        return dn_fail(DN_ERROR_UNSUPPORTED, "its data lie in other files; copy them into one");
    DN_TRY(check_filters(layout, &packed));
    if (a->count == 0) return DN_OK;
    if (kind == H5D_CHUNKED) DN_TRY(check_chunks(a, layout));
    return check_size(a, packed);
}
