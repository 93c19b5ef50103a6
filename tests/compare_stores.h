/** Two HDF5 files array by array, for tests. */
#ifndef DN_TESTS_COMPARE_STORES_H
#define DN_TESTS_COMPARE_STORES_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/store.h"

typedef struct comparison {
    dn_store *a, *b;
    char prefix[256];
    int arrays, differences; /* compared so far */
} comparison;

static inline void *read_array(dn_store *from, const char *name, dn_store_info *info)
{
    cr_assert_eq(dn_store_array_info(from, name, info), DN_OK, "%s", dn_error_last());
    void *data = dn_calloc((size_t)info->count, dn_dtype_size(info->dtype));
    cr_assert_eq(dn_store_read(from, name, info->dtype, info->count, data), DN_OK, "%s", dn_error_last());
    return data;
}

static inline dn_status compare_one(void *context, const char *name, bool is_group)
{
    comparison *c = context;
    char path[256];
    snprintf(path, sizeof path, "%.120s%s%.120s", c->prefix, c->prefix[0] ? "/" : "", name);
    if (is_group) {
        comparison below = *c;
        memcpy(below.prefix, path, sizeof path);
        DN_TRY(dn_store_list(c->a, path, compare_one, &below));
        c->arrays = below.arrays;
        c->differences = below.differences;
        return DN_OK;
    }
    dn_store_info of_a, of_b;
    void *a = read_array(c->a, path, &of_a), *b = read_array(c->b, path, &of_b);
    const size_t bytes = (size_t)of_a.count * dn_dtype_size(of_a.dtype);
    const bool same = of_a.dtype == of_b.dtype && of_a.rank == of_b.rank && of_a.count == of_b.count &&
                      memcmp(of_a.dim, of_b.dim, (size_t)of_a.rank * sizeof *of_a.dim) == 0 && memcmp(a, b, bytes) == 0;
    c->arrays++;
    c->differences += !same;
    dn_free(a);
    dn_free(b);
    return DN_OK;
}

static inline int64_t step_of(const char *path)
{
    dn_store *store = NULL;
    int64_t step = -1;
    cr_assert_eq(dn_store_open(&store, path), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_store_get_int(store, "/", "step", &step), DN_OK, "%s", dn_error_last());
    dn_store_close(store);
    return step;
}

/** @param group "/" or a group. @return how many arrays differ in a byte, a size or a type; at least one is compared */
static inline int differing_arrays(const char *path, const char *other, const char *group)
{
    comparison c = {0};
    cr_assert_eq(dn_store_open(&c.a, path), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_store_open(&c.b, other), DN_OK, "%s", dn_error_last());
    if (strcmp(group, "/") != 0) snprintf(c.prefix, sizeof c.prefix, "%s", group);
    cr_assert_eq(dn_store_list(c.a, group, compare_one, &c), DN_OK, "%s", dn_error_last());
    cr_assert_gt(c.arrays, 0);
    dn_store_close(c.a);
    dn_store_close(c.b);
    return c.differences;
}

#endif
