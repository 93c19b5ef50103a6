/* Whether training runs kept the same numbers, for bench/gpu.sh: files of equal numbers differ in HDF5's time stamps.
 * DN_TEST_SAME="A.h5 B.h5 ..." compares each with the first; without it the comparison itself is tested. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/compare_stores.h"

static void write_store(const char *path, float last)
{
    const float values[] = {1, 2, last};
    dn_store *store = NULL;
    cr_assert_eq(dn_store_create(&store, path), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_store_write(store, "parameters/w", DN_F32, 1, (const int64_t[]){3}, values), DN_OK);
    cr_assert_eq(dn_store_commit(store), DN_OK, "%s", dn_error_last());
    dn_store_close(store);
}

Test(cuda_same, one_bit_is_found)
{
    char folder[] = "/tmp/dn-same-XXXXXX", path[3][64];
    cr_assert_not_null(mkdtemp(folder));
    for (int i = 0; i < 3; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d.h5", folder, i);
        write_store(path[i], i == 2 ? 3.0F + 0x1p-22F : 3.0F);
    }
    cr_expect_eq(differing_arrays(path[0], path[1], "/"), 0);
    cr_expect_eq(differing_arrays(path[0], path[2], "/"), 1);
    for (int i = 0; i < 3; i++) unlink(path[i]);
    rmdir(folder);
}

Test(cuda_same, runs)
{
    char list[4096], *rest = list, *first = NULL;
    const char *wanted = getenv("DN_TEST_SAME");
    if (!wanted) cr_skip_test("DN_TEST_SAME names no runs");
    snprintf(list, sizeof list, "%s", wanted);
    int compared = 0;
    for (char *path = NULL; (path = strsep(&rest, " ")) != NULL;) {
        if (!first) {
            first = path;
            continue;
        }
        cr_expect_eq(differing_arrays(first, path, "/"), 0, "%s and %s differ", first, path);
        compared++;
    }
    cr_expect_gt(compared, 0, "DN_TEST_SAME='%s' does not name two files", wanted);
}
