/* Arrays of other frameworks: .npy files, and HDF5 files as h5py and others write them. */
#include <hdf5.h>
#include <math.h>
#include <stdbool.h>

#include "core/alloc.h"
#include "datasets/array_file.h"
#include "test_dataset_files.h"

/* ---- writing what others write ---- */

static folder files;
static hid_t file;

static void setup(void)
{
    folder_open(&files);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    file = H5Fcreate(folder_file(&files, "a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(file, 0);
}

static void teardown(void)
{
    folder_close(&files);
}

/** Writes an array. @param layout a creation list, H5P_DEFAULT: contiguous; @param data NULL: never written */
static void put(const char *name, hid_t stored, hid_t memory, int rank, const hsize_t *dims, hid_t layout,
                const void *data)
{
    const hid_t space = rank < 0 ? H5Screate(H5S_NULL) : H5Screate_simple(rank, dims, NULL);
    const hid_t id = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, layout, H5P_DEFAULT);
    cr_assert_geq(id, 0, "%s", name);
    if (data) cr_assert_geq(H5Dwrite(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0, "%s", name);
    H5Dclose(id);
    H5Sclose(space);
}

/** What h5py makes of numpy.float16. */
static hid_t make_half(hid_t like)
{
    const hid_t type = H5Tcopy(like);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_size(type, 2);
    H5Tset_ebias(type, 15);
    return type;
}

static hid_t make_enum(const char *zero, const char *one)
{
    const hid_t type = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(type, zero, &(signed char){0});
    H5Tenum_insert(type, one, &(signed char){1});
    return type;
}

static hid_t chunked(int rank, const hsize_t *sides, bool packed)
{
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(layout, rank, sides);
    if (packed) {
        H5Pset_shuffle(layout);
        H5Pset_deflate(layout, 6);
        H5Pset_fletcher32(layout);
    }
    return layout;
}

/* ---- reading ---- */

static dn_status open_named(dn_npy **out, const char *name)
{
    char full[LONGEST_PATH];
    snprintf(full, sizeof full, "%s%s%s", folder_file(&files, "a.h5"), name ? ":" : "", name ? name : "");
    return dn_array_file_open(out, full);
}

static double element(const dn_npy *a, int64_t i)
{
    switch (a->type) {
    case DN_U8: return ((uint8_t *)a->data)[i];
    case DN_I32: return ((int32_t *)a->data)[i];
    case DN_F32: return (double)((float *)a->data)[i];
    default: return ((double *)a->data)[i];
    }
}

/** Reads an array whose elements must be first, first + step, ... */
static void expect_steps(const char *name, dn_dtype type, int rank, const hsize_t *dims, double first, double step)
{
    dn_npy *a = NULL;
    int64_t count = 1;
    cr_assert_eq(open_named(&a, name), DN_OK, "%s: %s", name, dn_error_last());
    cr_expect_eq(a->type, type, "%s: type %s", name, dn_dtype_name(a->type));
    cr_assert_eq(a->rank, rank, "%s", name);
    for (int i = 0; i < rank; i++) {
        cr_expect_eq(a->dims[i], (int64_t)dims[i], "%s", name);
        count *= (int64_t)dims[i];
    }
    cr_assert_eq(a->count, count, "%s", name);
    for (int64_t i = 0; i < count; i++)
        cr_assert_eq(element(a, i), first + (double)i * step, "%s: element %lld is %g", name, (long long)i,
                     element(a, i));
    dn_npy_close(a);
}

static void expect_refused(const char *name, dn_status status, const char *text)
{
    dn_npy *a = NULL;
    const dn_status got = open_named(&a, name);
    cr_expect_eq(got, status, "%s: status %d (%s)", name, got, got == DN_OK ? "no error" : dn_error_last());
    cr_expect(got == DN_OK || strstr(dn_error_last(), text), "%s: error '%s', expected '%s' in it", name,
              dn_error_last(), text);
    cr_expect(got == DN_OK || strstr(dn_error_last(), "a.h5"), "%s: '%s' does not name the file", name,
              dn_error_last());
    cr_expect_null(a);
    dn_npy_close(a);
}

/** A type in the file, and what it becomes. */
typedef struct stored_type {
    const char *name;
    hid_t type;
    dn_dtype memory;
    double first; /* of six values, one apart */
} stored_type;

Test(array_file, every_type_of_number_is_read, .init = setup, .fini = teardown)
{
    const stored_type types[] = {{"i8", H5T_STD_I8LE, DN_I32, -3},
                                 {"i8be", H5T_STD_I8BE, DN_I32, -3},
                                 {"u8", H5T_STD_U8LE, DN_U8, 250},
                                 {"i16", H5T_STD_I16LE, DN_I32, -3},
                                 {"i16be", H5T_STD_I16BE, DN_I32, -300},
                                 {"u16", H5T_STD_U16LE, DN_I32, 65530},
                                 {"u16be", H5T_STD_U16BE, DN_I32, 3},
                                 {"i32", H5T_STD_I32LE, DN_I32, INT32_MIN},
                                 {"i32be", H5T_STD_I32BE, DN_I32, -3},
                                 {"u32", H5T_STD_U32LE, DN_I32, 2147483642},
                                 {"i64", H5T_STD_I64LE, DN_I32, -3},
                                 {"i64be", H5T_STD_I64BE, DN_I32, INT32_MIN},
                                 {"u64", H5T_STD_U64LE, DN_I32, 3},
                                 {"u64be", H5T_STD_U64BE, DN_I32, 2147483642},
                                 {"f16", 0, DN_F32, -2.5},
                                 {"f16be", 1, DN_F32, -2.5},
                                 {"f32", H5T_IEEE_F32LE, DN_F32, -2.5},
                                 {"f32be", H5T_IEEE_F32BE, DN_F32, 0x1p20},
                                 {"f64", H5T_IEEE_F64LE, DN_F64, 0x1p40},
                                 {"f64be", H5T_IEEE_F64BE, DN_F64, -2.5}};
    const hsize_t dims[2] = {2, 3};
    const hid_t half[2] = {make_half(H5T_IEEE_F32LE), make_half(H5T_IEEE_F32BE)};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        double values[6];
        for (int k = 0; k < 6; k++) values[k] = types[i].first + k;
        put(types[i].name, types[i].type < 2 ? half[types[i].type] : types[i].type, H5T_NATIVE_DOUBLE, 2, dims,
            H5P_DEFAULT, values);
    }
    H5Fclose(file);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        expect_steps(types[i].name, types[i].memory, 2, dims, types[i].first, 1);
}

Test(array_file, bool_and_special_floats, .init = setup, .fini = teardown)
{
    const hsize_t two[1] = {2}, three[1] = {3};
    const hid_t type = make_enum("FALSE", "TRUE");
    put("bool", type, type, 1, two, H5P_DEFAULT, (signed char[]){0, 1});
    put("bits", H5T_STD_B8LE, H5T_NATIVE_B8, 1, two, H5P_DEFAULT, (unsigned char[]){0, 1});
    put("odd", H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, 1, three, H5P_DEFAULT, (double[]){NAN, INFINITY, -INFINITY});
    H5Fclose(file);
    expect_steps("bool", DN_U8, 1, two, 0, 1);
    expect_steps("bits", DN_U8, 1, two, 0, 1);
    dn_npy *a = NULL;
    cr_assert_eq(open_named(&a, "odd"), DN_OK, "%s", dn_error_last());
    cr_expect(isnan(element(a, 0)) && element(a, 1) == INFINITY && element(a, 2) == -INFINITY);
    dn_npy_close(a);
}

Test(array_file, every_layout_and_rank_is_read, .init = setup, .fini = teardown)
{
    static int32_t values[5000];
    const hsize_t dims[8] = {2, 1, 2, 1, 2, 1, 1, 2}, wide[2] = {50, 100}, sides[2] = {7, 33}, all[2] = {50, 100};
    char name[32];
    for (int i = 0; i < 5000; i++) values[i] = i;
    const hid_t compact = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(compact, H5D_COMPACT);
    for (int rank = 0; rank <= 8; rank++) {
        snprintf(name, sizeof name, "rank%d", rank);
        put(name, H5T_STD_I32LE, H5T_NATIVE_INT32, rank, dims, H5P_DEFAULT, values);
        snprintf(name, sizeof name, "compact%d", rank);
        put(name, H5T_STD_I32LE, H5T_NATIVE_INT32, rank, dims, compact, values);
    }
    put("chunks", H5T_STD_I64BE, H5T_NATIVE_INT32, 2, wide, chunked(2, sides, false), values);
    put("packed", H5T_STD_I64LE, H5T_NATIVE_INT32, 2, wide, chunked(2, sides, true), values);
    put("one_chunk", H5T_IEEE_F32LE, H5T_NATIVE_INT32, 2, wide, chunked(2, all, true), values);
    put("none", H5T_IEEE_F32LE, H5T_NATIVE_INT32, 2, (hsize_t[]){0, 7}, H5P_DEFAULT, NULL);
    H5Fclose(file);
    for (int rank = 0; rank <= 8; rank++) {
        snprintf(name, sizeof name, "rank%d", rank);
        expect_steps(name, DN_I32, rank, dims, 0, 1);
        snprintf(name, sizeof name, "compact%d", rank);
        expect_steps(name, DN_I32, rank, dims, 0, 1);
    }
    expect_steps("chunks", DN_I32, 2, wide, 0, 1);
    expect_steps("packed", DN_I32, 2, wide, 0, 1);
    expect_steps("one_chunk", DN_F32, 2, wide, 0, 1);
    expect_steps("none", DN_F32, 2, (hsize_t[]){0, 7}, 0, 1);
}

/* Larger than what is read at once, cut along the first axis and along one behind it. */
Test(array_file, large_arrays_are_read_in_parts, .init = setup, .fini = teardown)
{
    enum { COUNT = 3 * 9 * 250001 };
    const hsize_t flat[1] = {COUNT}, deep[3] = {3, 9, 250001};
    int32_t *values = dn_calloc(COUNT, sizeof *values);
    for (int i = 0; i < COUNT; i++) values[i] = i;
    put("flat", H5T_STD_I64LE, H5T_NATIVE_INT32, 1, flat, chunked(1, (hsize_t[]){100000}, true), values);
    put("deep", H5T_STD_I32LE, H5T_NATIVE_INT32, 3, deep, H5P_DEFAULT, values);
    H5Fclose(file);
    dn_free(values);
    expect_steps("flat", DN_I32, 1, flat, 0, 1);
    expect_steps("deep", DN_I32, 3, deep, 0, 1);
}

/* ---- names ---- */

Test(array_file, names_lead_to_arrays, .init = setup, .fini = teardown)
{
    const hsize_t two[1] = {2};
    const hid_t groups = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(groups, 1);
    H5Gclose(H5Gcreate2(file, "set/deep", groups, H5P_DEFAULT, H5P_DEFAULT));
    put("set/deep/x", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, two, H5P_DEFAULT, (int32_t[]){4, 5});
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    H5Fclose(file);
    expect_steps(NULL, DN_I32, 1, two, 4, 1); /* the only one */
    expect_steps("set/deep/x", DN_I32, 1, two, 4, 1);
    expect_steps("/set//deep/x", DN_I32, 1, two, 4, 1);
    file = H5Fopen(folder_file(&files, "a.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    put("second:one", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, two, H5P_DEFAULT, (int32_t[]){6, 7});
    H5Lcreate_soft("/set/deep/x", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", file, "broken", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/away/x", file, "detour", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/", file, "away", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_steps("second:one", DN_I32, 1, two, 6, 1);
    expect_steps("soft", DN_I32, 1, two, 4, 1);
    expect_refused(NULL, DN_ERROR_ARGUMENT, "several arrays");
    expect_refused(NULL, DN_ERROR_ARGUMENT, "a.h5:NAME, with NAME one of second:one, set/deep/x");
    expect_refused("third", DN_ERROR_ARGUMENT, "there is no array \"third\"; there are: second:one, set/deep/x");
    expect_refused("set", DN_ERROR_ARGUMENT, "\"set\" is a group");
    expect_refused("broken", DN_ERROR_FORMAT, "leads nowhere");
    expect_refused("away/x", DN_ERROR_UNSUPPORTED, "\"away\" is a link into another file");
    expect_refused("detour", DN_ERROR_FORMAT, "leads nowhere, out of the file");
    expect_refused("", DN_ERROR_ARGUMENT, "the name of an array has 1 to 511 letters");
}

Test(array_file, links_into_other_files_are_not_followed, .init = setup, .fini = teardown)
{
    const hsize_t two[1] = {2};
    put("x", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, two, H5P_DEFAULT, (int32_t[]){4, 5});
    H5Fclose(file);
    const char *first = folder_file(&files, "a.h5");
    const hid_t other = H5Fcreate(folder_file(&files, "b.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(first, "/x", other, "away", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/away", other, "detour", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(other);
    static const char *const names[2] = {"away", "detour"};
    for (int i = 0; i < 2; i++) {
        dn_npy *a = NULL;
        char full[LONGEST_PATH];
        snprintf(full, sizeof full, "%s:%s", folder_file(&files, "b.h5"), names[i]);
        cr_expect_neq(dn_array_file_open(&a, full), DN_OK, "%s", names[i]);
        cr_expect_null(a);
    }
}

/* ---- what is no array of numbers ---- */

Test(array_file, other_types_are_refused_by_name, .init = setup, .fini = teardown)
{
    const hsize_t two[1] = {2}, nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    const hid_t text = H5Tcopy(H5T_C_S1), record = H5Tcreate(H5T_COMPOUND, 8);
    H5Tset_size(text, 5);
    H5Tinsert(record, "r", 0, H5T_IEEE_F32LE);
    H5Tinsert(record, "i", 4, H5T_IEEE_F32LE);
    const hid_t odd = H5Tcopy(H5T_STD_I32LE), other_half = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_precision(odd, 20);
    H5Tset_ebias(other_half, 100);
    put("text", text, text, 1, two, H5P_DEFAULT, "abcd\0efgh");
    put("complex", record, record, 1, two, H5P_DEFAULT, (float[]){1, 2, 3, 4});
    put("enum", make_enum("RED", "GREEN"), 0, 1, two, H5P_DEFAULT, NULL);
    put("lists", H5Tvlen_create(H5T_STD_I32LE), 0, 1, two, H5P_DEFAULT, NULL);
    put("nested", H5Tarray_create2(H5T_STD_I32LE, 1, two), 0, 1, two, H5P_DEFAULT, NULL);
    put("reference", H5T_STD_REF_OBJ, 0, 1, two, H5P_DEFAULT, NULL);
    put("opaque", H5Tcreate(H5T_OPAQUE, 3), 0, 1, two, H5P_DEFAULT, NULL);
    put("odd", odd, H5T_NATIVE_INT32, 1, two, H5P_DEFAULT, (int32_t[]){1, 2});
    put("bias", other_half, H5T_NATIVE_DOUBLE, 1, two, H5P_DEFAULT, (double[]){1, 2});
    put("null", H5T_STD_I32LE, 0, -1, NULL, H5P_DEFAULT, NULL);
    put("nine", H5T_STD_I32LE, H5T_NATIVE_INT32, 9, nine, H5P_DEFAULT, (int32_t[]){1});
    put("wide", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, two, H5P_DEFAULT, (int64_t[]){1, INT64_C(1) << 31});
    put("wide_unsigned", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, two, H5P_DEFAULT, (uint64_t[]){1, UINT64_MAX});
    H5Fclose(file);
    expect_refused("text", DN_ERROR_UNSUPPORTED, "array \"text\": it holds texts, expected bool, int8");
    expect_refused("complex", DN_ERROR_UNSUPPORTED, "it holds records of several fields");
    expect_refused("enum", DN_ERROR_UNSUPPORTED, "it holds an enum that is not bool");
    expect_refused("lists", DN_ERROR_UNSUPPORTED, "it holds lists of varying length");
    expect_refused("nested", DN_ERROR_UNSUPPORTED, "it holds elements that are arrays themselves");
    expect_refused("reference", DN_ERROR_UNSUPPORTED, "it holds references");
    expect_refused("opaque", DN_ERROR_UNSUPPORTED, "it holds opaque bytes");
    expect_refused("odd", DN_ERROR_UNSUPPORTED, "it holds integers of an odd size");
    expect_refused("bias", DN_ERROR_UNSUPPORTED, "that are not IEEE float16, float32 or float64");
    expect_refused("null", DN_ERROR_UNSUPPORTED, "it has no shape");
    expect_refused("nine", DN_ERROR_UNSUPPORTED, "found 9 dimensions, expected at most 8");
    expect_refused("wide", DN_ERROR_UNSUPPORTED, "array \"wide\": element 1 is an integer beyond 32 bits");
    expect_refused("wide_unsigned", DN_ERROR_UNSUPPORTED, "element 1 is an integer beyond 32 bits");
}

/* ---- data that are not there, or too much ---- */

static size_t cut_bits(unsigned flags, size_t n, const unsigned values[], size_t bytes, size_t *room, void **data)
{
    (void)flags, (void)n, (void)values, (void)room, (void)data;
    return bytes;
}

Test(array_file, missing_and_foreign_storage_is_refused, .init = setup, .fini = teardown)
{
    static const H5Z_class2_t plug_in = {H5Z_CLASS_T_VERS, 32000, 1, 1, "lzf", NULL, NULL, cut_bits};
    const hsize_t four[1] = {4}, two[1] = {2}, huge[1] = {(hsize_t)1 << 60}, large[1] = {(hsize_t)1 << 40};
    H5Zregister(&plug_in);
    const hid_t with_plug_in = chunked(1, two, false), outside = H5Pcreate(H5P_DATASET_CREATE),
                virtual_data = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_filter(with_plug_in, 32000, 0, 0, NULL);
    H5Pset_external(outside, "/etc/hostname", 0, 16);
    const hid_t space = H5Screate_simple(1, four, NULL);
    H5Pset_virtual(virtual_data, space, "/nonexistent.h5", "x", space);
    put("unwritten", H5T_STD_I32LE, 0, 1, four, H5P_DEFAULT, NULL);
    put("huge", H5T_STD_I64LE, 0, 1, huge, H5P_DEFAULT, NULL);
    put("large", H5T_STD_I64LE, 0, 1, large, chunked(1, (hsize_t[]){1 << 20}, true), NULL);
    put("lzf", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, four, with_plug_in, (int32_t[]){1, 2, 3, 4});
    put("outside", H5T_STD_I32LE, 0, 1, four, outside, NULL);
    put("virtual", H5T_STD_I32LE, 0, 1, four, virtual_data, NULL);
    H5Fclose(file);
    expect_refused("unwritten", DN_ERROR_FORMAT, "it was never written, its 4 elements are missing");
    expect_refused("huge", DN_ERROR_FORMAT, "the product of its dimensions is above 2^59");
    expect_refused("large", DN_ERROR_FORMAT, "0 of its 1048576 chunks are in the file");
    expect_refused("lzf", DN_ERROR_UNSUPPORTED, "packed with the filter 32000 (lzf), expected deflate");
    expect_refused("outside", DN_ERROR_UNSUPPORTED, "its data lie in other files");
    expect_refused("virtual", DN_ERROR_UNSUPPORTED, "its data lie in other files");
}

/** Replaces the only place in the file where these bytes stand. */
static void patch(const void *old, const void *new, size_t n)
{
    static unsigned char bytes[FILE_ROOM];
    size_t found = 0, places = 0;
    const size_t size = folder_read(&files, "a.h5", bytes);
    for (size_t i = 0; i + n <= size; i++)
        if (memcmp(bytes + i, old, n) == 0) found = i, places++;
    cr_assert_eq(places, 1, "%zu places", places);
    memcpy(bytes + found, new, n);
    folder_write(&files, "a.h5", bytes, size);
}

Test(array_file, a_header_that_promises_more_than_the_file_holds, .init = setup, .fini = teardown)
{
    put("x", H5T_STD_I32LE, H5T_NATIVE_INT32, 1, (hsize_t[]){0x1234}, H5P_DEFAULT, (int32_t[0x1234]){0});
    H5Fclose(file);
    /* Current and largest size stand side by side; the storage keeps its 18640 bytes. */
    patch((uint64_t[]){0x1234, 0x1234}, (uint64_t[]){(uint64_t)1 << 50, (uint64_t)1 << 50}, 16);
    expect_refused("x", DN_ERROR_FORMAT, "its shape wants 4503599627370496 bytes, the 18640 bytes in the file");
    patch((uint64_t[]){(uint64_t)1 << 50, (uint64_t)1 << 50}, (uint64_t[]){(uint64_t)1 << 60, (uint64_t)1 << 60}, 16);
    expect_refused("x", DN_ERROR_FORMAT, "above 2^59");
}

/* ---- which kind of file ---- */

static void expect_file(const char *name, const char *end, dn_status status, const char *text)
{
    dn_npy *a = NULL;
    char full[LONGEST_PATH];
    snprintf(full, sizeof full, "%s%s", folder_file(&files, name), end);
    const dn_status got = dn_array_file_open(&a, full);
    cr_expect_eq(got, status, "%s: status %d (%s)", name, got, got == DN_OK ? "no error" : dn_error_last());
    cr_expect(got == DN_OK || strstr(dn_error_last(), text), "%s: '%s', expected '%s'", name, dn_error_last(), text);
    dn_npy_close(a);
}

Test(array_file, the_kind_is_known_by_the_first_bytes, .init = setup, .fini = teardown)
{
    dn_npy *a = NULL;
    H5Fclose(file);
    cr_assert_eq(dn_npy_write(folder_file(&files, "x:y.h5"), DN_I32, 1, (int64_t[]){2}, (int32_t[]){8, 9}), DN_OK);
    cr_assert_eq(dn_array_file_open(&a, folder_file(&files, "x:y.h5")), DN_OK, "%s", dn_error_last());
    cr_expect(a->count == 2 && element(a, 1) == 9);
    dn_npy_close(a);
    expect_file("x:y.h5", ":logits", DN_ERROR_ARGUMENT, "holds one array without a name: leave out ':logits'");
    expect_file("a.h5", "", DN_ERROR_ARGUMENT, "there is no array in the file");
    expect_file("a.h5", ":x", DN_ERROR_ARGUMENT, "there is no array \"x\", and no other");
    expect_file("gone.h5", ":x", DN_ERROR_FILE, "gone.h5: cannot open: No such file");
    folder_write(&files, "empty", "", 0);
    expect_file("empty", "", DN_ERROR_FORMAT, "the file is empty");
    folder_write(&files, "text", "1,2,3\n", 6);
    expect_file("text", "", DN_ERROR_FORMAT, "neither a .npy nor an HDF5 file");
    folder_write(&files, "packed.npz", "PK\x03\x04....", 8);
    expect_file("packed.npz", "", DN_ERROR_FORMAT, "save each array with numpy.save");
    folder_write(&files, "packed.gz", "\x1f\x8b\x08.....", 8);
    expect_file("packed.gz", "", DN_ERROR_FORMAT, "unpack it with gunzip");
    cr_expect_eq(dn_array_file_open(&a, files.path), DN_ERROR_FILE);
    cr_expect(strstr(dn_error_last(), "not a regular file"), "%s", dn_error_last());
    cr_expect_eq(dn_array_file_open(&a, NULL), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_array_file_open(&a, ""), DN_ERROR_ARGUMENT);
}
