#include "core/store.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/hdf5_storage.h"
#include "core/store_private.h"

enum {
    CHUNK_BYTES = 1 << 20,
    SMALLEST_CACHE = CHUNK_BYTES, /* HDF5's default */
    LARGEST_CACHE = 256 << 20
};

/* ---- types and shapes ---- */

static hid_t file_type(dn_dtype dtype)
{
    switch (dtype) {
    case DN_F32: return H5T_IEEE_F32LE;
    case DN_F64: return H5T_IEEE_F64LE;
    case DN_U8: return H5T_STD_U8LE;
    case DN_I32: return H5T_STD_I32LE;
    default: return H5I_INVALID_HID;
    }
}

static hid_t memory_type(dn_dtype dtype)
{
    switch (dtype) {
    case DN_F32: return H5T_NATIVE_FLOAT;
    case DN_F64: return H5T_NATIVE_DOUBLE;
    case DN_U8: return H5T_NATIVE_UINT8;
    case DN_I32: return H5T_NATIVE_INT32;
    default: return H5I_INVALID_HID;
    }
}

/** @return whether one of our types holds every value of the file's type; bytes may stand in either order */
static bool from_file_type(hid_t type, dn_dtype *dtype)
{
    const H5T_class_t class = H5Tget_class(type);
    const size_t size = H5Tget_size(type);
    const bool is_signed = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    if (class == H5T_FLOAT && size == 4) return *dtype = DN_F32, true;
    if (class == H5T_FLOAT && size == 8) return *dtype = DN_F64, true;
    if (class == H5T_INTEGER && size == 1 && !is_signed) return *dtype = DN_U8, true;
    if (class == H5T_INTEGER && size == 4 && is_signed) return *dtype = DN_I32, true;
    return false;
}

static void describe_file_type(hid_t type, char text[64])
{
    const H5T_class_t class = H5Tget_class(type);
    const unsigned bits = 8 * (unsigned)H5Tget_size(type);
    if (class == H5T_FLOAT) {
        snprintf(text, 64, "float%u", bits);
    } else if (class == H5T_INTEGER) {
        snprintf(text, 64, "%sint%u", H5Tget_sign(type) == H5T_SGN_2 ? "" : "u", bits);
    } else {
        snprintf(text, 64, "elements that are no numbers");
    }
}

/** Fills `count`. @return whether the shape is one that a store takes and its bytes fit size_t */
static bool complete(dn_store_info *info)
{
    if (info->rank < 1 || info->rank > DN_STORE_MAX_RANK) return false;
    const int64_t most = INT64_MAX / 8;
    bool empty = false;
    for (int axis = 0; axis < info->rank; axis++) {
        if (info->dim[axis] < 0) return false;
        empty |= info->dim[axis] == 0;
    }
    info->count = empty ? 0 : 1;
    for (int axis = 0; axis < info->rank && !empty; axis++) {
        if (info->dim[axis] > most / info->count) return false;
        info->count *= info->dim[axis];
    }
    return true;
}

static const char *shape_text(const dn_store_info *info, char text[128])
{
    int used = snprintf(text, 128, "[");
    for (int axis = 0; axis < info->rank; axis++)
        used += snprintf(text + used, 128 - (size_t)used, "%s%lld", axis ? "," : "", (long long)info->dim[axis]);
    snprintf(text + used, 128 - (size_t)used, "]");
    return text;
}

/** Whole last axes first, so that one chunk is a run of rows: for [E,N,D], one member's rows. */
static void choose_chunk(const dn_store_info *info, int64_t bytes, hsize_t chunk[DN_STORE_MAX_RANK])
{
    int64_t left = (bytes ? bytes : CHUNK_BYTES) / (int64_t)dn_dtype_size(info->dtype);
    for (int axis = info->rank - 1; axis >= 0; axis--) {
        int64_t places = info->dim[axis] < left ? info->dim[axis] : left;
        if (places < 1) places = 1;
        chunk[axis] = (hsize_t)places;
        left /= places;
    }
}

/** @return a list with a cache that holds all chunks touched by one run of rows along any axis that is cut in chunks */
static hid_t cache_options(const dn_store_info *info)
{
    hsize_t chunk[DN_STORE_MAX_RANK], chunks = 1;
    size_t bytes = SMALLEST_CACHE;
    const hid_t options = H5Pcreate(H5P_DATASET_ACCESS);
    if (info->count == 0) return options;
    choose_chunk(info, 0, chunk);
    for (int axis = 0; axis < info->rank && chunk[axis] == 1; axis++) chunks *= (hsize_t)info->dim[axis];
    if (chunks * CHUNK_BYTES > bytes)
        bytes = chunks < LARGEST_CACHE / CHUNK_BYTES ? chunks * CHUNK_BYTES : LARGEST_CACHE;
    /* HDF5 asks for a prime number of places, some hundred for each chunk; full chunks leave first. */
    if (options >= 0) (void)H5Pset_chunk_cache(options, 12421, bytes, 1.0);
    return options;
}

/* ---- creating ---- */

static dn_status set_layout(const dn_store *store, hid_t options, const dn_store_info *info)
{
    if (info->count == 0) return DN_OK; /* nothing to cut, and nothing to sum */
    hsize_t chunk[DN_STORE_MAX_RANK];
    choose_chunk(info, store->chunk_bytes, chunk);
    if (H5Pset_chunk(options, info->rank, chunk) < 0 ||
        (store->deflate > 0 &&
         (H5Pset_shuffle(options) < 0 || H5Pset_deflate(options, (unsigned)store->deflate) < 0)) ||
        H5Pset_fletcher32(options) < 0)
        return dn__store_fail(store, DN_ERROR_INTERNAL, "HDF5 does not take the layout of an array");
    return DN_OK;
}

static dn_status create_dataset(dn_store *store, const char *name, const dn_store_info *info, hid_t *out)
{
    hsize_t dims[DN_STORE_MAX_RANK];
    for (int axis = 0; axis < info->rank; axis++) dims[axis] = (hsize_t)info->dim[axis];
    DN__ID space = H5Screate_simple(info->rank, dims, NULL);
    DN__ID layout = H5Pcreate(H5P_DATASET_CREATE);
    DN__ID cache = cache_options(info);
    DN_TRY(set_layout(store, layout, info));
    DN_TRY(dn__store_make_groups(store, name, false));
    dn__store_forget_times(layout);
    *out = H5Dcreate2(store->file, name, file_type(info->dtype), space, H5P_DEFAULT, layout, cache);
    DN_TRY(dn__store_check_disk(store));
    if (*out >= 0) return DN_OK;
    if (dn__store_has(store->file, name))
        return dn_fail(DN_ERROR_ARGUMENT, "%s: there is already something named \"%s\"", store->path, name);
    return dn__store_fail(store, DN_ERROR_FILE, "cannot make the array \"%s\"", name);
}

static dn_status describe(dn_store *store, const char *name, dn_dtype dtype, int rank, const int64_t *dim,
                          dn_store_info *info)
{
    DN_TRY(dn__store_check_writing(store));
    DN_TRY(dn__store_check_name(store, name));
    *info = (dn_store_info){.dtype = dtype, .rank = rank};
    if (file_type(dtype) < 0)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: array \"%s\": a store holds f32, f64, u8 and i32", store->path, name);
    for (int axis = 0; axis < rank && axis < DN_STORE_MAX_RANK; axis++) info->dim[axis] = dim[axis];
    if (!complete(info))
        return dn_fail(DN_ERROR_SHAPE, "%s: array \"%s\": an array has 1 to %d axes, none negative, found %d axes",
                       store->path, name, DN_STORE_MAX_RANK, rank);
    return DN_OK;
}

dn_status dn_store_write(dn_store *store, const char *name, dn_dtype dtype, int rank, const int64_t *dim,
                         const void *data)
{
    dn_store_info info = {0};
    hid_t id = H5I_INVALID_HID;
    DN_TRY(describe(store, name, dtype, rank, dim, &info));
    DN_TRY(create_dataset(store, name, &info, &id));
    herr_t written = 0;
    if (info.count > 0) written = H5Dwrite(id, memory_type(dtype), H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    const herr_t closed = H5Dclose(id); /* writes what is left in the cache */
    DN_TRY(dn__store_check_disk(store));
    if (written < 0 || closed < 0) return dn__store_fail(store, DN_ERROR_FILE, "cannot write the array \"%s\"", name);
    return DN_OK;
}

/* ---- arrays that stay open ---- */

static dn_status keep_open(dn_store *store, const char *name, hid_t id, const dn_store_info *info)
{
    char *copy = dn_strdup(name);
    dn_status status =
        copy ? dn_grow((void **)&store->arrays, &store->array_capacity, store->array_count, sizeof *store->arrays)
             : DN_ERROR_MEMORY;
    if (status != DN_OK) {
        dn_free(copy);
        H5Dclose(id);
        return status;
    }
    store->arrays[store->array_count++] = (dn__open_array){.name = copy, .id = id, .info = *info};
    return DN_OK;
}

static dn__open_array *find_open(const dn_store *store, const char *name)
{
    for (size_t i = 0; i < store->array_count; i++)
        if (strcmp(store->arrays[i].name, name) == 0) return &store->arrays[i];
    return NULL;
}

dn_status dn_store_create_array(dn_store *store, const char *name, dn_dtype dtype, int rank, const int64_t *dim)
{
    dn_store_info info = {0};
    hid_t id = H5I_INVALID_HID;
    DN_TRY(describe(store, name, dtype, rank, dim, &info));
    DN_TRY(create_dataset(store, name, &info, &id));
    return keep_open(store, name, id, &info);
}

dn_status dn__store_close_arrays(dn_store *store)
{
    dn_status status = DN_OK;
    for (size_t i = 0; i < store->array_count; i++) {
        dn__open_array *array = &store->arrays[i];
        if (H5Dclose(array->id) < 0 && status == DN_OK)
            status = dn__store_fail(store, DN_ERROR_FILE, "cannot finish the array \"%s\"", array->name);
        if (store->writing && array->written < array->info.count && status == DN_OK)
            status = dn_fail(DN_ERROR_ARGUMENT, "%s: the array \"%s\" is not full: %lld of %lld elements were written",
                             store->path, array->name, (long long)array->written, (long long)array->info.count);
        dn_free(array->name);
    }
    store->array_count = 0;
    return status;
}

/* ---- opening ---- */

static dn_status read_info(const dn_store *store, const char *name, hid_t id, dn_store_info *info)
{
    DN__ID type = H5Dget_type(id);
    DN__ID space = H5Dget_space(id);
    *info = (dn_store_info){.rank = H5Sget_simple_extent_ndims(space)};
    if (!from_file_type(type, &info->dtype)) {
        char text[64];
        describe_file_type(type, text);
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: the array \"%s\" holds %s, expected float32, float64, uint8 or int32; convert it first",
                       store->path, name, text);
    }
    hsize_t dims[H5S_MAX_RANK] = {0};
    if (info->rank >= 1 && info->rank <= DN_STORE_MAX_RANK) {
        H5Sget_simple_extent_dims(space, dims, NULL);
        for (int axis = 0; axis < info->rank; axis++)
            info->dim[axis] = dims[axis] > INT64_MAX ? -1 : (int64_t)dims[axis];
    }
    if (complete(info)) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "%s: the array \"%s\" has %d axes or is too large, expected 1 to %d axes",
                   store->path, name, info->rank, DN_STORE_MAX_RANK);
}

/** A file from elsewhere may point at other files of this computer, or promise more than it holds; no array of a store
 *  does. */
static dn_status check_layout(const dn_store *store, const char *name, hid_t id, const dn_store_info *info)
{
    hsize_t file_bytes = 0;
    if (store->writing) return DN_OK; /* HDF5 has not written all of it yet */
    if (H5Fget_filesize(store->file, &file_bytes) < 0)
        return dn__store_fail(store, DN_ERROR_FILE, "the size of the file is unknown");
    dn__hdf5_extent extent = {.id = id,
                              .rank = info->rank,
                              .dims = info->dim,
                              .count = info->count,
                              .element_size = dn_dtype_size(info->dtype),
                              .file_bytes = file_bytes};
    const dn_status status = dn__hdf5_check_storage(&extent);
    return status == DN_OK ? DN_OK : dn_fail_context(DN_ERROR_FORMAT, "%s: the array \"%s\"", store->path, name);
}

static dn_status open_dataset(dn_store *store, const char *name, bool large_cache, dn_store_info *info, hid_t *out)
{
    *out = H5I_INVALID_HID;
    DN_TRY(dn__store_check_name(store, name));
    if (store->file < 0) return dn_fail(DN_ERROR_ARGUMENT, "%s: the store was committed already", store->path);
    if (!dn__store_has(store->file, name))
        return dn_fail(DN_ERROR_FORMAT, "%s: there is no array \"%s\"", store->path, name);
    hid_t id = H5Dopen2(store->file, name, H5P_DEFAULT);
    if (id < 0) return dn__store_fail(store, DN_ERROR_FORMAT, "\"%s\" is no array, or it is damaged", name);
    dn_status status = read_info(store, name, id, info);
    if (status == DN_OK) status = check_layout(store, name, id, info);
    if (status == DN_OK && large_cache) {
        DN__ID cache = cache_options(info);
        H5Dclose(id);
        id = H5Dopen2(store->file, name, cache);
        if (id < 0) return dn__store_fail(store, DN_ERROR_FORMAT, "cannot open the array \"%s\"", name);
    }
    if (status == DN_OK) {
        *out = id;
    } else {
        H5Dclose(id);
    }
    return status;
}

dn_status dn_store_array_info(dn_store *store, const char *name, dn_store_info *info)
{
    hid_t id = H5I_INVALID_HID;
    DN_TRY(open_dataset(store, name, false, info, &id));
    H5Dclose(id);
    return DN_OK;
}

static dn_status expect_dtype(const dn_store *store, const char *name, const dn_store_info *info, dn_dtype dtype)
{
    if (info->dtype == dtype) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE, "%s: the array \"%s\" holds %s, expected %s", store->path, name,
                   dn_dtype_name(info->dtype), dn_dtype_name(dtype));
}

dn_status dn_store_read(dn_store *store, const char *name, dn_dtype dtype, int64_t count, void *data)
{
    dn_store_info info = {0};
    hid_t opened = H5I_INVALID_HID;
    char shape[128];
    DN_TRY(open_dataset(store, name, false, &info, &opened));
    DN__ID id = opened;
    DN_TRY(expect_dtype(store, name, &info, dtype));
    if (info.count != count)
        return dn_fail(DN_ERROR_SHAPE, "%s: the array \"%s\" has shape %s, that is %lld elements, expected %lld",
                       store->path, name, shape_text(&info, shape), (long long)info.count, (long long)count);
    if (count > 0 && H5Dread(id, memory_type(dtype), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        return dn__store_fail(store, DN_ERROR_FORMAT, "the array \"%s\" is damaged", name);
    return DN_OK;
}

/* ---- parts ---- */

/** Finds the array among the open ones, or opens it. */
static dn_status open_for_rows(dn_store *store, const char *name, dn__open_array **out)
{
    *out = find_open(store, name);
    if (*out) return DN_OK;
    dn_store_info info = {0};
    hid_t id = H5I_INVALID_HID;
    DN_TRY(open_dataset(store, name, true, &info, &id));
    DN_TRY(keep_open(store, name, id, &info));
    *out = &store->arrays[store->array_count - 1];
    if (store->writing) (*out)->written = info.count; /* it was written whole */
    return DN_OK;
}

/** The places first .. first + places - 1 along each axis. */
typedef struct part {
    int64_t first[DN_STORE_MAX_RANK], places[DN_STORE_MAX_RANK];
} part;

/** @return the whole array but along one axis, if it has that axis */
static part rows_part(const dn_store_info *info, int axis, int64_t first, int64_t rows)
{
    part p = {0};
    for (int i = 0; i < info->rank; i++) p.places[i] = info->dim[i];
    if (axis < 0 || axis >= info->rank) return p;
    p.first[axis] = first;
    p.places[axis] = rows;
    return p;
}

static dn_status check_part(const dn_store *store, const dn__open_array *array, const part *p)
{
    const dn_store_info *info = &array->info;
    char shape[128];
    for (int axis = 0; axis < info->rank; axis++) {
        const int64_t first = p->first[axis], places = p->places[axis];
        if (first >= 0 && places >= 0 && places <= info->dim[axis] && first <= info->dim[axis] - places) continue;
        return dn_fail(DN_ERROR_SHAPE,
                       "%s: the array \"%s\" of shape %s has no %lld places from place %lld along axis %d", store->path,
                       array->name, shape_text(info, shape), (long long)places, (long long)first, axis);
    }
    return DN_OK;
}

static dn_status check_axis(const dn_store *store, const dn__open_array *array, int axis)
{
    char shape[128];
    if (axis >= 0 && axis < array->info.rank) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE, "%s: the array \"%s\" of shape %s has no axis %d", store->path, array->name,
                   shape_text(&array->info, shape), axis);
}

/** Moves a part between the file and memory, one way or the other. @param to, from NULL: not this way */
static dn_status move_part(const dn_store *store, const dn__open_array *array, const part *p, void *to,
                           const void *from)
{
    const dn_store_info *info = &array->info;
    DN_TRY(check_part(store, array, p));
    hsize_t start[DN_STORE_MAX_RANK], size[DN_STORE_MAX_RANK];
    bool empty = false;
    for (int i = 0; i < info->rank; i++) {
        start[i] = (hsize_t)p->first[i];
        size[i] = (hsize_t)p->places[i];
        empty |= size[i] == 0;
    }
    if (empty) return DN_OK;
    DN__ID in_memory = H5Screate_simple(info->rank, size, NULL);
    DN__ID in_file = H5Dget_space(array->id);
    if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, size, NULL) < 0)
        return dn__store_fail(store, DN_ERROR_INTERNAL, "cannot select a part of the array \"%s\"", array->name);
    const hid_t type = memory_type(info->dtype);
    if (to && H5Dread(array->id, type, in_memory, in_file, H5P_DEFAULT, to) < 0)
        return dn__store_fail(store, DN_ERROR_FORMAT, "the array \"%s\" is damaged", array->name);
    if (from && H5Dwrite(array->id, type, in_memory, in_file, H5P_DEFAULT, from) < 0)
        return dn__store_fail(store, DN_ERROR_FILE, "cannot write the array \"%s\"", array->name);
    return DN_OK;
}

dn_status dn_store_write_rows(dn_store *store, const char *name, dn_dtype dtype, int axis, int64_t first, int64_t rows,
                              const void *data)
{
    DN_TRY(dn__store_check_writing(store));
    dn__open_array *array = find_open(store, name);
    if (!array)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: there is no array \"%s\" to fill; dn_store_create_array() makes one",
                       store->path, name);
    DN_TRY(expect_dtype(store, name, &array->info, dtype));
    DN_TRY(check_axis(store, array, axis));
    const part rows_of_all = rows_part(&array->info, axis, first, rows);
    DN_TRY(move_part(store, array, &rows_of_all, NULL, data));
    if (array->info.dim[axis] > 0) array->written += array->info.count / array->info.dim[axis] * rows;
    return dn__store_check_disk(store);
}

/** The array, open for parts, of the expected type. */
static dn_status open_for_reading(dn_store *store, const char *name, dn_dtype dtype, dn__open_array **array)
{
    DN_TRY(dn__store_check_name(store, name));
    DN_TRY(open_for_rows(store, name, array));
    return expect_dtype(store, name, &(*array)->info, dtype);
}

dn_status dn_store_read_rows(dn_store *store, const char *name, dn_dtype dtype, int axis, int64_t first, int64_t rows,
                             void *data)
{
    dn__open_array *array = NULL;
    DN_TRY(open_for_reading(store, name, dtype, &array));
    DN_TRY(check_axis(store, array, axis));
    const part rows_of_all = rows_part(&array->info, axis, first, rows);
    return move_part(store, array, &rows_of_all, data, NULL);
}

dn_status dn_store_read_part(dn_store *store, const char *name, dn_dtype dtype, const int64_t *first,
                             const int64_t *places, void *data)
{
    dn__open_array *array = NULL;
    part p = {0};
    DN_TRY(open_for_reading(store, name, dtype, &array));
    for (int axis = 0; axis < array->info.rank; axis++) {
        p.first[axis] = first[axis];
        p.places[axis] = places[axis];
    }
    return move_part(store, array, &p, data, NULL);
}

dn_status dn_store_set_deflate(dn_store *store, int level)
{
    if (level < 0 || level > 9)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: compression level %d, expected 0 to 9", store->path, level);
    store->deflate = level;
    return DN_OK;
}

dn_status dn_store_set_chunk(dn_store *store, int64_t bytes)
{
    if (bytes < 0 || bytes > INT32_MAX)
        return dn_fail(DN_ERROR_ARGUMENT, "%s: chunks of %lld bytes, expected at most %d", store->path,
                       (long long)bytes, INT32_MAX);
    store->chunk_bytes = bytes;
    return DN_OK;
}
