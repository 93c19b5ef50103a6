#include <string.h>

#include "core/hdf5_storage.h"
#include "datasets/array_hdf5_private.h"

enum { SMALLEST_CACHE = 1 << 20, LARGEST_CACHE = 256 << 20 };
static const int64_t MOST_BYTES = INT64_MAX / 16;

/* ---- types ---- */

/** Where the bits of IEEE numbers stand. */
typedef struct float_fields {
    size_t size, sign, exponent, exponent_bits, fraction_bits, bias;
} float_fields;

static bool is_ieee(hid_t type)
{
    static const float_fields known[] = {{2, 15, 10, 5, 10, 15}, {4, 31, 23, 8, 23, 127}, {8, 63, 52, 11, 52, 1023}};
    float_fields found = {.size = H5Tget_size(type), .bias = H5Tget_ebias(type)};
    size_t fraction = 0;
    if (H5Tget_fields(type, &found.sign, &found.exponent, &found.exponent_bits, &fraction, &found.fraction_bits) < 0)
        return false;
    if (fraction != 0 || H5Tget_norm(type) != H5T_NORM_IMPLIED) return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (memcmp(&known[i], &found, sizeof found) == 0) return true;
    return false;
}

/** h5py's bool: an enum of one byte, FALSE is 0 and TRUE is 1. */
static bool is_bool(hid_t type)
{
    static const char *const names[2] = {"FALSE", "TRUE"};
    if (H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2) return false;
    for (unsigned i = 0; i < 2; i++) {
        unsigned char value = 2;
        char *name = H5Tget_member_name(type, i);
        const bool same = name && strcmp(name, names[i]) == 0;
        H5free_memory(name);
        if (!same || H5Tget_member_value(type, i, &value) < 0 || value != i) return false;
    }
    return true;
}

/** @return whether all bits of the bytes are the number, in one of the two common orders */
static bool is_whole(hid_t type)
{
    const size_t size = H5Tget_size(type);
    const H5T_order_t order = H5Tget_order(type);
    return (size == 1 || size == 2 || size == 4 || size == 8) && H5Tget_offset(type) == 0 &&
           H5Tget_precision(type) == 8 * size && (size == 1 || order == H5T_ORDER_LE || order == H5T_ORDER_BE);
}

/** @return 'b', 'i', 'u' or 'f'; 0 for everything else */
static char kind_of(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        if (!is_whole(type)) return 0;
        return H5Tget_sign(type) == H5T_SGN_2 ? 'i' : 'u';
    case H5T_FLOAT: return is_whole(type) && is_ieee(type) ? 'f' : 0;
    case H5T_ENUM: return is_bool(type) ? 'b' : 0;
    case H5T_BITFIELD: return is_whole(type) && H5Tget_size(type) == 1 ? 'b' : 0;
    default: return 0;
    }
}

static dn_status refuse_type(const dn__foreign *f)
{
    static const char *const names[H5T_NCLASSES] = {
        [H5T_INTEGER] = "integers of an odd size",
        [H5T_FLOAT] = "floating-point numbers that are not IEEE float16, float32 or float64",
        [H5T_TIME] = "times",
        [H5T_STRING] = "texts",
        [H5T_BITFIELD] = "bit fields",
        [H5T_OPAQUE] = "opaque bytes",
        [H5T_COMPOUND] = "records of several fields (a compound type, complex numbers among them)",
        [H5T_REFERENCE] = "references",
        [H5T_ENUM] = "an enum that is not bool",
        [H5T_VLEN] = "lists of varying length",
        [H5T_ARRAY] = "elements that are arrays themselves",
    };
    const int class = H5Tget_class(f->type);
    const char *name = class >= 0 && class < H5T_NCLASSES && names[class] ? names[class] : "something unknown";
    return dn_fail(DN_ERROR_UNSUPPORTED,
                   "%s: array \"%s\": it holds %s, expected bool, int8 to int64, uint8 to uint64 or float16 to "
                   "float64; convert it before writing it",
                   f->path, f->name, name);
}

dn_status dn__foreign_check_type(dn__foreign *f)
{
    f->type = H5Dget_type(f->dataset);
    const char kind = f->type >= 0 ? kind_of(f->type) : 0;
    if (f->type < 0) return dn__foreign_fail(f, "its element type is damaged");
    if (!kind) return refuse_type(f);
    f->element = (dn__element){
        .kind = kind, .size = (int)H5Tget_size(f->type), .big_endian = H5Tget_order(f->type) == H5T_ORDER_BE};
    DN__ID space = H5Dget_space(f->dataset);
    hsize_t dims[H5S_MAX_RANK] = {0};
    if (H5Sget_simple_extent_type(space) == H5S_NULL)
        return dn_fail(DN_ERROR_UNSUPPORTED, "%s: array \"%s\": it has no shape (a null dataspace)", f->path, f->name);
    f->rank = H5Sget_simple_extent_dims(space, dims, NULL);
    if (f->rank < 0) return dn__foreign_fail(f, "its shape is damaged");
    if (f->rank > DN_NPY_MOST_RANK)
        return dn_fail(DN_ERROR_UNSUPPORTED, "%s: array \"%s\": found %d dimensions, expected at most %d", f->path,
                       f->name, f->rank, DN_NPY_MOST_RANK);
    /* A zero among the dimensions may hide an overflow: refused too. */
    int64_t product = 1;
    f->count = 1;
    for (int i = 0; i < f->rank; i++) {
        if (dims[i] > (hsize_t)MOST_BYTES ||
            __builtin_mul_overflow(product, dims[i] ? (int64_t)dims[i] : 1, &product) || product > MOST_BYTES)
            return dn__foreign_fail(f, "the product of its dimensions is above 2^59");
        f->dims[i] = (int64_t)dims[i];
        f->count *= f->dims[i];
    }
    return DN_OK;
}

/* ---- storage ---- */

/** A chunk that does not fit into the cache is unpacked again for each part of it that is read. */
static dn_status open_with_cache(dn__foreign *f, int64_t whole, int64_t chunk)
{
    int64_t bytes = whole < LARGEST_CACHE ? whole : LARGEST_CACHE;
    if (bytes < chunk) bytes = chunk;
    if (bytes <= SMALLEST_CACHE) return DN_OK;
    DN__ID cache = H5Pcreate(H5P_DATASET_ACCESS);
    if (H5Pset_chunk_cache(cache, 12421, (size_t)bytes, 1.0) < 0) return DN_OK; /* slower */
    H5Dclose(f->dataset);
    f->dataset = H5Dopen2(f->file, f->name, cache);
    return f->dataset >= 0 ? DN_OK : dn__foreign_fail(f, "it cannot be opened");
}

dn_status dn__foreign_check_storage(dn__foreign *f)
{
    dn__hdf5_extent extent = {.id = f->dataset,
                              .rank = f->rank,
                              .dims = f->dims,
                              .count = f->count,
                              .element_size = (size_t)f->element.size,
                              .file_bytes = f->file_bytes};
    const dn_status status = dn__hdf5_check_storage(&extent);
    if (status != DN_OK) return dn_fail_context(status, "%s: array \"%s\"", f->path, f->name);
    return extent.chunk > 0 ? open_with_cache(f, extent.whole, extent.chunk) : DN_OK;
}
