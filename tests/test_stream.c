/* Sets that stay in their files: training and testing on them give the same bytes as in memory. */
#include <omp.h>
#include <stdatomic.h>
#include <time.h>

#include "apps/cli.h"
#include "apps/prefetch.h"
#include "tests/compare_stores.h"
#include "tests/run_command.h"

/* ---- reading ahead ---- */

typedef struct source {
    atomic_int running, most; /* threads in read() */
    int64_t bad;              /* the step that fails */
} source;

static dn_status read_step(const void *context, int64_t step, void *to)
{
    source *s = (source *)context;
    const int running = atomic_fetch_add(&s->running, 1) + 1;
    if (running > atomic_load(&s->most)) atomic_store(&s->most, running);
    nanosleep(&(struct timespec){.tv_nsec = step % 3 * 200000}, NULL);
    for (int i = 0; i < 100; i++) ((int64_t *)to)[i] = step * 100 + i;
    atomic_fetch_sub(&s->running, 1);
    return step == s->bad ? dn_fail(DN_ERROR_FORMAT, "step %lld is bad", (long long)step) : DN_OK;
}

static dn_prefetch *open_prefetch(source *s, int64_t first, int64_t end)
{
    dn_prefetch *p = NULL;
    const dn_prefetch_options o = {
        .first = first, .end = end, .bytes = 100 * sizeof(int64_t), .read = read_step, .context = s};
    cr_assert_eq(dn_prefetch_open(&p, &o), DN_OK, "%s", dn_error_last());
    return p;
}

Test(prefetch, steps_come_in_order, .timeout = 60)
{
    source s = {.bad = -1};
    const void *data = NULL;
    dn_prefetch *p = open_prefetch(&s, 7, 300);
    for (int64_t step = 7; step < 300; step++) {
        cr_assert_eq(dn_prefetch_next(p, &data), DN_OK, "%s", dn_error_last());
        for (int i = 0; i < 100; i++) cr_assert_eq(((const int64_t *)data)[i], step * 100 + i, "step %d", (int)step);
    }
    cr_expect_eq(dn_prefetch_next(p, &data), DN_ERROR_ARGUMENT);
    cr_expect_gt(s.most, 1, "one thread did it all");
    dn_prefetch_close(p);
    dn_prefetch_close(NULL);
}

static dn_status read_team(const void *context, int64_t step, void *to)
{
    (void)context, (void)step;
    *(int *)to = omp_get_max_threads();
    return DN_OK;
}

/** Four threads read: together they take as many as were asked for. */
Test(prefetch, threads_are_shared, .timeout = 60)
{
    static const int asked[] = {1, 2, 8, 19}, each[] = {1, 1, 2, 4};
    for (int i = 0; i < 4; i++) {
        const void *data = NULL;
        dn_device *device = NULL;
        dn_prefetch *p = NULL;
        cr_assert_eq(dn_cli_open_device(&device, NULL, asked[i]), DN_OK, "%s", dn_error_last());
        cr_expect_eq(dn_device_threads(device), asked[i]);
        cr_expect_eq(omp_get_max_threads(), asked[i]);
        const dn_prefetch_options o = {.end = 20, .bytes = sizeof(int), .read = read_team};
        cr_assert_eq(dn_prefetch_open(&p, &o), DN_OK, "%s", dn_error_last());
        for (int step = 0; step < 20; step++) {
            cr_assert_eq(dn_prefetch_next(p, &data), DN_OK);
            cr_expect_eq(*(const int *)data, each[i], "%d of %d", *(const int *)data, asked[i]);
        }
        dn_prefetch_close(p);
        dn_device_close(device);
    }
}

Test(prefetch, errors_come_in_their_turn, .timeout = 60)
{
    source s = {.bad = 12};
    const void *data = NULL;
    dn_prefetch *p = open_prefetch(&s, 0, 300);
    for (int step = 0; step < 12; step++) cr_expect_eq(dn_prefetch_next(p, &data), DN_OK);
    cr_expect_eq(dn_prefetch_next(p, &data), DN_ERROR_FORMAT);
    cr_expect_str_eq(dn_error_last(), "step 12 is bad");
    dn_prefetch_close(p);
    for (int i = 0; i < 20; i++) { /* closed at any moment */
        p = open_prefetch(&s, 0, 1 + i * 10);
        if (i % 2) cr_expect_eq(dn_prefetch_next(p, &data), DN_OK);
        dn_prefetch_close(p);
    }
}

/* ---- training ---- */

static const char *const sets[] = {"train", "test", "ood"};

/** The small sets as packed ones, too. */
static void open_packed(void)
{
    open_work();
    const char *const before = threads;
    threads = NULL; /* converting has no such option */
    for (int i = 0; i < 3; i++) {
        char from[400], to[160];
        snprintf(from, sizeof from, "npy:%s/%s.npy,%s/%s-labels.npy", work, sets[i], work, sets[i]);
        snprintf(to, sizeof to, "%s/%s.h5", work, sets[i]);
        cr_assert_eq(RUN("data", "convert", from, "-o", to, "--compress", i ? "3" : "0", "-q"), 0, "%s", err);
    }
    threads = before;
}

TestSuite(stream, .init = open_packed, .fini = close_work, .timeout = 240);

/** @param prepare data.prepare and what else belongs to `data`
 *  @return the path of a recipe for the packed sets, static */
static const char *write_packed_recipe(const char *prepare, const char *rest)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/packed.yaml", work);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(file,
            "data:\n  train: 'file:%s/train.h5'\n  test: 'file:%s/test.h5@8x8x1'\n  ood: ['file:%s/ood.h5']\n%s"
            "model: {name: glyph_net, width: 4}\n%s",
            work, work, work, prepare, rest);
    fclose(file);
    return path;
}

static void stream(bool on)
{
    setenv("DUNLIN_MEMORY", on ? "1" : "1G", 1);
}

/** Trains in memory and from the files. */
static void check_same(const char *prepare, const char *rest)
{
    const char *recipe = write_packed_recipe(prepare, rest);
    stream(false);
    TRAIN(recipe, "--out", at("memory"), "-q");
    char accuracy[sizeof out];
    memcpy(accuracy, out, sizeof out);
    stream(true);
    TRAIN(recipe, "--out", at("stream"), "-q");
    cr_expect_str_eq(out, accuracy);
    cr_expect_eq(step_of(at("stream/checkpoint.h5")), 12);
    cr_expect_eq(differing_arrays(at("memory/checkpoint.h5"), at("stream/checkpoint.h5"), "/"), 0, "%s", rest);
}

Test(stream, deep)
{
    check_same("  prepare: [crop, flip, standardize]\n  crop_padding: 1\n", deep_recipe);
}

Test(stream, mutual_information)
{
    char recipe[2048];
    snprintf(recipe, sizeof recipe,
             "ensemble: {kind: mi, members: 2}\n"
             "mi:\n  batch: 8\n  period: 7\n  sources:\n"
             "    - {kind: patch_shuffle, patch: 4, alpha: 2}\n"
             "    - {kind: train, alpha: .8, redraw_every: 2, stop_norm_gradient: true}\n"
             "    - {kind: data, data: 'file[1-8]:%s/ood.h5', alpha: 1, redraw_every: 3}\n"
             "  switches: [{step: 0, source: 0}, {step: 2, source: 1}, {step: 4, source: 2}]\n"
             "train: {batch: 16, steps: 12, checkpoint_every: 5}\n",
             work);
    check_same("  prepare: [standardize]\n  replace: true\n", recipe);
}

Test(stream, leave_out)
{
    check_same("  prepare: [standardize]\n", leave_out_recipe);
}

Test(stream, outputs)
{
    const char *recipe = write_packed_recipe("", deep_recipe);
    stream(false);
    TRAIN(recipe, "--out", at("run"), "-q");
    cr_assert_eq(RUN("evaluate", at("run"), "--csv", at("memory.csv"), "-q"), 0, "%s", err);
    stream(true);
    /* What is kept is known to be of the same set. */
    cr_assert_eq(RUN("evaluate", at("run"), "--csv", at("kept.csv")), 0, "%s", err);
    cr_expect_null(strstr(err, "made anew"), "%s", err);
    cr_assert_eq(RUN("evaluate", at("run"), "--csv", at("stream.csv"), "-q", "--refresh"), 0, "%s", err);
    char *text[3] = {0};
    const char *const files[] = {"memory.csv", "kept.csv", "stream.csv"};
    for (int i = 0; i < 3; i++) {
        FILE *file = fopen(at(files[i]), "r");
        cr_assert_not_null(file);
        text[i] = dn_calloc(100000, 1);
        cr_assert_gt(fread(text[i], 1, 99999, file), 100);
        fclose(file);
        cr_expect_str_eq(text[i], text[0]);
    }
    for (int i = 0; i < 3; i++) dn_free(text[i]);
}

/* ---- breaks ---- */

static pid_t start_long(void)
{
    const pid_t child = START("train", write_packed_recipe("", deep_recipe), "--out", at("long"), "-q",
                              "train.steps=30000", "train.checkpoint_every=50");
    for (int i = 0; i < 20000 && !exists(at("long/checkpoint.h5")); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    return child;
}

Test(stream, interrupted_and_resumed)
{
    stream(true);
    const pid_t child = start_long();
    kill(child, SIGINT);
    cr_assert_eq(wait_command(child), 1, "%s", err);
    const long long stopped = number_after(err, "dunlin: stopped at step ");
    cr_assert_gt(stopped, 0, "%s", err);
    cr_expect_eq(step_of(at("long/checkpoint.h5")), stopped);
    char steps[40];
    snprintf(steps, sizeof steps, "train.steps=%lld", stopped);
    stream(false);
    TRAIN(write_packed_recipe("", deep_recipe), "--out", at("whole"), "-q", steps, "train.checkpoint_every=50");
    cr_expect_eq(differing_arrays(at("long/checkpoint.h5"), at("whole/checkpoint.h5"), "/"), 0);
}

Test(stream, goes_on_from_a_checkpoint)
{
    const char *recipe = write_packed_recipe("", mi_recipe);
    stream(false);
    TRAIN(recipe, "--out", at("whole"), "-q", "train.steps=100", "train.checkpoint_every=100000");
    stream(true);
    const pid_t child =
        START("train", recipe, "--out", at("long"), "-q", "train.steps=100", "train.checkpoint_every=100000");
    for (int i = 0; i < 20000 && !exists(at("long/checkpoint.h5")); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    kill(child, SIGTERM);
    cr_assert_eq(wait_command(child), 1, "%s", err);
    TRAIN("--out", at("long"), "--resume", "-q");
    cr_expect_eq(differing_arrays(at("long/checkpoint.h5"), at("whole/checkpoint.h5"), "/"), 0);
}

Test(stream, file_is_cut_off_under_way)
{
    stream(true);
    const pid_t child = start_long();
    cr_assert_eq(truncate(at("train.h5"), 3000), 0);
    cr_assert_eq(wait_command(child), 1, "%s", err);
    HAS(err, ": the images cannot be read, the checkpoint of step ");
    HAS(err, "was cut off while it was in use");
    const long long saved = number_after(err, "the checkpoint of step ");
    cr_expect_eq(step_of(at("long/checkpoint.h5")), saved);
    cr_expect_eq(RUN("train", "--out", at("long"), "--resume", "-q"), 1);
    HAS(err, "train.h5: ");
}

Test(stream, nan_is_named_alike)
{
    const char *recipe = write_packed_recipe("", deep_recipe);
    char text[sizeof err];
    stream(false);
    cr_expect_eq(RUN("train", recipe, "--out", at("a"), "-q", "optimizer.rate=1e30"), 1);
    memcpy(text, err, sizeof text);
    HAS(text, "NaN");
    stream(true);
    cr_expect_eq(RUN("train", recipe, "--out", at("b"), "-q", "optimizer.rate=1e30"), 1);
    cr_expect_str_eq(err, text);
}
