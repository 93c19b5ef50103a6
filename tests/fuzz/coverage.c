/* HDF5 files are read in child processes, whose counters of coverage die with them. Here a child leaves them in memory
 * that it shares with the fuzzer, which adds them to its own after each input. Linked with --wrap=_exit. And a child
 * that crashes is not a finding: it must not leave its input for one. */
#include <hdf5.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* Where clang keeps the counters of all files. */
extern uint8_t counters_begin[] __asm__("__start___sancov_cntrs");
extern uint8_t counters_end[] __asm__("__stop___sancov_cntrs");
extern _Noreturn void __real__exit(int code); /* NOLINT(bugprone-reserved-identifier): the linker's names */
_Noreturn void __wrap__exit(int code);        /* NOLINT(bugprone-reserved-identifier): the linker's names */

static uint8_t *shared;

static size_t count_counters(void)
{
    return (size_t)((uintptr_t)counters_end - (uintptr_t)counters_begin);
}

void __sanitizer_set_death_callback(void (*callback)(void)); /* NOLINT(bugprone-reserved-identifier): their name */

static void be_quiet(void)
{
    __sanitizer_set_death_callback(NULL);
    signal(SIGABRT, SIG_DFL); /* libhdf5 overruns its own stack buffers too */
}

static void add(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (from[i] > to[i]) to[i] = from[i];
}

__attribute__((no_sanitize("coverage"))) void fuzz_take_coverage(void)
{
    const size_t n = count_counters();
    if (!shared) {
        shared = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) {
            perror("mmap");
            abort();
        }
        (void)H5open(); /* once, and not in each child */
        pthread_atfork(NULL, NULL, be_quiet);
    }
    add(counters_begin, shared, n);
    memset(shared, 0, n);
}

_Noreturn void __wrap__exit(int code) /* NOLINT(bugprone-reserved-identifier): the linker's names */
{
    if (shared) add(shared, counters_begin, count_counters());
    __real__exit(code);
}
