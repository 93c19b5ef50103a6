/** The program `dunlin` from outside, in a folder with small data sets and recipes of its own, for tests of training
 *  and evaluation. */
#ifndef DN_TESTS_RUN_COMMAND_H
#define DN_TESTS_RUN_COMMAND_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/store.h"

extern char **environ;

static char work[64];               /* the folder */
static char out[20000], err[20000]; /* what the last command printed */
static int out_file = -1, err_file = -1;
static const char *threads = "--threads=2"; /* for every command */

enum { SIDE = 8, CLASSES = 10, MOST_ARGUMENTS = 40 };

/* ---- data ---- */

static inline FILE *open_npy(const char *name, const char *type, const char *shape)
{
    char path[128], header[119];
    snprintf(path, sizeof path, "%s/%s", work, name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
    fprintf(file, "%-117s\n", header);
    return file;
}

/** Writes NAME.npy, u8 [n,side,side,1], and NAME-labels.npy, i32 [n]: image i is of class i mod 10, a bright row or
 *  column in noise. */
static inline void write_set(const char *name, int n, int side, uint64_t seed)
{
    char file[64], shape[64];
    dn_random_sequence r = {.seed = seed};
    snprintf(file, sizeof file, "%s.npy", name);
    snprintf(shape, sizeof shape, "(%d, %d, %d, 1)", n, side, side);
    FILE *images = open_npy(file, "|u1", shape);
    for (int i = 0; i < n; i++)
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++) {
                const int class = i % CLASSES, line = class % 5;
                const int bright = (class < 5 ? y : x) == line + 1 ? 150 : 0;
                fputc(bright + (int)dn_random_next_below(&r, 100), images);
            }
    fclose(images);
    snprintf(file, sizeof file, "%s-labels.npy", name);
    snprintf(shape, sizeof shape, "(%d,)", n);
    FILE *labels = open_npy(file, "<i4", shape);
    for (int32_t i = 0; i < n; i++) fwrite(&(int32_t){i % CLASSES}, 4, 1, labels);
    fclose(labels);
}

/** Writes NAME.yaml: the small sets, a narrow network, and `rest`. @return its path, static */
static inline const char *write_recipe(const char *name, const char *rest)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s.yaml", work, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(file,
            "data:\n  train: 'npy:%s/train.npy,%s/train-labels.npy'\n  test: 'npy:%s/test.npy,%s/test-labels.npy'\n"
            "  ood: ['npy:%s/ood.npy']\n  prepare: [standardize]\nmodel: {name: glyph_net, width: 4}\n%s",
            work, work, work, work, work, rest);
    fclose(file);
    return path;
}

static const char deep_recipe[] = "ensemble: {kind: deep, members: 2}\n"
                                  "train: {batch: 16, steps: 12, checkpoint_every: 5}\n";
/* Two sources, switching, held batches, gated gradients: all that an MI recipe can do. */
static const char mi_recipe[] = "ensemble: {kind: mi, members: 2}\n"
                                "mi:\n  batch: 8\n  period: 7\n  sources:\n"
                                "    - {kind: patch_shuffle, patch: 4, alpha: 2}\n"
                                "    - {kind: train, alpha: .8, redraw_every: 2, stop_norm_gradient: true}\n"
                                "  switches: [{step: 0, source: 0}, {step: 2, source: 1}, {step: 4, source: 0}]\n"
                                "train: {batch: 16, steps: 12, checkpoint_every: 5}\n";
/* Ten classes in three folds: members with 6 and 7 outputs. */
static const char leave_out_recipe[] = "ensemble: {kind: leave_out, members: 3}\n"
                                       "leave_out: {batch: 8}\n"
                                       "optimizer: {kind: sgd, momentum: .9, nesterov: true, rate: .05}\n"
                                       "train: {batch: 16, steps: 12, checkpoint_every: 5}\n";

static inline void open_work(void)
{
    snprintf(work, sizeof work, "/tmp/dn-train-XXXXXX");
    cr_assert_not_null(mkdtemp(work));
    write_set("train", 90, SIDE, 1);
    write_set("test", 50, SIDE, 2);
    write_set("ood", 40, SIDE, 3);
}

/** Removes a folder of files and such folders. */
static inline void remove_folder(const char *path)
{
    DIR *directory = opendir(path);
    for (const struct dirent *entry; directory && (entry = readdir(directory));) {
        char below[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(below, sizeof below, "%.200s/%s", path, entry->d_name);
        if (unlink(below) != 0) remove_folder(below);
    }
    if (directory) closedir(directory);
    rmdir(path);
}

static inline void close_work(void)
{
    remove_folder(work);
}

/** @return "<the folder>/NAME"; one of eight texts that are used in turn */
static inline const char *at(const char *name)
{
    static char texts[8][256];
    static int next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0], "%s/%s", work, name);
    return text;
}

/* ---- commands ---- */

/** Starts a program; wait_command() hears what it prints. */
static inline pid_t start_program(const char *program, char *const *argv, char *const *environment)
{
    char name[] = "/tmp/dn-out-XXXXXX", other[] = "/tmp/dn-err-XXXXXX";
    out_file = mkstemp(name), err_file = mkstemp(other);
    unlink(name);
    unlink(other);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out_file, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err_file, STDERR_FILENO);
    pid_t child = -1;
    cr_assert_eq(posix_spawnp(&child, program, &actions, NULL, argv, environment), 0, "%s", program);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/** Starts build/dunlin, beside the folder of this test, with `threads`, which train and evaluate take.
 *  @param arguments end with NULL */
static inline pid_t start_command(const char *const *arguments)
{
    char program[512] = "", *argv[MOST_ARGUMENTS + 3] = {program};
    cr_assert_gt(readlink("/proc/self/exe", program, sizeof program - 16), 0);
    for (int up = 0; up < 2; up++) *strrchr(program, '/') = '\0';
    snprintf(program + strlen(program), 16, "/dunlin");
    cr_assert_eq(access(program, X_OK), 0, "%s is not built", program);
    int count = 0;
    for (; arguments[count]; count++) {
        cr_assert_lt(count, MOST_ARGUMENTS);
        argv[count + 1] = (char *)arguments[count];
    }
    argv[count + 1] = (char *)threads;
    return start_program(program, argv, environ);
}

static inline void read_back(int descriptor, char *text, size_t size)
{
    lseek(descriptor, 0, SEEK_SET);
    const ssize_t got = read(descriptor, text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    close(descriptor);
}

/** @return the exit code, or minus the signal that killed it; `out` and `err` hold what was printed */
static inline int wait_command(pid_t child)
{
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    read_back(out_file, out, sizeof out);
    read_back(err_file, err, sizeof err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int run_command(const char *const *arguments)
{
    return wait_command(start_command(arguments));
}

/** A file's size, time of change and number: the same as long as nobody writes it. */
typedef struct print_of_file {
    off_t size;
    ino_t number;
    struct timespec changed;
} print_of_file;

static inline print_of_file print_of(const char *path)
{
    struct stat info;
    cr_assert_eq(stat(path, &info), 0, "%s", path);
    return (print_of_file){info.st_size, info.st_ino, info.st_mtim};
}

static inline void check_untouched(const char *path, print_of_file before)
{
    const print_of_file after = print_of(path);
    cr_expect(after.size == before.size && after.number == before.number &&
                  after.changed.tv_sec == before.changed.tv_sec && after.changed.tv_nsec == before.changed.tv_nsec,
              "%s was written", path);
}

#define START(...)      start_command((const char *const[]){__VA_ARGS__, NULL})
#define RUN(...)        run_command((const char *const[]){__VA_ARGS__, NULL})
#define HAS(text, part) cr_expect(strstr((text), (part)), "no '%s' in: %s", (part), (text))
#define TRAIN(...)      cr_assert_eq(RUN("train", __VA_ARGS__), 0, "%s", err)

/** @return the number that follows the first `phrase` in a text; -1: there is none */
static inline long long number_after(const char *text, const char *phrase)
{
    char *end = NULL;
    const char *found = strstr(text, phrase);
    if (!found) return -1;
    const long long number = strtoll(found + strlen(phrase), &end, 10);
    return end == found + strlen(phrase) ? -1 : number;
}

static inline bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

#endif
