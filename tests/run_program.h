/** A program, its store and its executor on the reference backend, for tests. */
#ifndef DN_TESTS_RUN_PROGRAM_H
#define DN_TESTS_RUN_PROGRAM_H

#include <criterion/criterion.h>

#include "core/alloc.h"
#include "core/executor.h"
#include "core/graph.h"
#include "core/ops.h"
#include "core/random.h"

typedef struct rig {
    dn_device *device;
    dn_params *store;
    dn_program *p;
    dn_executor *ex;
} rig;

static inline rig open_rig(int members, dn_dtype dtype)
{
    rig r = {0};
    const dn_params_options options = {.members = members, .dtype = dtype, .seed = 5};
    cr_assert_eq(dn_device_open(&r.device, "ref", NULL), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_params_new(&r.store, &options), DN_OK, "%s", dn_error_last());
    r.p = dn_program_new(r.store, &(dn_program_options){.name = "test", .batch = 4});
    return r;
}

/** Seals the program and opens its executor. */
static inline void start_rig(rig *r)
{
    cr_assert_eq(dn_program_seal(r->p), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_open(&r->ex, r->p, r->device), DN_OK, "%s", dn_error_last());
}

static inline void close_rig(rig *r)
{
    dn_executor_close(r->ex);
    dn_program_close(r->p);
    dn_params_close(r->store);
    dn_device_close(r->device);
}

static inline void run_rig(rig *r, int steps)
{
    cr_assert_eq(dn_executor_run(r->ex, steps), DN_OK, "%s", dn_error_last());
}

static inline void write_rig(rig *r, dn_tensor t, const void *from, size_t bytes)
{
    cr_assert_eq(dn_executor_write(r->ex, t, from, bytes), DN_OK, "%s", dn_error_last());
}

static inline void read_rig(rig *r, dn_tensor t, void *to, size_t bytes)
{
    cr_assert_eq(dn_executor_read(r->ex, t, to, bytes), DN_OK, "%s", dn_error_last());
}

/** @return bytes of all copies of a tensor */
static inline size_t tensor_bytes(const dn_program *p, dn_tensor t)
{
    return dn__bytes(dn__info(p, t)) * (size_t)(dn_is_shared(p, t) ? 1 : p->members);
}

/** Writes random normal values to a floating-point tensor. */
static inline void write_random(rig *r, dn_tensor t, uint32_t purpose)
{
    const bool is_double = dn_dtype_of(r->p, t) == DN_F64;
    const size_t bytes = tensor_bytes(r->p, t), count = bytes / (is_double ? sizeof(double) : sizeof(float));
    dn_random_sequence random = {.seed = 3, .purpose = purpose};
    char *data = dn_calloc(bytes, 1);
    for (size_t i = 0; i < count; i++) {
        const float value = dn_random_next_normal(&random);
        if (is_double)
            ((double *)(void *)data)[i] = (double)value;
        else
            ((float *)(void *)data)[i] = value;
    }
    write_rig(r, t, data, bytes);
    dn_free(data);
}

/** Fills every temporary with NaN (bytes 0xff), so that what is read before it is written shows. */
static inline void poison(rig *r)
{
    for (size_t i = 0; i < r->p->n_tensors; i++) {
        const dn_tensor t = {(int)i};
        const dn_tensor_info *info = dn__info(r->p, t);
        if (info->storage != DN_STORAGE_TEMPORARY || info->first < 0) continue;
        const size_t bytes = tensor_bytes(r->p, t);
        unsigned char *data = dn_calloc(bytes, 1);
        for (size_t k = 0; k < bytes; k++) data[k] = 0xff;
        write_rig(r, t, data, bytes);
        dn_free(data);
    }
}

#endif
