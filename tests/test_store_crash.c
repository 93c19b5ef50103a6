/* What a store promises when things go wrong: a killed process, a full disk, a damaged file. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/store.h"

enum { COUNT = 300000 };

/* HDF5 1.10 loses memory of its own when it meets a damaged file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static char folder[64], path[128];

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/dn-store-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/run.h5", folder);
}

static int files_in_folder(void)
{
    DIR *directory = opendir(folder);
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void teardown(void)
{
    DIR *directory = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.') unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    rmdir(folder);
}

/** One version of a file: every element and an attribute say which. */
static dn_status write_version(int32_t version)
{
    static int32_t data[COUNT];
    dn_store *store = NULL;
    DN_TRY(dn_store_create(&store, path));
    for (int i = 0; i < COUNT; i++) data[i] = version + i;
    dn_status status = dn_store_set_int(store, "/", "version", version);
    for (int i = 0; i < 3 && status == DN_OK; i++) {
        const char *const names[] = {"first", "group/second", "third"};
        status = dn_store_write(store, names[i], DN_I32, 2, (int64_t[]){COUNT / 100, 100}, data);
    }
    if (status == DN_OK) status = dn_store_set_int(store, "group", "version", version);
    if (status == DN_OK) status = dn_store_commit(store);
    dn_store_close(store);
    return status;
}

/** @return the version that the file holds, after a look at all of it; -1: something else, with an error text */
static int64_t read_version(void)
{
    static int32_t data[COUNT];
    dn_store *store = NULL;
    int64_t version = -1, again = -2;
    if (dn_store_open(&store, path) != DN_OK) return -1;
    dn_status status = dn_store_get_int(store, "/", "version", &version);
    if (status == DN_OK) status = dn_store_get_int(store, "group", "version", &again);
    for (int i = 0; i < 3 && status == DN_OK; i++) {
        const char *const names[] = {"first", "group/second", "third"};
        status = dn_store_read(store, names[i], DN_I32, COUNT, data);
        for (int k = 0; k < COUNT && status == DN_OK; k++)
            if (data[k] != version + k) status = dn_fail(DN_ERROR_INTERNAL, "element %d is wrong", k);
    }
    dn_store_close(store);
    if (status == DN_OK && version != again) status = dn_fail(DN_ERROR_INTERNAL, "two versions in one file");
    return status == DN_OK ? version : -1;
}

static uint64_t microseconds_of_a_version(int32_t version)
{
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    cr_assert_eq(write_version(version), DN_OK, "%s", dn_error_last());
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (uint64_t)(end.tv_sec - begin.tv_sec) * 1000000 + (uint64_t)((end.tv_nsec - begin.tv_nsec) / 1000 + 1);
}

Test(store_crash, a_killed_writer_leaves_a_whole_file, .init = setup, .fini = teardown, .timeout = 120)
{
    dn_random_sequence r = {.seed = 3};
    int64_t newest = 1;
    int killed_while_writing = 0;
    cr_assert_eq(write_version(1), DN_OK, "%s", dn_error_last());
    const uint64_t most_us = 3 * microseconds_of_a_version(1); /* however busy the machine is: a few get written */
    for (int round = 0; round < 50; round++) {
        const pid_t child = fork();
        if (child == 0) {
            for (int32_t version = (int32_t)newest + 1;; version++)
                if (write_version(version) != DN_OK) _exit(1);
        }
        const uint64_t us = 1000 + dn_random_next_below(&r, most_us);
        const struct timespec wait = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        int status = 0;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFSIGNALED(status), "the writer failed on its own");
        killed_while_writing += files_in_folder() > 1;
        const int64_t version = read_version();
        cr_assert_geq(version, newest, "round %d: %s", round, dn_error_last());
        newest = version;
    }
    cr_expect_gt(killed_while_writing, 5, "only %d of 50 were killed in the middle", killed_while_writing);
    cr_expect_gt(newest, 5, "only %lld versions were written", (long long)newest);
    cr_expect_eq(write_version(7), DN_OK);
    cr_expect_eq(files_in_folder(), 1, "stale temporaries are left");
}

Test(store_crash, files_of_others_and_of_the_living_stay, .init = setup, .fini = teardown)
{
    char other[160];
    static const char *const names[] = {"run.h5.tmp-", "run.h5.tmp-0123456789ab.h5", "run.h5.tmp-0123456789aX",
                                        "xrun.h5.tmp-0123456789ab"};
    for (int i = 0; i < 4; i++) {
        snprintf(other, sizeof other, "%s/%s", folder, names[i]);
        fclose(fopen(other, "w"));
    }
    snprintf(other, sizeof other, "%s/run.h5.tmp-0123456789ab", folder);
    fclose(fopen(other, "w"));
    dn_store *first = NULL, *second = NULL;
    cr_assert_eq(dn_store_create(&first, path), DN_OK, "%s", dn_error_last());
    cr_expect_neq(access(other, F_OK), 0, "the stale one was not removed");
    cr_assert_eq(dn_store_create(&second, path), DN_OK, "%s", dn_error_last());
    cr_expect_eq(files_in_folder(), 6);
    cr_expect_eq(dn_store_commit(first), DN_OK, "%s", dn_error_last());
    dn_store_close(first);
    dn_store_close(second);
    cr_expect_eq(files_in_folder(), 5);
}

/** Runs in a child, whose files cannot grow beyond `bytes`.
 *  @return 0: the error was reported, 1: it was another error, 2: written */
static int write_on_a_full_disk(rlim_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, bytes});
    const dn_status status = write_version(2);
    if (status == DN_OK) return 2;
    return status == DN_ERROR_FILE && strstr(dn_error_last(), "File too large") && strstr(dn_error_last(), path) ? 0
                                                                                                                 : 1;
}

Test(store_crash, a_full_disk_leaves_the_old_file, .init = setup, .fini = teardown, .timeout = 120)
{
    cr_assert_eq(write_version(1), DN_OK, "%s", dn_error_last());
    struct stat whole;
    stat(path, &whole);
    const rlim_t size = (rlim_t)whole.st_size;
    dn_random_sequence r = {.seed = 4};
    for (int round = 0; round < 60; round++) {
        /* All sizes up to the right one, with the very small and the almost sufficient among them. */
        rlim_t limit = dn_random_next_below(&r, (uint32_t)size);
        if (round < 15) limit = (rlim_t)round * 40;
        if (round >= 45) limit = size - 1 - (rlim_t)(round - 45) * 61;
        const pid_t child = fork();
        if (child == 0) {
            const int code = write_on_a_full_disk(limit);
            _exit(H5close() < 0 ? 3 : code); /* what HDF5 does when a program ends, and must survive */
        }
        int status = 0;
        waitpid(child, &status, 0);
        cr_assert(WIFEXITED(status), "%ld bytes: the writer died by signal %d", (long)limit, WTERMSIG(status));
        cr_assert_eq(WEXITSTATUS(status), 0, "%ld bytes: exit %d", (long)limit, WEXITSTATUS(status));
        cr_assert_eq(read_version(), 1, "%s", dn_error_last());
        cr_assert_eq(files_in_folder(), 1, "a temporary is left");
    }
}

static unsigned char *read_bytes(size_t *size)
{
    FILE *file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = dn_calloc(*size, 1);
    cr_assert_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void write_bytes(const unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

Test(store_crash, cut_files_are_errors, .init = setup, .fini = teardown, .timeout = 120)
{
    cr_assert_eq(write_version(1), DN_OK, "%s", dn_error_last());
    size_t size = 0;
    unsigned char *bytes = read_bytes(&size);
    for (size_t cut = 0; cut < size; cut = cut < 700 ? cut + 1 : cut * 5 / 4 + 1) {
        write_bytes(bytes, cut);
        cr_assert_eq(read_version(), -1, "%zu of %zu bytes", cut, size);
    }
    write_bytes(bytes, size - 1);
    cr_expect_eq(read_version(), -1);
    cr_expect_not_null(strstr(dn_error_last(), "cut off or damaged"), "%s", dn_error_last());
    write_bytes(bytes, size);
    cr_expect_eq(read_version(), 1, "%s", dn_error_last());
    dn_free(bytes);
}

/** One bit is turned over at many places: the file must then be refused, or hold what it held. */
Test(store_crash, damaged_bytes_never_change_a_number, .init = setup, .fini = teardown, .timeout = 240)
{
    cr_assert_eq(write_version(1), DN_OK, "%s", dn_error_last());
    size_t size = 0;
    unsigned char *bytes = read_bytes(&size);
    dn_random_sequence r = {.seed = 6};
    int refused = 0, by_checksum = 0, rounds = 600;
    for (int round = 0; round < rounds; round++) {
        const size_t place = round < 300 ? (size_t)round * 4 : dn_random_next_below(&r, (uint32_t)size);
        const unsigned char bit = (unsigned char)(1u << dn_random_next_below(&r, 8));
        bytes[place] ^= bit;
        write_bytes(bytes, size);
        const int64_t version = read_version();
        bytes[place] ^= bit;
        cr_assert(version == 1 || version == -1, "byte %zu: version %lld", place, (long long)version);
        cr_assert_null(strstr(dn_error_last(), "is wrong"), "byte %zu: %s", place, dn_error_last());
        refused += version == -1;
        by_checksum += version == -1 && strstr(dn_error_last(), "Fletcher32") != NULL;
    }
    cr_expect_gt(by_checksum, 250, "%d of %d refused, %d by the checksum of the data", refused, rounds, by_checksum);
    cr_log_info("%d of %d refused, %d by the checksum of the data", refused, rounds, by_checksum);
    dn_free(bytes);
}
