/* Parameters of a size that passes through host memory one member at a time: they come back as they were. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/params_file.h"

enum { MEMBERS = 3, SIDE = 1500 }; /* 3 x 9 MB */

static dn_params *make_store(dn_device *device, uint64_t seed)
{
    dn_params *params = NULL;
    int index = -1;
    const dn_params_options options = {.members = MEMBERS, .dtype = DN_F32, .seed = seed};
    const dn_shape large = DN_SHAPE(SIDE, SIDE), small = DN_SHAPE(7);
    const dn_init init = {.kind = DN_INIT_UNIFORM, .value = 1.0};
    cr_assert_eq(dn_params_new(&params, &options), DN_OK);
    cr_assert_eq(dn_params_value(params, "small", &small, init, &index), DN_OK);
    cr_assert_eq(dn_params_value(params, "large", &large, init, &index), DN_OK);
    cr_assert_eq(dn_params_slot(params, "velocity", &index), DN_OK);
    dn_params_freeze(params);
    cr_assert_eq(dn_params_place(params, device), DN_OK, "%s", dn_error_last());
    return params;
}

static char *copy_of(const dn_params *params, dn_params_block block, size_t *bytes)
{
    const dn_buffer *buffer = dn_params_buffer(params, block, 0);
    *bytes = dn_buffer_bytes(buffer);
    char *data = dn_calloc(*bytes, 1);
    cr_assert_eq(dn_buffer_download(buffer, 0, data, *bytes), DN_OK);
    return data;
}

Test(train_checkpoint, large_parameters_come_back)
{
    char path[] = "/tmp/dn-large-XXXXXX";
    const int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    close(descriptor);
    dn_device *device = NULL;
    dn_store *store = NULL;
    size_t bytes = 0, other_bytes = 0;
    cr_assert_eq(dn_device_open(&device, "ref", NULL), DN_OK);
    dn_params *one = make_store(device, 1), *other = make_store(device, 2);
    char *values = copy_of(one, DN_BLOCK_VALUES, &bytes);
    /* The slot gets the values too: zeros would prove nothing. */
    cr_assert_eq(dn_buffer_upload(dn_params_buffer(one, DN_BLOCK_SLOTS, 0), 0, values, bytes), DN_OK);
    cr_assert_eq(dn_store_create(&store, path), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_params_save(one, store), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_store_commit(store), DN_OK, "%s", dn_error_last());
    dn_store_close(store);
    cr_assert_eq(dn_store_open(&store, path), DN_OK, "%s", dn_error_last());
    dn_store_info info;
    cr_assert_eq(dn_store_array_info(store, "parameters/large", &info), DN_OK);
    cr_expect(info.rank == 3 && info.dim[0] == MEMBERS && info.dim[1] == SIDE && info.dim[2] == SIDE);
    cr_assert_eq(dn_params_load(other, store, true), DN_OK, "%s", dn_error_last());
    dn_store_close(store);
    char *loaded = copy_of(other, DN_BLOCK_VALUES, &other_bytes);
    cr_assert_eq(other_bytes, bytes);
    cr_expect_eq(memcmp(values, loaded, bytes), 0, "the values differ");
    char *slot = copy_of(other, DN_BLOCK_SLOTS, &other_bytes);
    cr_expect_eq(memcmp(values, slot, bytes), 0, "the slot differs");
    dn_free(values);
    dn_free(loaded);
    dn_free(slot);
    dn_params_close(one);
    dn_params_close(other);
    dn_device_close(device);
    unlink(path);
}
